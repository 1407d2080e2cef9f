import { describe, expect, it } from 'vitest';
import { ExtensionError } from '../../src/base/errors.js';
import { Retention } from '../../src/records/retention.js';
import { ManualClock } from '../support/manual-clock.js';

const day = 24 * 60 * 60_000;

function world(answers: (() => Promise<number>)[] = []) {
  const clock = new ManualClock(new Date('2026-04-01T00:00:00Z'));
  const asked: string[] = [];
  const log: string[] = [];
  const store = {
    removeBefore: (end: Date, most: number): Promise<number> => {
      asked.push(`${end.toISOString()} ${most}`);
      return answers.shift()?.() ?? Promise.resolve(0);
    },
  };
  const retention = new Retention(90 * day, { store, clock, random: () => 0.5, log: { warn: (message) => log.push(message) } });
  return { retention, clock, asked, log };
}

describe('records whose time is up', () => {
  it('are removed after the start and every hour, by the end of their calls', async () => {
    const { retention, clock, asked } = world();
    await clock.advance(90_000);
    expect(asked).toEqual(['2026-01-01T00:01:30.000Z 1000']);
    await clock.advance(60 * 60_000);
    expect(asked.slice(1)).toEqual(['2026-01-01T01:01:30.000Z 1000']);
    await retention.close();
  });

  it('go few at a time, with a pause between, until none is left', async () => {
    const many = (): Promise<number> => Promise.resolve(1_000);
    const { retention, clock, asked } = world([many, many, () => Promise.resolve(7)]);
    await clock.advance(90_000);
    expect(asked).toHaveLength(1);
    await clock.advance(200);
    expect(asked).toHaveLength(2);
    await clock.advance(60_000);
    expect(asked).toHaveLength(3);
    await retention.close();
  });

  it('are tried again in an hour when the database is away', async () => {
    const { retention, clock, asked, log } = world([() => Promise.reject(new ExtensionError('DATABASE_UNAVAILABLE', 'Nothing there.'))]);
    await clock.advance(90_000);
    expect(log).toEqual(['Nothing there. It is tried again in an hour.']);
    await clock.advance(60 * 60_000);
    expect(asked).toHaveLength(2);
    await retention.close();
  });

  it('stay once it is closed', async () => {
    let finish: (count: number) => void = () => undefined;
    const { retention, clock, asked } = world([() => new Promise((resolve) => (finish = resolve))]);
    await clock.advance(90_000);
    const closed = retention.close();
    finish(1_000);
    await closed;
    await clock.advance(day);
    expect([asked.length, clock.pending]).toEqual([1, 0]);
  });
});
