/** Removes records whose time is up: once an hour, few at a time, so that no statement holds the table for long. */
import type { Clock, Timer } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import { hour, minute, second } from '../base/units.js';
import type { RecordStore } from './record-store.js';

export interface RetentionPorts {
  readonly store: Pick<RecordStore, 'removeBefore'>;
  readonly clock: Clock;
  /** From 0 to 1: nodes of a cluster take turns by chance. */
  readonly random: () => number;
  readonly log: { warn(message: string): unknown };
}

const everyMs = hour;
const atOnce = 1_000;
const pauseMs = second / 5;

export class Retention {
  #timer: Timer;
  #isClosed = false;
  #running: Promise<void> | undefined;

  /** @param keepMs how long a record is kept after the end of its call, milliseconds */
  constructor(
    private readonly keepMs: number,
    private readonly ports: RetentionPorts,
  ) {
    this.#timer = this.#after(minute * (1 + ports.random()));
  }

  /** Resolves when the statement that is under way has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer.cancel();
    await this.#running;
  }

  #after(delayMs: number): Timer {
    return this.ports.clock.after(delayMs, () => {
      this.#running = this.#removeSome();
    });
  }

  async #removeSome(): Promise<void> {
    const { store, clock, log } = this.ports;
    let removed = 0;
    try {
      removed = await store.removeBefore(new Date(clock.date().getTime() - this.keepMs), atOnce);
    } catch (thrown) {
      log.warn(`${messageOf(thrown)} It is tried again in an hour.`);
    }
    if (!this.#isClosed) this.#timer = this.#after(removed < atOnce ? everyMs : pauseMs);
  }
}
