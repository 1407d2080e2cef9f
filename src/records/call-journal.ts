/**
 * Live calls in the database, so that the next start can end what a crash leaves. A call comes there once it has gone on for a moment, and
 * goes when it is over: short calls cost no statement. Nobody waits for it; while the database is away calls go on unnoted.
 *
 * A change waits two ticks at most: young -> ripe -> noted. One flush at a time; this file alone changes the sets.
 */
import { within, type Clock, type Timer } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import { second } from '../base/units.js';
import { keyOf, type JournalKey, type JournalStore } from './journal-store.js';
import type { JournaledCall } from './live-call.js';

export interface JournalPorts {
  readonly store: Pick<JournalStore, 'put' | 'remove' | 'beat' | 'forget'>;
  readonly clock: Clock;
  readonly log: Record<'info' | 'warn', (message: string) => unknown>;
}

const tickMs = second / 2;
/** After a failure. */
const retryMs = 5 * second;
const atOnce = 500;
/** How long `close` waits for the database, milliseconds. */
const closingMs = 3 * second;

export class CallJournal {
  #young = new Set<JournaledCall>();
  #ripe = new Set<JournaledCall>();
  /** In the table, or on the way there. */
  readonly #noted = new Map<JournaledCall, JournalKey>();
  /** Of those, the ones that nothing ends yet: looked at again. */
  readonly #bare = new Set<JournaledCall>();
  #gone: JournalKey[] = [];
  #timer: Timer | undefined;
  #flushing: Promise<void> | undefined;
  #isFailing = false;
  #isClosed = false;

  constructor(private readonly ports: JournalPorts) {}

  /** What is known of the call is new. Never throws. */
  changed(call: JournaledCall): void {
    if (this.#isClosed || this.#ripe.has(call)) return;
    this.#young.add(call);
    this.#arm();
  }

  /** Never throws. */
  over(call: JournaledCall): void {
    this.#young.delete(call);
    this.#ripe.delete(call);
    const key = this.#noted.get(call);
    if (key === undefined) return;
    this.#noted.delete(call);
    this.#bare.delete(call);
    this.#gone.push(key);
  }

  /** Calls have been ended: nothing is left of this run, if the database takes it. Never rejects. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    await within(this.ports.clock, closingMs, this.#forget());
  }

  async #forget(): Promise<void> {
    await this.#flushing;
    try {
      await this.ports.store.forget();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #arm(): void {
    if (this.#isClosed || this.#flushing !== undefined) return;
    this.#timer ??= this.ports.clock.after(this.#isFailing ? retryMs : tickMs, () => {
      this.#timer = undefined;
      this.#flushing = this.#flush().then(() => {
        this.#flushing = undefined;
        if (this.#young.size + this.#ripe.size + this.#noted.size + this.#gone.length > 0) this.#arm();
      });
    });
  }

  async #flush(): Promise<void> {
    const due = [...this.#ripe, ...[...this.#bare].filter((call) => call.looseEnd !== undefined && !this.#ripe.has(call))];
    this.#ripe = this.#young;
    this.#young = new Set();
    const gone = this.#gone;
    this.#gone = [];
    for (const call of due) this.#noted.set(call, keyOf(call));
    try {
      await this.#write(due, gone);
      this.#recover();
    } catch (thrown) {
      this.#fail(thrown);
      this.#gone = gone.concat(this.#gone);
      for (const call of due) if (this.#noted.has(call)) this.#ripe.add(call);
    }
  }

  async #write(due: readonly JournaledCall[], gone: readonly JournalKey[]): Promise<void> {
    const { store } = this.ports;
    // First of all: rows of a run that is not there would be found by nobody.
    if (this.#noted.size > 0) await store.beat();
    for (let start = 0; start < due.length; start += atOnce) {
      const calls = due.slice(start, start + atOnce).filter((call) => this.#noted.has(call));
      for (const call of calls) {
        if (call.looseEnd === undefined) this.#bare.add(call);
        else this.#bare.delete(call);
      }
      if (calls.length > 0) await store.put(calls);
    }
    for (let start = 0; start < gone.length; start += atOnce) await store.remove(gone.slice(start, start + atOnce));
  }

  #fail(thrown: unknown): void {
    if (!this.#isFailing) this.ports.log.warn(`Live calls are not noted down, and would be left behind by a crash: ${messageOf(thrown)}`);
    this.#isFailing = true;
  }

  #recover(): void {
    if (this.#isFailing) this.ports.log.info('Live calls are noted down again.');
    this.#isFailing = false;
  }
}
