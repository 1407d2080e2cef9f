/** Requests outside dialogs, in all the forms that they come in: RFC 3261 7, 8.2, 11, 18.2 and 20, RFC 3581. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedPeer, type Received } from '../../support/scripted-peer.js';
import { answer, offer, Subject } from './subject.js';

let subject: Subject;

beforeEach(async () => {
  subject = await Subject.open();
});

afterEach(async () => {
  await subject.close();
});

const options = (change: Partial<Parameters<ScriptedPeer['send']>[2]> = {}, uri = subject.uri): Promise<Received> =>
  subject.peer.request('OPTIONS', uri, { ...subject.newCall(), ...change });

describe('Via', () => {
  it('is repeated whole and in order, however many stand in a line, the top one with received and rport', async () => {
    const port = String(subject.peer.port);
    const ok = await options({
      via: `SIP/2.0/UDP pc.example.com:9;branch=z9hG4bK1;rport;x="a,b", SIP / 2.0 / UDP [2001:db8::9:1]:5070;branch=z9hG4bK2`,
      headers: ['v: SIP/2.0/TCP p3.example.com;branch=z9hG4bK3,SIP/2.0/UDP p4.example.com;branch=z9hG4bK4;received=192.0.2.1'],
    });
    expect(ok.headers('via')).toEqual([
      `SIP/2.0/UDP pc.example.com:9;branch=z9hG4bK1;rport=${port};x="a,b";received=127.0.0.1`,
      'SIP / 2.0 / UDP [2001:db8::9:1]:5070;branch=z9hG4bK2',
      'SIP/2.0/TCP p3.example.com;branch=z9hG4bK3',
      'SIP/2.0/UDP p4.example.com;branch=z9hG4bK4;received=192.0.2.1',
    ]);
  });

  it('tells where a request came from, not where its sender says', async () => {
    const ok = await options({ via: `SIP/2.0/UDP pc.example.com;received=192.0.2.66;branch=z9hG4bKf;rport` });
    expect(ok.header('via')).toBe(`SIP/2.0/UDP pc.example.com;branch=z9hG4bKf;rport=${String(subject.peer.port)};received=127.0.0.1`);
  });

  it('without rport leads a response to the port of sent-by', async () => {
    const other = await ScriptedPeer.open();
    const port = String(other.port);
    subject.peer.send('OPTIONS', subject.uri, { ...subject.newCall(), via: `SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bKs` });
    expect((await other.nextResponse(200)).header('via')).toBe(`SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bKs`);
    await other.close();
  });

  it('may name an IPv6 address or a transport that is not the one used', async () => {
    const ok = await options({ via: `SIP/2.0/TLS-SCTP [2001:db8::9:1]:5070;branch=z9hG4bK6;rport` });
    expect(ok.header('via')).toContain('TLS-SCTP [2001:db8::9:1]:5070;');
  });
});

describe('a call', () => {
  it('may be written in compact, folded and oddly spaced headers', async () => {
    const { peer, uri } = subject;
    peer.sendLines(
      `INVITE ${uri} SIP/2.0`,
      `v:  SIP/2.0/UDP`,
      `  127.0.0.1:${String(peer.port)} ;branch = z9hG4bKfold;rport`,
      `f : "A. \\"Bell\\""`,
      `	<sip:600@example.com> ; tag = f1`,
      't: sip:434@example.com',
      'i: compact',
      'CSEQ:  7   INVITE',
      `m: "x, y" <sip:600@127.0.0.1:${String(peer.port)}>;q=1 , <sip:second@192.0.2.1>`,
      'Max-forwards: 0',
      'l: 0',
    );
    const { call } = await subject.nextCall();
    expect([call.callId, call.from.displayName, call.from.user, call.to.uri, call.sdp]).toEqual(['compact', 'A. "Bell"', '600', 'sip:434@example.com', undefined]);
    expect(call.contact?.displayName).toBe('x, y');
    call.reject(486);
    expect((await peer.nextResponse(486)).header('from')).toBe('"A. \\"Bell\\"" <sip:600@example.com> ; tag = f1');
  });

  it('may be from people with names and users in any script, escaped or not', async () => {
    const from = '"Zoë 李" <sip:zo%C3%AB%3B+1@example.com>;tag=ü1';
    const { call } = await subject.invited([`Subject: čau`], { from });
    expect([call.from.displayName, call.from.user]).toEqual(['Zoë 李', 'zoë;+1']);
    call.reject(480, { phrase: 'Später' });
    const refused = await subject.peer.nextResponse(480);
    expect([refused.header('from'), refused.startLine]).toEqual([from, 'SIP/2.0 480 Später']);
  });

  it('keeps the user of a Contact as it was escaped, for all requests to it', async () => {
    const { peer, uri } = subject;
    const contact = `sip:+49%3Bx%3D1%25;a=b@127.0.0.1:${String(peer.port)};x=%41`;
    const { call, request } = await subject.invited([], { headers: [`Contact: <${contact}>`] });
    const dialog = call.accept(answer);
    const ok = await peer.nextResponse(200);
    peer.send('ACK', uri, { ...request, branch: undefined, headers: [], body: '', to: ok.header('to')! });
    dialog?.bye();
    const bye = await peer.next('BYE');
    expect(bye.uri).toBe(contact);
    bye.reply(200);
  });

  it('has its offer in a body with a parameter on its type, or inside a multipart', async () => {
    const { peer, uri } = subject;
    const parts = ['--b', 'Content-Type: text/plain', '', 'hello', '--b', 'Content-Type : application/SDP; charset=utf-8', 'Content-Disposition: session', '', offer, '--b--', ''].join('\r\n');
    const sent: [string, string][] = [['Application/SDP ; charset="utf-8"', offer], ['multipart/mixed;boundary="b"', parts]];
    for (const [type, body] of sent) {
      const { from, to, callId } = subject.newCall();
      peer.sendLines(
        `INVITE ${uri} SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${String(peer.port)};branch=z9hG4bK${callId};rport`,
        `From: ${from}`,
        `To: ${to}`,
        `Call-ID: ${callId}`,
        'CSeq: 1 INVITE',
        `Contact: ${subject.peerContact}`,
        `Content-Type: ${type}`,
        `Content-Length: ${String(Buffer.byteLength(body))}`,
        '',
        body.replace(/\r\n$/, ''),
      );
      const { call } = await subject.nextCall();
      expect(call.sdp?.trim()).toBe(offer.trim());
      call.ring();
      await peer.nextResponse(180);
      call.accept(answer);
      expect((await peer.nextResponse(200)).body).toBe(answer);
    }
  });

  it('may be to a sips: or tel: URI', async () => {
    for (const uri of ['sips:tok434@127.0.0.1', 'tel:434']) {
      subject.peer.send('INVITE', uri, { ...subject.newCall(), headers: [`Contact: ${subject.peerContact}`], body: offer });
      const { call } = await subject.nextCall();
      expect(call.requestUri.uri).toBe(uri);
      call.reject(486);
    }
  });

  it('is refused 400 without a Contact that can be used', async () => {
    for (const headers of [[], ['Contact: *'], ['Contact: <not a uri>'], ['Contact: "open <sip:a@b>']]) {
      expect((await subject.peer.request('INVITE', subject.uri, { ...subject.newCall(), headers, body: offer })).status, headers.join()).toBe(400);
    }
    expect(subject.calls).toEqual([]);
  });

  it('finds an account that never sent anything, which is then where the call found it', async () => {
    const { peer, stack, account } = subject;
    const target = { transport: 'udp', host: 'never-asked.invalid', port: 5060 } as const;
    stack.addAccount({ ...account.settings, token: 'tok500', user: '500', target });
    const request = { ...subject.newCall(), to: '<sip:500@example.com>', headers: [`Contact: ${subject.peerContact}`], body: offer };
    peer.send('INVITE', 'sip:500@127.0.0.1', request);
    const { call } = await subject.nextCall();
    const dialog = call.accept(answer);
    const ok = await peer.nextResponse(200);
    expect(ok.header('contact')).toBe(`<${subject.uri.replace('434', '500')};transport=udp>`);
    peer.send('ACK', ok.contactOf(ok), { ...request, headers: [], body: '', to: ok.header('to')! });
    dialog?.bye();
    const bye = await peer.next('BYE');
    expect(bye.header('via')).toMatch(/^SIP\/2\.0\/UDP 127\.0\.0\.1:\d+;branch=/);
    bye.reply(200);
  });

  it('is told 100 with the Timestamp of its INVITE', async () => {
    await subject.invited(['Timestamp: 54.25']);
    expect((await subject.peer.nextResponse(100)).header('timestamp')).toBe('54.25');
  });
});

describe('a call that is answered or refused at once', () => {
  it('has no need of 100', async () => {
    const { peer } = subject;
    subject.onCall = (call) => { call.reject(486); };
    await subject.invited();
    await peer.nextResponse(486);
    subject.onCall = (call) => { call.ring(); };
    await subject.invited();
    await peer.nextResponse(180);
    await subject.settled();
    expect(peer.received).toEqual([]);
  });
});

describe('a request', () => {
  it('is taken though it may go no further and asks things of proxies: both are for proxies (RFC 3261 16.3, 20.29)', async () => {
    subject.peer.sendLines(
      `OPTIONS ${subject.uri} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${String(subject.peer.port)};branch=z9hG4bKmf;rport`,
      'From: <sip:600@example.com>;tag=1',
      'To: <sip:434@example.com>',
      'Call-ID: mf',
      'CSeq: 1 OPTIONS',
      'Max-Forwards: 0',
      'Proxy-Require: foo',
      'Content-Length: 0',
    );
    expect((await subject.peer.nextResponse(200)).header('call-id')).toBe('mf');
  });

  it('OPTIONS is told what we can do', async () => {
    const ok = await options();
    expect(['allow', 'accept', 'accept-encoding', 'accept-language', 'supported'].map((name) => ok.header(name))).toEqual([
      'INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, NOTIFY, REFER',
      'application/sdp',
      'identity',
      'en',
      'outbound, 100rel, timer, norefersub, replaces',
    ]);
  });

  it('is refused by its method before its URI, and by its URI before what it requires', async () => {
    const { peer, uri } = subject;
    const requires = { headers: ['Require: foo'] };
    expect((await peer.request('NEWMETHOD', 'http://127.0.0.1/', { ...subject.newCall(), ...requires })).status).toBe(405);
    expect((await options(requires, 'http://127.0.0.1/')).status).toBe(416);
    expect((await options(requires, uri)).status).toBe(420);
    expect((await options({ to: '<sip:nobody@example.com>' }, 'sip:nobody@127.0.0.1')).status).toBe(404);
  });

  it('outside a dialog gets the same To tag each time that it comes', async () => {
    const tags = [await options(), await options({ callId: 'in-1' }), await options({ callId: 'in-1' })].map((ok) => ok.header('to'));
    expect(tags[0]).toBe(tags[1]);
    expect(tags[1]).toBe(tags[2]);
  });

  it('ACK is never answered', async () => {
    const { peer, uri } = subject;
    const { request } = await subject.invited([], { branch: 'z9hG4bKi' });
    await peer.nextResponse(100);
    for (const [to, target] of [[request.to, uri], ['<sip:434@example.com>;tag=none', uri], ['<sip:nobody@example.com>', 'sip:nobody@127.0.0.1']] as const) {
      peer.send('ACK', target, { ...request, branch: undefined, headers: ['Require: foo'], body: '', to });
    }
    await subject.settled();
    expect(peer.received).toEqual([]);
  });
});
