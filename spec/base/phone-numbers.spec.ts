import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCountry, toE164, type CountryCode } from '../../src/base/phone-numbers.js';

describe('a number as people of a country dial it', () => {
  it.each([
    ['DE', '030123456', '+4930123456'],
    ['DE', '00442012345678', '+442012345678'],
    ['DE', '4930123456', '+4930123456'],
    ['GB', '02079460958', '+442079460958'],
    ['US', '2015550123', '+12015550123'],
    ['US', '12015550123', '+12015550123'],
    ['US', '011442012345678', '+442012345678'],
    ['IT', '0612345678', '+390612345678'],
    ['ES', '600123456', '+34600123456'],
    ['RU', '84951234567', '+74951234567'],
  ] as const)('is E.164 in %s: %s -> %s', (country, dialled, expected) => {
    expect(toE164(dialled, country)).toBe(expected);
  });

  it.each([
    ['DE', '600', 'an extension'],
    ['DE', '1234', 'an extension, though Germany has numbers as short'],
    ['DE', '3012345', 'without its 0 it may be an extension'],
    ['DE', '30123456', 'without its 0 it may be an extension'],
    ['DE', '110', 'the police'],
    ['US', '911', 'the police'],
    ['US', '5550123', 'without an area code'],
    ['DE', '*72', 'a feature code'],
    ['DE', '+4930123456', 'E.164 already'],
    ['DE', '1'.repeat(21), 'no number at all'],
    ['DE', '', 'nothing'],
  ] as const)('stays in %s: %s, %s', (...[country, dialled]) => {
    expect(toE164(dialled, country)).toBeUndefined();
  });

  it('becomes digits after a plus, or stays, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 80 }), fc.stringMatching(/^\d{1,25}$/)), fc.constantFrom<CountryCode>('DE', 'US', 'RU'), (text, country) => {
        expect(toE164(text, country) ?? '+1').toMatch(/^\+\d+$/);
      }),
    );
  });

  it('needs a country that there is', () => {
    expect(['DE', 'US', 'XX', 'de', 'Germany', ''].map(isCountry)).toEqual([true, true, false, false, false, false]);
  });
});
