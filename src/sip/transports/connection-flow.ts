/**
 * What every flow over a connection has in common: its two ends, and its one way down.
 *
 *   open --(close, peer, fault)--> down --(the socket is closed)--> told
 *
 * `goDown` is the only writer of that state. From then on nothing is sent or received and the table has forgotten the flow; `onClosed`
 * is told once, when the socket is really gone.
 */

import type { Clock, Timer } from '../../base/clock.js';
import { second } from '../../base/units.js';
import type { SipTransport } from '../types.js';
import type { Endpoint, Flow, FlowEvents } from './flow.js';
import { failLater, tellClosed } from './telling.js';
import { sayPlace, transportError } from './transport-fault.js';

/** More than this waiting to leave means that the peer does not read: further messages are refused instead of kept. */
export const maxUnsentBytes = 4 * 1024 * 1024;
/** How long a connection may take to say goodbye before it is cut, milliseconds. */
const goodbyeMs = 1 * second;

export interface ConnectionContext {
  readonly events: FlowEvents;
  readonly clock: Clock;
  /** On flows that we opened: the longest rest between pings, milliseconds; 0: no pings. */
  readonly keepAliveMs: number;
  /** The flow takes nothing more: forget it. */
  onDown(flow: ConnectionFlow): void;
}

export abstract class ConnectionFlow implements Flow {
  readonly isReliable = true;
  /** Resolves when the socket is gone. Never rejects. */
  readonly closed: Promise<void>;
  /** When a message last went or came, milliseconds of the clock. */
  usedAt: number;
  #why: string | undefined;
  #tellClosed: () => void = () => undefined;
  #goodbye: Timer | undefined;

  protected constructor(
    readonly transport: SipTransport,
    readonly local: Endpoint,
    readonly remote: Endpoint,
    protected readonly context: ConnectionContext,
  ) {
    this.usedAt = context.clock.now();
    this.closed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
  }

  get isOpen(): boolean {
    return this.#why === undefined;
  }

  abstract send(text: string, onError: (error: Error) => void): void;

  /** The peer is dead. @param why without full stop */
  abandon(why: string): void {
    this.goDown(why, 'at once');
  }

  close(): void {
    this.goDown('It was closed from this side', 'politely');
  }

  /** Starts the polite goodbye of the protocol. */
  protected abstract sayGoodbye(): void;
  /** Closes the socket at once. */
  protected abstract cut(): void;
  /** Stops what runs beside the socket. */
  protected abstract stop(): void;

  /** @param why without full stop. The first reason counts; later ones change nothing. */
  protected goDown(why: string, manner: 'politely' | 'at once'): void {
    if (this.#why !== undefined) return;
    this.#why = why;
    this.stop();
    this.context.onDown(this);
    if (manner === 'at once') {
      this.cut();
      return;
    }
    this.#goodbye = this.context.clock.after(goodbyeMs, () => {
      this.cut();
    });
    this.sayGoodbye();
  }

  /** The socket is gone. */
  protected gone(): void {
    this.goDown('The connection is gone', 'at once');
    this.#goodbye?.cancel();
    this.#tellClosed();
    tellClosed(this.context.events, this, `${this.name}: ${this.#why ?? ''}.`);
  }

  protected used(): void {
    this.usedAt = this.context.clock.now();
  }

  protected refuse(onError: (error: Error) => void, what: string): void {
    failLater(this.context.events, onError, transportError(`Cannot send over ${this.name}: ${what}.`));
  }

  protected get name(): string {
    return sayPlace(this.transport, this.remote);
  }
}
