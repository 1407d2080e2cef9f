/** Corrections to SIP.js's transactions: identity, what is sent where, and the ACK of a refusal. */
import {
  ClientTransaction,
  InviteClientTransaction,
  Transaction,
  TransactionState,
  TransportError,
} from 'sip.js/lib/core/index.js';
import type { IncomingResponseMessage } from 'sip.js/lib/core/index.js';
import type { SentRequest, Wire } from '../internals.js';
import { randomToken } from '../random-token.js';
import { correct } from './pin.js';

interface TransactionInternals {
  readonly id: string;
  readonly kind: string;
  readonly state: TransactionState;
  readonly transport: Wire;
  readonly request: { readonly method: string };
  /** Of an INVITE of ours: the ACKs of its 2xx, by the tags of who answered. */
  readonly ackRetransmissionCache?: ReadonlyMap<string, SentRequest | undefined>;
  onTransportError(error: Error): void;
}

interface InviteClientInternals extends TransactionInternals {
  readonly request: SentRequest;
  readonly ackRetransmissionCache: Map<string, SentRequest>;
}

const sent = Promise.resolve();
const nobodyListens = (): void => undefined;

export const transactionCorrections = [
  correct(
    ClientTransaction,
    'makeId',
    'a290b935',
    'RFC 3261 8.1.1.7: a branch is unique across space and time; SIP.js draws from 10^7. It names the account too, for demultiplexing.',
    'rings, is answered, acknowledged and ended by us',
    (request: SentRequest): string => {
      // RFC 3261 9.1: the CANCEL has the branch of the request it cancels.
      if (request.method === 'CANCEL' && request.branch !== undefined) return request.branch;
      return `${request.sender.branchPrefix}${randomToken(8)}`;
    },
  ),
  correct(
    Transaction.prototype,
    'send',
    '5c4e73ae',
    'RFC 3261 17, 18: the transport must know what it sends, to repeat it over UDP (A, E, G) and to keep it (D, I, J).',
    'an INVITE that nobody answers ends after 64*T1',
    function (this: TransactionInternals, text: string): Promise<void> {
      if (text.startsWith('ACK ')) {
        // RFC 3261 13.2.2.4: the way is found anew; the connection that the ACK went by may be gone, and the ACK with it.
        for (const ack of this.ackRetransmissionCache?.values() ?? []) {
          if (ack?.toString() === text) ack.sender.wireFor(ack).sendAck(text, undefined, nobodyListens);
        }
        return sent;
      }
      const onError = (error: Error): void => {
        // The answer may be here already, by another packet; then the error is of no interest.
        if (this.state === TransactionState.Terminated || this.state === TransactionState.Completed) return;
        this.onTransportError(new TransportError(error.message));
      };
      const isInvite = this.request.method === 'INVITE';
      if (this.kind === 'ict' || this.kind === 'nict') {
        this.transport.sendRequest(text, this.id + this.request.method, isInvite, onError);
      } else {
        this.transport.sendResponse(text, this.id, Number(text.slice(8, 11)), isInvite, onError);
      }
      return sent;
    },
  ),
  correct(
    InviteClientTransaction.prototype,
    'ackResponse',
    '4bb21e3d',
    'RFC 3261 13.2.2.4: the ACK of a 2xx goes to the next hop of its dialog, not where the INVITE went; its branch is its own.',
    'has in the Via of the ACK the transport by which that goes there, and a branch of its own',
    function (this: InviteClientInternals, ack: SentRequest): void {
      const wire = ack.sender.wireFor(ack);
      ack.setViaHeader(`${ack.sender.branchPrefix}${randomToken(8)}`, wire.protocol);
      if (ack.toTag !== undefined) this.ackRetransmissionCache.set(ack.toTag, ack);
      wire.sendAck(ack.toString(), undefined, nobodyListens);
    },
  ),
  correct(
    InviteClientTransaction.prototype,
    'ack',
    '9f444604',
    'RFC 3261 17.1.1.3: the ACK of a refusal has all Route headers of its INVITE; SIP.js copies the first alone. It is no request with a timer A.',
    'answers a proxy, and its ACK carries the credentials',
    function (this: InviteClientInternals, response: IncomingResponseMessage): void {
      const { request } = this;
      let text = `ACK ${request.ruri.toRaw()} SIP/2.0\r\n`;
      for (const route of request.getHeaders('route')) text += `Route: ${route}\r\n`;
      text += `Via: ${request.getHeader('via') ?? ''}\r\n`;
      text += `To: ${response.getHeader('to') ?? ''}\r\n`;
      text += `From: ${request.getHeader('from') ?? ''}\r\n`;
      text += `Call-ID: ${request.callId}\r\nCSeq: ${request.cseq} ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n`;
      // The refusal may have come over another connection than the INVITE went by, which is gone.
      const wire = this.transport.isOpen ? this.transport : request.sender.wireFor(request);
      wire.sendAck(text, `${this.id}INVITE`, nobodyListens);
    },
  ),
];
