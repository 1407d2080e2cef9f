/** Transactions: RFC 3261 9 and 17, RFC 6026, over UDP and over a connection. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Received } from '../../support/scripted-peer.js';
import { answer, Subject } from './subject.js';

let subject: Subject;

/** From here on the stack's time is turned by hand; messages travel as they do. */
const stopClock = (): void => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
};

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

/** How often a message came that starts with that. */
const count = (start: string): number => subject.peer.received.filter(({ startLine }) => startLine.startsWith(start)).length;

/** What stands in a request of the far end in the dialog of a response with that tag. */
const inEarlyDialog = (invite: Received, tag: string): { from: string; to: string; callId: string } => ({
  from: `${invite.header('to')!};tag=${tag}`,
  to: invite.header('from')!,
  callId: invite.header('call-id')!,
});

afterEach(async () => {
  vi.useRealTimers();
  await subject.close();
});

describe.each(['udp', 'tcp'] as const)('over %s', (transport) => {
  beforeEach(async () => {
    stopClock();
    subject = await Subject.open(transport);
  });

  it('a 200 is sent again at T1, 2*T1, ... T2 until its ACK comes, and the INVITE that comes again is absorbed', async () => {
    const { peer, uri } = subject;
    const { call, seen, request } = await subject.invited([], { branch: 'z9hG4bKi' });
    call.accept(answer);
    const ok = await peer.nextResponse(200);
    peer.send('INVITE', uri, request);
    await pass(500 + 1_000 + 2_000 + 4_000 + 4_000 + 100);
    await subject.settled();
    expect(count('SIP/2.0 200')).toBe(5);
    peer.send('ACK', uri, { ...request, branch: 'z9hG4bKa', headers: [], body: '', to: ok.header('to')! });
    await subject.settled();
    await pass(20_000);
    await subject.settled();
    expect([count('SIP/2.0 200'), seen, subject.calls]).toEqual([5, ['confirmed'], []]);
  });

  it('a 180 is sent again each minute, so that no proxy gives the INVITE up', async () => {
    const { call } = await subject.invited();
    call.ring();
    const ringing = await subject.peer.nextResponse(180);
    await pass(120_100);
    await subject.settled();
    expect(subject.peer.received.filter(({ text }) => text === ringing.text)).toHaveLength(2);
    call.reject(486);
    await subject.peer.nextResponse(486);
    await subject.settled();
  });

  it('a 200 without an ACK ends the call with BYE after 64*T1', async () => {
    const { peer } = subject;
    const { call, seen } = await subject.invited();
    call.accept(answer);
    await pass(31_900);
    await subject.settled();
    expect([seen, count('BYE')]).toEqual([[], 0]);
    await pass(200);
    (await peer.next('BYE')).reply(200);
    expect(seen).toEqual(['lost']);
  });

  it('a 200 that comes again is acknowledged again, the same way', async () => {
    const { peer } = subject;
    const { accepted, seen } = subject.place();
    const invite = await peer.next('INVITE');
    const contact = `Contact: ${subject.peerContact}`;
    invite.reply(200, [contact], answer);
    const ack = await peer.next('ACK');
    await accepted;
    await pass(30_000);
    invite.reply(200, [contact], answer);
    expect((await peer.next('ACK')).text).toBe(ack.text);
    expect(seen).toEqual(['accepted']);
  });

  it('of a call that is answered no transaction is kept, but for each branch of a fork that answers the ACK of its 200, for 64*T1', async () => {
    const { peer, stack } = subject;
    const { accepted, seen } = subject.place();
    const challenged = await peer.next('INVITE');
    challenged.reply(407, ['Proxy-Authenticate: Digest realm="r", nonce="n"']);
    await peer.next('ACK');
    const invite = await peer.next('INVITE');
    invite.reply(100);
    await subject.settled();
    await pass(33_000);
    const [to, route] = [invite.header('to')!, `<sip:127.0.0.1:${String(peer.port)};transport=${transport};lr>`];
    invite.replyRaw(200, `${to};tag=first`, [`Contact: ${subject.peerContact}`], answer);
    const ack = await peer.next('ACK');
    (await accepted).bye();
    (await peer.next('BYE')).reply(200);
    await pass(6_000);
    await subject.settled();
    expect(stack.usage()).toMatchObject({ transactions: 0, dialogs: 0, retransmissions: 1 });

    for (const isNew of [true, false]) {
      const headers = [`Record-Route: <sip:far.example.com;lr>, ${route}`, 'Contact: <sip:late@192.0.2.9>'];
      invite.replyRaw(200, `${to};tag=late`, headers, answer);
      const late = await peer.next('ACK');
      expect([late.uri, late.headers('route').join(', '), late.header('to'), late.cseq]).toEqual([
        'sip:late@192.0.2.9',
        `${route}, <sip:far.example.com;lr>`,
        `${to};tag=late`,
        invite.cseq,
      ]);
      const same = ['from', 'call-id', 'proxy-authorization'];
      expect(same.map((name) => late.header(name))).toEqual(same.map((name) => invite.header(name)));
      if (isNew) {
        const bye = await peer.next('BYE');
        expect([bye.uri, bye.header('to'), bye.cseq]).toEqual([late.uri, late.header('to'), invite.cseq + 1]);
        bye.reply(200);
      }
      invite.replyRaw(200, `${to};tag=first`, [`Contact: ${subject.peerContact}`], answer);
      expect((await peer.next('ACK')).text).toBe(ack.text);
    }
    invite.replyRaw(180, `${to};tag=first`, [`Contact: ${subject.peerContact}`]);
    await pass(27_000);
    await subject.settled();
    expect(stack.usage()).toMatchObject({ transactions: 0, dialogs: 0, retransmissions: 0 });
    invite.replyRaw(200, `${to};tag=late`, [`Contact: ${subject.peerContact}`], answer);
    await subject.settled();
    expect([seen, count('ACK'), count('BYE')]).toEqual([['accepted'], 0, 0]);
  });

  it('a 200 that comes when its account is removed and its call over is acknowledged, and ended when it is of another branch', async () => {
    const { peer, stack, account } = subject;
    const { accepted } = subject.place();
    const invite = await peer.next('INVITE');
    const [to, contact] = [invite.header('to')!, `Contact: ${subject.peerContact}`];
    invite.replyRaw(200, `${to};tag=first`, [contact], answer);
    const ack = await peer.next('ACK');
    (await accepted).bye();
    (await peer.next('BYE')).reply(200);
    account.remove();
    await pass(6_000);
    expect(stack.usage()).toMatchObject({ accounts: 0, cores: 0 });
    invite.replyRaw(200, `${to};tag=first`, [contact], answer);
    expect((await peer.next('ACK')).text).toBe(ack.text);
    await pass(1_000);
    invite.replyRaw(200, `${to};tag=late`, [`Record-Route: <sip:127.0.0.1:${String(peer.port)};transport=${transport};lr>`], answer);
    const late = await peer.next('ACK');
    const bye = await peer.next('BYE');
    expect([late.uri, bye.uri]).toEqual(['sip:600@example.com', 'sip:600@example.com']);
    for (const sent of [late, bye]) expect(sent.header('via')).toMatch(/ 127\.0\.0\.1:\d+;branch=z9hG4bK/);
    bye.reply(200);
    await pass(6_000);
    expect(stack.usage()).toMatchObject({ accounts: 0, cores: 0 });
  });

  it('a call of which two branches of a fork rang keeps its transaction for 64*T1, and ends the other one that answers', async () => {
    const { peer, stack } = subject;
    const { accepted } = subject.place();
    const invite = await peer.next('INVITE');
    const [to, contact] = [invite.header('to')!, `Contact: ${subject.peerContact}`];
    for (const tag of ['one', 'two']) invite.replyRaw(180, `${to};tag=${tag}`, [contact]);
    invite.replyRaw(200, `${to};tag=one`, [contact], answer);
    await peer.next('ACK');
    await accepted;
    const { transactions } = stack.usage();
    invite.replyRaw(200, `${to};tag=two`, [contact], answer);
    await peer.next('ACK');
    const bye = await peer.next('BYE');
    expect([transactions, bye.header('to')]).toEqual([1, `${to};tag=two`]);
    bye.reply(200);
    await pass(33_000);
    expect(stack.usage()).toMatchObject({ transactions: 0, dialogs: 1 });
  });

  it('a BYE in the one early dialog ends the call with CANCEL; a 200 that comes later is acknowledged each time it comes, and 64*T1 later nothing is left', async () => {
    const { peer, uri } = subject;
    const { seen } = subject.place();
    const invite = await peer.next('INVITE');
    const contact = `Contact: ${subject.peerContact}`;
    invite.reply(180, [contact]);
    await subject.settled();
    const far = inEarlyDialog(invite, 'far');
    expect((await peer.request('BYE', uri, { ...far, cseq: 1, headers: ['Reason: Q.850;cause=31'] })).status).toBe(200);
    (await peer.next('CANCEL')).reply(481);
    expect(seen).toEqual(['progress 180', 'refused 487']);
    invite.reply(180, [contact]);
    await pass(20_000);
    for (const laterMs of [20_000, 12_100]) {
      invite.reply(200, [contact], answer);
      await peer.next('ACK');
      await pass(laterMs);
    }
    await subject.settled();
    expect([seen, count('BYE'), subject.stack.usage()]).toEqual([['progress 180', 'refused 487'], 0, expect.objectContaining({ dialogs: 0 })]);
  });

  it('a BYE in one of two early dialogs leaves the other ringing', async () => {
    const { peer, uri } = subject;
    const { seen, accepted } = subject.place();
    const invite = await peer.next('INVITE');
    const contact = `Contact: ${subject.peerContact}`;
    const to = invite.header('to')!;
    for (const tag of ['one', 'two']) invite.replyRaw(180, `${to};tag=${tag}`, [contact]);
    await subject.settled();
    expect((await peer.request('BYE', uri, { ...inEarlyDialog(invite, 'one'), cseq: 1 })).status).toBe(200);
    invite.replyRaw(200, `${to};tag=two`, [contact], answer);
    await peer.next('ACK');
    (await accepted).bye();
    (await peer.next('BYE')).reply(200);
    expect([seen, count('CANCEL')]).toEqual([['progress 180', 'progress 180', 'accepted'], 0]);
  });

  it('an INVITE that nobody answers ends after 64*T1', async () => {
    const { peer } = subject;
    const { refused } = subject.place();
    await peer.next('INVITE');
    await pass(32_100);
    expect(await refused).toMatchObject({ status: 408, local: { code: 'SIP_TIMEOUT' } });
    await subject.settled();
    expect(count('INVITE')).toBe(transport === 'udp' ? 6 : 0);
  });

  it('a refusal is sent again over UDP alone, until its ACK comes', async () => {
    const { peer, uri } = subject;
    const { call, request } = await subject.invited([], { branch: 'z9hG4bKr' });
    call.reject(486);
    const busy = await peer.nextResponse(486);
    await pass(4_000);
    await subject.settled();
    expect(count('SIP/2.0 486')).toBe(transport === 'udp' ? 3 : 0);
    peer.send('ACK', uri, { ...request, branch: 'z9hG4bKr', headers: [], body: '', to: busy.header('to')! });
    await subject.settled();
    const before = count('SIP/2.0 486');
    await pass(30_000);
    await subject.settled();
    expect(count('SIP/2.0 486')).toBe(before);
  });

  it('a CANCEL without its INVITE is answered 481, with and without an account', async () => {
    for (const uri of [subject.uri, 'sip:nobody@127.0.0.1']) {
      expect((await subject.peer.request('CANCEL', uri, { ...subject.newCall(), to: `<${uri}>` })).status).toBe(481);
    }
  });

  it('a CANCEL is answered with the tag of its INVITE, whatever it requires', async () => {
    const { peer, uri } = subject;
    const { request, seen } = await subject.invited([], { branch: 'z9hG4bKc' });
    const ok = await peer.request('CANCEL', uri, { ...request, branch: 'z9hG4bKc', headers: ['Require: foo'], body: '' });
    const terminated = await peer.nextResponse(487);
    expect([ok.status, ok.header('to')]).toEqual([200, terminated.header('to')]);
    expect(seen).toEqual(['cancelled']);
  });

  it('a CANCEL after the answer changes nothing, and an ACK with the branch of its INVITE counts', async () => {
    const { peer, uri } = subject;
    const { call, request, seen } = await subject.invited([], { branch: 'z9hG4bKc' });
    call.accept(answer);
    const to = (await peer.nextResponse(200)).header('to')!;
    const ok = await peer.request('CANCEL', uri, { ...request, branch: 'z9hG4bKc', headers: [], body: '' });
    expect([ok.status, ok.header('to')]).toEqual([200, to]);
    peer.send('ACK', uri, { ...request, branch: 'z9hG4bKc', headers: [], body: '', to });
    await subject.settled();
    expect(seen).toEqual(['confirmed']);
  });

  it('the same request by two ways is merged: the second INVITE is answered 482', async () => {
    const { peer, uri } = subject;
    const { request } = await subject.invited([], { branch: 'z9hG4bKone' });
    peer.send('INVITE', uri, { ...request, branch: 'z9hG4bKtwo' });
    await peer.nextResponse(482);
    expect(subject.calls).toEqual([]);
  });

  it('an answered INVITE that comes again after its ACK is absorbed, by another way it is merged, and a CANCEL changes nothing: until timer L', async () => {
    const { peer, uri } = subject;
    const { transactions } = subject.stack.usage();
    const { call, seen, request } = await subject.invited([], { branch: 'z9hG4bKi' });
    call.accept(answer);
    const ok = await peer.nextResponse(200);
    peer.send('ACK', uri, { ...request, branch: 'z9hG4bKa', headers: [], body: '', to: ok.header('to')! });
    await subject.settled();
    expect(subject.stack.usage()).toMatchObject({ transactions, dialogs: 1 });
    await pass(30_000);
    peer.send('INVITE', uri, request);
    peer.send('INVITE', uri, { ...request, branch: 'z9hG4bKother' });
    await peer.nextResponse(482);
    expect((await peer.request('CANCEL', uri, { ...request, branch: 'z9hG4bKi', headers: [], body: '' })).status).toBe(200);
    expect([seen, subject.calls, peer.received.filter(({ status }) => status >= 200)]).toEqual([['confirmed'], [], []]);
    await pass(4_000);
    await subject.invited([], { ...request, branch: 'z9hG4bKnew' });
  });

  it('the same request by two ways is merged for T4 after its refusal was acknowledged', async () => {
    const { peer, uri } = subject;
    const { call, request } = await subject.invited([], { branch: 'z9hG4bKone' });
    call.reject(486);
    const busy = await peer.nextResponse(486);
    peer.send('ACK', uri, { ...request, branch: 'z9hG4bKone', headers: [], body: '', to: busy.header('to')! });
    await subject.settled();
    await pass(4_900);
    peer.send('INVITE', uri, { ...request, branch: 'z9hG4bKtwo' });
    await peer.nextResponse(482);
  });

  it('requests are told apart by sent-by and method where their branches are one', async () => {
    const { peer, uri } = subject;
    const port = String(peer.port);
    const via = (host: string): string => `SIP/2.0/UDP ${host};branch=z9hG4bKsame;rport=${port}`;
    await subject.invited([], { via: via('a.example.com') });
    await subject.invited([], { via: via('b.example.com') });
    expect((await peer.request('OPTIONS', uri, { ...subject.newCall(), via: via('a.example.com') })).status).toBe(200);
  });

  it('requests of RFC 2543 clients, whose branch says little, are told apart by their call', async () => {
    await subject.invited([], { branch: '1' });
    await subject.invited([], { branch: '1' });
  });
});

