/** Offers and answers while people talk, whoever began the call. */
import { describe, expect, it } from 'vitest';
import type { CallCommand } from '../../src/host/contract.js';
import type { FakeDialog } from '../support/fake-sip.js';
import { FakeIncomingCall } from '../support/fake-sip.js';
import { answerSdp, offerSdp, settings, world, type World } from './call-fixture.js';
import { talking } from './talking.js';

const held = `${offerSdp}a=sendonly\r\n`;
const agreed = `${answerSdp}a=recvonly\r\n`;
const candidate = 'candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host';
const offer = (callId: string, more: object = {}): CallCommand => ({ type: 'offer', callId, description: { type: 'offer', sdp: held }, ...more });
const answer = (callId: string, more: object = {}): CallCommand => ({ type: 'answer', callId, description: { type: 'answer', sdp: agreed }, ...more });

/** A call to the messenger that is up. */
async function incoming(): Promise<World & { call: FakeIncomingCall; dialog: FakeDialog }> {
  const made = world();
  const call = new FakeIncomingCall(made.account, { sdp: offerSdp });
  made.router.onIncoming(call);
  await made.router.onCall({ type: 'answer', callId: 'in-1', description: { type: 'answer', sdp: answerSdp } });
  call.confirm();
  made.updates.length = 0;
  return { ...made, call, dialog: call.dialog };
}

describe('an offer of the host', () => {
  it('goes out as a re-INVITE, and its answer comes back', async () => {
    const { router, dialog, updates, clock } = await talking();
    await router.onCall(offer('out-1'));
    expect(dialog.reinvite.sdp).toBe(held);
    dialog.reinvite.onAnswered(agreed);
    expect(updates).toEqual([{ type: 'answer', callId: 'out-1', description: { type: 'answer', sdp: agreed } }]);
    expect(clock.pending).toBe(0);
  });

  it('that is refused is told with the status and when to try again, and the call goes on', async () => {
    const { router, dialog, updates } = await incoming();
    await router.onCall(offer('in-1'));
    dialog.reinvite.onRefused({ status: 503, phrase: 'Busy', retryAfterMs: 4_000 });
    expect(updates).toEqual([{ type: 'offerRejected', callId: 'in-1', status: 503, retryAfterMs: 4_000 }]);
    await router.onCall(offer('in-1'));
    dialog.reinvite.onRefused({ status: 488, phrase: 'No' });
    expect(updates[1]).toEqual({ type: 'offerRejected', callId: 'in-1', status: 488 });
    expect([router.live, dialog.byes]).toEqual([1, []]);
  });

  it('waits for its candidates, and then goes with what there is', async () => {
    const { router, dialog, clock } = await talking();
    await router.onCall(offer('out-1', { candidatesComplete: false }));
    await router.onCall({ type: 'candidates', callId: 'out-1', candidates: [{ candidate, sdpMid: '0' }] });
    expect(dialog.offers).toEqual([]);
    await clock.advance(2_000);
    expect(dialog.reinvite.sdp).toContain(candidate);
    dialog.reinvite.onAnswered(agreed);
    await router.onCall(offer('out-1', { candidatesComplete: false }));
    await router.onCall({ type: 'candidates', callId: 'out-1', candidates: [{ candidate, sdpMid: '0' }], endOfCandidates: true });
    expect(dialog.offers).toHaveLength(2);
    expect(dialog.reinvite.sdp).toContain('a=end-of-candidates');
  });

  it.each([
    ['outgoing', talking, 'out-1', 3_050],
    ['incoming', incoming, 'in-1', 1_000],
  ] as const)('that met one of the far end is sent again after the wait of RFC 3261 14.1, and the host is not bothered (%s)', async (_direction, begin, callId, waitMs) => {
    const { router, dialog, updates, clock } = await begin();
    await router.onCall(offer(callId));
    dialog.reinvite.onRefused({ status: 491, phrase: 'Request Pending' });
    await clock.advance(waitMs - 10);
    expect(dialog.offers).toHaveLength(1);
    await clock.advance(10);
    expect(dialog.offers.map(({ sdp }) => sdp)).toEqual([held, held]);
    expect(updates).toEqual([]);
    dialog.reinvite.onAnswered(agreed);
    expect(updates).toMatchObject([{ type: 'answer' }]);
  });

  it('gives way to one of the far end that comes while it waits', async () => {
    const { router, dialog, updates, account, clock } = await talking();
    await router.onCall(offer('out-1'));
    dialog.reinvite.onRefused({ status: 491, phrase: 'Request Pending' });
    const remote = account.call.remoteOffer(offerSdp);
    expect(updates).toEqual([
      { type: 'offerRejected', callId: 'out-1', status: 491 },
      { type: 'offer', callId: 'out-1', description: { type: 'offer', sdp: offerSdp } },
    ]);
    await router.onCall(answer('out-1'));
    expect([remote.answers, clock.pending]).toEqual([[agreed], 0]);
  });

  it('that meets 491 time and again is told as refused in the end', async () => {
    const { router, dialog, updates, clock } = await talking();
    await router.onCall(offer('out-1'));
    for (let turn = 0; turn < 5; turn += 1) {
      dialog.reinvite.onRefused({ status: 491, phrase: 'Request Pending' });
      await clock.advance(4_000);
    }
    expect(updates).toEqual([{ type: 'offerRejected', callId: 'out-1', status: 491 }]);
    expect(dialog.offers).toHaveLength(5);
  });

  it('is not taken before the call is answered, nor while another is under way', async () => {
    const made = world();
    await made.create();
    await expect(made.router.onCall(offer('out-1'))).rejects.toMatchObject({ code: 'CALL_STATE' });
    made.account.call.accept(answerSdp);
    await made.router.onCall(offer('out-1'));
    await expect(made.router.onCall(offer('out-1'))).rejects.toMatchObject({ code: 'CALL_STATE' });
    await expect(made.router.onCall(answer('out-1'))).rejects.toMatchObject({ code: 'CALL_STATE' });
    expect(made.account.call.dialog.offers).toHaveLength(1);
  });
});

