import type { Clock, Timer } from '../base/clock.js';

/** Entries in the order they fall due, with their times: an object for each would be one more to move at every collection of garbage. */
interface Lane<Entry> {
  readonly delayMs: number;
  readonly entries: Entry[];
  readonly dues: number[];
  /** How many of them are done. */
  head: number;
}

/**
 * Many waits of the same few lengths on one timer: entries of one length fall due in the order they came, so a list a length
 * and one look at each head per tick is all it takes. Giving up a wait is marking the entry; it costs nothing.
 */
export class DelayQueue<Entry> {
  readonly #lanes = new Map<number, Lane<Entry>>();
  #timer: Timer | undefined;

  /**
   * @param tickMs how late an entry may fall due, milliseconds
   * @param onDue takes each entry once; it must not throw
   */
  constructor(
    private readonly clock: Clock,
    private readonly tickMs: number,
    private readonly onDue: (entry: Entry, delayMs: number) => void,
  ) {}

  add(delayMs: number, entry: Entry): void {
    let lane = this.#lanes.get(delayMs);
    if (lane === undefined) {
      lane = { delayMs, entries: [], dues: [], head: 0 };
      this.#lanes.set(delayMs, lane);
    }
    lane.entries.push(entry);
    lane.dues.push(this.clock.now() + delayMs);
    this.#timer ??= this.clock.after(this.tickMs, this.#tick);
  }

  clear(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#lanes.clear();
  }

  readonly #tick = (): void => {
    this.#timer = undefined;
    const now = this.clock.now();
    for (const lane of this.#lanes.values()) {
      this.#take(lane, now);
      if (lane.entries.length === 0) this.#lanes.delete(lane.delayMs);
    }
    if (this.#lanes.size > 0) this.#timer ??= this.clock.after(this.tickMs, this.#tick);
  };

  #take(lane: Lane<Entry>, now: number): void {
    const { delayMs, entries, dues } = lane;
    while ((dues[lane.head] ?? Infinity) <= now) {
      const entry = entries[lane.head] as Entry; // there is one for each time
      lane.head += 1;
      this.onDue(entry, delayMs);
    }
    // What is done is cut off once it is half of the lane: each entry is moved at most once.
    if (lane.head * 2 < entries.length) return;
    entries.splice(0, lane.head);
    dues.splice(0, lane.head);
    lane.head = 0;
  }
}
