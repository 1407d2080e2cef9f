/**
 * Items on their way to a database that may be slow or away: whoever adds one is never kept waiting and never hears of a failure. They are
 * written many at a time, in their order. While they cannot be written they wait, up to a bound; beyond it the oldest are lost. The
 * log tells when trouble begins and when it is over, with what was lost, and nothing between.
 *
 * One write at a time; this file alone takes items out of the queue.
 */
import { backoffMs, type BackoffLimits } from '../base/backoff.js';
import { within, type Clock, type Timer } from '../base/clock.js';
import { ExtensionError, messageOf } from '../base/errors.js';
import { second } from '../base/units.js';

export interface BatchLimits {
  /** How long the first item waits for others, milliseconds. */
  readonly everyMs: number;
  /** So many are written at once, and as soon as they are there. */
  readonly mostAtOnce: number;
  /** So many wait at most. */
  readonly mostWaiting: number;
}

export interface BatchPorts {
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: Record<'info' | 'warn', (message: string) => unknown>;
}

/** How long `close` waits for the database, milliseconds. */
const closingMs = 3 * second;

const retryBackoff: BackoffLimits = { baseMs: second, capMs: 15 * second };

export class BatchWriter<Item> {
  #waiting: Item[] = [];
  #timer: Timer | undefined;
  /** The write that is under way; it never rejects. */
  #writing: Promise<void> | undefined;
  /** Writes that failed since the last that did not. */
  #failures = 0;
  /** Items, since then. */
  #lost = 0;
  #isClosed = false;

  /**
   * @param what the items, in words for the log: "call records"
   * @param write rejects when none of them is written: with DATABASE_UNAVAILABLE when the same may do well later
   */
  constructor(
    private readonly what: string,
    private readonly write: (items: readonly Item[]) => Promise<void>,
    private readonly limits: BatchLimits,
    private readonly ports: BatchPorts,
  ) {}

  /** Never throws. Nothing is taken any more once it is closed. */
  add(item: Item): void {
    if (this.#isClosed) return;
    this.#waiting.push(item);
    this.#keepBound();
    if (this.#writing === undefined) this.#next();
  }

  /** Writes what waits, as long as the database takes it and it takes no more than 3 s. Never rejects. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    await within(this.ports.clock, closingMs, this.#writeRest());
    const left = this.#waiting.length + this.#lost;
    if (left > 0) this.ports.log.warn(`${left} ${this.what} were lost: the database did not take them before the extension stopped.`);
  }

  async #writeRest(): Promise<void> {
    await this.#writing;
    for (let failures = 0; this.#waiting.length > 0 && failures === 0; failures = this.#failures) await this.#writeSome();
  }

  /** Writes now, or when it is time. */
  #next(): void {
    const { mostAtOnce, everyMs } = this.limits;
    const count = this.#waiting.length;
    if (this.#isClosed || count === 0) return;
    if (this.#failures === 0 && count >= mostAtOnce) {
      this.#timer?.cancel();
      this.#begin();
    } else {
      this.#timer ??= this.ports.clock.after(
        this.#failures === 0 ? everyMs : backoffMs(retryBackoff, this.#failures - 1, this.ports.random()),
        () => {
          this.#begin();
        },
      );
    }
  }

  #begin(): void {
    this.#timer = undefined;
    this.#writing = this.#writeSome().then(() => {
      this.#writing = undefined;
      this.#next();
    });
  }

  async #writeSome(): Promise<void> {
    const items = this.#waiting.splice(0, this.limits.mostAtOnce);
    try {
      await this.write(items);
      this.#recover();
    } catch (thrown) {
      this.#fail(items, thrown);
    }
  }

  #fail(items: Item[], thrown: unknown): void {
    if (this.#failures === 0) this.ports.log.warn(`The database does not take ${this.what}: ${messageOf(thrown)}`);
    this.#failures += 1;
    if (thrown instanceof ExtensionError && thrown.code === 'DATABASE_UNAVAILABLE') {
      this.#waiting = items.concat(this.#waiting);
      this.#keepBound();
    } else {
      // The same again would come to the same.
      this.#lost += items.length;
    }
  }

  #recover(): void {
    if (this.#failures === 0 && this.#lost === 0) return;
    this.ports.log.info(`The database takes ${this.what} again; ${this.#lost === 0 ? 'none was' : `${this.#lost} were`} lost.`);
    this.#failures = 0;
    this.#lost = 0;
  }

  #keepBound(): void {
    const { mostWaiting, mostAtOnce } = this.limits;
    if (this.#waiting.length <= mostWaiting) return;
    if (this.#lost === 0) this.ports.log.warn(`More than ${mostWaiting} ${this.what} wait for the database: the oldest are lost.`);
    // Many at once: each is a move of all the others.
    const excess = Math.max(this.#waiting.length - mostWaiting, Math.min(mostAtOnce, mostWaiting));
    this.#waiting.splice(0, excess);
    this.#lost += excess;
  }
}
