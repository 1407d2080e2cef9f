import { describe, expect, it } from 'vitest';
import { Registrar } from '../../src/registrar/registrar.js';
import { Spread } from '../../src/registrar/spread.js';
import { ManualClock } from '../support/manual-clock.js';
import { FakeLog, granted } from './fake-account.js';
import { registrarKey } from './setup.js';

/** The same numbers at every run: mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('the moment of a refresh', () => {
  it('is within its window, whatever is planned already', () => {
    const spread = new Spread(seeded(1));
    for (let planned = 0; planned < 1_000; planned += 1) {
      const momentMs = spread.plan(5_000, { earliestMs: 2_000, latestMs: 9_000 });
      expect(momentMs).toBeGreaterThan(7_000);
      expect(momentMs).toBeLessThanOrEqual(14_000);
    }
  });

  it('does not shun a second because of one long gone', () => {
    const spread = new Spread(seeded(1));
    const hoursLater = 4_096_000 * 3;
    for (let planned = 0; planned < 100; planned += 1) spread.plan(0, { earliestMs: 1_000, latestMs: 1_999 });
    const plans = Array.from({ length: 100 }, () => spread.plan(hoursLater, { earliestMs: 1_000, latestMs: 3_000 }) - hoursLater);
    expect(plans.filter((momentMs) => momentMs < 2_000).length).toBeGreaterThan(40);
  });
});

describe('the refreshes of thousands that were registered together', () => {
  const count = 10_000;
  const periodS = 270;

  function start(maxRate: number) {
    const clock = new ManualClock(undefined, async () => {
      for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
    });
    const registrar = new Registrar(
      { expiresMs: 300_000, intervalMs: 300_000, maxRate, maxInFlight: 1_000_000 },
      { clock, random: seeded(7), log: new FakeLog() },
    );
    const bySecond = new Map<number, number>();
    const account = {
      settings: { user: 'many', domain: 'pbx.example.com' },
      register: () => {
        const atS = Math.floor(clock.now() / 1_000);
        bySecond.set(atS, (bySecond.get(atS) ?? 0) + 1);
        return Promise.resolve(granted(300));
      },
    };
    for (let mappingId = 1; mappingId <= count; mappingId += 1) registrar.add({ mappingId, registrarKey, account });
    return { clock, registrar, bySecond };
  }

  // All at once; within five seconds; in 42 s, nearly as fast as they are refreshed.
  it.each([1e7, 2_000, 240])('are spread evenly after a start at %i a second: no second has more than 1.5 times the mean', async (maxRate) => {
    const { clock, bySecond } = start(maxRate);
    await clock.advance((count / maxRate) * 1_000);
    bySecond.clear();
    await clock.advance(3 * periodS * 1_000);
    const refreshes = [...bySecond.values()];
    expect(Math.max(...refreshes)).toBeLessThan((1.5 * count) / periodS);
    const total = refreshes.reduce((sum, one) => sum + one, 0);
    expect(total / count).toBeGreaterThan(2.5);
    expect(total / count).toBeLessThan(3.2);
  });

  it('are spread evenly again after all of them lost their connection', async () => {
    const { clock, registrar, bySecond } = start(1e7);
    await clock.advance(2 * periodS * 1_000);
    registrar.onFlowLost(
      Array.from({ length: count }, (_, index) => index + 1),
      'it closed the connection',
    );
    await clock.advance(2_000);
    bySecond.clear();
    await clock.advance(2 * periodS * 1_000);
    expect(Math.max(...bySecond.values())).toBeLessThan((1.5 * count) / periodS);
  });
});
