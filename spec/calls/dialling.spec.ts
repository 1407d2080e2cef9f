/** What becomes of a number that is dialled, and whether it may be called. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeUser } from '../../src/calls/address.js';
import { toDialling, type Dialling, type DiallingSettings } from '../../src/calls/dialling.js';
import { rewriteNumber } from '../../src/calls/numbers.js';
import { mayCall } from '../../src/calls/permission.js';

function dialling({ number, ...lists }: Partial<DiallingSettings> = {}): Dialling {
  return toDialling({ allow: [], deny: [], ...lists, number: { rewrite: [], ...number } });
}

describe('a number that is dialled', () => {
  const rewrite = [
    { match: '^00', to: '+' },
    { match: '^9(\\d{7,})$', to: '$1' },
    { match: '^(\\d{3})$', to: '7$1' },
  ];

  it.each([
    ['is left alone without rules', { rewrite: [] }, '030123456', '030123456'],
    ['is rewritten by the first rule that matches, and by it alone', { rewrite }, '00999', '+999'],
    ['keeps the groups that a rule names', { rewrite }, '9030123456', '030123456'],
    ['is rewritten though it is an extension', { rewrite }, '600', '7600'],
    ['is left alone when no rule matches', { rewrite }, 'anna', 'anna'],
    ['becomes E.164 with a country', { rewrite: [], defaultCountry: 'DE' }, '030123456', '+4930123456'],
    ['becomes E.164 after it was rewritten', { rewrite, defaultCountry: 'DE' }, '9030123456', '+4930123456'],
    ['stays an extension with a country', { rewrite: [], defaultCountry: 'DE' }, '600', '600'],
    ['is left alone when it is longer than a number can be', { rewrite }, `00${'1'.repeat(63)}`, `00${'1'.repeat(63)}`],
  ])('%s', (_what, number, dialled, expected) => {
    expect(rewriteNumber(dialled, dialling({ number }))).toBe(expected);
  });

  it('says what became of it and by which rule', () => {
    const why: string[] = [];
    rewriteNumber('9030123456', dialling({ number: { rewrite, defaultCountry: 'DE' } }), why);
    expect(why).toEqual([
      '9030123456 is rewritten to 030123456: the rule ^9(\\d{7,})$ -> $1 (calls.number.rewrite).',
      '030123456 is a number of the telephone network, dialled in DE: +4930123456 (calls.number.default-country).',
    ]);
  });
});

describe('an address', () => {
  const home = 'pbx.example';
  const allow = ['+49*', '6*', 'reception', '*@partner.example'];
  const deny = ['+49900*', '/^0?190/', '*@evil.example', '666'];

  function verdict(uri: string, settings: Partial<DiallingSettings>, isOurs = false): string {
    const refusal = mayCall({ uri, home, isOurs }, dialling(settings));
    return refusal === undefined ? 'may' : refusal.message.includes('deny') ? 'denied' : 'not allowed';
  }

  it.each([
    ['sip:+4930123456@pbx.example', 'may'],
    ['sip:600@pbx.example:5070', 'may'],
    ['sip:600@PBX.example.;user=phone', 'may'],
    ['sips:Reception@pbx.example', 'may'],
    ['sip:anybody@partner.example', 'may'],
    ['sip:+1201@pbx.example', 'not allowed'],
    ['sip:600@other.example', 'not allowed'],
    ['sip:pbx.example', 'not allowed'],
    ['sip:+49900123@pbx.example', 'denied'],
    ['sip:+49-900-123@pbx.example', 'denied'],
    ['sip:%2B49900123@pbx.example', 'denied'],
    ['sip:%2B4%39900123@pbx.example', 'denied'],
    ['sip:+49900123;phone-context=x@pbx.example', 'denied'],
    ['sip:+49900123:secret@pbx.example', 'denied'],
    ['sip:+49900123%FF@pbx.example', 'denied'],
    ['sip:%EF%BC%8B49900123@pbx.example', 'denied'],
    ['sip:+49900123@elsewhere.example', 'denied'],
    ['sip:0190@pbx.example', 'denied'],
    ['sip:600@evil.example', 'denied'],
    ['sip:600@EVIL.example.:5060', 'denied'],
    [`sip:6${'0'.repeat(63)}@pbx.example`, 'may'],
    [`sip:6${'0'.repeat(64)}@pbx.example`, 'denied'],
  ])('%s: %s', (uri, expected) => {
    expect(verdict(uri, { allow, deny })).toBe(expected);
  });

  it('may be called when nobody says otherwise', () => {
    expect(verdict(`sip:${'9'.repeat(200)}@anywhere.example`, {})).toBe('may');
    expect(verdict('sip:+1201@pbx.example', { deny })).toBe('may');
  });

  it('may not be called because of calls.allow alone, where nothing is denied', () => {
    expect(verdict('sip:+1201@pbx.example', { allow })).toBe('not allowed');
    expect(verdict('sip:+4930123456@pbx.example', { allow })).toBe('may');
  });

  it('counts as E.164 too when there is a country', () => {
    const number = { rewrite: [], defaultCountry: 'DE' };
    expect(verdict('sip:0900123456@pbx.example', { deny })).toBe('may');
    expect(verdict('sip:0900123456@pbx.example', { deny, number })).toBe('denied');
    expect(verdict('sip:030123456@pbx.example', { allow, number })).toBe('may');
  });

  it('that is a number counts as it stands, without its separators, and as E.164', () => {
    const number = { rewrite: [], defaultCountry: 'DE' };
    for (const deny of ['0900-12*', '090012*', '+4990012*']) expect(verdict('sip:0900-123456@pbx.example', { deny: [deny], number })).toBe('denied');
    expect(verdict('sip:0900-123456@pbx.example', { deny: ['0900-12*'] })).toBe('denied');
  });

  it('that is a name, and no number, keeps its hyphens and dots', () => {
    for (const name of ['recep-tion', 'room-12', '1.floor']) expect(verdict(`sip:${name}@pbx.example`, { deny: ['reception', 'room12', '1floor'] })).toBe('may');
  });

  it('of a messenger user needs no place in allow, and may be denied', () => {
    expect(verdict('sip:dialog434@pbx.example', { allow }, true)).toBe('may');
    expect(verdict('sip:666@pbx.example', { allow, deny }, true)).toBe('denied');
  });

  it('on IPv6 is compared without brackets and port', () => {
    expect(verdict('sip:600@[2001:DB8::1]:5060', { deny: ['600@2001:db8::1'] })).toBe('denied');
    expect(mayCall({ uri: 'sip:600@[2001:db8::1]', home: '2001:DB8::1', isOurs: false }, dialling({ allow: ['600'] }))).toBeUndefined();
  });

  it('is told with the pattern that decided', () => {
    const why = (uri: string): string[] => {
      const told: string[] = [];
      mayCall({ uri, home, isOurs: false }, dialling({ allow, deny }), told);
      return told;
    };
    expect(why('sip:0190@pbx.example')).toEqual(['sip:0190@pbx.example is denied by /^0?190/ (calls.deny).']);
    expect(why('sip:600@pbx.example')).toEqual(['sip:600@pbx.example is allowed by 6* (calls.allow).']);
    expect(why('sip:1@pbx.example')).toEqual(['sip:1@pbx.example is in none of the patterns of calls.allow.']);
    expect(why(`sip:${'1'.repeat(65)}@pbx.example`)).toEqual(['The address is longer than the 64 characters that calls.allow and calls.deny are held against.']);
  });

  it('that is denied stays denied however its number is written', () => {
    const separators = fc.array(fc.constantFrom('', '-', '.', '(', ')'), { minLength: 8, maxLength: 8 });
    const escapes = fc.array(fc.boolean(), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(separators, escapes, fc.constantFrom('', ';x=1', ':pw'), (between, escaped, tail) => {
        const user = Array.from('+49900123').map((key, index) => {
          const sign = escaped[index % 8] === true ? `%${key.charCodeAt(0).toString(16)}` : escapeUser(key);
          return `${sign}${between[index % 8] ?? ''}`;
        });
        expect(verdict(`sip:${user.join('')}${tail}@pbx.example`, { deny })).toBe('denied');
      }),
    );
  });
});
