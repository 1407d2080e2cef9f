/** The far end has the call go on with somebody else: REFER. */
import { describe, expect, it } from 'vitest';
import { toDialling } from '../../src/calls/dialling.js';
import type { CallCommand } from '../../src/host/contract.js';
import { address, FakeIncomingCall, FakeRemoteOffer, type FakeDialog, type FakeOutgoingCall, type FakeReferral } from '../support/fake-sip.js';
import { answerSdp, offerSdp, settings, world, type World, type WorldOptions } from './call-fixture.js';
import { unfitSdp } from './far-ends.js';
import { talking } from './talking.js';

const carol = 'sip:601@pbx.example';
const restarted = `${offerSdp}a=note:restarted\r\n`;
const agreed = `${answerSdp}a=note:agreed\r\n`;
const offer: CallCommand = { type: 'offer', callId: 'out-1', description: { type: 'offer', sdp: restarted } };
const answer: CallCommand = { type: 'answer', callId: 'out-1', description: { type: 'answer', sdp: agreed } };

type Handed = World & { dialog: FakeDialog; farEnd: FakeOutgoingCall; referral: FakeReferral; leg: FakeOutgoingCall };

const strict: WorldOptions = { settings: { webrtc: { ...settings.webrtc, enforce: true } } };

/** A call that talks, whose far end has sent REFER; `leg` is the call to the new party. */
async function referred(options: WorldOptions = {}, replaces?: string): Promise<Handed> {
  const made = await talking(options);
  const farEnd = made.account.call;
  const referral = farEnd.remoteReferral(carol, replaces, '<sip:600@pbx.example>');
  return { ...made, farEnd, referral, leg: made.account.call };
}

/** And the new party has answered. */
async function joined(options: WorldOptions = {}): Promise<Handed> {
  const made = await referred(options);
  made.leg.accept(answerSdp, address(carol, 'Carol'));
  return made;
}

const toldOfCarol = { type: 'state', callId: 'out-1', state: 'talking', remote: { uri: carol, user: '601', displayName: 'Carol' } };

