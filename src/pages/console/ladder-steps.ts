/** What is said of a ladder's steps, and which is looked at first. */
import type { Ladder } from './told.js';

/** Who speaks to whom, and whether it failed there: what else a picture shows by its arrows and colours. */
export function stepWays({ lanes, steps }: Pick<Ladder, 'lanes' | 'steps'>): string[] {
  return steps.map(({ from, to, failing }) => `${lanes[from] ?? ''} to ${lanes[to] ?? ''}${failing ? ', it failed here' : ''}:`);
}

/** The step that it failed at, else the first. */
export function firstStep({ steps }: Pick<Ladder, 'steps'>): number {
  return Math.max(0, steps.findIndex(({ failing }) => failing));
}

/** Where a key leads from a step; undefined when it leads nowhere. */
export function stepAfterKey(key: string, at: number, count: number): number | undefined {
  const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: count - 1 }[key];
  return to === undefined ? undefined : Math.min(count - 1, Math.max(0, to));
}

/** `14:03:07.120`, and how long after the step before: `14:03:07.123, 3 ms after the one before`. */
export function stepTime({ steps }: Pick<Ladder, 'steps'>, index: number): string {
  const [at, before] = [steps[index]?.at ?? 0, steps[index - 1]?.at];
  const time = new Date(at).toISOString().slice(11, 23);
  return `${time} UTC${before === undefined ? '' : `, ${(at - before).toLocaleString('en')} ms after the one before`}`;
}

/** What a file of it is called: nothing that a file system minds. */
export function fileName(title: string, ending: string): string {
  return `ladder-${title.replace(/^sips?:/, '').replace(/[^\w@.-]+/g, '-').slice(0, 80)}.${ending}`;
}