describe('over udp', () => {
  beforeEach(async () => {
    subject = await Subject.open();
  });

  it('a CANCEL that comes again is answered as before, though its INVITE is over', async () => {
    const { peer, uri } = subject;
    const { request } = await subject.invited([], { branch: 'z9hG4bKc' });
    const cancel = { ...request, branch: 'z9hG4bKc', headers: [], body: '' };
    const ok = await peer.request('CANCEL', uri, cancel);
    const to = (await peer.nextResponse(487)).header('to')!;
    peer.send('ACK', uri, { ...cancel, to });
    expect((await peer.request('CANCEL', uri, cancel)).text).toBe(ok.text);
  });

  it('a CANCEL goes where its INVITE went, and a challenge to it is not answered', async () => {
    const { peer } = subject;
    const { call, refused } = subject.place();
    const invite = await peer.next('INVITE');
    invite.reply(180, [`Contact: ${subject.peerContact}`]);
    call.cancel();
    const cancel = await peer.next('CANCEL');
    expect([cancel.header('via'), cancel.cseq, cancel.uri]).toEqual([invite.header('via'), invite.cseq, invite.uri]);
    cancel.reply(401, ['WWW-Authenticate: Digest realm="example.com", nonce="n1"']);
    invite.reply(487);
    expect(await refused).toMatchObject({ status: 487 });
    await subject.settled();
    expect(count('CANCEL')).toBe(0);
  });

  it('a response with two Vias is not ours', async () => {
    const { peer } = subject;
    const { refused, seen } = subject.place();
    const invite = await peer.next('INVITE');
    invite.replyVia(603, `${invite.header('via')!}, SIP/2.0/UDP other.example.com;branch=z9hG4bKother`, []);
    invite.reply(486);
    expect(await refused).toMatchObject({ status: 486 });
    expect(seen).toEqual(['refused 486']);
    const registered = subject.account.register(60);
    const register = await peer.next('REGISTER');
    register.replyVia(403, `${register.header('via')!}, SIP/2.0/UDP other.example.com;branch=z9hG4bKother`, []);
    register.reply(200, ['Expires: 60']);
    expect(await registered).toMatchObject({ kind: 'registered' });
  });
});

