/**
 * What the corrections and the stack hang on SIP.js's messages, and what they need to see of its classes. SIP.js declares most of it
 * private; these are the shapes of 0.21.2, pinned by `corrections/pin`.
 */
import type {
  IncomingRequestMessage,
  IncomingResponseMessage,
  OutgoingRequestMessage,
  SessionDelegate,
  Transport,
  URI,
  UserAgentServer,
} from 'sip.js/lib/core/index.js';
import type { CredentialsHeader, DigestExchange, DigestSession } from './digest.js';
import type { CallDialog } from './types.js';

/** The transport as transactions see it: a flow, or one that is being opened. Nothing here throws; errors come later than the return. */
export interface Wire extends Transport {
  /** `UDP`, `TCP`, `TLS`, `WS`, `WSS`: what Via says. */
  readonly protocol: string;
  /** It leads somewhere still. */
  readonly isOpen: boolean;
  /** @param key branch + method */
  sendRequest(text: string, key: string, isInvite: boolean, onError: (error: Error) => void): void;
  /** @param key branch + `INVITE` for the ACK of a refusal; absent for the ACK of a 2xx */
  sendAck(text: string, key: string | undefined, onError: (error: Error) => void): void;
  /** @param key the server transaction's; absent for a stateless reply */
  sendResponse(text: string, key: string | undefined, status: number, isInvite: boolean, onError: (error: Error) => void): void;
}

/** Who sends a request: an account. */
export interface Sender {
  /** `z9hG4bK` and the account's id: responses find their account by it. */
  readonly branchPrefix: string;
  /** The way to the next hop of this request (RFC 3261 8.1.2, 12.2.1.1). */
  wireFor(message: Addressed): Wire;
  digestFor(method: string): DigestSession;
  /** A request of its in a dialog was challenged: the next ones have their credentials unasked. */
  isChallengedInDialogs: boolean;
  /** One of its transactions, client's or server's. */
  transactionEnded(): void;
}

/** What the way of a request is found by. */
export type Addressed = Pick<SentRequest, 'callId' | 'fromTag' | 'toTag' | 'nextHop' | 'getHeader'>;

/** A request of ours. */
export interface SentRequest extends OutgoingRequestMessage {
  readonly sender: Sender;
  readonly exchange: DigestExchange;
  /** The caller hung up: a challenge is not answered any more. */
  isGivenUp: boolean;
  /** RFC 3261 8.1.2: its first route, else its Request-URI; undefined when that route cannot be read. */
  readonly nextHop: URI | undefined;
}

/** A request of theirs. `viaBranch` holds the whole key of RFC 3261 17.2.3: branch, sent-by, method. */
export interface ReceivedRequest extends IncomingRequestMessage {
  /** The way back (RFC 3261 18.2.2, RFC 3581). */
  readonly wire: Wire;
  /** It came over TLS, and RFC 3261 12.1.1 wants sips: URIs in its dialog. */
  readonly isOfSips: boolean;
}

/**
 * What a call's dialog hears, with what SIP.js does not know: the UPDATE of RFC 3311, that its account is registered, maybe over another flow, and
 * which call another one would take over (RFC 3891): none when it is not answered, or over.
 */
export interface CallDelegate extends SessionDelegate {
  replaceable?(): CallDialog | undefined;
  onUpdate?(request: UserAgentServer): void;
  onRegistered?(): void;
}

/** A final response, or what stands for one when none came. */
export interface FinalResponse extends IncomingResponseMessage {
  local?: { readonly code: 'SIP_TRANSPORT' | 'SIP_TIMEOUT'; readonly message: string };
  /** A 401 or 407 that refuses what we answered. */
  isPasswordRefused?: boolean;
  /** A 401 or 407 that we have no answer to, whatever the password: why. */
  unanswerable?: string;
}

/** Which header answers which challenge (RFC 3261 22.2, 22.3). */
export function credentialsHeaderFor(status: number): { challenge: string; credentials: CredentialsHeader } {
  return status === 401
    ? { challenge: 'www-authenticate', credentials: 'Authorization' }
    : { challenge: 'proxy-authenticate', credentials: 'Proxy-Authorization' };
}

/** Which header of a response speaks of which credentials (RFC 7616 3.5). */
export const infoHeaders: readonly (readonly [string, CredentialsHeader])[] = [
  ['authentication-info', 'Authorization'],
  ['proxy-authentication-info', 'Proxy-Authorization'],
];