describe('an offer of the far end', () => {
  it('is told to the host, and its answer goes back', async () => {
    const { router, call, updates, clock } = await incoming();
    const remote = call.remoteOffer(held);
    expect(updates).toEqual([{ type: 'offer', callId: 'in-1', description: { type: 'offer', sdp: held } }]);
    await router.onCall(answer('in-1'));
    expect([remote.answers, clock.pending]).toEqual([[agreed], 0]);
  });

  it('gets an answer with the candidates that came before and after it', async () => {
    const { router, account } = await talking();
    const remote = account.call.remoteOffer(held);
    const late = candidate.replace('54321', '54322');
    await router.onCall({ type: 'candidates', callId: 'out-1', candidates: [{ candidate, sdpMid: '0' }] });
    await router.onCall(answer('out-1', { candidatesComplete: false }));
    expect(remote.answers).toEqual([]);
    await router.onCall({ type: 'candidates', callId: 'out-1', candidates: [{ candidate: late, sdpMid: '0' }], endOfCandidates: true });
    expect(remote.answers).toEqual([expect.stringMatching(/54321[^]*54322/)]);
  });

  it('that the host does not answer within 10 s is refused 488, and the call goes on', async () => {
    const { router, account, clock, logged } = await talking();
    const remote = account.call.remoteOffer(held);
    await clock.advance(9_999);
    expect(remote.answers).toEqual([]);
    await clock.advance(1);
    expect(remote.answers).toEqual([488]);
    expect(logged.map(({ level }) => level)).toEqual(['warn']);
    await expect(router.onCall(answer('out-1'))).rejects.toMatchObject({ code: 'CALL_STATE' });
    expect(router.live).toBe(1);
  });

  it('that is taken back needs no answer any more, and the next one is told', async () => {
    const { router, account, told, clock } = await talking();
    const remote = account.call.remoteOffer(held);
    remote.onWithdrawn?.();
    await expect(router.onCall(answer('out-1'))).rejects.toMatchObject({ code: 'CALL_STATE' });
    account.call.remoteOffer(offerSdp);
    expect([told('out-1'), clock.pending]).toEqual([['offer', 'offer'], 1]);
  });

  it('is refused 491 while one of the host is under way, its candidates included', async () => {
    const { router, account, dialog, updates } = await talking();
    await router.onCall(offer('out-1', { candidatesComplete: false }));
    expect(account.call.remoteOffer(offerSdp).answers).toEqual([491]);
    await router.onCall({ type: 'candidates', callId: 'out-1', candidates: [], endOfCandidates: true });
    expect(account.call.remoteOffer(offerSdp).answers).toEqual([491]);
    dialog.reinvite.onAnswered(agreed);
    expect(updates).toMatchObject([{ type: 'answer' }]);
  });

  it('may be answered by hanging up', async () => {
    const { router, account, dialog, told, clock } = await talking();
    account.call.remoteOffer(held);
    await router.onCall({ type: 'hangup', callId: 'out-1' });
    expect([told('out-1'), dialog.byes.length, clock.pending]).toEqual([['offer', 'ended'], 1, 0]);
  });

  it('before our 200 is acknowledged is refused: the far end tries again', async () => {
    const made = world();
    const call = new FakeIncomingCall(made.account, { sdp: offerSdp });
    made.router.onIncoming(call);
    await made.router.onCall({ type: 'answer', callId: 'in-1', description: { type: 'answer', sdp: answerSdp } });
    expect(call.remoteOffer(held).answers).toEqual([500]);
    expect(made.told('in-1')).toEqual(['incoming']);
  });

  it('that asks for our description brings an answer to the host only when it says something new', async () => {
    const { account, updates } = await talking();
    account.call.remoteAnswer(agreed);
    account.call.remoteAnswer(agreed);
    expect(updates).toEqual([{ type: 'answer', callId: 'out-1', description: { type: 'answer', sdp: agreed } }]);
  });
});