describe('a far end that hands the call over', () => {
  it('has the new party called with what the client said last, and on its behalf', async () => {
    const { referral, leg, farEnd, updates, dialog } = await referred({}, 'call;to-tag=a;from-tag=b');
    expect(referral.said).toEqual(['accepted']);
    expect(leg).not.toBe(farEnd);
    expect(leg.options).toMatchObject({ to: carol, sdp: dialog.localSdp, replaces: 'call;to-tag=a;from-tag=b', referredBy: '<sip:600@pbx.example>' });
    leg.progress(180);
    expect(referral.said).toEqual(['accepted', '180 Provisional']);
    expect(updates).toEqual([]);
  });

  it('offers no hold, and leaves the new party the choice of the DTLS role', async () => {
    const { dialog, account } = await talking();
    dialog.localSdp = 'v=0\r\nm=audio 9 RTP/AVP 0\r\na=setup:active\r\na=recvonly\r\nm=video 9 RTP/AVP 96\r\na=setup:active\r\na=recvonly\r\n';
    account.call.remoteReferral(carol);
    expect(account.call.options.sdp).toBe('v=0\r\nm=audio 9 RTP/AVP 0\r\na=setup:actpass\r\na=sendrecv\r\nm=video 9 RTP/AVP 96\r\na=setup:actpass\r\na=recvonly\r\n');
  });

  it('tells the host of the new party, whose offer then goes there; and is told and let go when it has its answer', async () => {
    const { router, referral, leg, dialog, updates, clock } = await joined();
    expect(updates).toEqual([toldOfCarol]);
    await router.onCall(offer);
    expect([leg.dialog.reinvite.sdp, dialog.offers, dialog.byes]).toEqual([restarted, [], []]);
    leg.dialog.reinvite.onAnswered(agreed);
    expect(updates.slice(1)).toEqual([{ type: 'answer', callId: 'out-1', description: { type: 'answer', sdp: agreed } }]);
    expect([referral.said, dialog.byes.length, leg.dialog.byes, router.live, clock.pending]).toEqual([['accepted', '200 OK'], 1, [], 1, 0]);
  });

  it('has the new party offer when the host makes no offer within 2 s', async () => {
    const { router, referral, leg, dialog, updates, clock } = await joined();
    await clock.advance(1_999);
    expect(leg.dialog.sought).toEqual([]);
    await clock.advance(1);
    const asked = new FakeRemoteOffer(restarted);
    leg.dialog.sought[0]?.onOffer(asked);
    expect(updates.slice(1)).toEqual([{ type: 'offer', callId: 'out-1', description: { type: 'offer', sdp: restarted } }]);
    expect(referral.said).toEqual(['accepted']);
    await router.onCall(answer);
    expect([asked.answers, referral.said, dialog.byes.length, clock.pending]).toEqual([[agreed], ['accepted', '200 OK'], 1, 0]);
  });

  it('leaves a call that goes on with the new party as any other: tones, offers, hanging up', async () => {
    const { router, leg, updates, ended } = await joined();
    await router.onCall(offer);
    leg.dialog.reinvite.onAnswered(agreed);
    updates.length = 0;
    await router.onCall({ type: 'dtmf', callId: 'out-1', tones: '5' });
    leg.remoteTone('7');
    const remote = leg.remoteOffer(offerSdp);
    await router.onCall(answer);
    expect([leg.dialog.tones.map(({ tone }) => tone), remote.answers]).toEqual([['5'], [agreed]]);
    expect(updates.map(({ type }) => type)).toEqual(['dtmf', 'offer']);
    leg.remoteBye();
    expect([ended('out-1').reason, router.live]).toEqual(['normal', 0]);
  });

  it('may be followed by the new party, which hands it over in its turn', async () => {
    const { router, leg, account, dialog } = await joined();
    await router.onCall(offer);
    leg.dialog.reinvite.onAnswered(agreed);
    const next = leg.remoteReferral('sip:602@pbx.example');
    account.call.accept(answerSdp);
    await router.onCall(offer);
    account.call.dialog.reinvite.onAnswered(agreed);
    expect([next.said, dialog.byes.length, leg.dialog.byes.length, account.call.dialog.byes, router.live]).toEqual([['accepted', '200 OK'], 1, 1, [], 1]);
  });

  it('of a call from SIP does the same', async () => {
    const { router, account, updates } = world();
    const call = new FakeIncomingCall(account, { sdp: offerSdp });
    router.onIncoming(call);
    await router.onCall({ type: 'answer', callId: 'in-1', description: { type: 'answer', sdp: answerSdp } });
    call.confirm();
    const referral = call.remoteReferral(carol);
    account.call.accept(answerSdp, address(carol));
    expect(updates.at(-1)).toMatchObject({ type: 'state', callId: 'in-1', state: 'talking', remote: { uri: carol } });
    await router.onCall({ ...offer, callId: 'in-1' });
    account.call.dialog.reinvite.onAnswered(agreed);
    expect([referral.said, call.dialog.byes.length]).toEqual([['accepted', '200 OK'], 1]);
  });
});

