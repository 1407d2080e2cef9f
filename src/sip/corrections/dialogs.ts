/** Corrections to SIP.js's dialogs: the target and the routes of a dialog, and the requests in it that SIP.js knows little of. */
import {
  Dialog,
  NameAddrHeader,
  NonInviteServerTransaction,
  SessionDialog,
  SignalingState,
  TransactionState,
  UserAgentCore,
  UserAgentServer,
  type IncomingRequestMessage,
  type IncomingResponseMessage,
  type InviteServerTransaction,
  type URI,
} from 'sip.js/lib/core/index.js';
import { Timers } from 'sip.js/lib/core/timers.js';
import type { CallDelegate } from '../internals.js';
import { sdpOf } from '../parser/body.js';
import { retrySoon, sessionStays } from '../response-headers.js';
import { refreshTarget } from '../target-refresh.js';
import { whereWeAre } from '../where-we-are.js';
import { correct } from './pin.js';

interface DialogInternals {
  readonly dialogState: { routeSet: string[]; remoteTarget: URI };
  sequenceGuard(message: IncomingRequestMessage): boolean;
}

interface RepeatingInternals {
  readonly reinviteUserAgentServer: { readonly transaction: Pick<InviteServerTransaction, 'state' | 'retransmitAcceptedResponse'> } | undefined;
  invite2xxTimer: ReturnType<typeof setTimeout> | undefined;
}

type Receive = (this: UserAgentCore, message: IncomingRequestMessage) => void;

const originalReceive = Object.getOwnPropertyDescriptor(UserAgentCore.prototype, 'receiveInsideDialogRequest')?.value as Receive;

export const dialogCorrections = [
  correct(
    Dialog.prototype,
    'recomputeRouteSet',
    '8f68b290',
    'RFC 3261 13.2.2.4, 12.2.1.2: the 2xx that confirms an early dialog brings its route set and its remote target; SIP.js keeps the target of the 1xx.',
    'are those of the 2xx, not those of the 180 before it',
    function (this: DialogInternals, response: IncomingResponseMessage): void {
      this.dialogState.routeSet = response.getHeaders('record-route').reverse();
      const contact: unknown = response.parseHeader('contact');
      if (contact instanceof NameAddrHeader) this.dialogState.remoteTarget = contact.uri;
    },
  ),
  correct(
    SessionDialog.prototype,
    'startReInvite2xxRetransmissionTimer',
    'c3f50a1c',
    'RFC 3261 13.3.1.4, 14.2: the 2xx of a re-INVITE is repeated until its own ACK; SIP.js goes on with an older one when the next re-INVITE comes before the timer is due, for ever once the dialog has ended.',
    'of which the next follows at once is not answered again once it is acknowledged',
    function (this: RepeatingInternals): void {
      const uas = this.reinviteUserAgentServer;
      if (uas === undefined) return;
      const repeat = (delayMs: number): void => {
        clearTimeout(this.invite2xxTimer);
        this.invite2xxTimer = setTimeout(() => {
          this.invite2xxTimer = undefined;
          if (this.reinviteUserAgentServer !== uas || uas.transaction.state !== TransactionState.Accepted) return;
          uas.transaction.retransmitAcceptedResponse();
          repeat(Math.min(delayMs * 2, Timers.T2));
        }, delayMs);
      };
      repeat(Timers.T1);
    },
  ),
  correct(
    UserAgentCore.prototype,
    'receiveInsideDialogRequest',
    'b1c085f7',
    'RFC 3261 12.2.2, RFC 3311 5.2: OPTIONS and UPDATE count CSeq on as every request does, and UPDATE refreshes the target; SIP.js counts neither and answers UPDATE with 501. A re-INVITE refreshes it when it is accepted; SIP.js does so when it is refused, too. An ACK before our 2xx is not its ACK; SIP.js takes it for that, and no other is waited for.',
    'without an offer is answered 200, and says where the far end is now',
    function (this: UserAgentCore, message: IncomingRequestMessage): void {
      const dialog = this.dialogs.get(message.callId + message.toTag + message.fromTag);
      // RFC 3261 13.3.1.4: what waits for an ACK is our 2xx; before it there is nothing to acknowledge.
      if (message.method === 'ACK' && dialog?.early === true) return;
      if (dialog === undefined) originalReceive.call(this, message);
      else if (message.method === 'INVITE') receiveReInvite(this, dialog, message);
      else if (message.method === 'OPTIONS' || message.method === 'UPDATE') {
        if (!internalsOf(dialog).sequenceGuard(message)) return;
        Dialog.prototype.receiveRequest.call(dialog, message);
        if (message.method === 'OPTIONS') this.replyStateless(message, { statusCode: 200 });
        else answerUpdate(this, dialog, message);
      } else originalReceive.call(this, message);
    },
  ),
];

/**
 * RFC 3261 12.2.2, RFC 6141 3.1: a re-INVITE that is refused changes nothing, the remote target neither; SIP.js moves that when one comes.
 * Accepted here and now it has moved; accepted later it moves then.
 */
function receiveReInvite(core: UserAgentCore, dialog: Dialog, message: IncomingRequestMessage): void {
  const internals = internalsOf(dialog);
  const { remoteTarget } = internals.dialogState;
  originalReceive.call(core, message);
  if (internals.reinviteUserAgentServer?.transaction.state !== TransactionState.Accepted) internals.dialogState.remoteTarget = remoteTarget;
}

/** SIP.js's only dialogs are those of calls; it hides these members. */
function internalsOf(dialog: Dialog): DialogInternals & RepeatingInternals {
  return dialog as unknown as DialogInternals & RepeatingInternals;
}

/** The call's dialog answers; before the answer there is none, and the session is not changed. */
function answerUpdate(core: UserAgentCore, dialog: Dialog, message: IncomingRequestMessage): void {
  const { delegate, signalingState } = dialog as unknown as { delegate?: CallDelegate; signalingState: SignalingState }; // SIP.js's only dialogs here
  if (delegate?.onUpdate !== undefined) {
    delegate.onUpdate(new UserAgentServer(NonInviteServerTransaction, core, message));
    return;
  }
  if (sdpOf(message) !== undefined) {
    // RFC 3311 5.2: 500 while an offer of the far end is not answered, 491 while ours is not.
    if (signalingState === SignalingState.HaveRemoteOffer) core.replyStateless(message, { statusCode: 500, extraHeaders: [retrySoon()] });
    else if (signalingState === SignalingState.HaveLocalOffer) core.replyStateless(message, { statusCode: 491 });
    else core.replyStateless(message, { statusCode: 488, extraHeaders: [sessionStays] });
    return;
  }
  refreshTarget(dialog, message);
  core.replyStateless(message, { statusCode: 200, extraHeaders: whereWeAre(core) });
}
