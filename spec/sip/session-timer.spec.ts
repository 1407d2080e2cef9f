import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { minute, second } from '../../src/base/units.js';
import type { SessionTerms } from '../../src/sip/session-terms.js';
import { SessionTimer, sessionTimerTable } from '../../src/sip/session-timer.js';
import { eventsOf, rowsOf, runTable } from '../calls/state-table.js';
import { ManualClock } from '../support/manual-clock.js';

const ours: SessionTerms = { intervalS: 1800, refresher: 'us', isAgreed: true };
const theirs: SessionTerms = { ...ours, refresher: 'them' };

/** A timer on a clock turned by hand, with what it had its owner do and when, in seconds. */
function timed(): { clock: ManualClock; timer: SessionTimer; done: string[] } {
  const clock = new ManualClock();
  const done: string[] = [];
  const note = (what: string) => (): void => void done.push(`${what} ${String(clock.now() / second)}`);
  return { clock, timer: new SessionTimer(clock, { refresh: note('refresh'), giveUp: note('giveUp') }), done };
}

describe('the table of the session timer', () => {
  it('has these rows and no others', () => {
    const everywhere = (state: string): string[] => [
      `${state} agreedOurs -> keeping []`,
      `${state} agreedTheirs -> watching []`,
      `${state} agreedNone -> off []`,
      `${state} ended -> over []`,
    ];
    expect(rowsOf(sessionTimerTable)).toEqual([
      ...everywhere('off'),
      ...everywhere('keeping'),
      'keeping due -> asking [refresh]',
      'keeping expired -> over [giveUp]',
      ...everywhere('asking'),
      'asking refused -> pausing []',
      'asking expired -> over [giveUp]',
      ...everywhere('pausing'),
      'pausing due -> asking [refresh]',
      'pausing expired -> over [giveUp]',
      ...everywhere('watching'),
      'watching expired -> over [giveUp]',
    ]);
  });

  it('gives up once at most, and does nothing after that', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...eventsOf(sessionTimerTable)), { maxLength: 40 }), (events) => {
        const actions = runTable(sessionTimerTable, events).flatMap((step) => step.actions);
        const end = actions.indexOf('giveUp');
        expect(end === -1 || end === actions.length - 1).toBe(true);
      }),
    );
  });
});

describe('a session timer', () => {
  it('refreshes when half of the interval is over, and again after each refresh', async () => {
    const { clock, timer, done } = timed();
    timer.agree(ours);
    await clock.advance(20 * minute);
    timer.agree(ours);
    await clock.advance(16 * minute);
    expect(done).toEqual(['refresh 900', 'refresh 2100']);
  });

  it('gives up 32 s before the end when the far end does not refresh', async () => {
    const { clock, timer, done } = timed();
    timer.agree(theirs);
    await clock.advance(1767 * second);
    expect(done).toEqual([]);
    await clock.advance(second);
    expect(done).toEqual(['giveUp 1768']);
    expect(clock.pending).toBe(0);
  });

  it('gives up a third before the end of a short interval, and is put off by each refresh of the far end', async () => {
    const { clock, timer, done } = timed();
    const short = { ...theirs, intervalS: 90 };
    timer.agree(short);
    await clock.advance(59 * second);
    timer.agree(short);
    await clock.advance(59 * second);
    expect(done).toEqual([]);
    await clock.advance(second);
    expect(done).toEqual(['giveUp 119']);
  });

  it('tries a refused refresh again, after longer and longer pauses, until it gives up', async () => {
    const { clock, timer, done } = timed();
    timer.agree(ours);
    await clock.advance(900 * second);
    const asked: number[] = [];
    while (!done.some((what) => what.startsWith('giveUp'))) {
      if (done.length > asked.length) {
        asked.push(clock.now());
        timer.refused();
      }
      await clock.advance(second / 10);
    }
    expect(done.at(-1)).toBe('giveUp 1768');
    const pauses = asked.slice(1).map((at, index) => at - (asked[index] ?? 0));
    expect(pauses.length).toBeGreaterThan(6);
    for (const [index, pause] of pauses.slice(1).entries()) {
      expect(pause).toBeGreaterThan((pauses[index] ?? 0) * 1.9);
    }
  });

  it('leaves the far end alone as long as its Retry-After says', async () => {
    const { clock, timer, done } = timed();
    timer.agree(ours);
    await clock.advance(900 * second);
    timer.refused(20 * second);
    await clock.advance(19.9 * second);
    expect(done).toEqual(['refresh 900']);
    await clock.advance(0.1 * second);
    expect(done).toEqual(['refresh 900', 'refresh 920']);
  });

  it('takes no refusal to heart for which it asked nothing', async () => {
    const { clock, timer, done } = timed();
    timer.agree(ours);
    for (let times = 0; times < 8; times += 1) timer.refused(60 * second);
    await clock.advance(900 * second);
    timer.refused();
    timer.refused(60 * second);
    await clock.advance(4 * second);
    expect(done).toHaveLength(2);
  });

  it('gives up when a refresh stays without an answer', async () => {
    const { clock, timer, done } = timed();
    timer.agree(ours);
    await clock.advance(30 * minute);
    expect(done).toEqual(['refresh 900', 'giveUp 1768']);
  });

  it('does nothing once nobody keeps time, or the call has ended', async () => {
    const { clock, timer, done } = timed();
    timer.agree(ours);
    timer.agree(undefined);
    expect([clock.pending, timer.terms]).toEqual([0, undefined]);
    timer.agree(theirs);
    timer.end();
    timer.agree(ours);
    expect(clock.pending).toBe(0);
    await clock.advance(30 * minute);
    expect(done).toEqual([]);
  });
});
