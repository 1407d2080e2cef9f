/** What a target refresh request of ours, and a 2xx to one of theirs, say of us (RFC 3261 12.1.1, 12.2.1.1, 20.5). */
import type { UserAgentCore } from 'sip.js/lib/core/index.js';
import { allowedMethods } from './corrections/allowed-methods.js';

const plainContact = 'Contact: <sip:';

/** Whole lines. */
export function whereWeAre(core: UserAgentCore): string[] {
  return [`Contact: ${core.configuration.contact.toString()}`, `Allow: ${allowedMethods.join(', ')}`];
}

/**
 * RFC 3261 8.1.1.8, 12.1.1: in a dialog of sips: addresses our Contact is a sips: URI as well. Not over a way that is not secured: who asked
 * for sips: there would find no TLS where our Contact leads.
 * @param lines whole
 */
export function asSips(lines: readonly string[]): string[] {
  return lines.map((line) => (line.startsWith(plainContact) ? `Contact: <sips:${line.slice(plainContact.length)}` : line));
}
