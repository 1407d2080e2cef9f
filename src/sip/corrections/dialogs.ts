/** Corrections to SIP.js's dialogs: the target and the routes of a dialog, and the requests in it that SIP.js knows little of. */
import {
  Dialog,
  NameAddrHeader,
  UserAgentCore,
  type IncomingRequestMessage,
  type IncomingResponseMessage,
  type URI,
} from 'sip.js/lib/core/index.js';
import { sdpOf } from '../parser/body.js';
import { hasUsableContact } from '../request-checks.js';
import { sessionStays } from '../response-headers.js';
import { allowedMethods } from './allowed-methods.js';
import { correct } from './pin.js';

interface DialogInternals {
  readonly dialogState: { routeSet: string[]; remoteTarget: URI };
  sequenceGuard(message: IncomingRequestMessage): boolean;
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
    UserAgentCore.prototype,
    'receiveInsideDialogRequest',
    'b1c085f7',
    'RFC 3261 12.2.2, RFC 3311 5.2: OPTIONS and UPDATE count CSeq on as every request does, and UPDATE refreshes the target; SIP.js counts neither and answers UPDATE with 501. An ACK before our 2xx is not its ACK; SIP.js takes it for that, and no other is waited for.',
    'without an offer is answered 200, and says where the far end is now',
    function (this: UserAgentCore, message: IncomingRequestMessage): void {
      const dialog = this.dialogs.get(message.callId + message.toTag + message.fromTag);
      // RFC 3261 13.3.1.4: what waits for an ACK is our 2xx; before it there is nothing to acknowledge.
      if (message.method === 'ACK' && dialog?.early === true) return;
      if (dialog === undefined || (message.method !== 'OPTIONS' && message.method !== 'UPDATE')) {
        originalReceive.call(this, message);
        return;
      }
      const internals = dialog as unknown as DialogInternals; // SIP.js hides these members
      if (!internals.sequenceGuard(message)) return;
      Dialog.prototype.receiveRequest.call(dialog, message);
      if (message.method === 'OPTIONS') this.replyStateless(message, { statusCode: 200 });
      else answerUpdate(this, internals, message);
    },
  ),
];

/** A session is not changed: an offer is refused. Without one, an UPDATE says where the far end is now, and that it lives. */
function answerUpdate(core: UserAgentCore, dialog: DialogInternals, message: IncomingRequestMessage): void {
  if (sdpOf(message) !== undefined) {
    core.replyStateless(message, { statusCode: 488, extraHeaders: [sessionStays] });
    return;
  }
  const contact: unknown = hasUsableContact(message) ? message.parseHeader('contact') : undefined;
  if (contact instanceof NameAddrHeader) dialog.dialogState.remoteTarget = contact.uri;
  const ours = `Contact: ${core.configuration.contact.toString()}`;
  core.replyStateless(message, { statusCode: 200, extraHeaders: [ours, `Allow: ${allowedMethods.join(', ')}`] });
}
