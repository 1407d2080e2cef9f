/** The methods that the core lets in, and that `Allow` lists. */
import { AllowedMethods } from 'sip.js/lib/core/user-agent-core/allowed-methods.js';
import type { Correction } from './pin.js';

/** What this package does something with. */
export const allowedMethods: readonly string[] = ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'PRACK', 'UPDATE'];

export const allowedMethodsCorrection: Correction = {
  member: 'AllowedMethods',
  why: 'RFC 3261 8.2.1: a method that is not supported is answered 405; SIP.js says 200 to a MESSAGE that nobody reads.',
  install: () => {
    AllowedMethods.splice(0, AllowedMethods.length, ...allowedMethods);
  },
};
