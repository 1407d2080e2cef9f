import { describe, expect, it } from 'vitest';
import type { HangupReason } from '../../src/host/contract.js';
import type { ReasonValue } from '../../src/sip/types.js';
import { FakeIncomingCall, address } from '../support/fake-sip.js';
import { answerSdp, mapping, offerSdp, world, type World, type WorldOptions } from './call-fixture.js';

const candidate = 'candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host';
const answer = { type: 'answer', callId: 'in-1', description: { type: 'answer', sdp: answerSdp } } as const;

/** An INVITE for mapping 1, taken by the router. */
function invite(options: WorldOptions = {}, call: ConstructorParameters<typeof FakeIncomingCall>[1] = { sdp: offerSdp }): World & { call: FakeIncomingCall } {
  const made = world(options);
  const incoming = new FakeIncomingCall(made.account, call);
  made.router.onIncoming(incoming);
  return { ...made, call: incoming };
}

describe('a call from SIP to the messenger', () => {
  it('of somebody who would rather not be named comes from nobody, and who forwarded it stands in the log', () => {
    const forwardedBy = [{ by: address('sip:601@pbx.example'), reason: 'no-answer' }];
    const { updates, logged } = invite({}, { sdp: offerSdp, identity: { isPrivate: true, forwardedBy } });
    expect(updates).toMatchObject([{ type: 'incoming', from: { uri: 'sip:anonymous@anonymous.invalid', displayName: 'Anonymous' } }]);
    expect(JSON.stringify(updates)).not.toContain('600');
    expect(logged).toEqual([{ level: 'info', message: 'The call was forwarded by sip:601@pbx.example (no-answer).' }]);
  });

  it('is offered, rings, is answered, talks from the ACK on, and ends with the caller\'s BYE', async () => {
    const { call, router, updates, endings, clock, told } = invite();
    expect(updates).toEqual([
      {
        type: 'incoming',
        callId: 'in-1',
        to: { type: 1, id: 101 },
        from: { uri: 'sip:600@pbx.example', user: '600', displayName: 'Reception' },
        description: { type: 'offer', sdp: offerSdp },
        video: false,
        mappingId: 1,
      },
    ]);
    expect(call.sent).toEqual([]);
    await router.onCall({ type: 'ringing', callId: 'in-1' });
    await router.onCall(answer);
    expect(call.sent).toEqual([{ status: 180 }, { status: 200, sdp: answerSdp }]);
    expect(told('in-1')).toEqual(['incoming']);
    call.confirm();
    expect([told('in-1'), clock.pending]).toEqual([['incoming', 'talking'], 0]);
    call.remoteBye();
    expect(told('in-1')).toEqual(['incoming', 'talking', 'ended']);
    expect(endings).toMatchObject([{ callId: 'in-1', direction: 'incoming', reason: 'normal', class: 'success' }]);
    expect([router.live, call.dialog.byes]).toEqual([0, []]);
  });

  it('says that video is offered', () => {
    const { updates } = invite({}, { sdp: `${offerSdp}m=video 9 UDP/TLS/RTP/SAVPF 96\r\n` });
    expect(updates[0]).toMatchObject({ type: 'incoming', video: true });
  });

  it('goes to the user of the account that was called, and names a caller that is a messenger user', () => {
    const { updates } = invite({}, { from: address('sip:432@pbx.example'), sdp: offerSdp });
    expect(updates[0]).toMatchObject({ to: { type: 1, id: 101 }, from: { peer: { type: 1, id: 102 } } });
  });

  it('takes the caller from Contact unless dialog-ignore-contact-field says otherwise', () => {
    const call = { from: address('sip:600@pbx.example'), contact: address('sip:432@pbx.example'), sdp: offerSdp };
    expect(invite({}, call).updates[0]).toMatchObject({ from: { user: '432' } });
    expect(invite({ settings: { ignoreContact: true } }, call).updates[0]).toMatchObject({ from: { user: '600' } });
  });

  it('rings once however many devices ring', async () => {
    const { call, router } = invite();
    await router.onCall({ type: 'ringing', callId: 'in-1' });
    await router.onCall({ type: 'ringing', callId: 'in-1' });
    expect(call.statuses).toEqual([180]);
  });

  it('can be answered within the update that tells of it', async () => {
    const { call, told, clock } = invite({
      onUpdate: (update, router) => {
        if (update.type === 'incoming') void router.onCall(answer);
      },
    });
    expect(call.statuses).toEqual([200]);
    call.confirm();
    await clock.advance(0);
    expect(told('in-1')).toEqual(['incoming', 'talking']);
  });
});

