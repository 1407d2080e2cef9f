/**
 * Follows the table while the extension runs: which rows are told to have changed is gathered for a moment, those rows are read a page
 * at a time and handed on. What nobody tells (the listener was away, the trigger is gone) is found by comparing: every five minutes
 * the stamps of all rows are read, and only rows whose stamp is another are read whole. One piece of work at a time, and the event
 * loop has its turn between pages.
 */
import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { backoffMs, type BackoffLimits } from '../base/backoff.js';
import { ClosableClock } from '../base/closable-clock.js';
import type { Clock, Timer } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import { IdTable } from '../base/id-table.js';
import { minute, sayDuration, second } from '../base/units.js';
import type { Mapping } from './mapping.js';
import type { RejectedRow } from './parse-mapping.js';
import type { MappingReader, StampedRow } from './mapping-reader.js';

/** Who holds the mappings. */
export interface MappingSink {
  /** Takes a mapping in, or changes the one with its id as far as it differs. @param when as one of all at the start, or later */
  put(mapping: Mapping, when: 'start' | 'live'): 'added' | 'changed' | 'same' | 'rejected';
  /** The row is there and cannot be used: a mapping of before is dropped. */
  reject(row: RejectedRow): void;
  /** The row is gone. @returns whether anything was held of it */
  remove(id: number): boolean;
  /** The ids of all that is held, rejected rows included. */
  ids(): Iterable<number>;
}

export interface ChangesPorts {
  readonly rows: Pick<MappingReader, 'stampedPages' | 'stampPages' | 'stampedRows'>;
  readonly sink: MappingSink;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Record<'info' | 'warn', (message: string) => unknown>;
}

/** What comes within it is read together. */
const windowMs = 50;
const compareEveryMs = 5 * minute;
/** While nothing is heard. */
const pollEveryMs = 30 * second;
const pageSize = 200;
/** Ids that are copied before the event loop has its turn. */
const copyAtOnce = 10_000;
/** More ids than that are not kept: everything is compared instead. */
const mostTold = 20_000;
const retryBackoff: BackoffLimits = { baseMs: second, capMs: 30 * second };

type Tally = Record<'added' | 'changed' | 'removed', number>;

export class MappingChanges {
  readonly #ports: ChangesPorts;
  readonly #clock: ClosableClock;
  /** The hash of every row as it was last read, by id. */
  readonly #stamps = new IdTable<number>();
  #told = new Set<number>();
  /** All rows are to be compared. */
  #isAllTold = false;
  #isLoaded = false;
  #hearing: 'not yet' | 'yes' | 'no longer' = 'not yet';
  #failures = 0;
  #work: Promise<void> | undefined;
  /** The end of the window, or of the wait after a failure. */
  #wake: Timer | undefined;
  #nextCompare: Timer | undefined;

  constructor(ports: ChangesPorts) {
    this.#ports = ports;
    this.#clock = new ClosableClock(ports.clock);
  }

  /**
   * Reads every row for the first time; from then on changes are followed.
   * @throws ExtensionError DATABASE_FAILED, DATABASE_UNAVAILABLE
   */
  async load(): Promise<void> {
    // Whatever was told before is read now.
    this.#takeTold();
    const tally = noChanges();
    for await (const page of this.#ports.rows.stampedPages(pageSize)) {
      for (const row of page) this.#take(row, tally);
      await turnOfLoop();
    }
    this.#isLoaded = true;
    this.#compareLater();
    this.#wakeAfter(windowMs);
  }

