import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { longestSubject, readBoundedRegex } from '../../src/base/bounded-regex.js';

describe('a regular expression of the configuration', () => {
  it.each([
    ['^00', 0],
    ['^0(\\d+)$', 1],
    ['^(\\+49|0049|0)(?<area>\\d{2,5})(\\d+)$', 3],
    ['^\\+?(?:1900|49900)', 0],
    ['^(?:\\d\\d)*$', 0],
    ['[()|*+?{}\\]]{3}x', 0],
    ['^\\p{L}+\\u{41}?$', 0],
    ['^\\d*\\d*\\d*$', 0],
    ['a(b|c)?', 1],
    ['^(?:12|34){1,3}$', 0],
    ['', 0],
  ])('%s is taken, and has %i groups', (source, groups) => {
    expect(readBoundedRegex(source)).toEqual({ regex: new RegExp(source, 'u'), groups });
  });

  it.each([
    ['(', 'is no regular expression'],
    ['a{2', 'is no regular expression'],
    ['\\-', 'is no regular expression'],
    ['^(a+)+$', 'could take too long'],
    ['^(\\d*)*x', 'could take too long'],
    ['^(a|a)*$', 'could take too long'],
    ['^(?:\\d+-?){2,}$', 'could take too long'],
    ['^\\d*\\d*\\d*\\d*$', 'could take too long'],
    ['\\d*\\d*\\d*x', 'could take too long'],
    ['^|\\d*\\d*\\d*x', 'could take too long'],
    [`^${'1?'.repeat(30)}${'1'.repeat(30)}$`, 'could take too long'],
    [`^${'(a|b)'.repeat(30)}`, 'could take too long'],
    ['^(\\d)\\1+$', 'uses a back-reference'],
    ['^(?<a>\\d)\\k<a>$', 'uses a back-reference'],
    ['^(?=0)\\d+$', 'uses a look-around'],
    ['(?<!0)1', 'uses a look-around'],
    ['1'.repeat(201), 'is longer than 200 characters'],
  ])('%s is refused: it %s', (source, problem) => {
    expect(readBoundedRegex(source)).toEqual({ problem: expect.stringContaining(problem) as string });
  });

  it('knows letters in either case when it is told to', () => {
    const read = readBoundedRegex('^anna$', 'i');
    expect('regex' in read && read.regex.test('ANNA')).toBe(true);
  });

  it('is refused or matches in bounded work, however it was put together', () => {
    const part = fc.constantFrom('a', '\\d', '.', '[ab]', '(', '(?:', '|', ')', '*', '+', '?', '{2,}', '{3}', '^', '$');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 14 }), (parts) => {
        const read = readBoundedRegex(parts.join(''));
        // One that could take exponential time would not come back from this.
        if ('regex' in read) for (const subject of ['a', '1', 'ab']) read.regex.test(`${subject.repeat(longestSubject / subject.length - 1)}!`);
      }),
      { numRuns: 3_000 },
    );
  });
});
