/** What the host is told of who calls: the network's word before the caller's own, and nothing where the caller would rather not be named. */
import type { RemoteParty } from '../host/contract.js';
import type { CallerIdentity, Forwarding, NameAddress } from '../sip/types.js';

/** RFC 3323 4.1.1.3: the contract wants an address, and this is nobody's. */
export const anonymousParty: RemoteParty = { uri: 'sip:anonymous@anonymous.invalid', displayName: 'Anonymous' };

/** P-Asserted-Identity often is a bare number; the name that goes with it then stands in From. */
export function namedBy({ asserted }: Pick<CallerIdentity, 'asserted'>, from: NameAddress): NameAddress {
  const { displayName } = from;
  if (asserted === undefined) return from;
  return displayName === undefined ? asserted : { displayName, ...asserted };
}

/** A sentence; undefined when nobody forwarded the call. The contract has no place for it: the log and `explain` tell it. */
export function sayForwardings(forwardedBy: readonly Forwarding[]): string | undefined {
  if (forwardedBy.length === 0) return undefined;
  const said = forwardedBy.map(({ by, reason }) => (reason === undefined ? by.uri : `${by.uri} (${reason})`));
  return `The call was forwarded by ${said.join(', then by ')}.`;
}
