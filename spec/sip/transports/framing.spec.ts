import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { maxMessageBytes, startOfMessage, StreamFramer } from '../../../src/sip/transports/framing.js';
import { message } from './flow-harness.js';

interface Cut {
  messages: string[];
  crlfs: number;
  fault: string | undefined;
  held: number;
}

function cut(chunks: Iterable<Buffer | string>): Cut {
  const messages: string[] = [];
  let crlfs = 0;
  let fault: string | undefined;
  const framer = new StreamFramer(() => (crlfs += 1));
  for (const chunk of chunks) {
    fault = framer.push(Buffer.from(chunk), (bytes) => messages.push(bytes.toString('latin1')));
  }
  return { messages, crlfs, fault, held: framer.held };
}

function withHeaders(...lines: string[]): string {
  return ['MESSAGE sip:a@example.com SIP/2.0', ...lines, '', ''].join('\r\n');
}

const bytes = fc.uint8Array({ maxLength: 300 }).map((body) => Buffer.from(body).toString('latin1'));
const lengthName = fc.constantFrom('Content-Length', 'content-length', 'CONTENT-LENGTH', 'l', 'L');
const colon = fc.constantFrom(':', ': ', ' : ', '\t:\t', ':\r\n ', ' :  \r\n\t');
const tail = fc.constantFrom('', ' ', '\t ', ' \r\n ');
const anyMessage = fc.tuple(lengthName, colon, tail, bytes, fc.boolean()).map(([name, separator, after, body, last]) => {
  const length = `${name}${separator}${body.length}${after}`;
  const others = ['Call-ID: 1', 'Subject: folded\r\n Content-Length: 7', 'Lorem: x', 'Content-Type: text/plain'];
  return `${withHeaders(...(last ? [...others, length] : [length, ...others]))}${body}`;
});
const anyStream = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), anyMessage), { maxLength: 8 });

