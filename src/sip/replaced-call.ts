/**
 * The call that an INVITE is to take over (RFC 3891 3). It is one of the very account that is called, so that nobody's call is taken by calling
 * somebody else, and it is answered: of what still rings there is nothing to take over.
 */
import { SessionDialog, type IncomingRequestMessage } from 'sip.js/lib/core/index.js';
import type { AccountCore } from './account-core.js';
import type { CallDelegate } from './internals.js';
import { parseReplaces, type Replaces } from './replaces.js';
import type { CallDialog } from './types.js';

/**
 * @param core of the account that is called
 * @returns the call, undefined when the INVITE is to take none over; or the status that refuses it
 */
export function replacedCall(core: AccountCore, invite: IncomingRequestMessage): { readonly dialog: CallDialog | undefined } | { readonly status: number } {
  const [value, ...others] = invite.getHeaders('replaces');
  if (value === undefined) return { dialog: undefined };
  const named = others.length > 0 ? undefined : parseReplaces(value);
  if (named === undefined) return { status: 400 };
  const dialog = answeredCall(core, named);
  if (dialog === undefined) return { status: 481 };
  return named.isEarlyOnly ? { status: 486 } : { dialog };
}

function answeredCall(core: AccountCore, { callId, toTag, fromTag }: Replaces): CallDialog | undefined {
  const dialog = core.dialogs.get(callId + toTag + fromTag);
  if (!(dialog instanceof SessionDialog) || dialog.callId !== callId || dialog.localTag !== toTag) return undefined;
  const delegate: CallDelegate | undefined = dialog.delegate;
  return delegate?.replaceable?.();
}
