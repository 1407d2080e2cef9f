import { Grammar, NameAddrHeader, URI } from 'sip.js/lib/core/index.js';
import { describe, expect, it } from 'vitest';
import { installGrammar } from '../../../src/sip/parser/grammar.js';

type Parse = (text: string, rule: string) => unknown;

// A copy of the module that nobody has corrected, whatever ran before in this process.
const untouched = (await import(`${import.meta.resolve('sip.js/lib/grammar/grammar.js')}?untouched`)) as { Grammar: { parse: Parse } };
const stock = untouched.Grammar.parse;
installGrammar();
const ours = Grammar.parse as Parse;

function withNulls(parameters: unknown): unknown {
  return Object.entries(parameters ?? {}).map(([name, value]: [string, unknown]) => [name, value ?? null]);
}

/** What a parsed header says; a parameter without a value is undefined in some of SIP.js's tables and null in others. */
function plain(value: unknown): unknown {
  if (value instanceof URI) {
    return { scheme: value.scheme, user: value.user, host: value.host, port: value.port, parameters: value.parameters, headers: value.headers };
  }
  if (value instanceof NameAddrHeader) return { uri: plain(value.uri), displayName: value.displayName || '', parameters: value.parameters };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]: [string, unknown]) => [name, name === 'params' ? withNulls(member) : plain(member)]));
}

const corpus: Readonly<Record<string, readonly string[]>> = {
  From: [
    '<sip:a@b>', '"A. Bell" <sip:agb@bell.com;transport=UDP>;tag=a48s;x', 'sip:agb@bell.com;tag=a48s', 'Bob Q <sip:b%25@h:5070>', '<sip:a:pw@h>;tag=Q;Foo="bar baz";lr', '  <sip:a@b>', '<sip:a@b> ; tag = x',
    '"" <sip:a@b>', '"Müller" <sip:a@b>', '0 <sip:a@b>', '<sip:a@b>;TAG=xY', '<sip:a@[2001:db8::1]:5060>;tag=1', 'x', '<sip:a@b', '"x <sip:a@b>',
  ],
  To: ['<sip:h>', '<sips:a@h:5061;lr>;tag=1', 'sip:a@b'],
  Name_Addr_Header: ['"x" <sip:a@b>;c', 'sip:a@b', '<sip:a@b>', 'Foo Bar <sips:a@b:5;x=y?z=1>;a="q;r"'],
  Contact: ['*', '<sip:a@b>;q=0.5;expires=60, "x,y" <sip:c@d;transport=ws>;+sip.instance="<urn:uuid:1>";reg-id=1', 'sip:a@b;expires=5', '<sip:a@b>;Q=0.5;Expires=5;Foo=Bar', ''],
  Record_Route: ['<sip:p1;lr>,<sip:p2:5060;lr>', '"P" <sip:p1;lr>;foo=bar', ''],
  Refer_To: ['<sip:a@b?Replaces=x%3Bto-tag%3D1&foo=bar>;x=y', 'sip:a@b', '"d" <sip:a@b;m=1>'],
  SIP_URI: ['sip:Alice%20B@Example.COM:5061;Transport=TCP;lr;Foo=%41?Subject=x&subject=y&body=', 'SIPS:[2001:db8::1]:5', 'sip:a@b;user=Phone;method=INVITE', 'tel:123', 'sip:a@b ', 'sip:@b', 'sip:a@b:999999', 'sip:*72@b'],
  Via: [
    'SIP/2.0/UDP 1.2.3.4:5060;branch=z9hG4bKx;rport;received=9.9.9.9;TTL=3;foo=Bar', 'SIP / 2.0 / WSS [::1] : 99 ;branch=z9hG4bK1;rport=55', 'SIP/2.0/TCP a.b;branch=1', 'SIP/2.0/TLS a.b:1;branch=1;flag', 'SIP/2.0/UDP', 'x',
  ],
  CSeq: ['12  INVITE', '1 FOO', 'x', '1', 'INVITE 1'],
  Call_ID: ['a@b c', 'abc@d', ''],
  Content_Length: ['12', '-1', '', 'x'],
  Content_Type: ['application/sdp; charset=utf-8', 'Application/SDP', 'multipart/mixed;boundary="a b"', 'x'],
  Content_Disposition: ['session;handling=required', 'X-Foo', ''],
  Max_Forwards: ['70', '0', '-1', ''],
  Min_SE: ['90', '90;foo=1', 'x'],
  Session_Expires: ['1800;refresher=uac;x=y', '1800', 'x'],
  WWW_Authenticate: [
    'Digest realm="a, b", nonce="n\\"x", algorithm=MD5, qop="auth,auth-int", stale=TRUE, opaque="", foo=bar', 'digest realm="x", nonce="", stale=false', 'Basic realm="x"', 'Digest realm="x', '',
  ],
  Proxy_Authenticate: ['Digest  realm = "r",nonce="n",algorithm=SHA-256'],
  challenge: ['Digest realm="x", nonce="1"'],
  Event: ['presence;id=7', 'Refer.x;FOO=Bar', 'presence', ''],
  Subscription_State: ['active;expires=60', 'Terminated;reason=noresource;retry_after=3;foo=b', 'pending', ''],
  Supported: ['100rel, Timer,path', '', 'a b'],
  Require: ['100rel', '', 'a b'],
  Replaces: ['12@x;from-tag=a;to-tag=b;early-only;foo=1', '12@x;from-tag=a;to-tag=b', '12', '12;from-tag=a'],
};