describe('StreamFramer', () => {
  it('gives the same messages and CRLFs however the stream is chopped', () => {
    fc.assert(
      fc.property(anyStream, fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1, maxLength: 20 }), (parts, sizes) => {
        const stream = Buffer.from(parts.map(([crlfs, text]) => '\r\n'.repeat(crlfs) + text).join(''), 'latin1');
        const chunks: Buffer[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn += 1) {
          const size = sizes[turn % sizes.length]!;
          chunks.push(stream.subarray(at, at + size));
          at += size;
        }
        const result = cut(chunks);
        expect(result).toEqual({
          messages: parts.map(([, text]) => text),
          crlfs: parts.reduce((sum, [crlfs]) => sum + crlfs, 0),
          fault: undefined,
          held: 0,
        });
      }),
      { numRuns: 300 },
    );
  });

  it('gives the same messages one byte at a time', () => {
    const stream = `\r\n\r\n${message('a', 'x\r\n\r\ny')}\r\n${message('b')}`;
    const result = cut(stream.split(''));
    expect(result.messages).toEqual([message('a', 'x\r\n\r\ny'), message('b')]);
    expect(result.crlfs).toBe(3);
  });

  it('reads bodies by octets, not by characters', () => {
    const text = message('utf8', 'Grüße, 世界');
    const messages: string[] = [];
    new StreamFramer(() => undefined).push(Buffer.from(text + message('next')), (bytes) => messages.push(bytes.toString()));
    expect(messages).toEqual([text, message('next')]);
  });

  it('hands whole messages over without copying them', () => {
    const chunk = Buffer.from(message('a') + message('b'));
    const buffers = new Set<ArrayBufferLike>();
    new StreamFramer(() => undefined).push(chunk, (bytes) => buffers.add(bytes.buffer));
    expect([...buffers]).toEqual([chunk.buffer]);
  });

  it.each([
    ['no Content-Length', withHeaders('Call-ID: 1'), 'it sent a message without Content-Length'],
    ['two Content-Lengths', withHeaders('Content-Length: 0', 'l: 0'), 'it sent two Content-Lengths in one message'],
    ['a negative one', withHeaders('Content-Length: -1'), 'it sent a Content-Length that is not a number'],
    ['an empty one', withHeaders('Content-Length:'), 'it sent a Content-Length that is not a number'],
    ['words behind the number', withHeaders('Content-Length: 5 bytes'), 'it sent a Content-Length that is not a number'],
    ['a list', withHeaders('Content-Length: 5, 5'), 'it sent a Content-Length that is not a number'],
    ['more than fits', withHeaders(`Content-Length: ${maxMessageBytes}`), 'it announced a message of more than 64 KB'],
    ['more digits than a number holds', withHeaders(`Content-Length: ${'9'.repeat(400)}`), 'it announced a message of more than 64 KB'],
    ['a TLS hello', '\x16\x03\x01\x02\x00', 'what it sent is not SIP'],
    ['a lone CR in front', '\rOPTIONS', 'what it sent is not SIP'],
  ])('cannot go on after %s', (_what, text, fault) => {
    const framer = new StreamFramer(() => undefined);
    const messages: Buffer[] = [];
    const take = (bytes: Buffer): void => void messages.push(bytes);
    expect(framer.push(Buffer.from(text, 'latin1'), take)).toBe(fault);
    expect(framer.push(Buffer.from(message('after')), take)).toBe(fault);
    expect(messages).toEqual([]);
    expect(framer.held).toBe(0);
  });

  it('does not take a Content-Length from a folded line or from the body', () => {
    const text = withHeaders('Subject: x', '\tContent-Length: 9', 'Content-Length: 21') + 'Content-Length: 400\r\n';
    expect(cut([text + message('next')]).messages).toEqual([text, message('next')]);
  });

  it('takes a message of exactly 64 KB and refuses a header that never ends', () => {
    const start = withHeaders('Content-Length: 65463');
    expect(start.length).toBeLessThan(100);
    const whole = withHeaders(`Content-Length: ${maxMessageBytes - start.length}`).padEnd(maxMessageBytes, 'x');
    expect(cut([whole]).messages).toEqual([whole]);
    const drops = Array.from({ length: maxMessageBytes + 1 }, () => 'A');
    expect(cut(drops).fault).toBe('it sent a header of more than 64 KB');
  });

  it('never holds more than one message, whatever is sent', () => {
    const framer = new StreamFramer(() => undefined);
    const half = Buffer.from(message('x', 'y'.repeat(60_000))).subarray(0, 50_000);
    framer.push(half, () => undefined);
    expect(framer.held).toBe(50_000);
    for (let turn = 0; turn < 100; turn += 1) {
      framer.push(Buffer.from('z'.repeat(700)), () => undefined);
      expect(framer.held).toBeLessThanOrEqual(maxMessageBytes);
    }
  });

  it('looks at bytes that drip in once, not again and again', () => {
    const text = withHeaders('Content-Length: 0', `Subject: ${'s'.repeat(60_000)}`);
    const framer = new StreamFramer(() => undefined);
    const search = vi.spyOn(Object.getPrototypeOf(Buffer.alloc(0)) as Buffer, 'indexOf');
    onTestFinished(() => {
      search.mockRestore();
    });
    for (const character of text) framer.push(Buffer.from(character), () => undefined);
    const searched = search.mock.contexts as unknown as Buffer[];
    const looked = search.mock.calls.reduce((sum, [, from], call) => sum + searched[call]!.length - Number(from), 0);
    expect(looked).toBeGreaterThan(text.length);
    expect(looked).toBeLessThan(text.length * 10);
  });
});

describe('startOfMessage', () => {
  it.each([
    ['a request', 'INVITE sip:', 0],
    ['a response behind CRLFs', '\r\n\r\nSIP/2.0 200 OK', 4],
    ['a keep-alive', '\r\n\r\n', -1],
    ['nothing', '', -1],
    ['STUN', '\0\x01\0\0', -1],
    ['RTP', '\x80\x60', -1],
  ])('finds %s', (_what, text, at) => {
    expect(startOfMessage(Buffer.from(text, 'latin1'))).toBe(at);
  });
});
