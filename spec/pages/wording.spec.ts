import { describe, expect, it } from 'vitest';
import { shownStates } from '../../src/admin/shapes.js';
import { aheadWords, bareAddress, counted, dialledPart, listedStates, liveWords, nextWords, roughly, sinceWords, stateMeanings, talkedWords, timeWords, toneOf } from '../../src/pages/console/wording.js';

const now = Date.parse('2031-05-06T12:00:00Z');
const at = (seconds: number): string => new Date(now + seconds * 1_000).toISOString();

it('has words for every state that the interface knows, and lists all but those that are off', () => {
  expect(Object.keys(stateMeanings).sort()).toEqual([...shownStates].sort());
  expect([...listedStates, 'off'].sort()).toEqual([...shownStates].sort());
});

it('shows a registered one as good, a parked one as bad, and what somebody may want to look at as a warning', () => {
  expect(['registered', 'parked', 'retrying', 'held', 'waiting'].map((state) => toneOf(state as never))).toEqual(['good', 'bad', 'warn', 'warn', 'calm']);
});

describe('times in words', () => {
  it.each([
    [-5, '0 seconds'],
    [1_000, '1 second'],
    [119_000, '119 seconds'],
    [13 * 60_000, '13 minutes'],
    [119 * 60_000, '119 minutes'],
    [5 * 3_600_000, '5 hours'],
    [3 * 86_400_000, '3 days'],
  ])('%d ms are %s', (ms, words) => {
    expect(roughly(ms)).toBe(words);
  });

  it('tells since when, and when next', () => {
    expect(sinceWords(at(-720), now)).toBe('for 12 minutes');
    expect([aheadWords(at(780), now), aheadWords(at(0), now), aheadWords(at(-9), now)]).toEqual(['in 13 minutes', 'now', 'now']);
    expect([sinceWords(undefined, now), aheadWords(undefined, now)]).toEqual(['', '']);
  });

  it('tells a refresh from another try', () => {
    expect(nextWords({ state: 'registered', nextTryAt: at(780) }, now)).toBe('Refreshed in 13 minutes.');
    expect(nextWords({ state: 'parked', nextTryAt: at(780) }, now)).toBe('Tried again in 13 minutes.');
    expect(nextWords({ state: 'held' }, now)).toBe('');
  });

  it('tells the day only when it is another', () => {
    const noon = new Date(2031, 4, 6, 12, 0, 0);
    expect(timeWords(noon.toISOString(), noon.getTime() + 60_000)).toBe('12:00:00');
    expect(timeWords(noon.toISOString(), noon.getTime() + 86_400_000)).toBe('2031-05-06 12:00:00');
  });
});

it('tells how long a call talked, or goes on', () => {
  expect(talkedWords({ answeredAt: at(0), endedAt: at(754) })).toBe('talked 12:34');
  expect(talkedWords({ endedAt: at(0) })).toBe('not answered');
  expect(liveWords({ state: 'ringing', startedAt: at(-7) }, now)).toBe('ringing, 0:07');
  expect(liveWords({ state: 'talking', startedAt: at(-70), answeredAt: at(-60) }, now)).toBe('talking, 1:00');
});

it('counts, and leaves the scheme of an address out', () => {
  expect([counted(1, 'row'), counted(2_000, 'row'), counted(0, 'row')]).toEqual(['1 row', '2,000 rows', '0 rows']);
  expect([bareAddress('sip:434@pbx.example.com'), bareAddress('sips:a@b'), bareAddress('600')]).toEqual(['434@pbx.example.com', 'a@b', '600']);
});

it('takes a number as people write it for what stands in addresses, and nothing else', () => {
  expect(['+49 (30) 90 18-20', '030/901820', '434', ' 600 '].map(dialledPart)).toEqual(['+4930901820', '030901820', '434', '600']);
  expect(['ann', 'ann 2', '434@pbx', '127.0.0.1', '', '()'].map(dialledPart)).toEqual(['ann', 'ann 2', '434@pbx', '127.0.0.1', '', '()']);
});
