/** Corrections to SIP.js's user agents: the way of each request and response, challenges, and responses that are not by the book. */
import {
  InviteUserAgentClient,
  TransactionState,
  UserAgentClient,
  UserAgentServer,
} from 'sip.js/lib/core/index.js';
import type {
  ClientTransaction,
  IncomingResponseMessage,
  OutgoingInviteRequestDelegate,
  OutgoingRequestDelegate,
  OutgoingResponse,
  ResponseOptions,
  ServerTransaction,
  TransactionUser,
  UserAgentCore,
} from 'sip.js/lib/core/index.js';
import { answerChallenge, digestRequestOf, isChallenge, setCredentials, takeNextNonces } from '../challenges.js';
import { forgetInvite } from '../forget-invite.js';
import type { FinalResponse, ReceivedRequest, Sender, SentRequest, Wire } from '../internals.js';
import { randomToken } from '../random-token.js';
import { hasUsableContact } from '../request-checks.js';
import { requires100rel } from '../response-headers.js';
import { notSent, timedOut, untagged } from '../stand-in.js';
import { asSips } from '../where-we-are.js';
import { writeResponse } from '../write-response.js';
import { correct, measured } from './pin.js';

interface ClientInternals {
  readonly core: UserAgentCore;
  readonly message: SentRequest;
  readonly delegate?: OutgoingRequestDelegate;
  readonly transactionConstructor: new (message: SentRequest, wire: Wire, user: TransactionUser) => ClientTransaction;
  _transaction: ClientTransaction | undefined;
  /** Those of an INVITE. */
  readonly confirmedDialogs?: ReadonlyMap<string, object>;
  dispose(): void;
  init(): void;
  onRequestTimeout(): void;
  onTransportError(error: Error): void;
  receiveResponse(message: IncomingResponseMessage): void;
}

interface InviteClientInternals extends ClientInternals {
  readonly delegate?: OutgoingInviteRequestDelegate;
  authenticationGuard(message: IncomingResponseMessage): boolean;
}

interface ServerInternals {
  readonly core: UserAgentCore & Pick<Sender, 'transactionEnded'>;
  readonly message: ReceivedRequest;
  readonly transaction: { receiveResponse(statusCode: number, text: string): void };
  toTag: string;
  readonly delegate?: { onTransportError?(error: Error): void };
  readonly transactionConstructor: new (message: ReceivedRequest, wire: Wire, user: TransactionUser) => ServerTransaction;
  _transaction: ServerTransaction | undefined;
  dispose(): void;
  reply(options: ResponseOptions): OutgoingResponse;
}

interface LocalDialog {
  readonly localSequenceNumber: number | undefined;
  incrementLocalSequenceNumber(): void;
}

const originalReceiveInviteResponse = Object.getOwnPropertyDescriptor(InviteUserAgentClient.prototype, 'receiveResponse')?.value as (
  this: InviteClientInternals,
  message: IncomingResponseMessage,
) => void;

