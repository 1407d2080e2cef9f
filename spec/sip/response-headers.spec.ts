import { beforeAll, describe, expect, it } from 'vitest';
import { installGrammar } from '../../src/sip/parser/grammar.js';
import { isParseFault } from '../../src/sip/parser/fault.js';
import { parseMessage } from '../../src/sip/parser/parse-message.js';
import { reasonOf } from '../../src/sip/response-headers.js';
import type { ReasonValue } from '../../src/sip/types.js';

beforeAll(() => {
  installGrammar();
});

function reasonIn(startLine: string, ...values: string[]): ReasonValue | undefined {
  const lines = [startLine, 'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1', 'From: <sip:600@pbx.example>;tag=1', 'To: <sip:434@pbx.example>;tag=2', 'Call-ID: 1', 'CSeq: 2 BYE'];
  const reasons = values.map((value) => `Reason: ${value}`);
  const message = parseMessage(Buffer.from(`${[...lines, ...reasons].join('\r\n')}\r\nContent-Length: 0\r\n\r\n`));
  if (isParseFault(message)) throw new Error(message.fault);
  return reasonOf(message);
}
const inBye = (...values: string[]): ReasonValue | undefined => reasonIn('BYE sip:434@pbx.example SIP/2.0', ...values);
const inRefusal = (...values: string[]): ReasonValue | undefined => reasonIn('SIP/2.0 487 Request Terminated', ...values);

describe('Reason', () => {
  const network = 'Q.850;cause=16;text="Normal, call clearing"';
  const elsewhere = 'SIP;cause=200;text="Call completed elsewhere"';

  it.each([
    ['one line', [`${network}, ${elsewhere}`]],
    ['a line each', [network, elsewhere]],
    ['the other order', [elsewhere, network]],
  ])('is what SIP says, and what the telephone network does beside it (%s)', (_name, values) => {
    const both = { protocol: 'SIP', cause: 200, text: 'Call completed elsewhere', beside: { protocol: 'Q.850', cause: 16, text: 'Normal, call clearing' } };
    expect([inBye(...values), inRefusal(...values)]).toEqual([both, both]);
  });

  it('is that of the only one who says something', () => {
    expect(inRefusal('Q.850;cause=34', 'x;cause=1')).toEqual({ protocol: 'Q.850', cause: 34 });
    expect(inBye('x;cause=1', 'SIP;cause=487')).toEqual({ protocol: 'SIP', cause: 487 });
  });

  it.each([
    ['a semicolon and a parameter', 'Q.850;text="Busy; cause=16; sorry";cause=17', 17, 'Busy; cause=16; sorry'],
    ['a comma', 'Q.850;cause=17;text="Busy, SIP;cause=200"', 17, 'Busy, SIP;cause=200'],
    ['a quote and a backslash', String.raw`Q.850 ; text="the \"line\" \\ is busy" ; cause = 17`, 17, String.raw`the "line" \ is busy`],
  ])('may have %s in its text', (_name, value, cause, text) => {
    expect(inBye(value)).toEqual({ protocol: 'Q.850', cause, text });
    expect(inBye(`x;cause=1, ${value}`, elsewhere)).toMatchObject({ protocol: 'SIP', cause: 200, beside: { cause, text } });
  });

  it('of a protocol that nobody knows is told when there is no other', () => {
    expect(inBye('preemption;cause=1')).toEqual({ protocol: 'preemption', cause: 1, text: undefined });
    expect(inBye('preemption;cause=1', 'sip;cause=408')).toMatchObject({ cause: 408 });
  });

  it('that is not there, or is empty, says nothing; one whose quote is not closed says its cause', () => {
    expect([inBye(), inBye('')]).toEqual([undefined, undefined]);
    expect(inBye('Q.850;cause=16;text="so, then')).toEqual({ protocol: 'Q.850', cause: 16, text: 'so, then' });
  });
});
