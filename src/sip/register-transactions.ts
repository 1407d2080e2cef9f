/**
 * The client transactions of REGISTER (RFC 3261 17.1.2), of all accounts together. A node sends more of these than of anything else and
 * each is over in a round trip, so it is an entry of one table under one timer (F); SIP.js would make a core, a user agent and two
 * timers of it. Repeating over UDP (E) is `retransmission`'s; what comes again after the final response finds nothing here and is dropped.
 */
import type { Clock, Timer } from '../base/clock.js';
import { CountedMap, type TransactionCount } from './guards/transaction-count.js';
import type { FinalResponse, Wire } from './internals.js';
import { notSent, timedOut } from './stand-in.js';

/** RFC 3261 table 4, timer F: 64*T1, milliseconds. */
const lifetimeMs = 32_000;

interface Waiting {
  readonly untilMs: number;
  readonly onFinal: (response: FinalResponse) => void;
}

export class RegisterTransactions {
  /** By branch and method, as `retransmission` has them; the oldest first, so the first to run out stands first. */
  readonly #waiting: CountedMap<Waiting>;
  #timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    count: TransactionCount,
  ) {
    this.#waiting = new CountedMap(count);
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** @param onFinal told once: the final response, or what stands for one; never within this call. It must not throw. */
  send(wire: Wire, branch: string, text: string, onFinal: (response: FinalResponse) => void): void {
    const key = `${branch}REGISTER`;
    this.#waiting.set(key, { untilMs: this.clock.now() + lifetimeMs, onFinal });
    this.#timer ??= this.clock.after(lifetimeMs, this.#expire);
    wire.sendRequest(text, key, false, (error) => {
      this.#settle(key, notSent(error));
    });
  }

  /** @returns whether a request waits, or waited, for it */
  receive(key: string, response: FinalResponse): boolean {
    if ((response.statusCode ?? 0) < 200) return this.#waiting.has(key);
    return this.#settle(key, response);
  }

  close(): void {
    this.#rest();
    this.#waiting.clear();
  }

  #rest(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #settle(key: string, response: FinalResponse): boolean {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return false;
    this.#waiting.delete(key);
    if (this.#waiting.size === 0) this.#rest();
    waiting.onFinal(response);
    return true;
  }

  readonly #expire = (): void => {
    this.#timer = undefined;
    const nowMs = this.clock.now();
    for (const [key, { untilMs }] of this.#waiting) {
      if (untilMs > nowMs) {
        this.#timer ??= this.clock.after(untilMs - nowMs, this.#expire);
        return;
      }
      this.#settle(key, timedOut());
    }
  };
}