describe('an incoming call that is not let through', () => {
  it.each([
    ['its account has no mapping any more', {}, (w: World) => { w.accounts.clear(); }, { sdp: offerSdp }, 404, undefined],
    ['the mapping may not be called', { mappings: [mapping(1, { canBeCalled: false })] }, undefined, { sdp: offerSdp }, 403, ['callee_disabled', 'client', 'The SIP account 431@pbx.example takes no calls (can_be_called is off).']],
    ['the INVITE has no offer', {}, undefined, { sdp: null }, 488, ['media', 'upstream', 'The INVITE carries no offer (SDP), and calls are taken only with one.']],
  ] as const)('because %s is refused, and the host hears nothing; the record says why', (_why, options, prepare, incoming, status, recorded) => {
    const w = world(options);
    prepare?.(w);
    const call = new FakeIncomingCall(w.account, incoming);
    w.router.onIncoming(call);
    expect([call.statuses, w.updates, w.router.live, w.clock.pending]).toEqual([[status], [], 0, 0]);
    expect([w.refused, w.endings]).toEqual([[status], []]);
    const at = w.clock.date();
    const record = { callId: 'sip-call-id', direction: 'incoming', mappingId: 1, peer: { type: 1, id: 101 }, from: 'sip:600@pbx.example', to: 'sip:431@pbx.example', startedAt: at, endedAt: at, codecs: [], status };
    expect(w.refusals).toEqual(recorded === undefined ? [] : [{ ...record, reason: recorded[0], class: recorded[1], message: recorded[2] }]);
    expect(w.logged).toHaveLength(1);
    expect(w.logged[0]?.message).toContain(`(${String(status)} `);
  });
});

describe('an incoming call that is not answered', () => {
  it.each([
    ['busy', 486, undefined],
    ['rejected', 603, undefined],
    ['no_answer', 480, 19],
    ['picked_up', 480, 200],
    ['error', 500, undefined],
    ['normal', 480, undefined],
  ] as [HangupReason, number, number | undefined][])('by hangup %s is refused with %i', async (reason, status, cause) => {
    const { call, router, ended, clock } = invite();
    await router.onCall({ type: 'ringing', callId: 'in-1' });
    await router.onCall({ type: 'hangup', callId: 'in-1', reason });
    expect(call.statuses).toEqual([180, status]);
    expect(call.sent.at(-1)?.reason?.cause).toBe(cause);
    expect(ended('in-1')).toMatchObject({ reason, sip: { status } });
    expect([router.live, clock.pending]).toEqual([0, 0]);
  });

  it.each([false, true])('rings for ring-timeout and no longer (rung before: %s)', async (rung) => {
    const { call, router, ended, clock } = invite();
    await clock.advance(30_000);
    if (rung) await router.onCall({ type: 'ringing', callId: 'in-1' });
    await clock.advance(29_999);
    expect(call.statuses).toEqual(rung ? [180] : []);
    await clock.advance(1);
    expect(call.statuses.at(-1)).toBe(480);
    expect(ended('in-1')).toMatchObject({ reason: 'no_answer', message: 'Nobody answered within 60 s.' });
  });

  it.each([
    [undefined, 'no_answer'],
    [{ protocol: 'SIP', cause: 200, text: 'Call completed elsewhere' }, 'picked_up'],
  ] as [ReasonValue | undefined, string][])('because the caller gave up (%j) ends as %s', async (reason, expected) => {
    const { call, router, ended, clock } = invite();
    await router.onCall({ type: 'ringing', callId: 'in-1' });
    call.cancel(reason);
    expect([ended('in-1').reason, call.statuses, clock.pending]).toEqual([expected, [180], 0]);
    await expect(router.onCall(answer)).rejects.toMatchObject({ code: 'CALL_NOT_FOUND' });
  });

  it('because the answer met a call that was over ends too', async () => {
    const { call, router, told, clock } = invite();
    call.over = true;
    await router.onCall(answer);
    call.cancel();
    expect([told('in-1'), clock.pending]).toEqual([['incoming', 'ended'], 0]);
  });
});

