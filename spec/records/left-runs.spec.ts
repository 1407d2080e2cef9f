import { describe, expect, it } from 'vitest';
import { ExtensionError } from '../../src/base/errors.js';
import { LeftRuns } from '../../src/records/left-runs.js';
import type { LeftCall } from '../../src/records/live-call.js';
import { ManualClock } from '../support/manual-clock.js';

function world() {
  const clock = new ManualClock();
  const beats = new Map<string, number>();
  const looks: number[] = [];
  const taken: string[] = [];
  const left: string[] = [];
  const log: string[] = [];
  const state = { fault: undefined as Error | undefined, hold: undefined as Promise<void> | undefined };
  const runs = new LeftRuns({
    store: {
      otherRuns: async () => {
        looks.push(clock.now());
        await state.hold;
        if (state.fault !== undefined) throw state.fault;
        return [...beats].map(([run, beat]) => ({ run, beat: String(beat) }));
      },
      take: (run, endedAt): Promise<LeftCall[]> => {
        taken.push(`${run} ${endedAt.toISOString()}`);
        beats.delete(run);
        return Promise.resolve(run === 'empty' ? [] : [{ callId: `of ${run}`, looseEnd: {} }]);
      },
    },
    clock,
    log: { warn: (message) => log.push(message) },
    onLeft: (calls) => left.push(...calls.map(({ callId }) => callId)),
  });
  return { runs, clock, beats, looks, taken, left, log, state };
}

describe('what a run before left', () => {
  it('is taken when its beat stands still, within four seconds of the start, once', async () => {
    const { runs, clock, beats, taken, left, log } = world();
    beats.set('dead', 7);
    runs.start();
    await clock.advance(2_999);
    expect(taken).toEqual([]);
    await clock.advance(1);
    expect([taken, left]).toEqual([['dead 2026-01-01T00:00:03.000Z'], ['of dead']]);
    expect(log).toEqual(['The server ended without a word before: 1 of its calls are ended now.']);
    await clock.advance(60_000);
    expect([taken.length, clock.pending]).toEqual([1, 0]);
  });

  it('is not looked for any more when there is none', async () => {
    const { runs, clock, looks } = world();
    runs.start();
    await clock.advance(60_000);
    expect([looks, clock.pending]).toEqual([[0], 0]);
  });

  it('is left alone as long as its process lives, and taken when that dies', async () => {
    const { runs, clock, beats, taken } = world();
    beats.set('living', 0);
    runs.start();
    for (let second = 0; second < 60; second += 1) {
      beats.set('living', beats.get('living')! + 2);
      await clock.advance(1_000);
    }
    expect(taken).toEqual([]);
    await clock.advance(4_000);
    expect(taken).toHaveLength(1);
  });

  it('is not judged by looks before the database was away', async () => {
    const { runs, clock, beats, taken, log, state } = world();
    beats.set('living', 5);
    runs.start();
    await clock.advance(2_500);
    state.fault = new ExtensionError('DATABASE_UNAVAILABLE', 'It is away.');
    await clock.advance(20_000);
    state.fault = undefined;
    await clock.advance(3_000);
    expect([taken, log]).toEqual([[], ['What a run before may have left cannot be looked for: It is away.']]);
    await clock.advance(1_000);
    expect(taken).toHaveLength(1);
  });

  it('is told of anew when the database is away again', async () => {
    const { runs, clock, beats, log, state } = world();
    beats.set('living', 5);
    runs.start();
    for (const fault of [new ExtensionError('DATABASE_UNAVAILABLE', 'It is away.'), undefined, new ExtensionError('DATABASE_UNAVAILABLE', 'Again.')]) {
      state.fault = fault;
      await clock.advance(6_000);
      beats.set('living', beats.get('living')! + 1);
    }
    expect(log).toEqual(['It is away.', 'Again.'].map((why) => `What a run before may have left cannot be looked for: ${why}`));
  });

  it('is nothing to speak of when the run had no calls', async () => {
    const { runs, clock, beats, taken, left, log } = world();
    beats.set('empty', 0);
    runs.start();
    await clock.advance(5_000);
    expect([taken.length, left, log]).toEqual([1, [], []]);
  });

  it('is left where it is when this node stops while it looks', async () => {
    const { runs, clock, beats, taken, state } = world();
    beats.set('dead', 0);
    runs.start();
    await clock.advance(2_000);
    let found: () => void = () => undefined;
    state.hold = new Promise((resolve) => (found = resolve));
    await clock.advance(1_000);
    const closed = runs.close();
    found();
    await closed;
    expect([taken, clock.pending]).toEqual([[], 0]);
  });

  it('is left where it is once this node stops', async () => {
    const { runs, clock, beats, taken } = world();
    beats.set('dead', 0);
    runs.start();
    await clock.advance(2_000);
    await runs.close();
    await clock.advance(60_000);
    expect([taken, clock.pending]).toEqual([[], 0]);
  });
});