describe('a handover that comes to nothing leaves the call as it was', () => {
  it.each([
    ['refuses', (leg: FakeOutgoingCall) => { leg.refuse(486, 'Busy Here'); }, '486 Busy Here'],
    ['answers without media', (leg: FakeOutgoingCall) => { leg.accept(); }, '488 Not Acceptable Here'],
  ])('when the new party %s: the far end is told, the host is not', async (_how, act, said) => {
    const { router, referral, leg, dialog, updates, clock } = await referred();
    act(leg);
    expect([referral.said, updates, dialog.byes, router.live, clock.pending]).toEqual([['accepted', said], [], [], 1, 0]);
    await router.onCall(offer);
    expect(dialog.offers).toHaveLength(1);
  });

  it('when it rings in vain', async () => {
    const { referral, leg, clock, dialog } = await referred();
    await clock.advance(60_000);
    expect([referral.said, leg.cancels.length, dialog.byes]).toEqual([['accepted', '408 Request Timeout'], 1, []]);
  });

  it.each<[string, (made: Handed) => void | Promise<void>, string, number]>([
    ['the new party hangs up', ({ leg }) => { leg.remoteBye(); }, '487 Request Terminated', 0],
    ['the new party refuses the offer', ({ leg }) => { leg.dialog.reinvite.onRefused({ status: 488, phrase: 'No' }); }, '488 Not Acceptable Here', 1],
    ['nothing is agreed in time', ({ clock }) => clock.advance(17_000), '488 Not Acceptable Here', 1],
  ])('when %s before both have agreed: the host goes back to the far end', async (_how, act, said, byes) => {
    const made = await joined();
    await made.router.onCall(offer);
    await act(made);
    expect(made.updates.at(-1)).toEqual({ type: 'state', callId: 'out-1', state: 'talking', remote: { uri: 'sip:600@pbx.example' } });
    expect(made.updates.filter(({ type }) => type === 'offerRejected')).toHaveLength(1);
    expect([made.referral.said, made.leg.dialog.byes.length, made.dialog.byes, made.router.live]).toEqual([['accepted', said], byes, [], 1]);
    await made.router.onCall(offer);
    expect(made.dialog.offers).toHaveLength(1);
  });

  it('when the new party, asked, offers nothing', async () => {
    const { referral, leg, clock } = await joined();
    await clock.advance(2_000);
    leg.dialog.sought[0]?.onRefused({ status: 415, phrase: 'No' });
    expect([referral.said, leg.dialog.byes.length, clock.pending]).toEqual([['accepted', '488 Not Acceptable Here'], 1, 0]);
  });

  it('when the host does not answer what the new party offered', async () => {
    const { referral, leg, clock } = await joined();
    await clock.advance(2_000);
    const asked = new FakeRemoteOffer(restarted);
    leg.dialog.sought[0]?.onOffer(asked);
    await clock.advance(10_000);
    expect([asked.answers, referral.said]).toEqual([[488], ['accepted', '488 Not Acceptable Here']]);
  });
});

describe('a far end that hangs up as soon as it has handed the call over', () => {
  it('leaves it to the new party', async () => {
    const { router, farEnd, leg, updates, dialog, ended } = await referred();
    farEnd.remoteBye();
    expect([updates, router.live]).toEqual([[], 1]);
    await expect(router.onCall(offer)).rejects.toMatchObject({ code: 'CALL_STATE' });
    leg.accept(answerSdp, address(carol, 'Carol'));
    await router.onCall(offer);
    leg.dialog.reinvite.onAnswered(agreed);
    expect([updates[0], dialog.byes, leg.dialog.byes]).toEqual([toldOfCarol, [], []]);
    await router.onCall({ type: 'hangup', callId: 'out-1' });
    expect([ended('out-1').reason, leg.dialog.byes.length]).toEqual(['normal', 1]);
  });

  it.each([
    ['is busy', (leg: FakeOutgoingCall) => { leg.refuse(486, 'Busy Here'); }, 'busy'],
    ['answers and hangs up', (leg: FakeOutgoingCall) => { leg.accept(answerSdp); leg.remoteBye(); }, 'normal'],
  ] as const)('ends it when the new party %s', async (_how, act, reason) => {
    const { router, farEnd, leg, ended, clock } = await referred();
    farEnd.remoteBye();
    act(leg);
    expect([ended('out-1').reason, router.live, clock.pending]).toEqual([reason, 0, 0]);
  });

  it('ends it when nothing is agreed with the new party, and says so', async () => {
    const { farEnd, leg, ended, clock } = await referred();
    farEnd.remoteBye();
    leg.accept(answerSdp);
    await clock.advance(17_000);
    expect(ended('out-1')).toMatchObject({ reason: 'media', message: expect.stringContaining('handed over') as string });
    expect(leg.dialog.byes).toHaveLength(1);
  });
});

