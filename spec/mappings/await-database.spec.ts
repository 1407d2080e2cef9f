import { describe, expect, it } from 'vitest';
import { ExtensionError } from '../../src/base/errors.js';
import { awaitDatabase } from '../../src/mappings/await-database.js';
import { ManualClock } from '../support/manual-clock.js';

const minute = 60_000;

/** A database that is as `state` says, and somebody who waits for it. */
function wait() {
  const clock = new ManualClock();
  const lines: string[] = [];
  const abort = new AbortController();
  const database: { state: Error | 'there'; tries: number[] } = { state: away('nothing listens there'), tries: [] };
  const log = { info: (line: string) => lines.push(`info: ${line}`), warn: (line: string) => lines.push(`warn: ${line}`) };
  const attempt = (): Promise<string> => {
    database.tries.push(clock.now());
    return database.state === 'there' ? Promise.resolve('opened') : Promise.reject(database.state);
  };
  const begin = (): Promise<string> => awaitDatabase(attempt, { clock, random: () => 1, log, signal: abort.signal });
  return { clock, lines, abort, database, begin };
}

const away = (why: string): Error => new ExtensionError('DATABASE_UNAVAILABLE', `PostgreSQL cannot be used: ${why}.`);

describe('a database at the start', () => {
  it('that is there is taken without a word', async () => {
    const { clock, lines, database, begin } = wait();
    database.state = 'there';
    expect(await begin()).toBe('opened');
    expect([lines, clock.pending]).toEqual([[], 0]);
  });

  it('that is away is waited for, with longer and longer pauses, and the log says why and when it is there', async () => {
    const { clock, lines, database, begin } = wait();
    const opened = begin();
    await clock.advance(40_000);
    expect(database.tries).toEqual([0, 1_000, 3_000, 7_000, 15_000, 30_000]);
    expect(lines).toEqual(['warn: Waiting for the database: PostgreSQL cannot be used: nothing listens there.']);
    database.state = 'there';
    await clock.advance(5_000);
    expect(await opened).toBe('opened');
    expect(lines.slice(1)).toEqual(['info: The database is there, after 45 s.']);
    expect(clock.pending).toBe(0);
  });

  it('that stays away is told of every minute, and at once when the reason is another', async () => {
    const { clock, lines, database, begin, abort } = wait();
    const ended = expect(begin()).rejects.toMatchObject({ code: 'NOT_READY' });
    await clock.advance(3 * minute - 1);
    expect(lines).toHaveLength(3);
    database.state = away('the user or the password was refused');
    await clock.advance(15_000);
    expect(lines.at(-1)).toBe('warn: Waiting for the database: PostgreSQL cannot be used: the user or the password was refused.');
    abort.abort();
    await ended;
  });

  it('that is broken is not waited for', async () => {
    const { clock, database, begin } = wait();
    database.state = new ExtensionError('DATABASE_FAILED', 'a newer version');
    await expect(begin()).rejects.toThrow('a newer version');
    expect(clock.pending).toBe(0);
  });

  it('is waited for no longer once it is said so, be it before or during the wait', async () => {
    const { clock, abort, begin, database } = wait();
    const ended = expect(begin()).rejects.toMatchObject({ code: 'NOT_READY' });
    await clock.advance(2_500);
    abort.abort();
    await ended;
    await expect(begin()).rejects.toMatchObject({ code: 'NOT_READY' });
    expect(clock.pending).toBe(0);
    expect(database.tries).toHaveLength(3);
  });
});
