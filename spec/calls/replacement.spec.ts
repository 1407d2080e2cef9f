/** Somebody takes the place of the far end: INVITE with Replaces. */
import { describe, expect, it } from 'vitest';
import type { CallCommand } from '../../src/host/contract.js';
import { address, FakeDialog, FakeIncomingCall } from '../support/fake-sip.js';
import { answerSdp, offerSdp, world, type World, type WorldOptions } from './call-fixture.js';
import { talking } from './talking.js';

const carol = address('sip:601@pbx.example', 'Carol');
const answer: CallCommand = { type: 'answer', callId: 'out-1', description: { type: 'answer', sdp: answerSdp } };
const party = (uri: string, more: object = {}): object => ({ type: 'state', callId: 'out-1', state: 'talking', remote: { uri, ...more } });
const toldOfCarol = party('sip:601@pbx.example', { user: '601', displayName: 'Carol' });
const toldOfFarEnd = party('sip:600@pbx.example');
const offered = { type: 'offer', callId: 'out-1', description: { type: 'offer', sdp: offerSdp } };

type Replaced = World & { dialog: FakeDialog; call: FakeIncomingCall };
type Act = (made: Replaced) => void | Promise<void>;

async function replaced(options: WorldOptions = {}): Promise<Replaced> {
  const made = await talking(options);
  const call = new FakeIncomingCall(made.account, { from: carol, sdp: offerSdp, replaces: made.dialog });
  made.router.onIncoming(call);
  return { ...made, call };
}

describe('whoever takes the place of a far end', () => {
  it('offers in the call that the host has; answered, the far end is let go and the call goes on', async () => {
    const { router, call, dialog, updates, account, ended, clock } = await replaced();
    expect(updates).toEqual([toldOfCarol, offered]);
    await router.onCall(answer);
    expect([call.sent, dialog.byes.length, router.live]).toEqual([[{ status: 200, sdp: answerSdp }], 1, 1]);
    call.confirm();
    await router.onCall({ type: 'offer', callId: 'out-1', description: { type: 'offer', sdp: offerSdp } });
    expect([call.dialog.offers.length, dialog.offers.length, account.invites.length, clock.pending]).toEqual([1, 0, 1, 1]);
    call.remoteBye();
    expect([ended('out-1').reason, router.live]).toEqual(['normal', 0]);
  });

  it('is no call more, for who may have but one', async () => {
    const { call, updates } = await replaced({ settings: { maxPerUser: 1 } });
    expect([call.sent, updates.at(-1)]).toEqual([[], offered]);
  });

  it('may be replaced too, and may hand the call over', async () => {
    const { router, call, account } = await replaced();
    await router.onCall(answer);
    call.confirm();
    const next = new FakeIncomingCall(account, { from: address('sip:602@pbx.example'), sdp: offerSdp, replaces: call.dialog });
    router.onIncoming(next);
    await router.onCall(answer);
    expect([next.statuses, call.dialog.byes.length]).toEqual([[200], 1]);
    next.confirm();
    expect(next.remoteReferral('sip:603@pbx.example').said).toEqual(['accepted']);
  });

  it.each<[string, Act, number[]]>([
    ['the host does not answer in time', (made) => made.clock.advance(10_000), [488]],
    ['it gives up', ({ call }) => { call.cancel(); }, []],
  ])('leaves the call with the far end when %s', async (_why, act, statuses) => {
    const made = await replaced();
    await act(made);
    expect(made.updates).toEqual([toldOfCarol, offered, toldOfFarEnd]);
    expect([made.call.statuses, made.dialog.byes, made.router.live, made.clock.pending]).toEqual([statuses, [], 1, 0]);
    await expect(made.router.onCall(answer)).rejects.toMatchObject({ code: 'CALL_STATE' });
  });

  it.each<[string, Act]>([
    ['the host hangs up', ({ router }) => router.onCall({ type: 'hangup', callId: 'out-1' })],
    ['the far end hangs up', ({ account }) => { account.call.remoteBye(); }],
  ])('is refused when %s before the host has answered', async (_who, act) => {
    const made = await replaced();
    await act(made);
    expect([made.call.statuses, made.ended('out-1').reason, made.clock.pending]).toEqual([[480], 'normal', 0]);
  });

  it('waits while an offer is under way, or while the call changes hands already', async () => {
    const { router, account, dialog, call } = await replaced();
    const another = (): FakeIncomingCall => new FakeIncomingCall(account, { sdp: offerSdp, replaces: dialog });
    const second = another();
    router.onIncoming(second);
    expect([second.statuses, call.statuses, account.call.remoteReferral('sip:603@pbx.example').said]).toEqual([[491], [], [491]]);
    const busy = await talking();
    busy.account.call.remoteOffer(offerSdp);
    const third = new FakeIncomingCall(busy.account, { sdp: offerSdp, replaces: busy.dialog });
    busy.router.onIncoming(third);
    expect([third.statuses, busy.updates.map(({ type }) => type)]).toEqual([[491], ['offer']]);
  });

  it('finds nobody to replace when that call is over', () => {
    const { router, account, refused } = world();
    const call = new FakeIncomingCall(account, { sdp: offerSdp, replaces: new FakeDialog() });
    router.onIncoming(call);
    expect([call.statuses, refused, router.live]).toEqual([[481], [481], 0]);
  });
});
