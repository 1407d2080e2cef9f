/** The times beside a ladder's steps: the time of day first, then how long after the step before. */
import type { Step } from './ladder.js';

/** `09:15:02`, `+0.003`, `+12.345`: seconds. */
export function timesOf(steps: readonly Pick<Step, 'at'>[]): string[] {
  return steps.map(({ at }, index) => {
    const before = steps[index - 1]?.at;
    return before === undefined ? new Date(at).toISOString().slice(11, 19) : `+${((at - before) / 1_000).toFixed(3)}`;
  });
}
