/**
 * First registrations: a single one is told at once, those that follow it within some seconds are told together, as one line about how
 * many stand by then. So a new user has a line of the log, and a start of a hundred thousand has one each few seconds.
 */
import type { Clock, Timer } from '../base/clock.js';
import { second } from '../base/units.js';

/** How often a start tells how far it is. */
const everyMs = 5 * second;

export class Arrivals {
  /** While it runs, those that come are told together. */
  #window: Timer | undefined;
  #untold = 0;

  /** @param tell how many stand by now; there are some that were not told by themselves */
  constructor(
    private readonly clock: Clock,
    private readonly tell: () => void,
  ) {}

  /** One is registered for the first time. @returns whether it is to be told by itself */
  note(): boolean {
    if (this.#window === undefined) {
      this.#open();
      return true;
    }
    this.#untold += 1;
    return false;
  }

  close(): void {
    this.#window?.cancel();
    this.#window = undefined;
  }

  #open(): void {
    this.#window = this.clock.after(everyMs, () => {
      this.#window = undefined;
      if (this.#untold === 0) return;
      this.#untold = 0;
      this.tell();
      this.#open();
    });
  }
}
