import { beforeEach, describe, expect, it } from 'vitest';
import { History, type EndedCall, type Sample } from '../../src/observability/history.js';
import { ManualClock } from '../support/manual-clock.js';

let clock: ManualClock;
let live: number;
let registers: number;
let registered: number;
let history: History;

beforeEach(() => {
  clock = new ManualClock();
  live = 0;
  registers = 0;
  registered = 0;
  const byState = () => ({ waiting: 0, registering: 0, registered, retrying: 0, parked: 0, unregistering: 0 });
  history = new History({ byState, live: () => live, registers: () => registers, registerLimit: 200 }, clock);
});

/** A call that rang after `rangMs`. */
const call = (rangMs: number | undefined, change: Partial<EndedCall> = {}): EndedCall => ({
  direction: 'outgoing',
  startedAt: clock.date(),
  ...(rangMs === undefined ? {} : { rangAt: new Date(clock.date().getTime() + rangMs) }),
  ...change,
});

const last = (): Sample | undefined => history.samples.at(-1);

describe('a sample', () => {
  it('tells of its ten seconds alone', async () => {
    registered = 7;
    registers = 30;
    live = 5;
    history.onEnded(call(undefined));
    await clock.advance(10_000);
    expect(last()).toEqual({
      at: new Date('2026-01-01T00:00:10Z'),
      byState: { waiting: 0, registering: 0, registered: 7, retrying: 0, parked: 0, unregistering: 0 },
      live: 5,
      callsPerSecond: 0.6,
      ended: 1,
      answered: 0,
      pddMs: null,
      registersPerSecond: 3,
      registerLimit: 200,
    });
    history.onEnded(call(100, { answeredAt: clock.date() }));
    live = 4;
    await clock.advance(10_000);
    expect(last()).toMatchObject({ live: 4, callsPerSecond: 0, ended: 1, answered: 1, registersPerSecond: 0 });
  });

  it('tells how long outgoing calls took to ring, or to be answered when nothing rang', async () => {
    for (let ms = 1; ms <= 100; ms += 1) history.onEnded(call(ms));
    history.onEnded(call(undefined));
    history.onEnded(call(9_000, { direction: 'incoming' }));
    await clock.advance(10_000);
    expect(last()?.pddMs).toEqual({ p50: 50, p95: 95, p99: 99 });
    history.onEnded(call(undefined, { answeredAt: new Date(clock.date().getTime() + 250) }));
    await clock.advance(10_000);
    expect(last()?.pddMs).toEqual({ p50: 250, p95: 250, p99: 250 });
  });
});

describe('the history', () => {
  it('is of an hour, the oldest first, and who listens hears each sample', async () => {
    const heard: Sample[] = [];
    history.made.add((sample) => heard.push(sample));
    await clock.advance(2 * 3_600_000);
    expect(heard).toHaveLength(720);
    expect(history.samples).toEqual(heard.slice(360));
  });

  it('ends when it is closed, and leaves no timer', async () => {
    history.close();
    await clock.advance(60_000);
    expect([history.samples, clock.pending]).toEqual([[], 0]);
  });
});
