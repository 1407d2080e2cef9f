/**
 * What each torture message of RFC 4475 and RFC 5118 must come to: what the parser makes of it, and what the stack sends in answer.
 * The messages are `fixtures/sip/torture/<name>.dat`, byte for byte. Where the RFC leaves a choice, `choice` says what is done here.
 *
 * Three messages of RFC 5118 (ipv6-in-sdp, mult-ip-in-sdp, ipv4-mapped-ipv6) are printed there with a Content-Length that is not
 * that of their body; here it is.
 */

/** What is read of a well-formed message. URIs and names as the rest of the program is told them. */
export interface Reading {
  /** Of a request. */
  readonly method?: string;
  readonly uri?: string;
  /** Of a response. */
  readonly status?: number;
  readonly phrase?: string;
  readonly from?: Readonly<Record<string, string>>;
  readonly to?: Readonly<Record<string, string>>;
  readonly fromTag?: string;
  readonly cseq?: number;
  /** Headers by name, as text. */
  readonly headers?: Readonly<Record<string, readonly string[]>>;
}

export interface TortureCase {
  readonly name: string;
  /** RFC 4475 unless it begins with `5118`. */
  readonly section: string;
  /** Well-formed: what it says. */
  readonly reads?: Reading;
  /** Not well-formed: the status it deserves; null when nobody is to be answered. */
  readonly deserves?: number | null;
  /** Statuses of all that the stack sends, in order. */
  readonly answers: readonly number[];
  /** Where the RFC leaves a choice, or wants something of registrars and proxies alone: what is done here, and why. */
  readonly choice?: string;
}

const rings = [180, 200];
const noRegistrar = 'A user agent takes no REGISTER.';

