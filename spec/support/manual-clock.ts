import type { Clock, Timer } from '../../src/base/clock.js';

/** A clock that a spec turns by hand: nothing happens until `advance`. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #sequence = 0;
  readonly #pending = new Map<number, { at: number; sequence: number; action: () => void }>();

  /** @param start the time of day at 0 */
  constructor(private readonly start = new Date('2026-01-01T00:00:00Z')) {}

  now(): number {
    return this.#nowMs;
  }

  date(): Date {
    return new Date(this.start.getTime() + this.#nowMs);
  }

  after(delayMs: number, action: () => void): Timer {
    const sequence = ++this.#sequence;
    this.#pending.set(sequence, { at: this.#nowMs + Math.max(0, delayMs), sequence, action });
    return {
      cancel: () => {
        this.#pending.delete(sequence);
      },
    };
  }

  /** How many timers wait: a spec's check that none leaked. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Turns the clock by `ms`, running what falls due in order and letting promises settle after each. */
  async advance(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#pending.delete(next.sequence);
      this.#nowMs = next.at;
      next.action();
      await settle();
    }
    this.#nowMs = end;
  }

  #next(end: number): { at: number; sequence: number; action: () => void } | undefined {
    let first: { at: number; sequence: number; action: () => void } | undefined;
    for (const entry of this.#pending.values()) {
      if (entry.at > end) continue;
      if (first === undefined || entry.at < first.at || (entry.at === first.at && entry.sequence < first.sequence)) {
        first = entry;
      }
    }
    return first;
  }
}

/** Lets everything that is ready in promises and immediates run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
