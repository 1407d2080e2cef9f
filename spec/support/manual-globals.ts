/** Timers of code that knows no Clock port, SIP.js's above all, put on the manual clock as well, and chance made to repeat itself. */
import type { Clock, Timer } from '../../src/base/clock.js';

/** What `setTimeout` returns here. */
class Handle {
  constructor(public timer: Timer) {}

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

const cancel = (handle: unknown): void => {
  if (handle instanceof Handle) handle.timer.cancel();
};

/**
 * Runs `run` with the global timers and immediates on `clock`, and `Math.random` from `random`; they are the machine's again when it is
 * through, however it ends.
 */
export async function withManualGlobals<T>(clock: Clock, random: () => number, run: () => Promise<T>): Promise<T> {
  const { random: machineRandom } = Math;
  const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate } = globalThis;
  const after = (action: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]): Handle =>
    new Handle(clock.after(delayMs, () => { action(...args); }));
  const every = (action: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]): Handle => {
    const again = (): Timer =>
      clock.after(delayMs, () => {
        handle.timer = again();
        action(...args);
      });
    const handle: Handle = new Handle(again());
    return handle;
  };
  Object.assign(globalThis, {
    setTimeout: after,
    clearTimeout: cancel,
    setInterval: every,
    clearInterval: cancel,
    setImmediate: (action: (...args: unknown[]) => void, ...args: unknown[]) => after(action, 0, ...args),
    clearImmediate: cancel,
  });
  Math.random = random;
  try {
    return await run();
  } finally {
    Math.random = machineRandom;
    Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate });
  }
}