export const tortureCases: readonly TortureCase[] = [
  // ---- RFC 4475 3.1.1: valid ----------------------------------------------------------------------------
  {
    name: 'wsinv', section: '3.1.1.1', answers: [481], choice: 'It has a To tag, and belongs to no dialog of ours (RFC 3261 12.2.2).',
    reads: {
      method: 'INVITE', uri: 'sip:vivekg@chair-dnrc.example.com;unknownparam', cseq: 9, fromTag: '98asjd8',
      from: { uri: 'sip:jdrosen@example.com', user: 'jdrosen', host: 'example.com', displayName: 'J Rosenberg \\"' },
      to: { uri: 'sip:vivekg@chair-dnrc.example.com', user: 'vivekg', host: 'chair-dnrc.example.com' },
      headers: {
        Subject: [''], 'Max-Forwards': ['0068'], NewFangledHeader: ['newfangled value continued newfangled value'], UnknownHeaderWithUnusualValue: [';;,,;;,;'],
        Route: ['<sip:services.example.com;lr;unknownwith=value;unknown-no-value>'],
        Via: ['SIP  /   2.0 /UDP 192.0.2.2;branch=390skdjuw', 'SIP  / 2.0  / TCP     spindle.example.com   ; branch  =   z9hG4bK9ikj8', 'SIP  /    2.0   / UDP  192.168.255.111   ; branch= z9hG4bK30239'],
        Contact: ['"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam = newvalue ; secondparam ; q = 0.33'],
      },
    },
  },
  {
    name: 'intmeth', section: '3.1.1.2', answers: [405], choice: '405 with Allow, which RFC 3261 8.2.1 asks for; RFC 4475 says 501.',
    reads: {
      method: "!interesting-Method0123456789_*+`.%indeed'~", cseq: 139_122_385, fromTag: "_token~1'+`*%!-.",
      uri: "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
      to: { uri: "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com", user: "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*", host: 'example.com', displayName: 'BEL:\x07 NUL:\0 DEL:\x7f' },
      from: { uri: 'sip:mundane@example.com', user: 'mundane', host: 'example.com', displayName: "token1~` token2'+_ token3*%!.-" },
      headers: { 'Call-ID': ['intmeth.word%ZK-!.*_+\'@word`~)(><:\\/"][?}{'], "extensionHeader-!.%*+_`'~": ['\ufeff大停電'] },
    },
  },
  {
    name: 'esc01', section: '3.1.1.3', answers: rings,
    reads: {
      method: 'INVITE', uri: 'sip:sips%3Auser%40example.com@example.net', cseq: 234_234,
      to: { uri: 'sip:%75se%72@example.com', user: 'user', host: 'example.com' },
      from: { uri: 'sip:I%20have%20spaces@example.net', user: 'I have spaces', host: 'example.net' },
      headers: { Contact: ['<sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>'] },
    },
  },
  { name: 'escnull', section: '3.1.1.4', answers: [405], choice: noRegistrar, reads: { method: 'REGISTER', to: { uri: 'sip:null-%00-null@example.com', user: 'null-\0-null', host: 'example.com' }, headers: { Contact: ['<sip:%00@host5.example.com>', '<sip:%00%00@host5.example.com>'] } } },
  {
    name: 'esc02', section: '3.1.1.5', answers: [405],
    reads: { method: 'RE%47IST%45R', to: { uri: 'sip:resource@example.com', user: 'resource', host: 'example.com', displayName: '%Z%45' }, headers: { Contact: ['<sip:alias1@host1.example.com>', '<sip:alias3@host3.example.com>'], 'C%6Fntact': ['<sip:alias2@host2.example.com>'] } },
  },
  { name: 'lwsdisp', section: '3.1.1.6', answers: [200], reads: { method: 'OPTIONS', from: { uri: 'sip:caller@example.com', user: 'caller', host: 'example.com', displayName: 'caller' }, fromTag: '323' } },
  {
    name: 'longreq', section: '3.1.1.7', answers: rings,
    reads: { method: 'INVITE', cseq: 3_882_340, fromTag: `12${'982'.repeat(50)}424`, headers: { 'Call-ID': [`longreq.one${'really'.repeat(20)}longcallid`], 'Content-Length': ['150'], Via: viasOfLongreq() } },
  },
  { name: 'dblreq', section: '3.1.1.8', answers: [405], choice: `${noRegistrar} The second request in the datagram is no part of the first, and dropped (RFC 3261 18.3).`, reads: { method: 'REGISTER', cseq: 8 } },
  { name: 'semiuri', section: '3.1.1.9', answers: [200], reads: { method: 'OPTIONS', uri: 'sip:user;par=u%40example.net@example.com', headers: { Accept: ['application/sdp, application/pkcs7-mime, multipart/mixed, multipart/signed, message/sip, message/sipfrag'] } } },
  { name: 'transports', section: '3.1.1.10', answers: [200], reads: { method: 'OPTIONS', headers: { 'Call-ID': ['transports.kijh4akdnaqjkwendsasfdj'], Via: ['SIP/2.0/UDP t1.example.com;branch=z9hG4bKkdjuw', 'SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf', 'SIP/2.0/TLS t3.example.com;branch=z9hG4bK2980unddj', 'SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en', 'SIP/2.0/TCP t5.example.com;branch=z9hG4bK0a9idfnee'] } } },
  { name: 'mpart01', section: '3.1.1.11', answers: [405], choice: 'MESSAGE is not taken.', reads: { method: 'MESSAGE', headers: { 'Content-Length': ['553'], 'Content-Type': ['multipart/mixed;boundary=7a9cbec02ceef655'] } } },
  { name: 'unreason', section: '3.1.1.12', answers: [], reads: { status: 200, phrase: '= 2**3 * 5**2 но сто девяносто девять - простое', cseq: 35 } },
  { name: 'noreason', section: '3.1.1.13', answers: [], reads: { status: 100, phrase: '', cseq: 35 } },

  // ---- 3.1.2: invalid -----------------------------------------------------------------------------------
  { name: 'badinv01', section: '3.1.2.1', deserves: 400, answers: [400] },
  { name: 'clerr', section: '3.1.2.2', deserves: 400, answers: [400] },
  { name: 'ncl', section: '3.1.2.3', deserves: 400, answers: [400] },
  { name: 'scalar02', section: '3.1.2.4', deserves: 400, answers: [400] },
  { name: 'scalarlg', section: '3.1.2.5', deserves: null, answers: [] },
  { name: 'quotbal', section: '3.1.2.6', deserves: 400, answers: [400] },
  { name: 'ltgtruri', section: '3.1.2.7', deserves: 400, answers: [400] },
  { name: 'lwsruri', section: '3.1.2.8', deserves: 400, answers: [400] },
  { name: 'lwsstart', section: '3.1.2.9', deserves: 400, answers: [400] },
  { name: 'trws', section: '3.1.2.10', deserves: 400, answers: [400], choice: 'Refused, not mended.' },
  { name: 'escruri', section: '3.1.2.11', answers: rings, choice: 'Headers in the Request-URI are ignored.', reads: { method: 'INVITE', uri: 'sip:user@example.com?Route=%3Csip:example.com%3E', headers: { Route: [] } } },
  { name: 'baddate', section: '3.1.2.12', answers: rings, choice: 'Nobody reads Date; it is ignored.', reads: { method: 'INVITE', headers: { Date: ['Fri, 01 Jan 2010 16:00:00 EST'] } } },
  { name: 'regbadct', section: '3.1.2.13', answers: [405], choice: noRegistrar, reads: { method: 'REGISTER' } },
  { name: 'badaspec', section: '3.1.2.14', answers: [200], choice: 'The blanks are ignored.', reads: { method: 'OPTIONS', to: { uri: 'sip:t.watson@example.org', user: 't.watson', host: 'example.org', displayName: 'Watson, Thomas' } } },
  { name: 'baddn', section: '3.1.2.15', answers: [200], choice: 'There is one From and one To: the comma can only belong to the name.', reads: { method: 'OPTIONS', from: { uri: 'sip:a.g.bell@example.com', user: 'a.g.bell', host: 'example.com', displayName: 'Bell, Alexander' }, fromTag: '43' } },
  { name: 'badvers', section: '3.1.2.16', deserves: 505, answers: [505] },
  { name: 'mismatch01', section: '3.1.2.17', deserves: 400, answers: [400] },
  { name: 'mismatch02', section: '3.1.2.18', deserves: 400, answers: [400] },
  { name: 'bigcode', section: '3.1.2.19', deserves: null, answers: [] },

  // ---- 3.2: transactions ----------------------------------------------------------------------------------
  { name: 'badbranch', section: '3.2.1', answers: [200], choice: 'Matched as RFC 2543 requests are (RFC 3261 17.2.3).', reads: { method: 'OPTIONS', cseq: 8 } },

  // ---- 3.3: applications ----------------------------------------------------------------------------------
  { name: 'insuf', section: '3.3.1', deserves: 400, answers: [400] },
  { name: 'unkscm', section: '3.3.2', answers: [416], reads: { method: 'OPTIONS', uri: 'nobodyKnowsThisScheme:totallyopaquecontent' } },
  { name: 'novelsc', section: '3.3.3', answers: [416], reads: { method: 'OPTIONS', uri: 'soap.beep://192.0.2.103:3002' } },
  { name: 'unksm2', section: '3.3.4', answers: [404], choice: 'No account of ours is called `isbn:2983792873`.', reads: { method: 'REGISTER', to: { uri: 'isbn:2983792873', host: '' }, from: { uri: 'http://www.example.com', host: '' } } },
  { name: 'bext01', section: '3.3.5', answers: [420], reads: { method: 'OPTIONS', headers: { Require: ['nothingSupportsThis, nothingSupportsThisEither'] } } },
  { name: 'invut', section: '3.3.6', answers: [415], reads: { method: 'INVITE', headers: { 'Content-Type': ['application/unknownformat'] } } },
  { name: 'regaut01', section: '3.3.7', answers: [405], choice: noRegistrar, reads: { method: 'REGISTER', headers: { Authorization: ['NoOneKnowsThisScheme opaque-data=here'] } } },
  { name: 'multi01', section: '3.3.8', deserves: 400, answers: [400] },
  { name: 'mcl01', section: '3.3.9', deserves: 400, answers: [400] },
  { name: 'bcast', section: '3.3.10', answers: [], reads: { status: 200, phrase: 'OK', cseq: 35 } },
  { name: 'zeromf', section: '3.3.11', answers: [200], choice: 'Max-Forwards is for who forwards.', reads: { method: 'OPTIONS', headers: { 'Max-Forwards': ['0'] } } },
  { name: 'cparam01', section: '3.3.12', answers: [405], choice: noRegistrar, reads: { method: 'REGISTER', headers: { Contact: ['sip:+19725552222@gw1.example.net;unknownparam'] } } },
  { name: 'cparam02', section: '3.3.13', answers: [405], choice: noRegistrar, reads: { method: 'REGISTER', headers: { Contact: ['<sip:+19725552222@gw1.example.net;unknownparam>'] } } },
  { name: 'regescrt', section: '3.3.14', answers: [405], choice: noRegistrar, reads: { method: 'REGISTER', headers: { Contact: ['<sip:user@example.com?Route=%3Csip:sip.example.com%3E>'] } } },
  { name: 'sdp01', section: '3.3.15', answers: [406], reads: { method: 'INVITE', headers: { Accept: ['text/nobodyKnowsThis'] } } },

  // ---- 3.4: RFC 2543 ---------------------------------------------------------------------------------------
  {
    name: 'inv2543', section: '3.4.1', answers: [400], choice: 'Read as it is meant, but without a Contact nothing could be sent to its dialog (RFC 3261 8.1.1.8).',
    reads: { method: 'INVITE', uri: 'sip:UserB@example.com', cseq: 56, to: { uri: 'sip:+16505552222@ss1.example.net', user: '+16505552222', host: 'ss1.example.net' }, headers: { Via: ['SIP/2.0/UDP iftgw.example.com'] } },
  },

  // ---- RFC 5118 ----------------------------------------------------------------------------------------------
  { name: 'ipv6-good', section: '5118 4.1', answers: [405], choice: noRegistrar, reads: { method: 'REGISTER', uri: 'sip:[2001:db8::10]' } },
  { name: 'ipv6-bad', section: '5118 4.2', deserves: 400, answers: [400] },
  { name: 'port-ambiguous', section: '5118 4.3', answers: [405], choice: noRegistrar, reads: { method: 'REGISTER', uri: 'sip:[2001:db8::10:5070]' } },
  { name: 'port-unambiguous', section: '5118 4.4', answers: [405], choice: noRegistrar, reads: { method: 'REGISTER', uri: 'sip:[2001:db8::10]:5070' } },
  { name: 'via-received-param-with-delim', section: '5118 4.5', answers: [481], reads: { method: 'BYE', cseq: 321, headers: { Via: ['SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKas3-111'] } } },
  { name: 'via-received-param-no-delim', section: '5118 4.5', answers: [200], reads: { method: 'OPTIONS', cseq: 921, headers: { Via: ['SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKas3'] } } },
  { name: 'ipv6-in-sdp', section: '5118 4.6', answers: rings, reads: { method: 'INVITE', to: { uri: 'sip:user@[2001:db8::10]', user: 'user', host: '[2001:db8::10]' } } },
  { name: 'mult-ip-in-header', section: '5118 4.7', answers: [481], reads: { method: 'BYE', headers: { Via: ['SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3-111', 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144', 'SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bK451jj;received=192.0.2.200'] } } },
  { name: 'mult-ip-in-sdp', section: '5118 4.8', answers: rings, reads: { method: 'INVITE', cseq: 8912 } },
  { name: 'ipv4-mapped-ipv6', section: '5118 4.9', answers: rings, reads: { method: 'INVITE', headers: { Contact: ['"T. desk phone" <sip:ted@[::ffff:192.0.2.2]>'] } } },
  { name: 'ipv6-bug-abnf-3-colons', section: '5118 4.10', answers: [200], choice: 'The colon too many, an error of the grammar of RFC 3261, is taken.', reads: { method: 'OPTIONS', uri: 'sip:user@[2001:db8:::192.0.2.1]' } },
  { name: 'ipv6-correct-abnf-2-colons', section: '5118 4.10', answers: [200], reads: { method: 'OPTIONS', uri: 'sip:user@[2001:db8::192.0.2.1]' } },
];

function viasOfLongreq(): string[] {
  const hops = Array.from({ length: 33 }, (_, index) => `SIP/2.0/TCP sip${33 - index}.example.com`);
  return [...hops, `SIP/2.0/TCP host.example.com;received=192.0.2.5;branch=very${'long'.repeat(50)}branchvalue`];
}
