import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isParseFault } from '../../../src/sip/parser/fault.js';
import { headerRules } from '../../../src/sip/parser/header-rules.js';
import { ParsedRequest, ParsedResponse } from '../../../src/sip/parser/message.js';
import { parseMessage } from '../../../src/sip/parser/parse-message.js';
import { splitList } from '../../../src/sip/parser/scan.js';
import { sdpOf } from '../../../src/sip/parser/body.js';
import { allFixtures } from './messages.js';

const fixtures = allFixtures().map(({ bytes }) => bytes);

/** Reads everything that a message could be asked for. */
function readAll(bytes: Buffer): void {
  const outcome = parseMessage(bytes);
  if (isParseFault(outcome)) {
    expect(outcome.statusCode === undefined).toBe(outcome.echo === undefined);
    return;
  }
  expect(outcome instanceof ParsedRequest || outcome instanceof ParsedResponse).toBe(true);
  for (const name of Object.keys(outcome.headers)) {
    outcome.getHeaders(name).forEach((raw, index) => {
      expect(raw).not.toMatch(/[\r\n]/);
      expect(outcome.getHeader(name)).toBeDefined();
      const parsed: unknown = outcome.parseHeader(name, index);
      expect(outcome.parseHeader(name, index)).toBe(parsed);
    });
  }
  for (const address of [outcome.from, outcome.to]) {
    expect(address.clone().toString()).toBe(address.toString());
    expect(typeof address.friendlyName).toBe('string');
  }
  if (outcome instanceof ParsedRequest) expect(outcome.ruri?.clone().toRaw()).not.toMatch(/[\r\n ]/);
  sdpOf(outcome);
}

describe('whatever arrives', () => {
  it('random bytes do not throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      readAll(Buffer.from(bytes));
    }));
  });

  it('random header values do not throw', () => {
    const value = fc.string({ unit: fc.constantFrom('"', '<', '>', ';', ',', '=', ':', '@', '%', '\\', ' ', '\t', '/', '(', 'a', '1', '[', ']', 'sip:', 'tag', 'ü', '\0', '\r\n ', '\n', '*', '?'), maxLength: 30 });
    fc.assert(
      fc.property(fc.constantFrom('Via', 'From', 'To', 'Contact', 'CSeq', 'Route', 'Reason', 'WWW-Authenticate', 'Content-Type', 'Refer-To'), value, (name, text) => {
        const others = ['Via: SIP/2.0/UDP h;branch=1', 'From: <sip:a@b>;tag=1', 'To: <sip:a@b>', 'Call-ID: x', 'CSeq: 1 INVITE'].filter((line) => !line.startsWith(name));
        readAll(Buffer.from(['INVITE sip:a@b SIP/2.0', ...others, `${name}: ${text}`, '', 'body'].join('\r\n')));
        for (const rule of headerRules.values()) rule(text);
      }),
      { numRuns: 1000 },
    );
  });

  it('fixtures with bytes changed, cut out and doubled do not throw', () => {
    const change = fc.record({ at: fc.nat(4000), kind: fc.constantFrom('set', 'cut', 'double'), byte: fc.nat(255), length: fc.nat(60) });
    fc.assert(
      fc.property(fc.nat(fixtures.length - 1), fc.array(change, { minLength: 1, maxLength: 6 }), (which, changes) => {
        let bytes = Buffer.from(fixtures[which]!);
        for (const { at, kind, byte, length } of changes) {
          const from = at % Math.max(1, bytes.length);
          if (kind === 'set') bytes[from] = byte;
          else if (kind === 'cut') bytes = Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + length)]);
          else bytes = Buffer.concat([bytes.subarray(0, from + length), bytes.subarray(from)]);
        }
        readAll(bytes);
      }),
      { numRuns: 600 },
    );
  });

  it('lists are split where they were joined', () => {
    const item = fc.constantFrom('<sip:a@b>', '"x, \\" <y" <sip:a@b;c=1,2>;d="e,f"', 'sip:c@d;x=y', '"\\\\" <sip:z>', 'SIP/2.0/UDP h;branch=1');
    fc.assert(fc.property(fc.array(item, { minLength: 1, maxLength: 8 }), fc.constantFrom(',', ', ', ' ,\t', ',,'), (items, separator) => {
      const text = items.join(separator);
      expect(splitList(text)?.map(({ from, to }) => text.substring(from, to))).toEqual(items);
    }));
  });
});

describe('64 KB of anything', () => {
  const kilobytes = (unit: string): string => unit.repeat(Math.floor(64_000 / Buffer.byteLength(unit)));
  const start = 'INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n';
  const units = [' ', '\t', '"', '\\"', '<', '>', ',', ';', ';a', ';a=', 'a,', '<sip:a@b>,', 'a:', '\r', '\n', '\r\n', '\r\n ', 'a: b\r\n', 'Via: a\r\n', '%', '%zz', '@', '(', '=', '\0', 'ü', '/'];

  it.each(units)('of %j is read to its end as a header, a URI, a body and a message', (unit) => {
    const filling = kilobytes(unit);
    for (const text of [filling, `${start}Contact: ${filling}\r\n\r\n`, `${start}${filling}\r\n\r\n`, `INVITE ${filling} SIP/2.0\r\n\r\n`, `${start}Content-Type: multipart/mixed;boundary=${unit.trim()}\r\n\r\n${filling}`]) {
      readAll(Buffer.from(text));
    }
  });
});