describe('an incoming call that was answered', () => {
  it('and never acknowledged ends as unavailable', async () => {
    const { call, router, ended } = invite();
    await router.onCall(answer);
    call.lose();
    expect(ended('in-1').reason).toBe('unavailable');
  });

  it('does not wait for ever for a stack that never says whether an ACK came', async () => {
    const { call, router, ended, clock } = invite();
    await router.onCall(answer);
    await clock.advance(40_000);
    expect([ended('in-1').reason, call.dialog.byes.length, clock.pending]).toEqual(['unavailable', 1, 0]);
  });

  it.each([false, true])('ends with BYE when the host hangs up (acknowledged: %s)', async (confirmed) => {
    const { call, router, ended } = invite();
    await router.onCall(answer);
    if (confirmed) call.confirm();
    await router.onCall({ type: 'hangup', callId: 'in-1' });
    expect(call.dialog.byes).toMatchObject([{ protocol: 'Q.850', cause: 16 }]);
    expect(ended('in-1')).toEqual({ type: 'ended', callId: 'in-1', reason: 'normal', message: 'The call was ended here.' });
    expect(call.statuses).toEqual([200]);
  });

  it('and ended by the caller before the ACK is over without ever having been told as talking', async () => {
    const { call, router, told } = invite();
    await router.onCall(answer);
    call.remoteBye();
    expect(told('in-1')).toEqual(['incoming', 'ended']);
  });

  it.each([answer, { type: 'ringing', callId: 'in-1' }] as const)('refuses what comes too late: %j', async (command) => {
    const { call, router } = invite();
    await router.onCall(answer);
    await expect(router.onCall(command)).rejects.toMatchObject({ code: 'CALL_STATE' });
    expect(call.statuses).toEqual([200]);
  });
});

describe('candidates of an answer', () => {
  const partial = { ...answer, candidatesComplete: false };

  it('are gathered before the 200 until the last has come', async () => {
    const { call, router } = invite();
    await router.onCall(partial);
    await router.onCall({ type: 'candidates', callId: 'in-1', candidates: [{ candidate, sdpMid: '0' }] });
    expect(call.statuses).toEqual([]);
    await router.onCall({ type: 'candidates', callId: 'in-1', candidates: [], endOfCandidates: true });
    expect(call.sent).toEqual([{ status: 200, sdp: `${answerSdp}a=${candidate}\r\na=end-of-candidates\r\n` }]);
  });

  it('are waited for no longer than candidate-timeout, and ignored after', async () => {
    const { call, router, clock } = invite();
    await router.onCall(partial);
    await clock.advance(2_000);
    expect(call.sent).toEqual([{ status: 200, sdp: answerSdp }]);
    await router.onCall({ type: 'candidates', callId: 'in-1', candidates: [{ candidate }], endOfCandidates: true });
    expect(call.sent).toHaveLength(1);
  });

  it('may come before the answer that they belong to', async () => {
    const { call, router } = invite();
    await router.onCall({ type: 'candidates', callId: 'in-1', candidates: [{ candidate, sdpMid: '0' }], endOfCandidates: true });
    await router.onCall(partial);
    expect(call.sent).toEqual([{ status: 200, sdp: `${answerSdp}a=${candidate}\r\na=end-of-candidates\r\n` }]);
  });

  it('do not touch an answer that is said to be whole', async () => {
    const { call, router } = invite();
    await router.onCall({ type: 'candidates', callId: 'in-1', candidates: [{ candidate, sdpMid: '0' }] });
    await router.onCall(answer);
    expect(call.sent).toEqual([{ status: 200, sdp: answerSdp }]);
  });

  it('are given up when the caller gives up', async () => {
    const { call, router, told, clock } = invite();
    await router.onCall(partial);
    call.cancel();
    await clock.advance(10_000);
    expect([call.statuses, told('in-1')]).toEqual([[], ['incoming', 'ended']]);
  });
});
