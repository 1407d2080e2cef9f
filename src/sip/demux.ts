/**
 * Which account a message is for.
 *
 * A response: the account whose id stands in the branch of its Via. A request: the account whose token stands in the Request-URI, then
 * the one whose AOR stands in To; the other way round for requests outside dialogs when Contact is not to be believed
 * (`dialog-ignore-contact-field`). Where both are accounts of ours, a dialog or transaction that knows the request decides. An account
 * that was removed gets what belongs to the calls that it still has, and nothing else.
 */
import type { IncomingRequestMessage } from 'sip.js/lib/core/index.js';
import type { Account } from './account.js';
import type { Accounts } from './accounts.js';

export function accountFor(message: IncomingRequestMessage, accounts: Accounts, ignoresContact: boolean): Account | undefined {
  for (const account of accounts.leaving) if (knows(account, message)) return account;
  const byContact = accounts.byToken(message.ruri?.user);
  const byTo = accounts.byAor(message.to.uri.user, message.to.uri.host);
  if (byContact === undefined || byTo === undefined || byContact === byTo) return byContact ?? byTo;
  const inOrder = ignoresContact ? [byTo, byContact] : [byContact, byTo];
  return inOrder.find((account) => knows(account, message)) ?? inOrder[0];
}

/**
 * It has the dialog, or the transaction that an ACK or a CANCEL is for, or a request of its own under way in that call: RFC 3261 15.1.2
 * wants an answer to a BYE that crosses ours, which has ended the dialog already.
 */
export function knows(account: Account, message: IncomingRequestMessage): boolean {
  const core = account.existingCore;
  if (core === undefined) return false;
  if (message.toTag && core.dialogs.has(message.callId + message.toTag + message.fromTag)) return true;
  if (core.userAgentServers.has(message.viaBranch)) return true;
  for (const client of core.userAgentClients.values()) if (client.message.callId === message.callId) return true;
  return false;
}
