/** What the stack writes it reads back as it was meant: requests and responses, whatever names and texts are in them. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { installCorrections } from '../../../src/sip/corrections/index.js';
import type { Sender } from '../../../src/sip/internals.js';
import { makeSipUri, parseNameAddress, readAddress } from '../../../src/sip/parser/uri.js';
import { splitList } from '../../../src/sip/parser/scan.js';
import { writeResponse } from '../../../src/sip/write-response.js';
import { WrittenRequest } from '../../../src/sip/written-request.js';
import { parsedRequest, parsedResponse, request } from './messages.js';

beforeAll(installCorrections);

/** Nothing is asked of who sends it before it is sent. */
const nobody = {} as Sender;

const anyText = fc.string({ unit: 'binary', maxLength: 30 });
const token = fc.stringMatching(/^[A-Za-z0-9\-.!%*_+`'~]{1,12}$/);
const host = fc.constantFrom('example.com', '192.0.2.1', '[2001:db8::1]', 'a_b.internal');
const uri = fc.record({ user: anyText, host, port: fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }) }).map((parts) => makeSipUri(parts));
const withoutControls = (text: string): string => text.replaceAll(/[\0-\x1f\x7f]/g, ''); // eslint-disable-line no-control-regex -- controls are the point

describe('a request', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.record({ method: token, target: uri, from: uri, to: uri, fromTag: token, toTag: token, callId: token, cseq: fc.integer({ min: 0, max: 2 ** 31 - 1 }), name: anyText, body: anyText }), (parts) => {
        const { method, target, from, to, fromTag, toTag, callId, cseq, name } = parts;
        const written = new WrittenRequest(nobody, {
          method, target, callId, cseq,
          from: { uri: from, displayName: name, tag: fromTag },
          to: { uri: to, tag: toTag },
          routeSet: ['<sip:p1;lr>', '<sip:p2;lr>'],
          nextHop: undefined,
          viaHost: '192.0.2.9:5060',
          userAgent: 'spec',
          lines: ['X-Extra: a, b', 'Contact: <sip:a@b>, "c, d" <sip:e@f>;x="y,z"'],
          body: { contentDisposition: 'render', contentType: 'text/plain', content: parts.body.toWellFormed() },
        });
        written.setViaHeader('z9hG4bK1', 'UDP');
        const read = parsedRequest(Buffer.from(written.toString()));
        expect(read).toMatchObject({ method, callId, cseq, fromTag, toTag, body: parts.body.toWellFormed(), viaBranch: 'z9hG4bK1' });
        expect([read.ruri?.toRaw(), read.from.uri.toString(), read.to.uri.toString()]).toEqual([target.toRaw(), from.toString(), to.toString()]);
        expect([read.ruri?.user ?? '', read.from.uri.user ?? '']).toEqual([target.user ?? '', from.user ?? ''].map((user) => Buffer.from(user).toString()));
        expect(read.from.displayName).toBe(Buffer.from(withoutControls(name)).toString());
        expect(read.getHeaders('Route')).toEqual(['<sip:p1;lr>', '<sip:p2;lr>']);
        expect(read.getHeaders('X-Extra')).toEqual(['a, b']);
        expect(read.getHeaders('Contact')).toEqual(['<sip:a@b>', '"c, d" <sip:e@f>;x="y,z"']);
      }),
      { numRuns: 150 },
    );
  });
});

describe('a response', () => {
  const wireTo = fc.constantFrom('<sip:b@h>', 'sip:b@h', '"B, \\"b\\"" <sip:b@h;x=1>;y="z;tag=no"', 'B < sip:b@h >', '<tel:+1;x=y>', '<sip:%zz@h>', '"ü" <sip:ü@h>;TAG=mine', 'sip:b@h;Tag = mine');

  it('names the request that it answers, whose From, To and Vias it repeats', () => {
    fc.assert(
      fc.property(wireTo, wireTo, token, fc.array(fc.constantFrom('SIP/2.0/UDP h;branch=z9hG4bK2', 'SIP / 2.0 / TCP [::1] : 5060 ; branch=z9hG4bK3', 'SIP/2.0/WS x.invalid;rport=1;received=::1;branch=1'), { maxLength: 4 }), anyText, (from, to, tag, vias, body) => {
        const asked = parsedRequest(request({ From: from, To: to, Via: ['SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;rport', ...vias].join(', ') }));
        const content = body.toWellFormed();
        const read = parsedResponse(Buffer.from(writeResponse(asked, { statusCode: 200, toTag: tag, userAgent: 'spec', extraHeaders: ['Contact: <sip:c@d>'], body: { contentType: 'text/plain', content } })));
        expect(read).toMatchObject({ statusCode: 200, method: 'INVITE', cseq: asked.cseq, callId: asked.callId, body: content, viaBranch: 'z9hG4bK1' });
        expect([read.fromTag, read.toTag]).toEqual([asked.fromTag, asked.toTag || tag]);
        expect([read.getHeader('From'), read.getHeaders('Via')]).toEqual([asked.getHeader('From'), asked.getHeaders('Via')]);
        expect(read.to.uri.toString()).toBe(asked.to.uri.toString());
      }),
      { numRuns: 300 },
    );
  });
});

describe('a list of addresses', () => {
  const address = fc.record({ uri, name: anyText, parameter: token }).map(({ uri: of, name, parameter }) => {
    const header = readAddress(`<${of.toString()}>;x=${parameter}`)!;
    header.displayName = name;
    return header;
  });

  it('is the addresses that were joined to it', () => {
    fc.assert(
      fc.property(fc.array(address, { minLength: 1, maxLength: 5 }), fc.constantFrom(',', ', ', ' ,\t'), (addresses, comma) => {
        const values = addresses.map((one) => one.toString());
        const text = values.join(comma);
        const read = parsedRequest(request({ Contact: text }));
        expect(read.getHeaders('Contact')).toEqual(values);
        expect(splitList(text)?.map(({ from, to }) => text.slice(from, to))).toEqual(values);
        expect(values.map((value) => parseNameAddress(value)?.uri)).toEqual(addresses.map((one) => one.uri.toString()));
      }),
      { numRuns: 200 },
    );
  });
});
