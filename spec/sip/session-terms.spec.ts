import { describe, expect, it } from 'vitest';
import { isParseFault } from '../../src/sip/parser/fault.js';
import type { ParsedRequest, ParsedResponse } from '../../src/sip/parser/message.js';
import { parseMessage } from '../../src/sip/parser/parse-message.js';
import {
  allowsUpdate,
  answerSession,
  isIntervalTooSmall,
  minSeOf,
  sessionRequestLines,
  termsOfResponse,
  type SessionTerms,
} from '../../src/sip/session-terms.js';

const wish = { expiresS: 1800, minSeS: 90 };
const none = { expiresS: 0, minSeS: 90 };

function parsed(startLine: string, headers: readonly string[]): ParsedRequest | ParsedResponse {
  const lines = [startLine, 'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1', 'From: <sip:a@b>;tag=1', 'To: <sip:c@d>;tag=2', 'Call-ID: 1', 'CSeq: 1 INVITE', ...headers];
  const message = parseMessage(Buffer.from(`${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`));
  if (isParseFault(message)) throw new Error(message.fault);
  return message;
}
const request = (...headers: string[]): ParsedRequest => parsed('INVITE sip:a@b SIP/2.0', headers) as ParsedRequest;
const response = (...headers: string[]): ParsedResponse => parsed('SIP/2.0 200 OK', headers) as ParsedResponse;

const terms = (intervalS: number, refresher: 'us' | 'them', isAgreed = true): SessionTerms => ({ intervalS, refresher, isAgreed });

describe('a request of ours', () => {
  it('asks for the interval of the configuration, or for none', () => {
    expect(sessionRequestLines(wish)).toEqual(['Supported: timer', 'Session-Expires: 1800']);
    expect(sessionRequestLines(none)).toEqual(['Supported: timer']);
  });

  it('asks for what somebody on the way takes, and says Min-SE from then on', () => {
    expect(sessionRequestLines({ expiresS: 1800, minSeS: 3600 })).toEqual(['Supported: timer', 'Session-Expires: 3600', 'Min-SE: 3600']);
  });

  it('in a call keeps to what holds there, and to who refreshes', () => {
    expect(sessionRequestLines(wish, terms(600, 'us'))[1]).toBe('Session-Expires: 600;refresher=uac');
    expect(sessionRequestLines(none, terms(600, 'them'))[1]).toBe('Session-Expires: 600;refresher=uas');
  });
});

describe('a 2xx to it', () => {
  it.each([
    ['Session-Expires: 600;refresher=uas', terms(600, 'them')],
    ['Session-Expires: 600;refresher=UAC', terms(600, 'us')],
    ['x: 600;refresher=uas', terms(600, 'them')],
    ['Session-Expires: 600', terms(600, 'us')],
    ['Session-Expires: 1;refresher=uas', terms(90, 'them')],
    ['Session-Expires: 4294967295;refresher=uas', terms(2_000_000, 'them')],
  ])('with %s says who refreshes, and when the session is over', (header, expected) => {
    expect(termsOfResponse(response(header), wish)).toEqual(expected);
  });

  it.each([[['Session-Expires: soon']], [[]]])('without any that can be read has us look after the session alone (%j)', (headers) => {
    expect(termsOfResponse(response(...headers), wish)).toEqual(terms(1800, 'us', false));
    expect(termsOfResponse(response(...headers), none)).toBeUndefined();
  });
});

describe('a request of theirs', () => {
  it.each([
    // what it says, what is configured, who refreshes and for how long, and the lines of our 2xx
    [['Supported: timer', 'Session-Expires: 600'], wish, terms(600, 'them'), ['Require: timer', 'Session-Expires: 600;refresher=uac']],
    [['Supported: timer', 'Session-Expires: 600;refresher=uac'], wish, terms(600, 'them'), ['Require: timer', 'Session-Expires: 600;refresher=uac']],
    [['Supported: 100rel, timer', 'Session-Expires: 600;refresher=uas'], wish, terms(600, 'us'), ['Session-Expires: 600;refresher=uas']],
    [['Require: timer', 'Session-Expires: 3600'], wish, terms(1800, 'them'), ['Require: timer', 'Session-Expires: 1800;refresher=uac']],
    [['Supported: timer', 'Session-Expires: 3600', 'Min-SE: 2400'], wish, terms(2400, 'them'), ['Require: timer', 'Session-Expires: 2400;refresher=uac']],
    [['Supported: timer', 'Session-Expires: 3600'], { expiresS: 1800, minSeS: 3600 }, terms(3600, 'them'), ['Require: timer', 'Session-Expires: 3600;refresher=uac']],
    [['Supported: timer', 'Session-Expires: 7200'], none, terms(7200, 'them'), ['Require: timer', 'Session-Expires: 7200;refresher=uac']],
    [['Supported: timer'], wish, terms(1800, 'them'), ['Require: timer', 'Session-Expires: 1800;refresher=uac']],
    [['Supported: timer', 'Min-SE: 3600'], wish, terms(3600, 'them'), ['Require: timer', 'Session-Expires: 3600;refresher=uac']],
    [['Session-Expires: 60;refresher=uac'], wish, terms(90, 'us'), ['Session-Expires: 90;refresher=uas']],
    [[], wish, terms(1800, 'us', false), ['Session-Expires: 1800;refresher=uas']],
    [['Supported: timer'], none, undefined, []],
    [[], none, undefined, []],
  ])('with %j, where %o is configured, is answered', (headers, configured, expected, lines) => {
    expect(answerSession(request(...headers), configured)).toEqual({ terms: expected, lines });
  });

  it('that does not say who refreshes leaves it as it was', () => {
    const { terms: kept } = answerSession(request('Supported: timer', 'Session-Expires: 600'), wish, terms(600, 'us'));
    expect(kept?.refresher).toBe('us');
  });

  it('is too small below 90 s, where the caller would understand a 422', () => {
    expect(isIntervalTooSmall(request('Supported: timer', 'Session-Expires: 89'))).toBe(true);
    expect(isIntervalTooSmall(request('Supported: timer', 'Session-Expires: 90'))).toBe(false);
    expect(isIntervalTooSmall(request('Session-Expires: 30'))).toBe(false);
    expect(isIntervalTooSmall(request('Supported: timer'))).toBe(false);
  });
});

it('Min-SE and Allow are read where they can be', () => {
  expect([minSeOf(response('Min-SE: 120')), minSeOf(response('Min-SE: x')), minSeOf(response())]).toEqual([120, undefined, undefined]);
  expect([allowsUpdate(response('Allow: INVITE, UPDATE')), allowsUpdate(response('Allow: INVITE')), allowsUpdate(response())]).toEqual([true, false, undefined]);
});
