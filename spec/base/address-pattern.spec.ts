import { describe, expect, it } from 'vitest';
import { readAddressPattern } from '../../src/base/address-pattern.js';

function matches(text: string, user: string): boolean {
  const read = readAddressPattern(text);
  if ('problem' in read) throw new Error(read.problem);
  return read.pattern.matches(user);
}

describe('a pattern of addresses', () => {
  it.each([
    ['+4930123456', '+4930123456', true],
    ['+4930123456', '+49301234567', false],
    ['+49*', '+4930123456', true],
    ['+49*', '+4', false],
    ['+49*', '0+49', false],
    ['*', '', true],
    ['*72', '*72', true],
    ['*72', '9972', false],
    ['*21*', '*21', true],
    ['*21*', '*214930', true],
    ['Anna', 'anna', true],
    ['/^0?900/', '0900123', true],
    ['/^0?900/', '1900123', false],
    ['/ANNA$/', 'joanna', true],
  ])('%s and %s: %s', (text, user, expected) => {
    expect(matches(text, user)).toBe(expected);
  });

  it('may name a host, which counts alike in either case', () => {
    expect(readAddressPattern('*@Far.Example')).toMatchObject({ pattern: { host: 'far.example', text: '*@Far.Example' } });
    expect(readAddressPattern('600')).not.toHaveProperty('pattern.host');
  });

  it.each([
    ['', 'names nobody'],
    ['@far.example', 'names nobody'],
    ['600@', 'names nobody'],
    ['600@*.example', 'a * in its host'],
    ['+49 30*', 'a blank or a slash'],
    ['/900', 'a blank or a slash'],
    ['/(a+)+/', 'could take too long'],
    ['1'.repeat(65), 'longer than 64'],
  ])('%j is none: it %s', (text, problem) => {
    expect(readAddressPattern(text)).toEqual({ problem: expect.stringContaining(problem) as string });
  });
});
