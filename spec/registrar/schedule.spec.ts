import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Timer } from '../../src/base/clock.js';
import { Schedule, type Slot } from '../../src/registrar/schedule.js';
import { ManualClock } from '../support/manual-clock.js';

interface Named extends Slot {
  readonly name: number;
}

const slot = (name: number): Named => ({ name, heapIndex: -1 });

describe('the schedule', () => {
  it('tells each slot once, in the order of time, never early', async () => {
    const clock = new ManualClock();
    const told: string[] = [];
    const schedule = new Schedule<Named>(clock, ({ name }) => told.push(`${name}@${clock.now()}`));
    [300, 100, 200].forEach((at, name) => {
      schedule.set(slot(name), at);
    });
    await clock.advance(99);
    expect(told).toEqual([]);
    await clock.advance(1_000);
    expect(told).toEqual(['1@100', '2@200', '0@300']);
  });

  it('has one timer for a hundred thousand slots, and none when it is empty', () => {
    const clock = new ManualClock();
    const schedule = new Schedule<Named>(clock, () => undefined);
    const slots = Array.from({ length: 100_000 }, (_, name) => slot(name));
    for (const one of slots) schedule.set(one, 1_000_000 - one.name);
    expect(clock.pending).toBe(1);
    expect(schedule.size).toBe(100_000);
    for (const one of slots) schedule.delete(one);
    expect(clock.pending).toBe(0);
  });

  it('never asks for a longer timer than Node has: those above 24.8 days fire at once', async () => {
    const delays: number[] = [];
    const clock = new (class extends ManualClock {
      override after(delayMs: number, action: () => void): Timer {
        delays.push(delayMs);
        return super.after(delayMs, action);
      }
    })();
    const told: number[] = [];
    const schedule = new Schedule<Named>(clock, () => told.push(clock.now()));
    const monthMs = 30 * 24 * 3_600_000;
    schedule.set(slot(0), monthMs);
    await clock.advance(2 * monthMs);
    expect(told).toEqual([monthMs]);
    expect(Math.max(...delays)).toBeLessThan(2 ** 31);
  });

  it('does not tell a slot that another one deleted in the same moment', async () => {
    const clock = new ManualClock();
    const told: number[] = [];
    const slots = [slot(0), slot(1)];
    const schedule = new Schedule<Named>(clock, ({ name }) => {
      told.push(name);
      for (const one of slots) schedule.delete(one);
    });
    for (const one of slots) schedule.set(one, 5);
    await clock.advance(10);
    expect(told).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it('comes out of a round in which a slot asks for the past again and again', async () => {
    const clock = new ManualClock();
    let rounds = 0;
    const one = slot(0);
    const schedule = new Schedule<Named>(clock, () => {
      rounds += 1;
      schedule.set(one, 0);
    });
    schedule.set(one, 0);
    await clock.advance(10);
    expect(rounds).toBeGreaterThan(5);
    expect(rounds).toBeLessThan(20);
  });

  it('agrees with a plain sorted list, whatever is set, moved and deleted', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('set' as const), name: fc.nat(15), ms: fc.nat(50) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), name: fc.nat(15), ms: fc.constant(0) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), name: fc.constant(0), ms: fc.nat(30) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const clock = new ManualClock();
        const told: { name: number; at: number }[] = [];
        const schedule = new Schedule<Named>(clock, ({ name }) => told.push({ name, at: clock.now() }));
        const slots = Array.from({ length: 16 }, (_, name) => slot(name));
        const expected = new Map<number, number>();
        for (const { do: verb, name, ms } of steps) {
          if (verb === 'set') {
            schedule.set(slots[name]!, clock.now() + ms);
            expected.set(name, clock.now() + ms);
          } else if (verb === 'delete') {
            schedule.delete(slots[name]!);
            expected.delete(name);
          } else {
            const before = told.length;
            await clock.advance(ms);
            const due = [...expected].filter(([, at]) => at <= clock.now()).sort(([, a], [, b]) => a - b);
            expect(told.slice(before).map(({ at }) => at)).toEqual(due.map(([, at]) => at));
            expect(new Set(told.slice(before).map((one) => one.name))).toEqual(new Set(due.map(([one]) => one)));
            for (const [one] of due) expected.delete(one);
          }
          expect(schedule.size).toBe(expected.size);
          expect(clock.pending).toBe(expected.size === 0 ? 0 : 1);
        }
      }),
      { numRuns: 60 },
    );
  });
});