  /** @param payload ids with commas between, or "all"; what is neither counts as "all" */
  onHeard(payload: string): void {
    if (/^\d{1,15}(,\d{1,15})*$/.test(payload)) for (const id of payload.split(',')) this.#told.add(Number(id));
    else this.#isAllTold = true;
    if (this.#told.size > mostTold) this.#isAllTold = true;
    // The first of a stream opens the window. After a failure its wait stands: the database is in trouble.
    if (this.#wake === undefined) this.#wakeAfter(windowMs);
  }

  /** Changes are heard from now on; those of before may have been missed. */
  onListening(): void {
    if (this.#hearing === 'no longer') this.#ports.log.info('Changes of sip_user_mappings are heard again; what was missed is looked for now.');
    this.#hearing = 'yes';
    this.#compareSoon();
  }

  /** Nothing is heard from now on: the rows are compared more often. @param why in words */
  onDeaf(why: string): void {
    this.#hearing = 'no longer';
    this.#ports.log.warn(
      `Changes of sip_user_mappings are not heard now: ${why} The table is compared every ${sayDuration(pollEveryMs)} instead; registrations and calls go on.`,
    );
    this.#compareLater();
  }

  /** Idempotent. @returns resolves when nothing is read any more */
  async close(): Promise<void> {
    this.#clock.close();
    await this.#work;
  }

  // ---- when --------------------------------------------------------------------------------------

  #compareSoon(): void {
    this.#isAllTold = true;
    this.#wakeAfter(windowMs);
    this.#compareLater();
  }

  #compareLater(): void {
    this.#nextCompare?.cancel();
    this.#nextCompare = this.#clock.after(this.#hearing === 'yes' ? compareEveryMs : pollEveryMs, () => {
      this.#compareSoon();
    });
  }

  /** Work that is under way sees for itself what is told meanwhile. */
  #wakeAfter(waitMs: number): void {
    if (!this.#isLoaded || this.#work !== undefined) return;
    this.#wake?.cancel();
    this.#wake = this.#clock.after(waitMs, () => {
      this.#wake = undefined;
      this.#work = this.#follow();
    });
  }

  /** Never rejects. */
  async #follow(): Promise<void> {
    const tally = noChanges();
    const retryMs = await this.#followAll(tally);
    this.#work = undefined;
    this.#tell(tally);
    if (retryMs !== undefined) this.#wakeAfter(retryMs);
  }

  /** @returns after a failure, how long to wait before the next try */
  async #followAll(tally: Tally): Promise<number | undefined> {
    try {
      while (this.#hasWork) await this.#followOnce(tally);
      if (this.#failures > 0) this.#ports.log.info('The table sip_user_mappings can be read again and was compared with what is held.');
      this.#failures = 0;
      return undefined;
    } catch (thrown) {
      this.#isAllTold = true;
      if (this.#failures === 0) this.#ports.log.warn(`Changes of sip_user_mappings cannot be read; what is held goes on: ${messageOf(thrown)}`);
      this.#failures += 1;
      return backoffMs(retryBackoff, this.#failures - 1, this.#ports.random());
    }
  }

  get #hasWork(): boolean {
    return !this.#clock.isClosed && (this.#isAllTold || this.#told.size > 0);
  }

  #tell({ added, changed, removed }: Tally): void {
    if (added + changed + removed === 0) return;
    this.#ports.log.info(`The table sip_user_mappings changed: ${added} mappings added, ${changed} changed, ${removed} removed.`);
  }

  // ---- what --------------------------------------------------------------------------------------

  async #followOnce(tally: Tally): Promise<void> {
    const { isAllTold, told } = this.#takeTold();
    if (isAllTold) await this.#compare(tally);
    else await this.#read(told, tally);
  }

  /** What is told from here on is told anew: it may not be in what is read next. */
  #takeTold(): { isAllTold: boolean; told: number[] } {
    const taken = { isAllTold: this.#isAllTold, told: [...this.#told] };
    this.#isAllTold = false;
    this.#told.clear();
    return taken;
  }

  async #compare(tally: Tally): Promise<void> {
    const unseen = await this.#held();
    for await (const page of this.#ports.rows.stampPages()) {
      for (const { id } of page) unseen.delete(id);
      const other = page.filter(({ id, hash }) => this.#stamps.get(id) !== hash && !Number.isNaN(id));
      await this.#read(other.map(({ id }) => id), tally);
      await turnOfLoop();
      if (this.#clock.isClosed) return;
    }
    await this.#read([...unseen], tally);
  }

  /** The ids of all rows that were read, and of all that is held. */
  async #held(): Promise<Set<number>> {
    const held = new Set<number>();
    let copied = 0;
    for (const ids of [this.#stamps.keys(), this.#ports.sink.ids()]) {
      for (const id of ids) {
        held.add(id);
        copied += 1;
        if (copied % copyAtOnce === 0) await turnOfLoop();
      }
    }
    return held;
  }

  async #read(ids: readonly number[], tally: Tally): Promise<void> {
    for (let start = 0; start < ids.length && !this.#clock.isClosed; start += pageSize) {
      const asked = ids.slice(start, start + pageSize);
      const rows = await this.#ports.rows.stampedRows(asked);
      const gone = new Set(asked);
      for (const row of rows) {
        gone.delete(row.id);
        this.#take(row, tally);
      }
      for (const id of gone) {
        this.#stamps.delete(id);
        if (this.#ports.sink.remove(id)) tally.removed += 1;
      }
      await turnOfLoop();
    }
  }

  #take({ id, hash, judged }: StampedRow, tally: Tally): void {
    if ('rejected' in judged) {
      this.#ports.sink.reject(judged.rejected);
    } else {
      const what = this.#ports.sink.put(judged.mapping, this.#isLoaded ? 'live' : 'start');
      if (what === 'added' || what === 'changed') tally[what] += 1;
    }
    if (!Number.isNaN(id)) this.#stamps.set(id, hash);
  }
}

function noChanges(): Tally {
  return { added: 0, changed: 0, removed: 0 };
}
