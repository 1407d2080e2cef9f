/**
 * Spreads the refreshes of all registrations evenly: of a few moments drawn within the window of each, it takes the one in whose second
 * the fewest are planned so far. Drawn alone, moments crowd: of sixty a second on the mean, some second gets more than a hundred.
 */
import { second } from '../base/units.js';
import type { RefreshWindow } from './waits.js';

const draws = 4;

/** How far ahead planned refreshes are told apart, seconds: above an hour. Later ones are counted with those as much sooner. */
const ringS = 4_096;

export class Spread {
  readonly #planned = new Uint32Array(ringS);
  /** Which second, on the clock's scale, each number above counts. */
  readonly #seconds = new Float64Array(ringS).fill(-1);

  /** @param random a number in [0, 1) */
  constructor(private readonly random: () => number) {}

  /**
   * Plans one refresh.
   * @param nowMs on the clock's scale
   * @returns the moment, on the same scale
   */
  plan(nowMs: number, { earliestMs, latestMs }: RefreshWindow): number {
    let momentMs = 0;
    let fewest = Infinity;
    for (let draw = 0; draw < draws; draw += 1) {
      const drawnMs = nowMs + latestMs - this.random() * (latestMs - earliestMs);
      const planned = this.#plannedAt(drawnMs);
      if (planned >= fewest) continue;
      fewest = planned;
      momentMs = drawnMs;
    }
    const at = placeOf(momentMs);
    this.#seconds[at] = Math.floor(momentMs / second);
    this.#planned[at] = fewest + 1;
    return momentMs;
  }

  /** A planned refresh will not come at its moment. Harmless when that is past. */
  cancel(momentMs: number): void {
    const planned = this.#plannedAt(momentMs);
    if (planned > 0) this.#planned[placeOf(momentMs)] = planned - 1;
  }

  #plannedAt(momentMs: number): number {
    const at = placeOf(momentMs);
    return this.#seconds[at] === Math.floor(momentMs / second) ? (this.#planned[at] ?? 0) : 0;
  }
}

function placeOf(momentMs: number): number {
  return Math.floor(momentMs / second) % ringS;
}
