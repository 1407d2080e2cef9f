import type { Clock, Timer } from './clock.js';

/** The clock of something that is closed one day: none of its timers runs after that. */
export class ClosableClock implements Clock {
  readonly #timers = new Set<Timer>();
  #isClosed = false;

  constructor(private readonly clock: Clock) {}

  get isClosed(): boolean {
    return this.#isClosed;
  }

  now(): number {
    return this.clock.now();
  }

  date(): Date {
    return this.clock.date();
  }

  after(delayMs: number, action: () => void): Timer {
    if (this.#isClosed) return { cancel: () => undefined };
    const timer = this.clock.after(delayMs, () => {
      this.#timers.delete(timer);
      action();
    });
    this.#timers.add(timer);
    return {
      cancel: () => {
        if (this.#timers.delete(timer)) timer.cancel();
      },
    };
  }

  /** Cancels what waits. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
