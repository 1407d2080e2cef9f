import type { SipTarget, SipTransport } from '../types.js';

/** An IP address (no brackets) and a port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/**
 * A way to one peer (RFC 5626): a UDP socket with a remote address, or a connection that we opened or took.
 */
export interface Flow {
  readonly transport: SipTransport;
  readonly remote: Endpoint;
  /** Our end of it: the address that the route to the peer uses, never 0.0.0.0. */
  readonly local: Endpoint;
  /** True when the transport itself retransmits: everything but UDP. */
  readonly isReliable: boolean;
  readonly isOpen: boolean;
  /** Its peer has answered a keep-alive of the connection, and is noticed when it does so no more. */
  readonly answersPings?: boolean;
  /** Never throws. `onError` is called at most once, later than the return, with a sentence for a person. */
  send(text: string, onError: (error: Error) => void): void;
  close(): void;
  /** What came over it was for us. A connection that was taken is cut when nobody says so in time. */
  welcome?(): void;
  /** Of a connection whose peer is dead: cut at once. @param why without full stop */
  abandon?(why: string): void;
}

/** What flows tell upward. A listener that throws harms no flow: what it threw arrives at `onFault`. */
export interface FlowEvents {
  /** One whole SIP message, at most 64 KB, headers and body; framing and keep-alives are done with. The bytes are only lent. */
  onMessage(flow: Flow, bytes: Buffer): void;
  /** A connection is gone, for whatever reason, our own `close` included; never told for UDP. Exactly once a connection. */
  onClosed(flow: Flow, why: string): void;
  /** What belongs to no flow: a fault of a listening socket, an error that a listener let out. The sentence is for a log. */
  onFault?(error: Error): void;
  /** Bytes that are no SIP message, or a connection that was not taken. `why` is ours, never the peer's. */
  onDropped?(kind: 'unparsable' | 'connection', address: string, why: string): void;
}

/** Where the stack gets its flows: `FlowTable` in the product, a network in memory in specs. */
export interface Flows {
  /** `udp:127.0.0.1:5060`, then tcp and tls. */
  readonly listening: readonly string[];
  readonly localPorts: { readonly udp: number; readonly tcp: number; readonly tls?: number };
  /** The flow when it is there; no promise on the hot path. */
  existing(target: SipTarget): Flow | undefined;
  /** The flow to a target, opened when there is none. Rejects with SIP_TRANSPORT. */
  to(target: SipTarget): Promise<Flow>;
  /** What Via is to say of a target that no flow leads to yet; its own transport when absent. */
  transportOf?(target: SipTarget): SipTransport;
  /**
   * The server at the end of a flow failed: whoever asks next is given another, if the target has one (RFC 3263 4.3).
   * @param leastMs how long the server wants to be left alone, milliseconds
   */
  passOver?(flow: Flow, leastMs?: number): void;
  /** One account more, or less, is reached over a flow: connections over which none is are not kept in any number. */
  hold?(flow: Flow, more: 1 | -1): void;
  /** Idempotent; never rejects. */
  close(): Promise<void>;
}
