/**
 * Finds what a run of this node left that ended without a word. A run whose process lives lets its beat go on, so one is over when its beat
 * stood still over several looks of ours; neither clocks nor the leave of the one before are needed. Runs of other nodes are not
 * looked at. Whoever takes the calls of a run has them alone.
 */
import type { Clock, Timer } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import { second } from '../base/units.js';
import type { JournalStore, Run } from './journal-store.js';
import type { LeftCall } from './live-call.js';

export interface LeftRunsPorts {
  readonly store: Pick<JournalStore, 'otherRuns' | 'take'>;
  readonly clock: Clock;
  readonly log: { warn(message: string): unknown };
  /** The far ends of these are to be told. It must not throw. */
  readonly onLeft: (calls: readonly LeftCall[]) => void;
}

/** The beat of a run that lives goes on twice a second. */
const lookMs = second;
/** So many looks in a row that find the beat where it was: 3 s. */
const stillLooks = 3;
/** After a failure. */
const retryMs = 5 * second;

export class LeftRuns {
  /** By run: its beat, and how often it was found there again. */
  #seen = new Map<string, { readonly beat: string; readonly times: number }>();
  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;
  #isFailing = false;
  #isClosed = false;

  constructor(private readonly ports: LeftRunsPorts) {}

  /** Looks until no other run of this node is left. */
  start(): void {
    this.#looking = this.#look();
  }

  /** Resolves when the look that is under way has come to its end. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { store, clock, log } = this.ports;
    let nextMs = lookMs;
    try {
      const runs = await store.otherRuns();
      const before = this.#seen;
      this.#seen = new Map(runs.map(({ run, beat }) => [run, { beat, times: timesStill(before.get(run), beat) }]));
      for (const run of runs) await this.#takeIfOver(run);
      this.#isFailing = false;
    } catch (thrown) {
      if (!this.#isFailing) log.warn(`What a run before may have left cannot be looked for: ${messageOf(thrown)}`);
      this.#isFailing = true;
      // Nobody knows how the beats went on meanwhile.
      this.#seen.clear();
      nextMs = retryMs;
    }
    if (this.#isClosed || (this.#seen.size === 0 && !this.#isFailing)) return;
    this.#timer = clock.after(nextMs, () => {
      this.start();
    });
  }

  async #takeIfOver({ run }: Run): Promise<void> {
    const { store, clock, log, onLeft } = this.ports;
    if (this.#isClosed || (this.#seen.get(run)?.times ?? 0) < stillLooks) return;
    const calls = await store.take(run, clock.date());
    if (calls.length === 0) return;
    log.warn(`The server ended without a word before: ${calls.length} of its calls are ended now.`);
    onLeft(calls);
  }
}

function timesStill(before: { readonly beat: string; readonly times: number } | undefined, beat: string): number {
  return before?.beat === beat ? before.times + 1 : 0;
}
