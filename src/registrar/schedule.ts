/**
 * When what is due: one binary heap and one timer of the clock for any number of slots. A slot keeps its own place in the heap, so
 * setting, moving and deleting cost O(log n) and no allocation, and a hundred thousand idle registrations cost no timer of their own.
 * Only this file writes `dueMs` and `heapIndex`.
 */
import type { Clock, Timer } from '../base/clock.js';
import { hour } from '../base/units.js';

/** What can be scheduled: in one schedule at a time, at one moment at a time. */
export interface Slot {
  /** When it is due, on the clock's scale, milliseconds. Means something while `heapIndex` is not -1. */
  dueMs: number;
  /** Its place in the heap; -1 while not scheduled. */
  heapIndex: number;
}

/** Node's timers overflow at 2^31 ms and fire at once: a later slot is looked at again. */
const longestSleepMs = 24 * hour;

export class Schedule<T extends Slot> {
  readonly #heap: T[] = [];
  readonly #clock: Clock;
  readonly #onDue: (slot: T) => void;
  #timer: Timer | undefined;
  /** When the timer fires; meaningless without one. */
  #wakeMs = 0;
  /** The moment of the round that is going on. */
  #roundMs: number | undefined;

  /** @param onDue told once for each slot that falls due, which is then no longer scheduled; it may schedule it again. Must not throw. */
  constructor(clock: Clock, onDue: (slot: T) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#heap.length;
  }

  /**
   * Schedules a slot, or moves it.
   * @param dueMs a moment on the clock's scale; one that has passed is due at once, yet never within this call
   */
  set(slot: T, dueMs: number): void {
    // What is set during a round is due after it: a round always ends, whatever its slots ask for.
    slot.dueMs = this.#roundMs === undefined ? dueMs : Math.max(dueMs, this.#roundMs + 1);
    if (slot.heapIndex === -1) {
      slot.heapIndex = this.#heap.length;
      this.#heap.push(slot);
    }
    this.#settle(slot);
    this.#arm();
  }

  /** Harmless for a slot that is not scheduled. */
  delete(slot: T): void {
    const at = slot.heapIndex;
    if (at === -1) return;
    const last = this.#heap.pop();
    slot.heapIndex = -1;
    if (last !== undefined && last !== slot) {
      last.heapIndex = at;
      this.#heap[at] = last;
      this.#settle(last);
    }
    if (this.#heap.length === 0) this.#disarm();
  }

  clear(): void {
    for (const slot of this.#heap) slot.heapIndex = -1;
    this.#heap.length = 0;
    this.#disarm();
  }

  /** A timer that fires earlier than needed finds nothing due and arms the next: moving slots later costs no timer work. */
  #arm(): void {
    const first = this.#heap[0];
    if (first === undefined || this.#roundMs !== undefined) return;
    if (this.#timer !== undefined && this.#wakeMs <= first.dueMs) return;
    this.#timer?.cancel();
    const sleepMs = Math.min(Math.max(0, first.dueMs - this.#clock.now()), longestSleepMs);
    this.#wakeMs = this.#clock.now() + sleepMs;
    this.#timer = this.#clock.after(sleepMs, () => {
      this.#ring();
    });
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #ring(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.now();
    this.#roundMs = nowMs;
    for (let first = this.#heap[0]; first !== undefined && first.dueMs <= nowMs; first = this.#heap[0]) {
      this.delete(first);
      this.#onDue(first);
    }
    this.#roundMs = undefined;
    this.#arm();
  }

  #settle(slot: T): void {
    this.#rise(slot);
    this.#sink(slot);
  }

  #rise(slot: T): void {
    let at = slot.heapIndex;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = this.#heap[above];
      if (parent === undefined || parent.dueMs <= slot.dueMs) break;
      this.#put(parent, at);
      at = above;
    }
    this.#put(slot, at);
  }

  #sink(slot: T): void {
    let at = slot.heapIndex;
    for (;;) {
      const left = this.#heap[2 * at + 1];
      const right = this.#heap[2 * at + 2];
      if (left === undefined) break;
      const least = right !== undefined && right.dueMs < left.dueMs ? right : left;
      if (least.dueMs >= slot.dueMs) break;
      const below = least.heapIndex;
      this.#put(least, at);
      at = below;
    }
    this.#put(slot, at);
  }

  #put(slot: T, at: number): void {
    slot.heapIndex = at;
    this.#heap[at] = slot;
  }
}
