import type { Clock, Timer } from '../base/clock.js';

/**
 * Many waits of the same few lengths on one timer: entries of one length fall due in the order they came, so a list a length
 * and one look at each head per tick is all it takes. Giving up a wait is marking the entry; it costs nothing.
 */
export class DelayQueue<Entry> {
  readonly #lanes = new Map<number, { due: number; entry: Entry }[]>();
  readonly #heads = new Map<number, number>();
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
      lane = [];
      this.#lanes.set(delayMs, lane);
      this.#heads.set(delayMs, 0);
    }
    lane.push({ due: this.clock.now() + delayMs, entry });
    this.#timer ??= this.clock.after(this.tickMs, this.#tick);
  }

  clear(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#lanes.clear();
    this.#heads.clear();
  }

  readonly #tick = (): void => {
    this.#timer = undefined;
    const now = this.clock.now();
    for (const [delayMs, lane] of this.#lanes) {
      let head = this.#heads.get(delayMs) ?? 0;
      for (let next = lane[head]; next !== undefined && next.due <= now; next = lane[head]) {
        head += 1;
        this.onDue(next.entry, delayMs);
      }
      // What is done is cut off once it is half of the lane: each entry is moved at most once.
      if (head * 2 >= lane.length) {
        lane.splice(0, head);
        head = 0;
      }
      if (lane.length === 0) {
        this.#lanes.delete(delayMs);
        this.#heads.delete(delayMs);
      } else {
        this.#heads.set(delayMs, head);
      }
    }
    if (this.#lanes.size > 0) this.#timer ??= this.clock.after(this.tickMs, this.#tick);
  };
}