describe('a call that is handed over', () => {
  it('ends on both sides when the host hangs up', async () => {
    const calling = await referred();
    await calling.router.onCall({ type: 'hangup', callId: 'out-1' });
    expect([calling.dialog.byes.length, calling.leg.cancels.length, calling.ended('out-1').reason, calling.clock.pending]).toEqual([1, 1, 'normal', 0]);
    const made = await joined();
    await made.router.onCall({ type: 'hangup', callId: 'out-1' });
    expect([made.dialog.byes.length, made.leg.dialog.byes.length, made.clock.pending]).toEqual([1, 1, 0]);
  });

  it('cannot be transferred, taken over or handed over again meanwhile', async () => {
    const { router, farEnd, leg, account } = await referred();
    expect(farEnd.remoteReferral('sip:602@pbx.example').said).toEqual([491]);
    expect(account.call).toBe(leg);
    await expect(router.onCall({ type: 'transfer', callId: 'out-1', to: { address: '603' } })).rejects.toMatchObject({ code: 'CALL_STATE' });
  });

  it('has an offer of the far end wait once the new party is there', async () => {
    const { farEnd } = await joined();
    expect(farEnd.remoteOffer(offerSdp).answers).toEqual([491]);
  });

  it('hears nothing any more of what the host had offered the far end before', async () => {
    const { router, account, dialog, updates } = await talking(strict);
    const farEnd = account.call;
    await router.onCall(offer);
    farEnd.remoteReferral(carol);
    account.call.accept(answerSdp, address(carol));
    expect(updates.map(({ type }) => type)).toEqual(['offerRejected', 'state']);
    dialog.reinvite.onAnswered(unfitSdp);
    expect([updates.length, dialog.byes, router.live]).toEqual([2, [], 1]);
  });

  it('waits for no tone that the far end before was sent', async () => {
    const { router, farEnd, dialog, leg, clock } = await referred();
    await router.onCall({ type: 'dtmf', callId: 'out-1', tones: '12' });
    leg.accept(answerSdp);
    dialog.tones[0]?.answer(200);
    expect([dialog.tones.length, farEnd.dialog]).toEqual([1, dialog]);
    await router.onCall({ type: 'hangup', callId: 'out-1' });
    expect(clock.pending).toBe(0);
  });

  it('ends when the new party, that has it, answers with what cannot be used', async () => {
    const { router, leg, ended } = await joined(strict);
    await router.onCall(offer);
    leg.dialog.reinvite.onAnswered(agreed);
    await router.onCall(offer);
    leg.dialog.reinvite.onAnswered(unfitSdp);
    expect([ended('out-1').reason, leg.dialog.byes.length, router.live]).toEqual(['media', 1, 0]);
  });

  it('is told to the journal anew when its far end is another', async () => {
    const ends: unknown[] = [];
    const journal = { changed: ({ looseEnd }: { looseEnd: unknown }) => ends.push(looseEnd), over: () => undefined };
    const { router, leg } = await joined({ journal });
    await router.onCall(offer);
    leg.dialog.reinvite.onAnswered(agreed);
    expect(ends.at(-1)).toBe(leg.dialog.looseEnd);
  });
});

describe('a far end that wants what the user may not', () => {
  const refused = async (options: WorldOptions, target = carol): Promise<[FakeReferral, World]> => {
    const made = await talking(options);
    return [made.account.call.remoteReferral(target), made];
  };

  it('is refused 403 for an address that may not be called, and nobody is called', async () => {
    const dialling = toDialling({ allow: [], deny: ['60*'], number: { rewrite: [] } });
    const { router, account, create } = world({ settings: { dialling } });
    await create({ to: { address: '700' } });
    account.call.accept(answerSdp);
    expect([account.call.remoteReferral(carol).said, account.invites.length, router.live]).toEqual([[403], 1, 1]);
  });

  it('is refused 403 when the user has placed as many calls as it may in a minute', async () => {
    const [referral, { account }] = await refused({ settings: { maxPerMinute: 1 } });
    expect([referral.said, account.invites.length]).toEqual([[403], 1]);
  });

  it('is refused 404 for what is no address that can be called', async () => {
    const [referral] = await refused({}, 'sip:@');
    expect(referral.said).toEqual([404]);
  });

  it('is refused while a transfer of the host is under way', async () => {
    const { router, account } = await talking();
    await router.onCall({ type: 'transfer', callId: 'out-1', to: { address: '603' } });
    expect(account.call.remoteReferral(carol).said).toEqual([491]);
  });

  it('is refused before the call talks', async () => {
    const { router, account } = world();
    const call = new FakeIncomingCall(account, { sdp: offerSdp });
    router.onIncoming(call);
    await router.onCall({ type: 'answer', callId: 'in-1', description: { type: 'answer', sdp: answerSdp } });
    expect(call.remoteReferral(carol).said).toEqual([500]);
  });
});