const cases = Object.entries(corpus).flatMap(([rule, texts]) => texts.map((text): [string, string] => [rule, text]));

describe('Grammar.parse', () => {
  it.each(cases)("reads %s %j as SIP.js's grammar does", (rule, text) => {
    expect(plain(ours(text, rule))).toEqual(plain(stock(text, rule)));
  });

  it('takes the top one of several Vias', () => {
    expect(ours('SIP/2.0/TCP a.b;branch=1, SIP/2.0/UDP c.d;branch=2', 'Via')).toMatchObject({ host: 'a.b', branch: '1' });
  });

  it('leaves the host alone when there is a maddr', () => {
    expect(ours('SIP/2.0/UDP a.b;branch=1;maddr=224.2.0.1', 'Via')).toMatchObject({ host: 'a.b', maddr: '224.2.0.1' });
    expect(ours('sip:a@b;maddr=c', 'SIP_URI')).toMatchObject({ host: 'b', parameters: { maddr: 'c' } });
  });

  it.each([
    ['Expires', '60', 60], ['Expires', '99999999999999999999', 4294967295], ['Min_Expires', ' 3600 ', 3600], ['RSeq', '7', 7], ['Retry_After', '18 (busy);duration=60', 18], ['Retry_After', 'soon', -1],
    ['RAck', '776656 1 INVITE', { rseq: 776656, cseq: 1, method: 'INVITE' }], ['RAck', '1', -1],
    ['Reason', 'Q.850;cause=16;text="a \\"b\\"", SIP;cause=200', [{ protocol: 'Q.850', cause: 16, text: 'a "b"' }, { protocol: 'SIP', cause: 200 }]],
    ['Subscription_State', 'terminated;retry-after=3', { state: 'terminated', retry_after: 3 }],
    ['WWW_Authenticate', 'Digest realm="r", nonce="n", qop=auth, algorithm=SHA-256', { realm: 'r', nonce: 'n', qop: ['auth'], algorithm: 'SHA-256' }],
  ])('reads %s %j, which SIP.js does not', (rule, text, meaning) => {
    expect(ours(text, rule)).toEqual(meaning);
    expect(stock(text, rule)).not.toEqual(meaning === -1 ? 0 : meaning);
  });

  it("goes on to SIP.js's grammar for the rules that are left", () => {
    expect(ours('http://foo/bar?x', 'absoluteURI')).toEqual(stock('http://foo/bar?x', 'absoluteURI'));
    expect(ours('x', 'no such rule')).toBe(-1);
  });

  it('is behind the other functions of the namespace', () => {
    expect(Grammar.URIParse('sip:100%25@h')?.toString()).toBe('sip:100%25@h');
    expect(Grammar.nameAddrHeaderParse('<tel:+1>')?.uri.toString()).toBe('tel:+1');
  });

  it('is installed once', () => {
    installGrammar();
    expect(Grammar.parse).toBe(ours);
  });
});
