import { describe, expect, it } from 'vitest';
import { ExtensionError } from '../../src/base/errors.js';
import { BatchWriter, type BatchLimits } from '../../src/records/batch-writer.js';
import { ManualClock } from '../support/manual-clock.js';

const limits: BatchLimits = { everyMs: 250, mostAtOnce: 3, mostWaiting: 6 };
const away = new ExtensionError('DATABASE_UNAVAILABLE', 'Writing failed: nothing listens there.');

interface World {
  writer: BatchWriter<number>;
  clock: ManualClock;
  /** What was written, batch by batch. */
  written: number[][];
  log: string[];
  /** What becomes of the next writes: done unless it says otherwise. */
  fate: { next: () => Promise<void> };
}

function world(): World {
  const clock = new ManualClock();
  const written: number[][] = [];
  const log: string[] = [];
  const fate = { next: (): Promise<void> => Promise.resolve() };
  const note = (message: string): void => {
    log.push(message);
  };
  const write = async (items: readonly number[]): Promise<void> => {
    await fate.next();
    written.push([...items]);
  };
  const writer = new BatchWriter<number>('things', write, limits, { clock, random: () => 1, log: { info: note, warn: note } });
  return { writer, clock, written, log, fate };
}

function addAll({ writer }: World, ...items: number[]): void {
  for (const item of items) writer.add(item);
}

describe('items for the database', () => {
  it('are written together, in their order, when the first has waited its time', async () => {
    const all = world();
    addAll(all, 1, 2);
    await all.clock.advance(249);
    expect(all.written).toEqual([]);
    await all.clock.advance(1);
    expect([all.written, all.clock.pending]).toEqual([[[1, 2]], 0]);
  });

  it('are written at once when there are many, and the rest in its time', async () => {
    const all = world();
    addAll(all, 1, 2, 3, 4);
    await all.clock.advance(0);
    expect(all.written).toEqual([[1, 2, 3]]);
    await all.clock.advance(250);
    expect(all.written).toEqual([[1, 2, 3], [4]]);
  });

  it('are never written by two writes at a time', async () => {
    const all = world();
    const finish: (() => void)[] = [];
    all.fate.next = () => new Promise((resolve) => finish.push(resolve));
    addAll(all, 1, 2, 3, 4, 5, 6);
    await all.clock.advance(1_000);
    expect(finish).toHaveLength(1);
    finish[0]?.();
    await all.clock.advance(0);
    expect([finish.length, all.written]).toEqual([2, [[1, 2, 3]]]);
    finish[1]?.();
    await all.clock.advance(0);
    expect(all.written).toEqual([[1, 2, 3], [4, 5, 6]]);
  });

  it('wait while the database is away, asked for now and then, and the log tells of it once', async () => {
    const all = world();
    let tries = 0;
    all.fate.next = () => {
      tries += 1;
      return Promise.reject(away);
    };
    addAll(all, 1);
    await all.clock.advance(250 + 60_000);
    expect([tries, all.log]).toEqual([8, ['The database does not take things: Writing failed: nothing listens there.']]);
    all.fate.next = () => Promise.resolve();
    addAll(all, 2);
    await all.clock.advance(15_000);
    expect(all.written).toEqual([[1, 2]]);
    expect(all.log.slice(1)).toEqual(['The database takes things again; none was lost.']);
  });

  it('are lost beyond the bound, the oldest first, and the log counts them when it is over', async () => {
    const all = world();
    all.fate.next = () => Promise.reject(away);
    addAll(all, 1, 2, 3, 4, 5, 6);
    await all.clock.advance(0);
    addAll(all, 7, 8, 9, 10, 11);
    expect(all.log.slice(1)).toEqual(['More than 6 things wait for the database: the oldest are lost.']);
    all.fate.next = () => Promise.resolve();
    await all.clock.advance(2_000);
    expect(all.written.flat()).toEqual([7, 8, 9, 10, 11]);
    expect(all.log.slice(2)).toEqual(['The database takes things again; 6 were lost.']);
  });

  it('are given up when the database refuses them, and those that come after are not', async () => {
    const all = world();
    all.fate.next = () => Promise.reject(new ExtensionError('DATABASE_FAILED', 'Writing failed: no.'));
    addAll(all, 1, 2);
    await all.clock.advance(250);
    all.fate.next = () => Promise.resolve();
    addAll(all, 3);
    await all.clock.advance(2_000);
    expect(all.written).toEqual([[3]]);
    expect(all.log).toEqual(['The database does not take things: Writing failed: no.', 'The database takes things again; 2 were lost.']);
  });
});

describe('closing the way to the database', () => {
  it('writes what waits, after the write that is under way', async () => {
    const all = world();
    const finish: (() => void)[] = [];
    all.fate.next = () => new Promise((resolve) => finish.push(resolve));
    addAll(all, 1, 2, 3, 4, 5);
    const closed = all.writer.close();
    for (let writes = 0; writes < 2; writes += 1) {
      await all.clock.advance(0);
      expect(finish.splice(0).map((done) => { done(); })).toHaveLength(1);
    }
    await closed;
    all.fate.next = () => Promise.resolve();
    all.writer.add(6);
    await all.clock.advance(1_000);
    expect([all.written, all.clock.pending, all.log]).toEqual([[[1, 2, 3], [4, 5]], 0, []]);
  });

  it('does not wait for a database that is away, and says what is lost', async () => {
    const all = world();
    all.fate.next = () => Promise.reject(away);
    addAll(all, 1, 2, 3, 4, 5, 6, 7, 8);
    await all.writer.close();
    expect(all.log.at(-1)).toBe('8 things were lost: the database did not take them before the extension stopped.');
    expect(all.clock.pending).toBe(0);
  });

  it('waits three seconds for a database that hangs, and no longer', async () => {
    const all = world();
    all.fate.next = () => new Promise(() => undefined);
    addAll(all, 1);
    let isClosed = false;
    void all.writer.close().then(() => {
      isClosed = true;
    });
    await all.clock.advance(2_999);
    expect(isClosed).toBe(false);
    await all.clock.advance(1);
    expect(isClosed).toBe(true);
  });
});
