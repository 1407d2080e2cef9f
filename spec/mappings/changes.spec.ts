import { describe, expect, it } from 'vitest';
import { ExtensionError } from '../../src/base/errors.js';
import { MappingChanges, type MappingSink } from '../../src/mappings/changes.js';
import { isSameMapping, type Mapping } from '../../src/mappings/mapping.js';
import type { RejectedRow } from '../../src/mappings/parse-mapping.js';
import type { RowStamp, StampedRow } from '../../src/mappings/mapping-reader.js';
import { ManualClock } from '../support/manual-clock.js';
import { ordinaryDraft } from '../support/mapping-draft.js';

const minute = 60_000;

/** A table whose rows are a password each; `undefined` is a row that cannot be used. What is read of it is counted. */
class FakeTable {
  readonly rows = new Map<number, string | undefined>();
  isAway = false;
  /** The ids of each page of whole rows that was read. */
  readonly pages: number[][] = [];
  comparisons = 0;
  /** What happens while a page is being read. */
  meanwhile: (() => void) | undefined;

  async *stampedPages(size?: number): AsyncGenerator<StampedRow[], void, undefined> {
    await this.#reach();
    const ids = [...this.rows.keys()].sort((a, b) => a - b);
    for (let start = 0; start < ids.length; start += size ?? 10) yield ids.slice(start, start + (size ?? 10)).map((id) => this.#stamped(id));
  }

  async *stampPages(): AsyncGenerator<RowStamp[], void, undefined> {
    this.comparisons += 1;
    await this.#reach();
    yield [...this.rows.keys()].map((id) => this.#stamped(id));
  }

  async stampedRows(ids: readonly number[]): Promise<StampedRow[]> {
    this.pages.push([...ids]);
    await this.#reach();
    const rows = ids.filter((id) => this.rows.has(id)).map((id) => this.#stamped(id));
    this.meanwhile?.();
    return rows;
  }

  async #reach(): Promise<void> {
    await Promise.resolve();
    if (this.isAway) throw new ExtensionError('DATABASE_UNAVAILABLE', 'nothing listens there.');
  }

  #stamped(id: number): StampedRow {
    const password = this.rows.get(id);
    const hash = password === undefined ? -1 : Buffer.from(password).reduce((sum, byte) => sum * 31 + byte, 7);
    return { id, hash, judged: password === undefined ? { rejected: { id, problem: `row ${id}: bad` } } : { mapping: mappingOf(id, password) } };
  }
}

function mappingOf(id: number, sipPassword: string): Mapping {
  return { ...ordinaryDraft, id, sipUser: String(id), sipPassword, peer: { type: 1, id } };
}

class FakeSink implements MappingSink {
  readonly held = new Map<number, Mapping>();
  readonly rejected = new Map<number, RejectedRow>();
  /** `added 1`, `changed 1`, `removed 1`, `rejected 1`, in order; of the start the count alone. */
  readonly touched: string[] = [];

  put(mapping: Mapping, when: 'start' | 'live'): 'added' | 'changed' | 'same' {
    const before = this.held.get(mapping.id);
    if (before !== undefined && isSameMapping(before, mapping) && before.sipPassword === mapping.sipPassword) return 'same';
    this.held.set(mapping.id, mapping);
    this.rejected.delete(mapping.id);
    const what = before === undefined ? 'added' : 'changed';
    if (when === 'live') this.touched.push(`${what} ${mapping.id}`);
    return what;
  }

  reject(row: RejectedRow): void {
    this.held.delete(row.id ?? 0);
    this.rejected.set(row.id ?? 0, row);
    this.touched.push(`rejected ${String(row.id)}`);
  }

  remove(id: number): boolean {
    this.touched.push(`removed ${id}`);
    return this.held.delete(id) || this.rejected.delete(id);
  }

