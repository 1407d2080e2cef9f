/** The methods that the core lets in, and that `Allow` lists. */
import { AllowedMethods } from 'sip.js/lib/core/user-agent-core/allowed-methods.js';
import type { Correction } from './pin.js';

/** What this package does something with. */
export const allowedMethods: readonly string[] = ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'PRACK', 'UPDATE', 'INFO', 'NOTIFY', 'REFER'];

export const allowedMethodsCorrection: Correction = {
  member: 'AllowedMethods',
  why: 'RFC 3261 8.2.1, 13.3.1.4: what is taken, and what `Allow` lists, is what something is done with; SIP.js lists methods that nobody reads, and not UPDATE.',
  spec: 'without an offer is answered 200, and says where the far end is now',
  install: () => {
    AllowedMethods.splice(0, AllowedMethods.length, ...allowedMethods);
  },
};
