/** Time as a port: specs turn it by hand. */
export interface Clock {
  /** Milliseconds on a scale that never goes back; only differences mean something. */
  now(): number;
  /** The time of day, for people and records. */
  date(): Date;
  /** Runs `action` once after `delayMs` (0 and more). An action that throws is the caller's fault. */
  after(delayMs: number, action: () => void): Timer;
}

export interface Timer {
  /** Idempotent; harmless after the action ran. */
  cancel(): void;
}

/** The machine's own clock. Its timers never keep a process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => new Date(),
  after: (delayMs, action) => {
    const handle = setTimeout(action, delayMs);
    handle.unref();
    return {
      cancel: () => {
        clearTimeout(handle);
      },
    };
  },
};

/** Resolves after `delayMs` on that clock. */
export function delay(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}

/** Resolves when `work` has, at the latest after `limitMs`. @param work never rejects */
export async function within(clock: Clock, limitMs: number, work: Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => {
    const limit = clock.after(limitMs, resolve);
    void work.then(() => {
      limit.cancel();
      resolve();
    });
  });
}