  ids(): Iterable<number> {
    return [...this.held.keys(), ...this.rejected.keys()];
  }
}

/** A table of that many rows that was loaded, and whose changes are heard. */
async function follow(count = 3) {
  const clock = new ManualClock();
  const table = new FakeTable();
  const sink = new FakeSink();
  const lines: string[] = [];
  for (let id = 1; id <= count; id += 1) table.rows.set(id, 'secret');
  const log = { info: (line: string) => lines.push(`info: ${line}`), warn: (line: string) => lines.push(`warn: ${line}`) };
  const changes = new MappingChanges({ rows: table, sink, clock, random: () => 1, log });
  changes.onListening();
  await changes.load();
  return { clock, table, sink, lines, changes };
}

describe('changes that are told', () => {
  it('are read and handed on: only those rows, and within a moment', async () => {
    const { clock, table, sink, lines, changes } = await follow();
    table.rows.set(2, 'other').set(4, 'new').delete(3);
    changes.onHeard('2');
    changes.onHeard('3,4');
    await clock.advance(49);
    expect(sink.touched).toEqual([]);
    await clock.advance(1);
    expect(sink.touched).toEqual(['changed 2', 'added 4', 'removed 3']);
    expect(table.pages).toEqual([[2, 3, 4]]);
    expect(table.comparisons).toBe(0);
    expect(lines).toEqual(['info: The table sip_user_mappings changed: 1 mappings added, 1 changed, 1 removed.']);
    await changes.close();
    expect(clock.pending).toBe(0);
  });

  it('of a row that says what it said touch nothing', async () => {
    const { clock, sink, lines, changes } = await follow();
    changes.onHeard('1,2,3');
    await clock.advance(50);
    expect([sink.touched, lines]).toEqual([[], []]);
    await changes.close();
  });

  it('of a row that cannot be used any more are told as such, and taken back when it can', async () => {
    const { clock, table, sink, changes } = await follow();
    table.rows.set(2, undefined);
    changes.onHeard('2');
    await clock.advance(50);
    expect([...sink.rejected.keys()]).toEqual([2]);
    table.rows.set(2, 'secret');
    changes.onHeard('2');
    await clock.advance(50);
    expect(sink.touched).toEqual(['rejected 2', 'added 2']);
    expect(sink.rejected.size).toBe(0);
    await changes.close();
  });

  it('in an endless stream are read all the same', async () => {
    const { clock, table, sink, changes } = await follow();
    table.rows.set(1, 'other');
    for (let heard = 0; heard < 6; heard += 1) {
      changes.onHeard('1');
      await clock.advance(20);
    }
    expect(sink.touched).toEqual(['changed 1']);
    await changes.close();
  });

  it('by the thousand are read a page at a time', async () => {
    const { clock, table, sink, changes } = await follow(10_000);
    for (const id of table.rows.keys()) table.rows.set(id, 'other');
    for (let id = 1; id <= 10_000; id += 250) changes.onHeard(Array.from({ length: 250 }, (_, n) => id + n).join());
    await clock.advance(50);
    await expect.poll(() => sink.touched.length).toBe(10_000);
    expect(Math.max(...table.pages.map((page) => page.length))).toBe(200);
    await changes.close();
  });

  it('while others are being read are read after them', async () => {
    const { clock, table, sink, changes } = await follow();
    table.rows.set(1, 'first');
    table.meanwhile = () => {
      table.meanwhile = undefined;
      table.rows.set(1, 'second');
      changes.onHeard('1');
    };
    changes.onHeard('1');
    await clock.advance(50);
    expect(sink.held.get(1)?.sipPassword).toBe('second');
    await changes.close();
  });

  it('during the start are found right after it', async () => {
    const { changes, table, sink, clock } = await follow();
    await changes.close();
    const again = new MappingChanges({ rows: table, sink, clock, random: () => 1, log: { info: () => undefined, warn: () => undefined } });
    const loaded = again.load();
    table.rows.set(2, 'other');
    again.onHeard('2');
    await loaded;
    await clock.advance(50);
    expect(sink.held.get(2)?.sipPassword).toBe('other');
    await again.close();
  });

  it.each(['all', '', '1,x', '12345678901234567890'])('as %j are looked for by comparing: only rows whose stamp is another are read', async (payload) => {
    const { clock, table, sink, changes } = await follow();
    table.rows.set(2, 'other').set(4, 'new').delete(3);
    changes.onHeard(payload);
    await clock.advance(50);
    expect(sink.touched).toEqual(['changed 2', 'added 4', 'removed 3']);
    expect(table.pages).toEqual([[2, 4], [3]]);
    await changes.close();
  });

  it('in such numbers that they would fill the memory are looked for by comparing', async () => {
    const { clock, table, changes } = await follow();
    for (let id = 1; id < 20_002; id += 1) changes.onHeard(String(id));
    await clock.advance(50);
    expect([table.comparisons, table.pages]).toEqual([1, []]);
    await changes.close();
  });
});

describe('changes that nobody tells', () => {
  it('are found within five minutes, and every five minutes again', async () => {
    const { clock, table, sink, changes } = await follow();
    table.rows.set(2, 'other');
    await clock.advance(5 * minute - 1);
    expect(sink.touched).toEqual([]);
    await clock.advance(51);
    expect(sink.touched).toEqual(['changed 2']);
    table.rows.delete(1);
    await clock.advance(5 * minute);
    expect(sink.touched).toEqual(['changed 2', 'removed 1']);
    expect(table.comparisons).toBe(2);
    await changes.close();
  });

  it('are found within half a minute while nothing can be heard, and at once when it can again', async () => {
    const { clock, table, sink, lines, changes } = await follow();
    changes.onDeaf('the connection was closed.');
    table.rows.set(2, 'other');
    await clock.advance(30_050);
    expect(sink.touched).toEqual(['changed 2']);
    table.rows.set(3, 'other');
    changes.onListening();
    await clock.advance(50);
    expect(sink.touched).toEqual(['changed 2', 'changed 3']);
    expect(lines.filter((line) => !line.includes('changed:'))).toEqual([
      'warn: Changes of sip_user_mappings are not heard now: the connection was closed. The table is compared every 30 s instead; registrations and calls go on.',
      'info: Changes of sip_user_mappings are heard again; what was missed is looked for now.',
    ]);
    await changes.close();
  });

  it('to what somebody else took in are found too', async () => {
    const { clock, sink, changes } = await follow();
    sink.put(mappingOf(9, 'gone again'), 'start');
    changes.onHeard('all');
    await clock.advance(50);
    expect(sink.touched).toEqual(['removed 9']);
    await changes.close();
  });

  it('to a row that cannot be used and goes, too', async () => {
    const { clock, table, sink, changes } = await follow();
    table.rows.set(9, undefined);
    changes.onHeard('9');
    await clock.advance(50);
    table.rows.delete(9);
    changes.onHeard('all');
    await clock.advance(50);
    expect([...sink.rejected.keys()]).toEqual([]);
    await changes.close();
  });
});

describe('a database that is away', () => {
  it('leaves everything as it is, is asked again ever more slowly, and compared when it is back', async () => {
    const { clock, table, sink, lines, changes } = await follow();
    table.rows.set(2, 'other').delete(3);
    table.isAway = true;
    changes.onHeard('2');
    await clock.advance(20_000);
    expect(sink.touched).toEqual([]);
    expect(lines).toEqual(['warn: Changes of sip_user_mappings cannot be read; what is held goes on: nothing listens there.']);
    expect([table.pages.length, table.comparisons]).toEqual([1, 4]);
    table.isAway = false;
    await clock.advance(12_000);
    expect(sink.touched).toEqual(['changed 2', 'removed 3']);
    expect(lines.slice(1)).toEqual([
      'info: The table sip_user_mappings can be read again and was compared with what is held.',
      'info: The table sip_user_mappings changed: 0 mappings added, 1 changed, 1 removed.',
    ]);
    await changes.close();
    expect(clock.pending).toBe(0);
  });

  it('that is heard again is asked at once', async () => {
    const { clock, table, sink, changes } = await follow();
    table.isAway = true;
    changes.onHeard('2');
    await clock.advance(20_000);
    table.rows.set(2, 'other');
    table.isAway = false;
    changes.onListening();
    await clock.advance(50);
    expect(sink.touched).toEqual(['changed 2']);
    await changes.close();
  });
});

describe('the end', () => {
  it('waits for what is being read, and reads no further page', async () => {
    const { clock, table, changes } = await follow(1_000);
    table.meanwhile = () => void changes.close();
    changes.onHeard([...table.rows.keys()].join());
    await clock.advance(50);
    await changes.close();
    expect(table.pages).toHaveLength(1);
    changes.onHeard('1');
    await clock.advance(10 * minute);
    expect([table.pages.length, clock.pending]).toEqual([1, 0]);
  });
});
