/** UPDATE without an offer, which changes nothing but how long the session lasts and where we are (RFC 3311, RFC 4028 7.4). */
import { NonInviteClientTransaction, UserAgentClient, type IncomingResponseMessage, type SessionDialog } from 'sip.js/lib/core/index.js';
import { callRefusalOf } from './call-refusal.js';
import { refreshTarget } from './target-refresh.js';
import type { CallRefusal } from './types.js';

/** @param headers whole lines */
export function sendSessionUpdate(
  dialog: SessionDialog,
  headers: string[],
  events: { onAccepted: (response: IncomingResponseMessage) => void; onRefused: (refusal: CallRefusal) => void },
): void {
  const message = dialog.createOutgoingRequestMessage('UPDATE', { extraHeaders: headers });
  const refuse = (response: { message: IncomingResponseMessage }): void => {
    events.onRefused(callRefusalOf(response.message));
  };
  const delegate = {
    onAccept: (response: { message: IncomingResponseMessage }) => {
      refreshTarget(dialog, response.message);
      events.onAccepted(response.message);
    },
    onRedirect: refuse,
    onReject: refuse,
  };
  new UserAgentClient(NonInviteClientTransaction, dialog.userAgentCore, message, delegate);
}
