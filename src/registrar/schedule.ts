/**
 * When what is due: one binary heap and one timer of the clock for any number of slots. A slot keeps its own place in the heap, so
 * setting, moving and deleting cost O(log n) and no allocation, and a hundred thousand idle registrations cost no timer of their own.
 * Moments stand side by side in one array of numbers: as a property of each slot they would cost three times the memory. Only this file
 * writes `heapIndex`.
 */
import type { Clock, Timer } from '../base/clock.js';
import { hour } from '../base/units.js';

/** What can be scheduled: in one schedule at a time, at one moment at a time. */
export interface Slot {
  /** Its place in the heap; -1 while not scheduled. */
  heapIndex: number;
}

/** Node's timers overflow at 2^31 ms and fire at once: a later slot is looked at again. */
const longestSleepMs = 24 * hour;

const fewestMoments = 16;

export class Schedule<T extends Slot> {
  readonly #heap: T[] = [];
  /** When each of the heap is due, on the clock's scale, milliseconds. */
  #moments = new Float64Array(fewestMoments);
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
    const momentMs = this.#roundMs === undefined ? dueMs : Math.max(dueMs, this.#roundMs + 1);
    if (slot.heapIndex === -1) {
      slot.heapIndex = this.#heap.length;
      this.#heap.push(slot);
      if (this.#heap.length > this.#moments.length) this.#resize(2 * this.#moments.length);
    }
    this.#settle(slot, momentMs);
    this.#arm();
  }

  /** When that slot is due; undefined while it is not scheduled. */
  dueMsOf(slot: T): number | undefined {
    return slot.heapIndex === -1 ? undefined : this.#moments[slot.heapIndex];
  }

  /** Harmless for a slot that is not scheduled. */
  delete(slot: T): void {
    const at = slot.heapIndex;
    if (at === -1) return;
    const last = this.#heap.pop();
    const lastMs = this.#momentAt(this.#heap.length);
    slot.heapIndex = -1;
    if (last !== undefined && last !== slot) {
      last.heapIndex = at;
      this.#heap[at] = last;
      this.#settle(last, lastMs);
    }
    if (this.#heap.length === 0) this.#disarm();
    if (this.#moments.length > fewestMoments && 4 * this.#heap.length < this.#moments.length) this.#resize(this.#moments.length / 2);
  }

  clear(): void {
    for (const slot of this.#heap) slot.heapIndex = -1;
    this.#heap.length = 0;
    this.#disarm();
  }

  /** A timer that fires earlier than needed finds nothing due and arms the next: moving slots later costs no timer work. */
  #arm(): void {
    if (this.#heap.length === 0 || this.#roundMs !== undefined) return;
    const firstMs = this.#momentAt(0);
    if (this.#timer !== undefined && this.#wakeMs <= firstMs) return;
    this.#timer?.cancel();
    const sleepMs = Math.min(Math.max(0, firstMs - this.#clock.now()), longestSleepMs);
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
    for (let first = this.#heap[0]; first !== undefined && this.#momentAt(0) <= nowMs; first = this.#heap[0]) {
      this.delete(first);
      this.#onDue(first);
    }
    this.#roundMs = undefined;
    this.#arm();
  }

  #settle(slot: T, momentMs: number): void {
    this.#rise(slot, momentMs);
    this.#sink(slot, momentMs);
  }

  #rise(slot: T, momentMs: number): void {
    let at = slot.heapIndex;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = this.#heap[above];
      if (parent === undefined || this.#momentAt(above) <= momentMs) break;
      this.#put(parent, at, this.#momentAt(above));
      at = above;
    }
    this.#put(slot, at, momentMs);
  }

  #sink(slot: T, momentMs: number): void {
    let at = slot.heapIndex;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= this.#heap.length) break;
      const right = left + 1;
      const below = right < this.#heap.length && this.#momentAt(right) < this.#momentAt(left) ? right : left;
      const least = this.#heap[below];
      if (least === undefined || this.#momentAt(below) >= momentMs) break;
      this.#put(least, at, this.#momentAt(below));
      at = below;
    }
    this.#put(slot, at, momentMs);
  }

  #put(slot: T, at: number, momentMs: number): void {
    slot.heapIndex = at;
    this.#heap[at] = slot;
    this.#moments[at] = momentMs;
  }

  /** @param at a place in the heap, or the one that was just left */
  #momentAt(at: number): number {
    return this.#moments[at] ?? Infinity;
  }

  #resize(length: number): void {
    const moments = new Float64Array(length);
    moments.set(this.#moments.subarray(0, Math.min(length, this.#heap.length)));
    this.#moments = moments;
  }
}