describe('a far end that is gone', () => {
  it('ends the call, and says so', async () => {
    const { account, ended, clock, router } = await talking();
    await router.onCall(offer('out-1'));
    account.call.lose({ status: 408, phrase: 'Request Timeout' });
    expect(ended('out-1')).toMatchObject({ reason: 'unavailable', message: 'The other side does not answer any more.' });
    expect(clock.pending).toBe(0);
  });

  it('that did not refresh the session ends it with a sentence of its own', async () => {
    const { account, ended } = await talking();
    account.call.lose({ status: 408, phrase: 'Request Timeout', local: { code: 'SIP_SESSION_EXPIRED', message: '' } });
    expect(ended('out-1')).toMatchObject({
      reason: 'unavailable',
      message: 'The other side gave no sign of life any more (the session timer ran out).',
    });
  });

  it('that does not know the call any more ends it with what it said', async () => {
    const { call, ended } = await incoming();
    call.lose({ status: 481, phrase: 'Call Does Not Exist' });
    expect(ended('in-1')).toEqual({
      type: 'ended',
      callId: 'in-1',
      reason: 'call_does_not_exist',
      sip: { status: 481, phrase: 'Call Does Not Exist' },
      message: 'The other side does not know the call any more (481 Call Does Not Exist).',
    });
  });
});

describe('an offer that is under way when the call ends', () => {
  it('leaves no timer and tells nothing after the end', async () => {
    for (const end of ['remoteBye', 'hangup'] as const) {
      const { router, dialog, account, updates, clock } = await talking();
      await router.onCall(offer('out-1'));
      const { reinvite } = dialog;
      reinvite.onRefused({ status: 491, phrase: 'Request Pending' });
      if (end === 'remoteBye') account.call.remoteBye();
      else await router.onCall({ type: 'hangup', callId: 'out-1' });
      await clock.advance(10_000);
      reinvite.onAnswered(agreed);
      expect([updates.map(({ type }) => type), clock.pending, dialog.offers.length], end).toEqual([['ended'], 0, 1]);
    }
  });
});

describe('the WebRTC profile, in a call that talks', () => {
  const enforced = { settings: { webrtc: { ...settings.webrtc, enforce: true } } };
  const bare = offerSdp.replace(/a=fingerprint:[^\r]*\r\n/g, '');

  it('refuses an offer of either side that lacks something, and the call goes on', async () => {
    const { router, account, dialog, updates } = await talking(enforced);
    await router.onCall({ type: 'offer', callId: 'out-1', description: { type: 'offer', sdp: bare } });
    expect([updates, dialog.offers]).toEqual([[{ type: 'offerRejected', callId: 'out-1', status: 488 }], []]);
    expect(account.call.remoteOffer(bare).answers).toEqual([488]);
    expect([updates.length, router.live]).toEqual([1, 1]);
  });

  it('refuses the far end\'s offer when the host\'s answer lacks something', async () => {
    const { router, account, updates, clock } = await talking(enforced);
    const remote = account.call.remoteOffer(offerSdp);
    await router.onCall({ type: 'answer', callId: 'out-1', description: { type: 'answer', sdp: bare } });
    expect([remote.answers, updates.map(({ type }) => type), clock.pending]).toEqual([[488], ['offer'], 0]);
  });

  it('ends the call when the far end\'s answer lacks something: there is no session any more', async () => {
    const { router, dialog, ended, clock } = await talking(enforced);
    await router.onCall({ type: 'offer', callId: 'out-1', description: { type: 'offer', sdp: offerSdp } });
    dialog.reinvite.onAnswered(bare);
    expect(ended('out-1').reason).toBe('media');
    expect([dialog.byes, clock.pending]).toEqual([[expect.objectContaining({ cause: 488 })], 0]);
  });
});
