import { beforeAll, describe, expect, it } from 'vitest';
import { callerIdentityOf, identityLines, remotePartyOf } from '../../src/sip/identity.js';
import { isParseFault } from '../../src/sip/parser/fault.js';
import { installGrammar } from '../../src/sip/parser/grammar.js';
import { installCorrections } from '../../src/sip/corrections/index.js';
import type { ParsedRequest, ParsedResponse } from '../../src/sip/parser/message.js';
import { parseMessage } from '../../src/sip/parser/parse-message.js';
import { makeSipUri } from '../../src/sip/parser/uri.js';

beforeAll(() => {
  installGrammar();
  installCorrections();
});

function parsed(startLine: string, headers: readonly string[], from = '"Anna" <sip:600@pbx.example>;tag=1'): ParsedRequest | ParsedResponse {
  const lines = [startLine, 'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1', `From: ${from}`, 'To: <sip:434@pbx.example>;tag=2', 'Call-ID: 1', 'CSeq: 1 INVITE', ...headers];
  const message = parseMessage(Buffer.from(`${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`));
  if (isParseFault(message)) throw new Error(message.fault);
  return message;
}
const invite = (...headers: string[]): ReturnType<typeof callerIdentityOf> => callerIdentityOf(parsed('INVITE sip:434@pbx.example SIP/2.0', headers));
const answeredBy = (...headers: string[]): string => remotePartyOf(parsed('SIP/2.0 200 OK', headers)).uri;

describe('P-Asserted-Identity', () => {
  it('says who calls: the SIP address before the number', () => {
    const both = ['P-Asserted-Identity: tel:+12015550123', 'P-Asserted-Identity: "Front desk" <sip:+12015550123@pbx.example>'];
    for (const headers of [both, [both.join(', ').replace(', P-Asserted-Identity:', ',')]]) {
      expect(invite(...headers).asserted).toEqual({ uri: 'sip:+12015550123@pbx.example', user: '+12015550123', host: 'pbx.example', displayName: 'Front desk' });
    }
  });

  it('of a number alone has it for a user', () => {
    expect(invite('P-Asserted-Identity: <tel:+12015550123;cpc=ordinary>').asserted).toMatchObject({ uri: 'tel:+12015550123;cpc=ordinary', user: '+12015550123' });
  });

  it.each([[[]], [['P-Asserted-Identity: <sip:']], [['P-Asserted-Identity: ']]])('that is not there or cannot be read says nothing (%j)', (headers) => {
    expect(invite(...headers)).toEqual({ isPrivate: false, forwardedBy: [] });
  });

  it('of a response says who answered, unless they would rather not be named', () => {
    expect(answeredBy('P-Asserted-Identity: <sip:601@pbx.example>')).toBe('sip:601@pbx.example');
    expect(answeredBy('P-Asserted-Identity: <sip:601@pbx.example>', 'Privacy: id')).toBe('sip:434@pbx.example');
    expect(answeredBy()).toBe('sip:434@pbx.example');
  });
});

describe('Privacy', () => {
  it.each([
    ['id', true],
    ['user', true],
    ['header', true],
    ['critical;ID', true],
    ['critical; id', true],
    ['session', false],
    ['none', false],
    ['history', false],
  ])('%s hides the caller: %s', (value, isPrivate) => {
    expect(invite(`Privacy: ${value}`).isPrivate).toBe(isPrivate);
  });

  it('is what a caller wants who is anonymous in From', () => {
    const message = parsed('INVITE sip:434@pbx.example SIP/2.0', [], '"Anonymous" <sip:anonymous@Anonymous.Invalid>;tag=1');
    expect(callerIdentityOf(message).isPrivate).toBe(true);
  });
});

describe('who forwarded a call', () => {
  const said = (...headers: string[]): string[] => invite(...headers).forwardedBy.map(({ by, reason }) => `${by.uri} ${reason ?? ''}`.trim());

  it('stands in Diversion, the newest on top', () => {
    const headers = ['Diversion: "Bob" <sip:602@pbx.example>;reason=no-answer;counter=1', 'Diversion: <sip:601@pbx.example>;reason=user-busy;privacy=off'];
    expect(said(...headers)).toEqual(['sip:601@pbx.example user-busy', 'sip:602@pbx.example no-answer']);
    expect(said(headers.join(', ').replace(', Diversion:', ','))).toEqual(['sip:601@pbx.example user-busy', 'sip:602@pbx.example no-answer']);
  });

  it('stands in History-Info, where it says why the call went on', () => {
    const history = '<sip:601@pbx.example?Reason=SIP%3Bcause%3D486%3Btext%3D%22Busy%22>;index=1, <sip:602@pbx.example>;index=1.1;mp=1, <sip:434@pbx.example>;index=1.1.1';
    expect(said(`History-Info: ${history}`)).toEqual(['sip:601@pbx.example 486']);
    expect(said(`History-Info: ${history}`, 'Privacy: history')).toEqual([]);
  });

  it('is left out where he would rather not be named', () => {
    expect(said('Diversion: <sip:601@pbx.example>;privacy=full')).toEqual([]);
    expect(said('Diversion: <sip:601@pbx.example>;privacy=OFF')).toEqual(['sip:601@pbx.example']);
    expect(said('History-Info: <sip:601@pbx.example?Reason=SIP%3Bcause%3D302&Privacy=history>;index=1')).toEqual([]);
  });

  it('is told ten times at most, and what cannot be read is left out', () => {
    expect(said(`Diversion: ${Array.from({ length: 40 }, (_, at) => `<sip:${String(at)}@a>`).join(',')}`)).toHaveLength(10);
    expect(said(...Array.from({ length: 40 }, (_, at) => `History-Info: <sip:${String(at)}@a?Reason=SIP%3Bcause%3D302>;index=1`))).toHaveLength(10);
    expect(said('Diversion: <sip:601', 'Diversion: , ,', 'History-Info: <sip:601@a?Reason=%E0%A4%A>;index=1')).toEqual(['sip:601@a']);
  });
});

it('a call says beside From who calls where that is configured, and so that it cannot end the line', () => {
  const aor = makeSipUri({ user: '434', host: 'pbx.example' });
  expect(identityLines('none', aor, 'Anna')).toEqual([]);
  expect(identityLines('preferred', aor, 'An"na\r\nX: y')).toEqual([expect.stringMatching(/^P-Preferred-Identity: "An\\"na ?[^\r\n]*" <sip:434@pbx\.example>$/)]);
  expect(identityLines('asserted', aor, '')).toEqual(['P-Asserted-Identity: <sip:434@pbx.example>']);
});
