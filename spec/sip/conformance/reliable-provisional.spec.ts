/** Provisional responses that are acknowledged: RFC 3262, as the one who calls and as the one who is called. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { answer, Subject } from './subject.js';

let subject: Subject;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  subject = await Subject.open();
});

afterEach(async () => {
  vi.useRealTimers();
  await subject.close();
});

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

const count = (start: string): number => subject.peer.received.filter(({ startLine }) => startLine.startsWith(start)).length;

describe('a caller that requires 100rel', () => {
  const required = ['Require: 100rel'];

  it('gets the 180 again at T1, 2*T1, 4*T1 ... until its PRACK comes, and no other before', async () => {
    const { peer, uri } = subject;
    const { call, request } = await subject.invited(required);
    call.ring();
    const ringing = await peer.nextResponse(180);
    expect(ringing.header('require')).toBe('100rel');
    const rseq = Number(ringing.header('rseq'));
    expect(rseq).toBeGreaterThan(0);
    expect(rseq).toBeLessThan(2 ** 31);
    call.ring();
    await pass(500 + 1_000 + 2_000 + 4_000 + 100);
    await subject.settled();
    expect(peer.received.filter(({ text }) => text === ringing.text)).toHaveLength(4);
    expect(count('SIP/2.0 180')).toBe(4);

    const inDialog = { from: request.from, to: ringing.header('to')!, callId: request.callId };
    const prack = (rack: string, cseq: number) => peer.request('PRACK', uri, { ...inDialog, cseq, headers: [`RAck: ${rack}`] });
    for (const [index, rack] of [`${String(rseq + 1)} 10 INVITE`, `${String(rseq)} 11 INVITE`, `${String(rseq)} 10 OPTIONS`, 'x'].entries()) {
      expect((await prack(rack, 11 + index)).status, rack).toBe(481);
    }
    expect((await prack(`${String(rseq)} 10 INVITE`, 20)).status).toBe(200);
    expect((await prack(`${String(rseq)} 10 INVITE`, 21)).status).toBe(481);
    await pass(20_000);
    await subject.settled();
    expect(count('SIP/2.0 180')).toBe(4);

    peer.received.length = 0;
    call.ring();
    expect(Number((await peer.nextResponse(180)).header('rseq'))).toBe(rseq + 1);
    call.reject(486);
    await peer.nextResponse(486);
  });

  it('hears of the answer though its PRACK is under way, which is answered all the same', async () => {
    const { peer, uri } = subject;
    const { call, request } = await subject.invited(required);
    call.ring();
    const ringing = await peer.nextResponse(180);
    call.accept(answer);
    const to = (await peer.nextResponse(200)).header('to')!;
    const inDialog = { from: request.from, to, callId: request.callId };
    const rack = `RAck: ${ringing.header('rseq')!} 10 INVITE`;
    expect((await peer.request('PRACK', uri, { ...inDialog, cseq: 11, headers: [rack] })).status).toBe(200);
    peer.send('ACK', uri, { ...inDialog, cseq: 10 });
    await pass(5_000);
    await subject.settled();
    expect(count('SIP/2.0 180')).toBe(0);
  });

  it('is refused 504 when no PRACK comes within 64*T1', async () => {
    const { peer } = subject;
    const { call, seen } = await subject.invited(required);
    call.ring();
    await peer.nextResponse(180);
    await pass(31_900);
    expect(seen).toEqual([]);
    await pass(200);
    await peer.nextResponse(504);
    expect(seen).toEqual(['cancelled']);
    expect(call.accept(answer)).toBeUndefined();
  });
});

it('a caller that only supports 100rel gets a plain 180, and its PRACK matches nothing', async () => {
  const { peer, uri } = subject;
  const { call, request } = await subject.invited(['Supported: 100rel']);
  call.ring();
  const ringing = await peer.nextResponse(180);
  expect([ringing.header('require'), ringing.header('rseq')]).toEqual([undefined, undefined]);
  const prack = { from: request.from, to: ringing.header('to')!, callId: request.callId, cseq: 11, headers: ['RAck: 1 10 INVITE'] };
  expect((await peer.request('PRACK', uri, prack)).status).toBe(481);
});

describe('a reliable response to a call that we placed', () => {
  const reliable = (rseq: number): string[] => ['Require: 100rel', `RSeq: ${String(rseq)}`, `Contact: ${subject.peerContact}`];

  it('is acknowledged with its RSeq and told once, in order', async () => {
    const { peer } = subject;
    const { seen } = subject.place();
    const invite = await peer.next('INVITE');
    const prackOf = async (rseq: number): Promise<string | undefined> => {
      const prack = await peer.next('PRACK');
      prack.reply(200);
      expect(prack.header('rack')).toBe(`${String(rseq)} ${String(invite.cseq)} INVITE`);
      return prack.header('cseq');
    };
    invite.reply(183, reliable(7), answer);
    expect(await prackOf(7)).toBe(`${String(invite.cseq + 1)} PRACK`);
    invite.reply(183, reliable(7), answer);
    invite.reply(180, reliable(9));
    invite.reply(180, reliable(8));
    expect(await prackOf(8)).toBe(`${String(invite.cseq + 2)} PRACK`);
    invite.reply(180, reliable(9));
    await prackOf(9);
    await subject.settled();
    expect([seen, count('PRACK')]).toEqual([['progress 183 media', 'progress 180', 'progress 180'], 0]);
    invite.reply(486);
    await peer.next('ACK');
  });

  it('is one however its Require is spelt', async () => {
    const { peer } = subject;
    const { seen } = subject.place();
    const invite = await peer.next('INVITE');
    for (let times = 0; times < 2; times += 1) invite.reply(183, ['Require: foo', 'Require: bar, 100REL', 'RSeq: 7', `Contact: ${subject.peerContact}`], answer);
    (await peer.next('PRACK')).reply(200);
    await subject.settled();
    expect([seen, count('PRACK')]).toEqual([['progress 183 media'], 0]);
    invite.reply(486);
    await peer.next('ACK');
  });

  it('is acknowledged in each branch of a fork by itself, a challenge answered', async () => {
    const { peer } = subject;
    subject.place();
    const invite = await peer.next('INVITE');
    for (const [tag, rseq] of [['A', 5], ['B', 9]] as const) {
      invite.replyRaw(180, `${invite.header('to')!};tag=${tag}`, reliable(rseq), '');
      const challenged = await peer.next('PRACK');
      challenged.reply(407, ['Proxy-Authenticate: Digest realm="p", nonce="n", stale=true']);
      const prack = await peer.next('PRACK');
      expect([prack.header('to'), prack.header('rack'), prack.cseq]).toEqual([expect.stringContaining(`tag=${tag}`), `${String(rseq)} ${String(invite.cseq)} INVITE`, challenged.cseq + 1]);
      expect(prack.header('proxy-authorization')).toContain('realm="p"');
      prack.reply(200);
    }
    invite.reply(486);
    await peer.next('ACK');
  });

  it('without a To tag is told and not acknowledged', async () => {
    const { peer } = subject;
    const { seen, refused } = subject.place();
    const invite = await peer.next('INVITE');
    invite.replyRaw(180, invite.header('to')!, reliable(1));
    invite.reply(486);
    await refused;
    expect([seen, count('PRACK')]).toEqual([['progress 180', 'refused 486'], 0]);
  });
});