describe('over tcp', () => {
  it('a response goes to its sender by another connection when the one of its request is gone', async () => {
    subject = await Subject.open('tcp');
    const { peer, uri } = subject;
    const { call, request, seen } = await subject.invited();
    await peer.nextResponse(100);
    const lost = subject.nextLoss();
    peer.hangUp();
    await lost;
    call.accept(answer);
    const ok = await peer.nextResponse(200);
    peer.send('ACK', uri, { ...request, headers: [], body: '', to: ok.header('to')! });
    await subject.settled();
    expect(seen).toEqual(['confirmed']);
  });

  it('messages are found in the stream however it is cut', async () => {
    subject = await Subject.open('tcp');
    const { peer, uri } = subject;
    const head = (callId: string): string[] => [
      `OPTIONS ${uri} SIP/2.0`,
      `Via: SIP/2.0/TCP 127.0.0.1:${String(peer.port)};branch=z9hG4bK${callId}`,
      'From: <sip:600@example.com>;tag=1',
      'To: <sip:434@example.com>',
      `Call-ID: ${callId}`,
      'CSeq: 1 OPTIONS',
    ];
    peer.sendLines(...head('one'), 'l: 0', '', ...head('two'), 'l: 0');
    expect([(await peer.nextResponse(200)).header('call-id'), (await peer.nextResponse(200)).header('call-id')]).toEqual(['one', 'two']);
  });
});
