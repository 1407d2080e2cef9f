import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeUser, readAddress, sipUri } from '../../src/calls/address.js';

describe('what is dialled', () => {
  it.each([
    ['600', '600'],
    ['alice', 'alice'],
    ['sales.team-2', 'sales.team-2'],
    ['+1 (201) 555-0123', '+12015550123'],
    ['+49 (0)30 1234', '+49301234'],
    ['01.42.68.53.00', '0142685300'],
    ['8 495 123‑45‑67', '84951234567'],
    ['\u202a+12015550123\u202c', '+12015550123'],
    ['  600 ', '600'],
    ['*72', '*72'],
    ['*100#', '*100#'],
    ['tel:+1-201-555-0123', '+12015550123'],
    ['TEL:7042;phone-context=example.com', '7042'],
    ['Zoë', 'Zoë'],
  ])('%j is a number or an extension of the caller\'s registrar', (typed, user) => {
    expect(readAddress(typed)).toEqual({ kind: 'user', user });
  });

  it.each([
    ['sip:600@example.com', 'sip:600@example.com', 'example.com'],
    ['SIP:600@Example.COM:5070;user=phone;transport=tcp', 'sip:600@Example.COM:5070;user=phone;transport=tcp', 'example.com'],
    ['sips:alice@192.0.2.1', 'sips:alice@192.0.2.1', '192.0.2.1'],
    ['sip:alice@[2001:db8::1]:5080', 'sip:alice@[2001:db8::1]:5080', '2001:db8::1'],
    ['sip:conference.example.com', 'sip:conference.example.com', 'conference.example.com'],
    ['sip:100%25@h', 'sip:100%25@h', 'h'],
    ['sip:a;b=c?d@h', 'sip:a;b=c?d@h', 'h'],
    ['alice@example.com', 'sip:alice@example.com', 'example.com'],
    ['*100#@pbx', 'sip:*100%23@pbx', 'pbx'],
  ])('%j is a SIP address', (typed, uri, host) => {
    expect(readAddress(typed)).toEqual({ kind: 'uri', uri, host });
  });

  it('loses the headers and the method that an address may try to put into our request', () => {
    const expected = { kind: 'uri', uri: 'sip:600@example.com;lr', host: 'example.com' };
    expect(readAddress('sip:600@example.com;method=REGISTER;lr?Route=%3Csip:evil%3E&Subject=x')).toEqual(expected);
  });

  it.each([
    'sip:',
    'sip:@example.com',
    'sip:600@',
    'sip:600@exa mple.com',
    'sip:600@example.com:0',
    'sip:600@example.com:70000',
    'sip:600@example.com:port',
    'sip:600@[::1',
    'sip:600@[gg::1]',
    'sip:600@example.com;a=b c',
    'sip:600@h\r\nX-Evil: 1',
    'sip:600\r\nX-Evil: 1@h',
    'sip:6%0@h',
    '600\r\nX: 1@h',
    'mailto:alice@example.com',
    'http://example.com',
    'tel:alice',
    'Alice Smith',
    '100;method=BYE',
    '<sip:600@h>',
    '+',
    '   ',
  ])('%j is refused', (typed) => {
    expect(readAddress(typed).kind).toBe('invalid');
  });

  it('never becomes text that could leave the request line', () => {
    const typed = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string().map((text) => `sip:${text}`),
      fc.tuple(fc.string(), fc.string()).map(([user, host]) => `${user}@${host}`),
      fc.array(fc.constantFrom('sip:', '6', '@', 'h', ';', '?', '\r', '\n', ' ', '<', '%', '[', ']', '::1', ':', '5'), { maxLength: 12 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(typed, (text) => {
        const dialled = readAddress(text);
        const result = dialled.kind === 'uri' ? dialled.uri : dialled.kind === 'user' ? escapeUser(dialled.user) : '';
        expect(result).toMatch(/^[\x21-\x7e]*$/);
        expect(result).not.toMatch(/[<>"]/);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a user name in plain text', () => {
  it('is escaped where RFC 3261 wants it, and not where a number would change', () => {
    expect(escapeUser('+1201;x=1&y?/$,')).toBe('+1201;x=1&y?/$,');
    expect(escapeUser('a b@c%d:"')).toBe('a%20b%40c%25d%3A%22');
  });

  it('never throws, and comes back when it is unescaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (user) => {
        expect(decodeURIComponent(escapeUser(user))).toBe(user);
      }),
    );
    expect(escapeUser('a\ud800b')).toBe('ab');
  });

  it('is put before a host, with brackets where IPv6 needs them', () => {
    expect(sipUri('600', 'pbx.example', 5070)).toBe('sip:600@pbx.example:5070');
    expect(sipUri('600', '2001:db8::1')).toBe('sip:600@[2001:db8::1]');
  });
});
