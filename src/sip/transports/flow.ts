import type { SipTransport } from '../types.js';

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
  /** Never throws. `onError` is called at most once, later than the return, with a sentence for a person. */
  send(text: string, onError: (error: Error) => void): void;
  close(): void;
}

/** What flows tell upward. A listener that throws harms no flow: what it threw arrives at `onFault`. */
export interface FlowEvents {
  /** One whole SIP message, at most 64 KB, headers and body; framing and keep-alives are done with. The bytes are only lent. */
  onMessage(flow: Flow, bytes: Buffer): void;
  /** A connection is gone, for whatever reason, our own `close` included; never told for UDP. Exactly once a connection. */
  onClosed(flow: Flow, why: string): void;
  /** What belongs to no flow: a fault of a listening socket, an error that a listener let out. The sentence is for a log. */
  onFault?(error: Error): void;
}