export const userAgentCorrections = [
  correct(
    UserAgentClient.prototype,
    'init',
    '7cc37d9f',
    'RFC 3261 8.1.2, 9.1, 12.2.1.1: each request goes to its own next hop, a challenged one back there, a CANCEL where its INVITE went; SIP.js has one transport for all.',
    'goes by the recorded route, all of it',
    function (this: ClientInternals): void {
      const { core, message } = this;
      const user: TransactionUser = {
        loggerFactory: core.loggerFactory,
        onStateChange: (state) => {
          if (state !== TransactionState.Terminated) return;
          core.userAgentClients.delete(id);
          if (transaction === this._transaction) this.dispose();
          // RFC 6026 7.2: after timer M no 2xx is taken any more.
          for (const dialog of this.confirmedDialogs?.values() ?? []) forgetInvite(dialog);
          message.sender.transactionEnded();
        },
      };
      const clientUser = Object.assign(user, {
        onRequestTimeout: () => {
          this.onRequestTimeout();
        },
        onTransportError: (error: Error) => {
          this.onTransportError(error);
        },
        receiveResponse: (response: IncomingResponseMessage) => {
          this.receiveResponse(response);
        },
      });
      // RFC 3261 17.1.3: what comes again to the challenged try belongs to its transaction, not to the new one.
      if (this._transaction !== undefined) core.userAgentClients.delete(this._transaction.id + message.method);
      // RFC 3261 22.1: only the server that challenged a request knows its nonce; 9.1: only that of the INVITE knows what a CANCEL is for.
      const before = (this._transaction as { readonly transport: Wire } | undefined) ?? cancelledBy(core, message);
      const wire = before?.transport.isOpen === true ? before.transport : message.sender.wireFor(message);
      const transaction = new this.transactionConstructor(message, wire, clientUser);
      this._transaction = transaction;
      const id = transaction.id + message.method;
      core.userAgentClients.set(id, this as unknown as UserAgentClient); // the same object, seen without its private parts
    },
  ),
  correct(
    UserAgentClient.prototype,
    'authenticationGuard',
    '65f1891f',
    'RFC 7616, RFC 8760: several challenges, SHA-256, -sess, stale, counted and next nonces; RFC 3261 22.2: a challenged request in a dialog takes the next CSeq of the dialog. SIP.js knows MD5 and the last challenge, and uses a CSeq twice.',
    'answers a proxy, and its ACK carries the credentials',
    function (this: ClientInternals, response: FinalResponse): boolean {
      const { message } = this;
      const digest = message.sender.digestFor(message.method);
      if ((response.statusCode ?? 0) >= 200) takeNextNonces(response, digest);
      // RFC 3261 22.1: nobody may challenge a CANCEL, and it cannot be sent again with another CSeq.
      if (!isChallenge(response) || message.isGivenUp || message.method === 'CANCEL') return true;
      const answers = answerChallenge(response, digest, digestRequestOf(message), message.exchange);
      if (answers === undefined) return true;
      const dialog = this.core.dialogs.get(message.callId + message.fromTag + (message.toTag ?? '')) as LocalDialog | undefined;
      message.cseq += 1;
      if (dialog?.localSequenceNumber !== undefined) {
        message.sender.isChallengedInDialogs = true;
        dialog.incrementLocalSequenceNumber();
        message.cseq = dialog.localSequenceNumber;
      }
      message.setHeader('cseq', `${String(message.cseq)} ${message.method}`);
      setCredentials(message, answers);
      this.init();
      return false;
    },
  ),
  correct(
    UserAgentClient.prototype,
    'onRequestTimeout',
    'c6a07896',
    'RFC 3261 8.1.3.1: a time-out is treated as 408; here it says too that nobody answered.',
    'an INVITE that nobody answers ends after 64*T1',
    function (this: ClientInternals): void {
      this.receiveResponse(timedOut());
    },
  ),
  correct(
    UserAgentClient.prototype,
    'onTransportError',
    '0229ed20',
    'RFC 3261 8.1.3.1: a transport error is treated as 503; here it says too what went wrong.',
    'a call that the network does not take ends at once, and says why',
    function (this: ClientInternals, error: Error): void {
      this.receiveResponse(notSent(error));
    },
  ),
  correct(
    InviteUserAgentClient.prototype,
    'receiveResponse',
    '0c762a46',
    'RFC 3261 12.1: a 1xx without To tag makes no dialog but still tells that it rings (SIP.js drops it); a 1xx or 2xx without a Contact that is a URI leaves the Request-URI as remote target (SIP.js drops it, and the call hangs). A 2xx without To tag ends the call (SIP.js drops that too).',
    'tells that it rings though the 180 has no Contact and no To tag',
    function (this: InviteClientInternals, message: IncomingResponseMessage): void {
      const status = message.statusCode ?? 0;
      if (status > 100 && status < 200 && !message.toTag) {
        this.delegate?.onProgress?.({
          message,
          session: undefined as never, // no dialog was made; the receiver asks for none
          prack: () => {
            throw new Error('A response without To tag cannot be acknowledged reliably.');
          },
        });
        return;
      }
      if (status >= 200 && status < 300 && !message.toTag) {
        originalReceiveInviteResponse.call(this, untagged());
        return;
      }
      // SIP.js looks at the first Require alone, and at its spelling.
      if (requires100rel(message)) message.setHeader('require', '100rel');
      if (status > 100 && status < 300 && !hasUsableContact(message)) message.setHeader('contact', `<${this.message.ruri.toRaw()}>`);
      originalReceiveInviteResponse.call(this, message);
    },
  ),
  correct(
    UserAgentServer.prototype,
    'init',
    'cf872d55',
    'RFC 3261 18.2.2: a response goes back the way its request came; SIP.js has one transport for all. 19.3: nobody can guess its To tag; SIP.js draws by Math.random.',
    'is told with its caller, rings, is answered and ended by the caller',
    function (this: ServerInternals): void {
      const { core, message } = this;
      if (!message.toTag) this.toTag = randomToken(8);
      const user: TransactionUser = {
        loggerFactory: core.loggerFactory,
        onStateChange: (state) => {
          if (state !== TransactionState.Terminated) return;
          core.userAgentServers.delete(transaction.id);
          this.dispose();
          core.transactionEnded();
        },
        onTransportError: (error) => {
          this.delegate?.onTransportError?.(error);
        },
      };
      const transaction = new this.transactionConstructor(message, message.wire, user);
      this._transaction = transaction;
      core.userAgentServers.set(transaction.id, this as unknown as UserAgentServer); // the same object, seen without its private parts
    },
  ),
  correct(
    UserAgentServer.prototype,
    'reply',
    '3ec0e3ab',
    'RFC 3261 20.14: Content-Length counts bytes; SIP.js counts the bytes of the body by encodeURIComponent, which is slow and throws on a lone surrogate.',
    measured,
    function (this: ServerInternals, options: ResponseOptions): OutgoingResponse {
      const { userAgentHeaderFieldValue: userAgent = '', supportedOptionTagsResponse: supported } = this.core.configuration;
      const extraHeaders = this.message.isOfSips ? asSips(options.extraHeaders ?? []) : options.extraHeaders;
      const { statusCode, reasonPhrase, body } = options;
      const message = writeResponse(this.message, { statusCode, reasonPhrase, extraHeaders, body, toTag: this.toTag, userAgent, supported });
      this.transaction.receiveResponse(statusCode, message);
      return { message };
    },
  ),
  correct(
    UserAgentServer.prototype,
    'trying',
    '954d7111',
    'RFC 3261 8.2.6.1: 100 repeats the Timestamp of its request; SIP.js leaves it out.',
    'is told 100 with the Timestamp of its INVITE',
    function (this: ServerInternals): OutgoingResponse {
      const extraHeaders = this.message.getHeaders('timestamp').map((value) => `Timestamp: ${value}`);
      return this.reply({ statusCode: 100, extraHeaders });
    },
  ),
];

/** The transaction of the INVITE that a CANCEL is for. */
function cancelledBy(core: UserAgentCore, message: SentRequest): { readonly transport: Wire } | undefined {
  if (message.method !== 'CANCEL' || message.branch === undefined) return undefined;
  const client: unknown = core.userAgentClients.get(`${message.branch}INVITE`);
  return (client as ClientInternals | undefined)?._transaction as { readonly transport: Wire } | undefined;
}
