/**
 * How things went in the last hour: a sample each ten seconds, made of numbers that are counted anyway. What it adds to a call is one number
 * noted at its end.
 */
import { ClosableClock } from '../base/closable-clock.js';
import type { Clock } from '../base/clock.js';
import { Listeners } from '../base/listeners.js';
import { hour, second } from '../base/units.js';
import type { RegistrationState } from '../host/contract.js';

const sampleEveryMs = 10 * second;
const mostSamples = hour / sampleEveryMs;
/** Of a storm of calls the first are enough to tell how long they took. */
const mostDelays = 20_000;

/** Post-dial delay, milliseconds: half of the calls took `p50` or less. */
export interface Delays {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export interface Sample {
  /** The end of the ten seconds. */
  readonly at: Date;
  readonly byState: Readonly<Record<RegistrationState, number>>;
  /** Calls that went on. */
  readonly live: number;
  /** Calls that began, both ways. */
  readonly callsPerSecond: number;
  /** Calls that ended, and how many of them had been answered. */
  readonly ended: number;
  readonly answered: number;
  /** Of the outgoing calls that ended: from the command to the first ringing, or to the answer. Null: there were none. */
  readonly pddMs: Delays | null;
  readonly registersPerSecond: number;
  /** `register.max-rate`: to each registrar. */
  readonly registerLimit: number;
}

export interface HistorySources {
  readonly byState: () => Readonly<Record<RegistrationState, number>>;
  readonly live: () => number;
  /** REGISTERs since the start. */
  readonly registers: () => number;
  readonly registerLimit: number;
}

export interface EndedCall {
  readonly direction: 'outgoing' | 'incoming';
  readonly startedAt: Date;
  readonly rangAt?: Date;
  readonly answeredAt?: Date;
}

export class History {
  readonly everyMs = sampleEveryMs;
  /** Told of each sample as it is made. */
  readonly made = new Listeners<Sample>();
  readonly #clock: ClosableClock;
  /** The oldest first. */
  readonly #samples: Sample[] = [];
  #delaysMs: number[] = [];
  #ended = 0;
  #answered = 0;
  #before: { atMs: number; live: number; registers: number };

  constructor(
    private readonly sources: HistorySources,
    clock: Clock,
  ) {
    this.#clock = new ClosableClock(clock);
    this.#before = this.#count();
    this.#sampleLater();
  }

  /** The oldest first, those of an hour at most. */
  get samples(): readonly Sample[] {
    return this.#samples;
  }

  onEnded({ direction, startedAt, rangAt, answeredAt }: EndedCall): void {
    this.#ended += 1;
    if (answeredAt !== undefined) this.#answered += 1;
    const reached = rangAt ?? answeredAt;
    if (direction === 'outgoing' && reached !== undefined && this.#delaysMs.length < mostDelays) this.#delaysMs.push(reached.getTime() - startedAt.getTime());
  }

  /** Idempotent. */
  close(): void {
    this.#clock.close();
  }

  #sampleLater(): void {
    this.#clock.after(sampleEveryMs, () => {
      this.#sample();
      this.#sampleLater();
    });
  }

  #sample(): void {
    const before = this.#before;
    const now = this.#count();
    // A busy process is late: the span is what it was, not what it should have been.
    const spanS = (now.atMs - before.atMs) / second;
    const began = Math.max(0, this.#ended + now.live - before.live);
    const sample: Sample = {
      at: this.#clock.date(),
      byState: this.sources.byState(),
      live: now.live,
      callsPerSecond: began / spanS,
      ended: this.#ended,
      answered: this.#answered,
      pddMs: delaysOf(this.#delaysMs),
      registersPerSecond: (now.registers - before.registers) / spanS,
      registerLimit: this.sources.registerLimit,
    };
    this.#before = now;
    this.#ended = 0;
    this.#answered = 0;
    this.#delaysMs = [];
    this.#samples.push(sample);
    if (this.#samples.length > mostSamples) this.#samples.shift();
    this.made.tell(sample);
  }

  #count(): { atMs: number; live: number; registers: number } {
    return { atMs: this.#clock.now(), live: this.sources.live(), registers: this.sources.registers() };
  }
}

/** By nearest rank. */
function delaysOf(delaysMs: number[]): Delays | null {
  if (delaysMs.length === 0) return null;
  const sorted = Float64Array.from(delaysMs).sort();
  const rank = (part: number): number => sorted[Math.ceil(part * sorted.length) - 1] ?? 0;
  return { p50: rank(0.5), p95: rank(0.95), p99: rank(0.99) };
}
