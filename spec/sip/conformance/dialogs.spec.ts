/** Dialogs: RFC 3261 12 to 15, routes of both kinds, and the requests that refresh or end them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mostRecordRoutes, parseMessage } from '../../../src/sip/parser/parse-message.js';
import { answer, offer, Subject } from './subject.js';

let subject: Subject;

beforeEach(async () => {
  subject = await Subject.open();
});

afterEach(async () => {
  await subject.close();
});

const here = (user: string): string => `sip:${user}@127.0.0.1:${String(subject.peer.port)}`;

describe('the routes of a call that we placed', () => {
  it('start with the Request-URI of a strict router, and end with the remote target', async () => {
    const { peer } = subject;
    const { accepted } = subject.place();
    const invite = await peer.next('INVITE');
    const strict = `<${here('p1')};method=INVITE?a=b>`;
    invite.reply(200, [`Record-Route: <sip:p2.example.com;lr>, ${strict}`, 'Contact: <sip:far@192.0.2.9>'], answer);
    const ack = await peer.next('ACK');
    expect([ack.uri, ack.headers('route')]).toEqual([here('p1'), ['<sip:p2.example.com;lr>', '<sip:far@192.0.2.9>']]);
    (await accepted).bye();
    const bye = await peer.next('BYE');
    expect([bye.uri, bye.headers('route')]).toEqual([here('p1'), ['<sip:p2.example.com;lr>', '<sip:far@192.0.2.9>']]);
    bye.reply(200);
  });

  it('are those of the 2xx, not those of the 180 before it', async () => {
    const { peer } = subject;
    const { accepted } = subject.place();
    const invite = await peer.next('INVITE');
    invite.reply(180, ['Record-Route: <sip:gone.example.com;lr>', 'Contact: <sip:early@192.0.2.9>']);
    invite.reply(200, [`Record-Route: <${here('p1')};lr>`, 'Contact: <sip:late@192.0.2.9>'], answer);
    const ack = await peer.next('ACK');
    expect([ack.uri, ack.headers('route')]).toEqual(['sip:late@192.0.2.9', [`<${here('p1')};lr>`]]);
    (await accepted).bye();
    (await peer.next('BYE')).reply(200);
  });

  it('lead to the registrar when the far end is a telephone number', async () => {
    const { peer } = subject;
    const { accepted } = subject.place();
    (await peer.next('INVITE')).reply(200, ['Contact: <tel:+15551234>'], answer);
    expect((await peer.next('ACK')).uri).toBe('tel:+15551234');
    (await accepted).bye();
    const bye = await peer.next('BYE');
    expect(bye.uri).toBe('tel:+15551234');
    bye.reply(200);
  });

  it('are there after a 180 and a 200 without Contact: to whom was called', async () => {
    const { peer } = subject;
    const { seen, accepted } = subject.place(here('600'));
    const invite = await peer.next('INVITE');
    invite.reply(180);
    invite.reply(200, [], answer);
    expect((await peer.next('ACK')).uri).toBe(here('600'));
    await accepted;
    expect(seen).toEqual(['progress 180', 'accepted']);
  });
});

describe('an answer without a To tag', () => {
  it('ends the call, which could be neither acknowledged nor ended', async () => {
    const { peer } = subject;
    const { refused, seen } = subject.place();
    const invite = await peer.next('INVITE');
    for (let times = 0; times < 2; times += 1) invite.replyRaw(200, invite.header('to')!, [`Contact: ${subject.peerContact}`], answer);
    expect(await refused).toMatchObject({ status: 502, local: { code: 'SIP_TRANSPORT', message: expect.stringContaining('To tag') as string } });
    await subject.settled();
    expect([seen, peer.received]).toEqual([['refused 502'], []]);
  });
});

describe('the routes of a call that reached us', () => {
  it('are recorded in 180 and 200, and gone by strictly when the first router is strict', async () => {
    const { peer } = subject;
    const routes = [`<${here('p1')}>`, '<sip:p2.example.com;lr>'];
    const { call, request } = await subject.invited([`Record-Route: ${routes.join(', ')}`, 'Record-Route: <sip:p3.example.com;lr>']);
    call.ring();
    const recorded = [...routes, '<sip:p3.example.com;lr>'];
    expect((await peer.nextResponse(180)).headers('record-route')).toEqual(recorded);
    const dialog = call.accept(answer);
    const ok = await peer.nextResponse(200);
    expect(ok.headers('record-route')).toEqual(recorded);
    expect([ok.header('allow'), ok.header('supported')]).toEqual([expect.stringContaining('UPDATE'), 'outbound, 100rel, timer, norefersub, replaces']);
    peer.send('ACK', subject.uri, { ...request, headers: [], body: '', to: ok.header('to')! });
    dialog?.bye();
    const bye = await peer.next('BYE');
    expect([bye.uri, bye.headers('route')]).toEqual([here('p1'), ['<sip:p2.example.com;lr>', '<sip:p3.example.com;lr>', subject.peerContact]]);
    bye.reply(200);
  });

  it('may be many, but not so many that nobody could read our own requests', async () => {
    const { peer } = subject;
    const recorded = (most: number): string[] => Array.from({ length: most }, () => `Record-Route: <${here('p')};lr>`);
    const { call, request } = await subject.invited(recorded(mostRecordRoutes));
    const dialog = call.accept(answer);
    const ok = await peer.nextResponse(200);
    peer.send('ACK', subject.uri, { ...request, headers: [], body: '', to: ok.header('to')! });
    dialog?.bye();
    const bye = await peer.next('BYE');
    expect(parseMessage(Buffer.from(bye.text))).toMatchObject({ method: 'BYE' });
    bye.reply(200);

    peer.send('INVITE', subject.uri, { ...subject.newCall(), headers: [`Contact: ${subject.peerContact}`, ...recorded(mostRecordRoutes + 1)], body: offer });
    await peer.nextResponse(400);
  });

  it('lead to the registrar when the caller is a telephone number', async () => {
    const { peer } = subject;
    const { call, request } = await subject.invited([], { headers: ['Contact: <tel:+15551234>'], from: '<tel:+15551234>;tag=f1', to: '<tel:434>' });
    expect([call.from.uri, call.from.user, call.to.uri]).toEqual(['tel:+15551234', '+15551234', 'tel:434']);
    call.ring();
    await peer.nextResponse(180);
    const dialog = call.accept(answer);
    const ok = await peer.nextResponse(200);
    peer.send('ACK', subject.uri, { ...request, headers: [], body: '', to: ok.header('to')! });
    dialog?.bye();
    const bye = await peer.next('BYE');
    expect([bye.uri, bye.header('to')]).toEqual(['tel:+15551234', '<tel:+15551234>;tag=f1']);
    bye.reply(200);
  });
});

describe('a request in a dialog', () => {
  it('is answered 500 when its CSeq is not higher than the last', async () => {
    const { inDialog } = await subject.answered();
    expect((await subject.peer.request('OPTIONS', subject.uri, { ...inDialog, cseq: 20 })).status).toBe(200);
    for (const method of ['OPTIONS', 'BYE', 'UPDATE']) expect((await subject.peer.request(method, subject.uri, { ...inDialog, cseq: 15 })).status).toBe(500);
    expect((await subject.peer.request('BYE', subject.uri, { ...inDialog, cseq: 21 })).status).toBe(200);
  });

  it('is answered the same when it comes again: OPTIONS and UPDATE count CSeq on once', async () => {
    const { peer, uri } = subject;
    const { inDialog } = await subject.answered();
    for (const [cseq, method] of [[12, 'OPTIONS'], [13, 'UPDATE']] as const) {
      const request = { ...inDialog, cseq, branch: `z9hG4bK${method}` };
      expect((await peer.request(method, uri, request)).status).toBe(200);
      expect((await peer.request(method, uri, request)).status).toBe(200);
    }
  });

  it('is answered 481 when there is no such dialog', async () => {
    const { peer, uri } = subject;
    for (const method of ['BYE', 'PRACK', 'UPDATE', 'OPTIONS', 'INVITE']) {
      const request = { ...subject.newCall(), to: '<sip:434@example.com>;tag=none', headers: [`Contact: ${subject.peerContact}`] };
      expect((await peer.request(method, uri, request)).status, method).toBe(481);
    }
    for (const method of ['BYE', 'PRACK', 'UPDATE']) expect((await peer.request(method, uri, subject.newCall())).status, method).toBe(481);
    expect((await peer.request('BYE', 'sip:nobody@127.0.0.1', { ...subject.newCall(), to: '<sip:nobody@example.com>;tag=gone' })).status).toBe(481);
  });

  it('is refused 420 when it requires what we do not know, and 405 when we do not take it', async () => {
    const { inDialog } = await subject.answered();
    const refused = await subject.peer.request('UPDATE', subject.uri, { ...inDialog, headers: ['Require: 100rel, gruu', 'Require: foo'] });
    expect([refused.status, refused.header('unsupported')]).toEqual([420, 'gruu, foo']);
    expect((await subject.peer.request('MESSAGE', subject.uri, { ...inDialog, cseq: 12 })).status).toBe(405);
  });
});

describe('an UPDATE', () => {
  it('without an offer is answered 200, and says where the far end is now', async () => {
    const { dialog, inDialog } = await subject.answered();
    const ok = await subject.peer.request('UPDATE', subject.uri, { ...inDialog, headers: [`Contact: <${here('moved')}>`] });
    expect([ok.status, ok.header('contact')]).toEqual([200, expect.stringContaining('tok434')]);
    dialog.bye();
    const bye = await subject.peer.next('BYE');
    expect(bye.uri).toBe(here('moved'));
    bye.reply(200);
  });

  it('with an offer that its owner does not take is refused 488 with a Warning, and the call goes on', async () => {
    const { inDialog, seen } = await subject.answered();
    const refused = await subject.peer.request('UPDATE', subject.uri, { ...inDialog, headers: [`Contact: ${subject.peerContact}`], body: offer });
    expect([refused.status, refused.header('warning')]).toEqual([488, expect.stringMatching(/^399 /)]);
    expect((await subject.peer.request('BYE', subject.uri, { ...inDialog, cseq: 12 })).status).toBe(200);
    expect(seen).toEqual(['confirmed', 'bye']);
  });
});

describe('a re-INVITE', () => {
  it('needs no Contact', async () => {
    const { inDialog } = await subject.answered();
    subject.peer.send('INVITE', subject.uri, { ...inDialog, branch: 'z9hG4bKre', body: offer });
    await subject.peer.nextResponse(488);
    subject.peer.send('ACK', subject.uri, { ...inDialog, branch: 'z9hG4bKre' });
  });
});

describe('a re-INVITE that is refused', () => {
  it('does not move the far end', async () => {
    const { dialog, inDialog } = await subject.answered();
    subject.peer.send('INVITE', subject.uri, { ...inDialog, branch: 'z9hG4bKre', headers: [`Contact: <${here('moved')}>`], body: offer });
    await subject.peer.nextResponse(488);
    subject.peer.send('ACK', subject.uri, { ...inDialog, branch: 'z9hG4bKre' });
    dialog.bye();
    const bye = await subject.peer.next('BYE');
    expect(bye.uri).toBe(subject.peerContact.slice(1, -1));
    bye.reply(200);
  });
});

describe('a call that rings', () => {
  it('is over when the INVITE has expired: 487, unless it is answered before', async () => {
    for (const [expires, isOver] of [['0', true], ['86400', false], ['4294967295', false]] as const) {
      const { call, seen } = await subject.invited([`Expires: ${expires}`]);
      call.ring();
      await subject.peer.nextResponse(180);
      if (isOver) await subject.peer.nextResponse(487);
      await subject.settled();
      expect(seen).toEqual(isOver ? ['cancelled'] : []);
      call.reject(486);
    }
  });

  it('is over when its caller sends BYE: 200 to that, 487 to the INVITE', async () => {
    const { peer, uri } = subject;
    const { call, seen, request } = await subject.invited();
    call.ring();
    const to = (await peer.nextResponse(180)).header('to')!;
    expect((await peer.request('BYE', uri, { ...request, to, cseq: 11, headers: ['Reason: SIP;cause=200'], body: '' })).status).toBe(200);
    expect((await peer.nextResponse(487)).header('to')).toBe(to);
    expect(seen).toEqual(['cancelled 200']);
    expect(call.accept(answer)).toBeUndefined();
  });
});

describe('a sips: address', () => {
  it('is not called over a registrar that is reached without TLS', async () => {
    const refusal = await subject.place('sips:600@example.com').refused;
    expect(refusal).toMatchObject({ status: 503, local: { code: 'SIP_TRANSPORT', message: expect.stringContaining('over udp') as string } });
    await subject.settled();
    expect(subject.peer.received).toEqual([]);
  });
});

describe('a call that is to take another one over', () => {
  const tagOf = (address: string): string => /tag=(\w+)/.exec(address)![1]!;
  /** What names a call in Replaces, as we see it. */
  const named = (callId: string, ours: string, theirs: string): string => `Replaces: ${callId};to-tag=${tagOf(ours)};from-tag=${tagOf(theirs)}`;
  const refused = async (headers: string[], uri = subject.uri): Promise<number> =>
    (await subject.peer.request('INVITE', uri, { ...subject.newCall(), headers: [`Contact: ${subject.peerContact}`, ...headers], body: offer })).status;

  it('is told with that call, whoever placed it', async () => {
    const { peer } = subject;
    const { dialog, inDialog } = await subject.answered();
    const first = await subject.invited([named(inDialog.callId, inDialog.to, inDialog.from), 'Require: replaces']);
    expect(first.call.replaces).toBe(dialog);
    first.call.reject(486);
    const { accepted } = subject.place();
    const invite = await peer.next('INVITE');
    expect(invite.headers('supported').join()).toContain('replaces');
    invite.reply(200, [`Contact: ${subject.peerContact}`], answer);
    await peer.next('ACK');
    const placed = await accepted;
    const second = await subject.invited([named(invite.header('call-id')!, invite.header('from')!, ';tag=far')]);
    expect(second.call.replaces).toBe(placed);
    second.call.reject(486);
    const plain = await subject.invited();
    expect(plain.call.replaces).toBeUndefined();
    plain.call.reject(486);
  });

  it('is refused 481 when that call is not there, is over, or still rings; nobody hears of it', async () => {
    const { peer, uri } = subject;
    const { inDialog } = await subject.answered();
    const { callId, to, from } = inDialog;
    expect(await refused([named(callId, from, to)])).toBe(481);
    expect(await refused([named(callId, ';tag=none', from)])).toBe(481);
    expect(await refused([`Replaces: ${callId.slice(0, -1)};to-tag=${callId.slice(-1)}${tagOf(to)};from-tag=${tagOf(from)}`])).toBe(481);
    expect((await peer.request('BYE', uri, inDialog)).status).toBe(200);
    expect(await refused([named(callId, to, from)])).toBe(481);
    const { call, request } = await subject.invited();
    call.ring();
    expect(await refused([named(request.callId, (await peer.nextResponse(180)).header('to')!, request.from)])).toBe(481);
    call.reject(486);
    expect(subject.calls).toEqual([]);
  });

  it('is refused 481 once we have hung up, though the far end has not heard of it', async () => {
    const { peer, uri } = subject;
    const { call, request } = await subject.invited();
    call.accept(answer)?.bye();
    const to = (await peer.nextResponse(200)).header('to')!;
    expect(await refused([named(request.callId, to, request.from)])).toBe(481);
    peer.send('ACK', uri, { ...request, to, branch: undefined, headers: [], body: '' });
    (await peer.next('BYE')).reply(200);
  });

  it('is refused 486 when it would only take one that rings, and 400 when it names two or none that can be read', async () => {
    const { callId, to, from } = (await subject.answered()).inDialog;
    expect(await refused([`${named(callId, to, from)};early-only`])).toBe(486);
    expect(await refused([named(callId, to, from), named(callId, to, from)])).toBe(400);
    expect(await refused([`Replaces: ${callId};to-tag=${tagOf(to)}`])).toBe(400);
  });

  it('is refused 481 when that call is another account\'s', async () => {
    const { callId, to, from } = (await subject.answered()).inDialog;
    const target = { transport: 'udp', host: '127.0.0.1', port: subject.peer.port } as const;
    subject.stack.addAccount({ token: 'tok500', user: '500', domain: 'example.com', password: 'secret', target });
    expect(await refused([named(callId, to, from)], subject.uri.replace('tok434', 'tok500'))).toBe(481);
    expect(subject.calls).toEqual([]);
  });

  it('is an INVITE: another request with Replaces is refused 400', async () => {
    const { peer, uri } = subject;
    const { inDialog } = await subject.answered();
    const headers = [named(inDialog.callId, inDialog.to, inDialog.from)];
    expect((await peer.request('OPTIONS', uri, { ...subject.newCall(), headers })).status).toBe(400);
    expect((await peer.request('UPDATE', uri, { ...inDialog, headers })).status).toBe(400);
  });
});
