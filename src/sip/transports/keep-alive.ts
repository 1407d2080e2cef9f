/**
 * Keeps a connection that we opened alive and notices when it is dead: a ping every so often, and 10 s for the answer.
 *
 * Two states in turn, one timer: resting until the next ping, or waiting for its answer. RFC 5626 4.4.1: "If the UA does not
 * receive a pong within 10 seconds after sending a ping, it MUST treat the flow as failed". A peer that does not know the CRLF ping
 * (many PBXs) never answers, and its connections are good all the same: so with `proven` a silence counts only after the
 * first answer on that connection.
 */

import type { Clock, Timer } from '../../base/clock.js';
import { second } from '../../base/units.js';

export interface KeepAliveOptions {
  /** The longest rest between pings, milliseconds. RFC 5626 4.4: each rest is a random one between 80 and 100 % of it. */
  readonly intervalMs: number;
  /** `proven`: silence is death only once the peer has answered; `always`: the protocol obliges the peer to answer. */
  readonly expectAnswer: 'proven' | 'always';
  ping(): void;
  /** No answer. Called at most once; nothing follows. */
  lost(): void;
}

/** How long a peer has to answer a ping, milliseconds (RFC 5626 4.4.1). */
const pongTimeoutMs = 10 * second;

export class KeepAlive {
  #timer: Timer | undefined;
  #isWaiting = false;
  #peerAnswers: boolean;

  constructor(
    private readonly clock: Clock,
    private readonly options: KeepAliveOptions,
  ) {
    this.#peerAnswers = options.expectAnswer === 'always';
    this.#rest();
  }

  /** A ping was sent and nothing came in since. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** Its silence is noticed. */
  get peerAnswers(): boolean {
    return this.#peerAnswers;
  }

  /** Bytes came in: the peer is alive, whatever they are. */
  heard(): void {
    if (this.#isWaiting) this.#rest();
  }

  /** The answer to a ping came in. */
  answered(): void {
    this.#peerAnswers = true;
    this.heard();
  }

  /** Idempotent. */
  stop(): void {
    this.#timer?.cancel();
    this.#isWaiting = false;
  }

  #rest(): void {
    this.#timer?.cancel();
    this.#isWaiting = false;
    this.#timer = this.clock.after(this.options.intervalMs * (0.8 + 0.2 * Math.random()), () => {
      this.#isWaiting = true;
      this.#timer = this.clock.after(pongTimeoutMs, () => {
        if (!this.#peerAnswers) {
          this.#rest();
          return;
        }
        this.stop();
        this.options.lost();
      });
      this.options.ping();
    });
  }
}
