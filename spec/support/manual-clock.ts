import type { Clock, Timer } from '../../src/base/clock.js';

interface Waiting {
  readonly at: number;
  readonly sequence: number;
  /** Undefined once it ran or was cancelled. */
  action: (() => void) | undefined;
}

/** A clock that a spec turns by hand: nothing happens until `advance`. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #sequence = 0;
  #pending = 0;
  /** A binary heap, the next one first. */
  readonly #heap: Waiting[] = [];

  /**
   * @param start the time of day at 0
   * @param settle lets what an action set off come to rest
   */
  constructor(
    private readonly start = new Date('2026-01-01T00:00:00Z'),
    private readonly settled: () => Promise<void> = settle,
  ) {}

  now(): number {
    return this.#nowMs;
  }

  date(): Date {
    return new Date(this.start.getTime() + this.#nowMs);
  }

  after(delayMs: number, action: () => void): Timer {
    const waiting: Waiting = { at: this.#nowMs + Math.max(0, delayMs), sequence: ++this.#sequence, action };
    this.#push(waiting);
    this.#pending += 1;
    return {
      cancel: () => {
        if (waiting.action === undefined) return;
        waiting.action = undefined;
        this.#pending -= 1;
      },
    };
  }

  /** How many timers wait: a spec's check that none leaked. */
  get pending(): number {
    return this.#pending;
  }

  /** Turns the clock by `ms`, running what falls due in order and letting promises settle after each. */
  async advance(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    await this.settled();
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      this.#shift();
      const { action } = next;
      if (action === undefined) continue;
      next.action = undefined;
      this.#pending -= 1;
      this.#nowMs = next.at;
      action();
      await this.settled();
    }
    this.#nowMs = end;
  }

  #push(waiting: Waiting): void {
    const heap = this.#heap;
    let index = heap.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(waiting, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = waiting;
  }

  #shift(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let index = 0;
    for (let child = 1; child < heap.length; child = index * 2 + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(one: Waiting, other: Waiting): boolean {
  return one.at < other.at || (one.at === other.at && one.sequence < other.sequence);
}

const realImmediate = setImmediate;

/** Lets everything that is ready in promises and immediates run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => realImmediate(resolve));
}

const hops = 12;

/** Lets promises run, a chain of a dozen: for what has no immediates and no sockets in it. Much faster than `settle`. */
export async function settlePromises(): Promise<void> {
  for (let hop = 0; hop < hops; hop += 1) await Promise.resolve();
}
