/** What the host says of its users, for one call. Never rejects and knows no deadline: the call's own guard keeps that. */
import { messageOf } from '../base/errors.js';
import type { HostUser, Peer } from '../host/contract.js';
import type { CallLog, UserLookup } from './ports.js';

/** How long a call waits for the host's word before it goes on as if the users were enabled, milliseconds. */
export const lookupTimeoutMs = 2_000;

/** The user behind a peer; undefined when it is no user, unknown, or the host failed to say. */
export async function findUser(users: UserLookup, peer: Peer | undefined, log: CallLog): Promise<HostUser | undefined> {
  if (peer?.type !== 1) return undefined;
  try {
    return await users.find(peer.id);
  } catch (thrown) {
    log.warn(`The host could not say whether user ${peer.id} is enabled; the call goes on: ${messageOf(thrown)}`);
    return undefined;
  }
}
