import { IncomingRequestMessage, IncomingResponseMessage, NameAddrHeader } from 'sip.js/lib/core/index.js';
import { describe, expect, it } from 'vitest';
import { parseMessage } from '../../../src/sip/parser/parse-message.js';
import { allFixtures, faultOf, fixture, message, parsedRequest, parsedResponse, request } from './messages.js';

describe('parseMessage', () => {
  it.each(allFixtures())('reads $name', ({ bytes }) => {
    const parsed = parseMessage(bytes);
    expect(parsed).toBeInstanceOf(bytes.toString('latin1').startsWith('SIP/2.0') ? IncomingResponseMessage : IncomingRequestMessage);
    const read = parsed as IncomingRequestMessage;
    expect(read.data).toBe(bytes.toString('utf8'));
    expect(read.from).toBeInstanceOf(NameAddrHeader);
    expect(read.to.uri.toString()).not.toBe('');
    expect(read.viaBranch).toBeTruthy();
  });

  it('gives a request every field that the core reads', () => {
    const invite = parsedRequest(fixture('invite-webrtc.txt'));
    expect(invite).toMatchObject({
      method: 'INVITE',
      viaBranch: 'z9hG4bK776asdhds.1',
      via: { host: '203.0.113.5', transport: 'UDP' },
      fromTag: '9fxced76sl',
      callId: '3848276298220188511@example.com',
      cseq: 314159,
    });
    expect(invite.toTag).toBeUndefined();
    expect(invite.ruri?.toString()).toBe('sip:q7x2m@192.0.2.10:5080;transport=udp');
    expect(invite.from.displayName).toBe('Anna "Ann" Müller');
    expect(invite.getHeaders('via')).toEqual([
      'SIP/2.0/UDP 203.0.113.5;branch=z9hG4bK776asdhds.1',
      'SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bK56sdasks;rport=50123;received=198.51.100.23',
    ]);
    expect(invite.getHeaders('Record-Route')).toEqual(['<sip:203.0.113.5;lr=on;ftag=9fxced76sl>', '<sip:203.0.113.6:5060;transport=tcp;lr>']);
    expect(invite.parseHeader('contact')).toBeInstanceOf(NameAddrHeader);
    expect(String(invite.parseHeader('p-asserted-identity', 1))).toBe('<tel:+12015550123>');
    expect(invite.body.startsWith('v=0\r\n')).toBe(true);
    expect(invite.body).toHaveLength(Number(invite.getHeader('content-length')));
  });

  it('gives a response its status, its phrase and the method of its CSeq', () => {
    const response = parsedResponse(fixture('register-401.txt'));
    expect(response).toMatchObject({ statusCode: 401, reasonPhrase: 'Unauthorized', method: 'REGISTER', cseq: 1, toTag: 'as58f4e2b1' });
    expect(response.getHeaders('www-authenticate')).toHaveLength(2);
    expect(response.parseHeader('www-authenticate', 1)).toEqual({
      realm: 'registrar.example.com', nonce: '1630000000/9b02', opaque: '78', algorithm: 'MD5', qop: ['auth'], stale: false,
    });
  });

  it('takes a response without a reason phrase', () => {
    expect(parsedResponse(Buffer.from(fixture('register-401.txt').toString().replace(' Unauthorized', ''))).reasonPhrase).toBe('');
  });

  it('reads folded lines, compact names and blanks round every separator', () => {
    const invite = parsedRequest(fixture('invite-folded-compact.txt'));
    expect(invite).toMatchObject({ viaBranch: 'z9hG4bKa7c6a8dlze.1', fromTag: '98asjd8', toTag: '1918181833n', callId: 'folded.0ha0isndaksdj@192.0.2.1', cseq: 9 });
    expect(invite.via).toMatchObject({ protocol: 'SIP', transport: 'UDP', host: 'first.example.com', port: 4000, ttl: 16, maddr: '224.2.0.1' });
    expect(invite.getHeaders('via')).toHaveLength(2);
    expect(invite.parseHeader('Max-Forwards')).toBe(68);
    expect(invite.from.displayName).toBe('J Rosenberg \\"');
    expect(invite.getHeader('newfangledheader')).toBe('newfangled value continued newfangled value');
    expect((invite.parseHeader('contact') as NameAddrHeader).parameters).toEqual({ newparam: 'newvalue', secondparam: null, q: '0.33' });
    expect(invite.getHeader('subject')).toBe('');
  });

  it('keeps commas in quotes and brackets and empty values out of lists', () => {
    const ok = parsedResponse(fixture('register-200.txt'));
    expect(ok.getHeaders('contact')).toHaveLength(2);
    expect((ok.parseHeader('contact', 1) as NameAddrHeader).displayName).toBe('Desk, 2nd floor');
    expect(parsedRequest(request({ Route: '<sip:a;x=1,2>, , <sip:b>', Contact: '' })).getHeaders('route')).toEqual(['<sip:a;x=1,2>', '<sip:b>']);
    expect(parsedRequest(request({ Contact: '' })).hasHeader('contact')).toBe(false);
  });

  it('never takes a challenge apart at its commas', () => {
    expect(parsedResponse(fixture('register-401.txt')).getHeader('www-authenticate')).toContain('nonce="1630000000/f3a1", opaque="77"');
  });

  it('hands tel: and unknown schemes on as they were received', () => {
    const invite = parsedRequest(fixture('invite-from-tel.txt'));
    expect(invite.ruri?.scheme).toBe('tel');
    expect(invite.ruri?.toRaw()).toBe('tel:+12015550123;phone-context=example.com');
    expect(invite.from.clone().toString()).toBe('"PSTN" <tel:+12015550199;phone-context=example.com>;tag=t1');
    expect(invite.from.uri.user).toBe('+12015550199');
    expect(String(invite.parseHeader('contact'))).toBe('<urn:service:sos>');
  });

  it('echoes a From whose URI is no URI', () => {
    const invite = parsedRequest(request({ From: '"x" <sip:a b\t@@>;tag=f' }));
    expect(invite.fromTag).toBe('f');
    expect(invite.from.uri.clone().toString()).toBe('sip:a%20b%09@@');
  });

  it('is not confused by the names of object members', () => {
    const notify = parsedRequest(fixture('notify-prototype-names.txt'));
    expect(notify.getHeader('constructor')).toBe('here');
    expect(notify.getHeader('hasOwnProperty')).toBe('too');
    expect(notify.getHeader('__proto__')).toBe('polluted');
    expect(notify.getHeader('toString')).toBeUndefined();
    expect(notify.ruri?.toString()).toBe('sip:constructor@192.0.2.10;constructor=2');
    expect(Object.hasOwn(notify.from.parameters, 'constructor')).toBe(true);
    expect(Object.getPrototypeOf(notify.from.parameters)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    const flag = parsedRequest(request({ From: '<sip:a@b;__proto__>;__proto__;tag=1' }));
    expect(Object.getPrototypeOf(flag.from.parameters)).toBe(Object.prototype);
    expect(Object.getPrototypeOf(flag.from.uri.parameters)).toBe(Object.prototype);
  });

  it('lets the first parse of a header stand and keeps one that does not parse', () => {
    const bad = parsedRequest(request({ 'Content-Disposition': '???;', Event: 'refer;id=1' }));
    expect(bad.parseHeader('Content-Disposition')).toBeUndefined();
    expect(bad.getHeader('content-disposition')).toBe('???;');
    expect(bad.parseHeader('event')).toBe(bad.parseHeader('Event'));
    expect(bad.parseHeader('never-seen')).toBeUndefined();
    expect(bad.parseHeader('event', 1)).toBeUndefined();
  });
});

describe('the body', () => {
  it('is counted in bytes and cut at Content-Length', () => {
    expect(parsedRequest(request({ 'Content-Length': '3', 'Content-Type': 'text/plain' }, { body: 'é1234' })).body).toBe('é1');
    expect(parsedRequest(request({ 'Content-Length': '3', 'Content-Type': 'text/plain' }, { body: 'abcdef' })).body).toBe('abc');
  });

  it('is the rest of the datagram without Content-Length', () => {
    expect(parsedRequest(request({}, { body: 'all of it' })).body).toBe('all of it');
  });

  it('shorter than Content-Length is a 400', () => {
    expect(faultOf(request({ 'Content-Length': '10' }, { body: 'short' }))).toMatchObject({ statusCode: 400, fault: 'body shorter than Content-Length' });
    expect(faultOf(request({ 'Content-Length': '5' }, { body: 'é12' }))).toMatchObject({ statusCode: 400 });
  });

  it('is found after line ends before the start line, whatever its characters', () => {
    for (const body of ['ascii', 'não']) {
      const bytes = Buffer.concat([Buffer.from('\r\n\r\n'), request({ 'Content-Length': String(Buffer.byteLength(body)) }, { body })]);
      expect(parsedRequest(bytes).body).toBe(body);
    }
  });
});

describe('a fault', () => {
  it.each([
    ['no Via', { Via: undefined }],
    ['no From', { From: undefined }],
    ['no To', { To: undefined }],
    ['no Call-ID', { 'Call-ID': undefined }],
    ['no CSeq', { CSeq: undefined }],
    ['malformed Via', { Via: 'SIP/2.0/UDP' }],
    ['malformed Via', { Via: 'SIP/3.0/UDP h;branch=1' }],
    ['malformed Via', { Via: 'SIP/2.0/UDP h;branch=1,;,' }],
    ['malformed From', { From: '"unclosed <sip:a@b>;tag=1' }],
    ['malformed From', { From: '<sip:a@b' }],
    ['malformed From', { From: '<sip:a@b>;x="y;tag=1' }],
    ['malformed To', { To: '' }],
    ['malformed Call-ID', { 'Call-ID': 'a b' }],
    ['malformed CSeq', { CSeq: 'INVITE' }],
    ['malformed CSeq', { CSeq: '2147483648 INVITE' }],
    ['CSeq names another method', { CSeq: '1 BYE' }],
    ['malformed Content-Length', { 'Content-Length': '-1' }],
    ['malformed Max-Forwards', { 'Max-Forwards': '256' }],
    ['more than one To', { t: '<sip:c@d>' }],
    ['malformed Contact', { Contact: '<sip:a@b>, "x <sip:c@d>' }],
    ['a header without a name', { 'X Y': 'z' }],
    ['a header is too long', { Subject: 'x'.repeat(8192) }],
    ['more Record-Routes than hops', { 'Record-Route': '<sip:a>,'.repeat(141) }],
    ['too many headers', { Route: '<sip:a>,'.repeat(257) }],
  ] as [string, Record<string, string | undefined>][])('%s, for %j', (fault, changes) => {
    expect(faultOf(request(changes)).fault).toBe(fault);
  });

  it('in a request without the headers that an answer repeats is answered with what is there', () => {
    expect(faultOf(request({ From: undefined, To: undefined, 'Call-ID': undefined }))).toMatchObject({ statusCode: 400, echo: { cseq: '1 INVITE', from: undefined, to: undefined, callId: undefined } });
    expect(faultOf(request({ Via: undefined }))).toEqual({ fault: 'no Via' });
  });

  it('can be answered with all that could be read', () => {
    expect(faultOf(request({ CSeq: 'x INVITE', To: '<sip:b@h>;tag=9', via: 'SIP/2.0/TCP second;branch=2' }))).toEqual({
      fault: 'malformed CSeq',
      statusCode: 400,
      echo: {
        method: 'INVITE',
        via: ['SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport', 'SIP/2.0/TCP second;branch=2'],
        from: '<sip:a@example.com>;tag=f',
        to: '<sip:b@h>;tag=9',
        toTag: '9',
        callId: 'id@example.com',
        cseq: 'x INVITE',
      },
    });
  });

  it.each([
    ['INVITE sip:b@h SIP/3.0', 505, 'SIP version is not 2.0'],
    ['INVITE sip:b@h SIP/2.01', 505, 'SIP version is not 2.0'],
    ['INVITE  sip:b@h SIP/2.0', 400, 'malformed Request-URI'],
    ['INVITE <sip:b@h> SIP/2.0', 400, 'malformed Request-URI'],
    ['INVITE sip:b@h SIP/2.0 ', 400, 'blanks behind the start line'],
    ['INVITE sip:b@h:99999 SIP/2.0', 400, 'malformed Request-URI'],
    [`INVITE sip:${'b'.repeat(8192)}@h SIP/2.0`, 414, 'start line too long'],
  ])('in the start line %j deserves %i', (startLine, statusCode, fault) => {
    expect(faultOf(request({}, { startLine }))).toMatchObject({ statusCode, fault });
  });

  it.each(['GET / HTTP/1.1', 'INVITE', 'IN VITE sip:b@h', 'SIP/2.0 99 Low', 'SIP/2.0 700 High', 'SIP/2.0 2000 Long', 'SIP/2.1 200 OK', 'sip:b@h SIP/2.0', ''])(
    'for %j is not answered',
    (startLine) => {
      expect(faultOf(request({}, { startLine }))).not.toHaveProperty('statusCode');
    },
  );

  it('of another version is answered though its Via is of that version too', () => {
    expect(faultOf(request({ Via: 'SIP/7.0/UDP h;branch=1' }, { startLine: 'INVITE sip:b@h SIP/7.0' }))).toMatchObject({ statusCode: 505 });
    expect(faultOf(request({ Via: 'SIP/7.0/UDP h;branch=1' }))).toEqual({ fault: 'malformed Via' });
  });

  it('is a response without the branch of our request, but not a request of RFC 2543', () => {
    expect(faultOf(request({ Via: 'SIP/2.0/UDP h' }, { startLine: 'SIP/2.0 200 OK' })).fault).toBe('Via without a branch');
    expect(parsedRequest(request({ Via: 'SIP/2.0/UDP h' })).viaBranch).toBe('');
  });

  it('of an ACK or of a response is not answered', () => {
    expect(faultOf(request({ CSeq: 'x' }, { startLine: 'ACK sip:b@h SIP/2.0' }))).toEqual({ fault: 'malformed CSeq' });
    expect(faultOf(request({ To: undefined }, { startLine: 'SIP/2.0 200 OK' }))).toEqual({ fault: 'no To' });
  });

  it('is a bare CR or LF anywhere in the headers', () => {
    for (const bare of ['\r', '\n']) {
      expect(faultOf(request({ Subject: `a${bare}Via: b` })).fault).toBe('a bare CR or LF');
      expect(faultOf(request({ Subject: `a\r\n b${bare}c` })).fault).toBe('a bare CR or LF');
      expect(faultOf(request({}, { startLine: `INVITE sip:b@h${bare} SIP/2.0` })).fault).toBe('no start line');
    }
  });

  it('is a message that ends before its empty line', () => {
    expect(faultOf(Buffer.from('INVITE sip:b@h SIP/2.0\r\nVia: x')).fault).toBe('no empty line after the headers');
    expect(faultOf(Buffer.from('\r\n\r\n')).fault).toBe('nothing but line ends');
    expect(faultOf(Buffer.alloc(0)).fault).toBe('nothing but line ends');
    expect(faultOf(Buffer.from('INVITE sip:b@h SIP/2.0')).fault).toBe('no start line');
  });

  it('never quotes the message', () => {
    const secret = 'Zq8-secret';
    for (const startLine of [`INVITE sip:${secret} @h SIP/2.0`, `SIP/2.0 999 ${secret}`, secret]) {
      expect(faultOf(message([startLine, `${secret}: x`, `To: "${secret}`])).fault).not.toContain(secret);
    }
  });
});
