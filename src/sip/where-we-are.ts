/** What a target refresh request of ours, and a 2xx to one of theirs, say of us (RFC 3261 12.1.1, 12.2.1.1, 20.5). */
import type { UserAgentCore } from 'sip.js/lib/core/index.js';
import { allowedMethods } from './corrections/allowed-methods.js';

/** Whole lines. */
export function whereWeAre(core: UserAgentCore): string[] {
  return [`Contact: ${core.configuration.contact.toString()}`, `Allow: ${allowedMethods.join(', ')}`];
}
