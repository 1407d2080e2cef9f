import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Timer } from '../../src/base/clock.js';
import { Admission } from '../../src/registrar/admission.js';
import { ManualClock } from '../support/manual-clock.js';

const limits = { maxRate: 20, maxInFlight: 1_000 };

describe('admission to a registrar', () => {
  it('grants turns in the order of arrival at the rate of the registrar', async () => {
    const clock = new ManualClock();
    const turns: { item: number; at: number }[] = [];
    const admission = new Admission<number>(limits, clock, (item) => turns.push({ item, at: clock.now() }));
    for (let item = 0; item < 100; item += 1) admission.enter('a', item);
    await clock.advance(1_000);
    expect(turns.length).toBe(21);
    await clock.advance(4_000);
    expect(turns.map(({ item }) => item)).toEqual(Array.from({ length: 100 }, (_, item) => item));
  });

  it('never lets more than the limit be on their way, and lets the next go when one is through', async () => {
    const clock = new ManualClock();
    const turns: number[] = [];
    const admission = new Admission<number>({ maxRate: 1_000, maxInFlight: 3 }, clock, (item) => turns.push(item));
    for (let item = 0; item < 10; item += 1) admission.enter('a', item);
    await clock.advance(10_000);
    expect(turns).toEqual([0, 1, 2]);
    admission.leave('a', true);
    expect(turns).toEqual([0, 1, 2, 3]);
  });

  it('remembers who is on their way, however long that takes', async () => {
    const clock = new ManualClock();
    const turns: number[] = [];
    const admission = new Admission<number>({ maxRate: 1_000, maxInFlight: 1 }, clock, (item) => turns.push(item));
    admission.enter('a', 0);
    await clock.advance(3_600_000);
    admission.enter('a', 1);
    expect(turns).toEqual([0]);
    admission.leave('a', true);
    expect(turns).toEqual([0, 1]);
  });

  it.each([7, 17, 19])('wakes once for each turn at %i a second, though a turn be no whole number of milliseconds', async (maxRate) => {
    let timers = 0;
    const clock = new (class extends ManualClock {
      override after(delayMs: number, action: () => void): Timer {
        timers += 1;
        return super.after(delayMs, action);
      }
    })();
    // After weeks of running the clock's own steps are coarser than the errors of rounding.
    await clock.advance(3e9 + 0.123);
    let turns = 0;
    const admission: Admission<number> = new Admission<number>({ maxRate, maxInFlight: 1_000 }, clock, () => {
      turns += 1;
    });
    for (let item = 0; item < 200; item += 1) admission.enter('a', item);
    await clock.advance(120_000);
    expect(turns).toBe(200);
    // The first goes at once.
    expect(timers).toBe(199);
  });

  it('does not let a registrar that hangs hold up another', async () => {
    const clock = new ManualClock();
    const turns: string[] = [];
    const admission = new Admission<string>({ maxRate: 1_000, maxInFlight: 1 }, clock, (item) => turns.push(item));
    admission.enter('dead', 'dead 1');
    admission.enter('dead', 'dead 2');
    admission.enter('alive', 'alive 1');
    await clock.advance(1_000);
    expect(turns).toEqual(['dead 1', 'alive 1']);
  });

  it('passes over who left the queue, and gives its turn to the next', async () => {
    const clock = new ManualClock();
    const turns: number[] = [];
    const admission = new Admission<number>({ maxRate: 1, maxInFlight: 10 }, clock, (item) => turns.push(item));
    for (const item of [0, 1, 2]) admission.enter('a', item);
    admission.cancel('a', 1);
    await clock.advance(1_000);
    expect(turns).toEqual([0, 2]);
  });

  it('lets what somebody waits for go ahead of a long queue', async () => {
    const clock = new ManualClock();
    const turns: number[] = [];
    const admission = new Admission<number>(limits, clock, (item) => turns.push(item));
    for (let item = 0; item < 100_000; item += 1) admission.enter('a', item);
    turns.length = 0;
    admission.enter('a', 777_777, 'urgent');
    await clock.advance(50);
    expect(turns).toEqual([777_777]);
  });

  it('gives the urgent one turn in four while both wait, so that neither starves the other', async () => {
    const clock = new ManualClock();
    const turns: number[] = [];
    const admission = new Admission<number>(limits, clock, (item) => turns.push(item));
    admission.enter('a', -1);
    for (let item = 0; item < 100; item += 1) {
      admission.enter('a', item);
      admission.enter('a', 1_000 + item, 'urgent');
    }
    turns.length = 0;
    await clock.advance(2_000);
    expect(turns).toHaveLength(40);
    const urgent = turns.filter((item) => item >= 1_000);
    expect(urgent).toEqual(Array.from({ length: 10 }, (_, index) => 1_000 + index));
    expect(turns.filter((item) => item < 1_000)).toEqual(Array.from({ length: 30 }, (_, index) => index));
    await clock.advance(60_000);
    expect(turns).toHaveLength(200);
  });

  it('moves one that waits to the urgent when it becomes so, and never gives it two turns', async () => {
    const clock = new ManualClock();
    const turns: number[] = [];
    const admission = new Admission<number>(limits, clock, (item) => turns.push(item));
    for (let item = 0; item < 50; item += 1) admission.enter('a', item);
    admission.enter('a', 40, 'urgent');
    admission.enter('a', 40);
    await clock.advance(50);
    expect(turns).toEqual([0, 40]);
    admission.enter('a', 41, 'urgent');
    admission.cancel('a', 41);
    await clock.advance(10_000);
    expect(turns).toHaveLength(49);
    expect(turns).not.toContain(41);
  });

  it('foretells when the last in the queue of each registrar has its turn', async () => {
    const clock = new ManualClock();
    const turns: number[] = [];
    const admission = new Admission<number>(limits, clock, () => turns.push(clock.now()));
    for (let item = 0; item < 101; item += 1) admission.enter('a', item);
    for (let item = 0; item < 21; item += 1) admission.enter('b', item, 'urgent');
    admission.enter('idle', 1);
    expect(admission.backlogs()).toEqual([
      { registrarKey: 'a', waiting: 100, convergesInMs: 5_000 },
      { registrarKey: 'b', waiting: 20, convergesInMs: 1_000 },
    ]);
    await clock.advance(2_500);
    expect(admission.backlogs()).toEqual([{ registrarKey: 'a', waiting: 50, convergesInMs: 2_500 }]);
    await clock.advance(2_500);
    expect(turns.at(-1)).toBe(5_000);
    expect(admission.backlogs()).toEqual([]);
  });

  it('foretells by what a registrar was seen to answer, where that is less than its rate lets through', async () => {
    const clock = new ManualClock();
    const admission: Admission<number> = new Admission<number>({ maxRate: 1_000, maxInFlight: 10 }, clock, () => undefined);
    for (let item = 0; item < 1_010; item += 1) admission.enter('a', item);
    expect(admission.backlogs()).toEqual([{ registrarKey: 'a', waiting: 1_000, convergesInMs: 960 }]);
    for (let answer = 0; answer < 200; answer += 1) {
      await clock.advance(100);
      admission.leave('a', true);
    }
    const [backlog] = admission.backlogs();
    expect(backlog?.waiting).toBe(800);
    expect(backlog?.convergesInMs).toBeGreaterThan(76_000);
    expect(backlog?.convergesInMs).toBeLessThan(84_000);
  });

  it('foretells nothing of a registrar that answers nothing, though what it is asked is given up and something else is asked', async () => {
    const clock = new ManualClock();
    const admission: Admission<number> = new Admission<number>({ maxRate: 1_000, maxInFlight: 10 }, clock, () => undefined);
    for (let item = 0; item < 100; item += 1) admission.enter('a', item);
    for (let givenUp = 0; givenUp < 30; givenUp += 1) {
      await clock.advance(1_000);
      admission.leave('a', false);
    }
    expect(admission.backlogs()).toEqual([{ registrarKey: 'a', waiting: 60, convergesInMs: undefined, silentMs: 30_000 }]);
    admission.leave('a', true);
    expect(admission.backlogs()[0]?.convergesInMs).toBeGreaterThan(0);
  });

  it('takes no silence for one while nothing was asked', async () => {
    const clock = new ManualClock();
    const admission: Admission<number> = new Admission<number>({ maxRate: 0.1, maxInFlight: 10 }, clock, () => undefined);
    for (let item = 0; item < 3; item += 1) admission.enter('a', item);
    admission.leave('a', true);
    await clock.advance(10_000);
    expect(admission.backlogs()).toEqual([{ registrarKey: 'a', waiting: 1, convergesInMs: 10_000 }]);
  });

  it('once the rate is lifted limits only the number on their way', () => {
    const turns: number[] = [];
    const admission = new Admission<number>({ maxRate: 1, maxInFlight: 5 }, new ManualClock(), (item) => turns.push(item));
    for (let item = 0; item < 10; item += 1) admission.enter('a', item);
    expect(turns).toHaveLength(1);
    admission.liftRate();
    expect(turns).toHaveLength(5);
    for (let answer = 0; answer < 5; answer += 1) admission.leave('a', true);
    expect(turns).toHaveLength(10);
  });

  it('keeps no timer and no registrar once all is through', async () => {
    const clock = new ManualClock();
    await clock.advance(3e9 + 0.123);
    const admission: Admission<number> = new Admission<number>(limits, clock, () => undefined);
    admission.enter('a', 1);
    admission.leave('a', true);
    await clock.advance(1_000);
    expect(clock.pending).toBe(0);
  });

  it('drains a queue of a hundred thousand in time that grows with its length alone', () => {
    const clock = new ManualClock();
    let turns = 0;
    const admission: Admission<number> = new Admission<number>({ maxRate: 1, maxInFlight: 1 }, clock, () => {
      turns += 1;
    });
    for (let item = 0; item < 100_000; item += 1) admission.enter('a', item);
    admission.liftRate();
    while (turns < 100_000) admission.leave('a', true);
    expect(turns).toBe(100_000);
  });

  it('lets no more through in any span of time than its rate and the small burst, and starves nobody', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ pauseMs: fc.nat(400), count: fc.integer({ min: 1, max: 30 }) }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 500 }),
        async (arrivals, maxRate) => {
          const clock = new ManualClock();
          const at: number[] = [];
          const admission: Admission<number> = new Admission<number>({ maxRate, maxInFlight: 1_000 }, clock, () => {
            at.push(clock.now());
          });
          let entered = 0;
          for (const { pauseMs, count } of arrivals) {
            await clock.advance(pauseMs);
            for (let more = 0; more < count; more += 1) admission.enter('a', entered++);
          }
          await clock.advance((entered / maxRate) * 1_000 + 1);
          expect(at).toHaveLength(entered);
          const burst = Math.max(1, maxRate / 20);
          // How far any span went above what its length and the burst allow.
          let worst = 0;
          at.forEach((from, first) => {
            for (let last = first; last < at.length; last += 1) {
              worst = Math.max(worst, last - first + 1 - burst - ((at[last]! - from) / 1_000) * maxRate);
            }
          });
          expect(worst).toBeLessThan(0.001);
        },
      ),
      { numRuns: 30 },
    );
  });
});
