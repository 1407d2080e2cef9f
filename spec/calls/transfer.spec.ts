/** Transfers that the host asks for. */
import { describe, expect, it } from 'vitest';
import { toDialling } from '../../src/calls/dialling.js';
import type { CallCommand } from '../../src/host/contract.js';
import { FakeIncomingCall, type FakeDialog } from '../support/fake-sip.js';
import { answerSdp, offerSdp, type World } from './call-fixture.js';
import { talking } from './talking.js';

type To = Extract<CallCommand, { type: 'transfer' }>['to'];
const transfer = (to: To): CallCommand => ({ type: 'transfer', callId: 'out-1', to });
const blind = transfer({ address: '601' });

/** Beside the call that talks, another that was taken from SIP. */
async function withAnother(): Promise<World & { dialog: FakeDialog; other: FakeIncomingCall }> {
  const made = await talking();
  const other = new FakeIncomingCall(made.account, { sdp: offerSdp });
  made.router.onIncoming(other);
  await made.router.onCall({ type: 'answer', callId: 'in-1', description: { type: 'answer', sdp: answerSdp } });
  return { ...made, other };
}

describe('a blind transfer', () => {
  it('refers the far end to the routed target, tells how it goes, and ends the call when it is done', async () => {
    const { router, dialog, updates, clock } = await talking();
    await router.onCall(blind);
    expect(dialog.referrals.map(({ to }) => to)).toEqual(['sip:601@pbx.example']);
    dialog.referrals[0]?.onTaken();
    dialog.referrals[0]?.onResult(200);
    expect(updates).toEqual([
      { type: 'transfer', callId: 'out-1', state: 'trying' },
      { type: 'transfer', callId: 'out-1', state: 'accepted' },
      { type: 'ended', callId: 'out-1', reason: 'transfer', message: 'The call was transferred.' },
    ]);
    expect([dialog.byes.length, clock.pending, router.live]).toEqual([1, 0, 0]);
  });

  it('to a number that may not be called is refused here, and the far end hears nothing of it', async () => {
    const dialling = toDialling({ allow: [], deny: ['+1900*'], number: { rewrite: [{ match: '^001', to: '+1' }] } });
    const { router, dialog, updates, logged } = await talking({ settings: { dialling } });
    await router.onCall(transfer({ address: '001 900 555 0123' }));
    expect([dialog.referrals, updates]).toEqual([[], [{ type: 'transfer', callId: 'out-1', state: 'failed' }]]);
    expect(logged.at(-1)?.message).toBe('A call was not transferred: This address may not be called from here (calls.deny).');
    await router.onCall(transfer({ address: '601' }));
    expect(dialog.referrals.map(({ to }) => to)).toEqual(['sip:601@pbx.example']);
  });

  it('goes to another messenger user by the SIP account', async () => {
    const { router, dialog } = await talking();
    await router.onCall(transfer({ peer: { type: 1, id: 102 } }));
    expect(dialog.referrals[0]?.to).toBe('sip:432@pbx.example');
  });

  it.each([
    ['is refused', 603],
    ['rang in vain', 486],
    ['nobody knows the end of', undefined],
  ])('that %s is told as failed, the call goes on, and another may follow', async (_how, status) => {
    const { router, dialog, updates, clock } = await talking();
    await router.onCall(blind);
    dialog.referrals[0]?.onResult(status);
    expect(updates).toEqual([{ type: 'transfer', callId: 'out-1', state: 'failed', ...(status === undefined ? {} : { status }) }]);
    expect([router.live, dialog.byes, clock.pending]).toEqual([1, [], 0]);
    await router.onCall(blind);
    expect(dialog.referrals).toHaveLength(2);
  });

  it('is told as failed at once when there is no way to the new party', async () => {
    const { router, dialog, updates } = await talking();
    await router.onCall(transfer({ address: '::: no' }));
    expect([dialog.referrals, updates]).toEqual([[], [{ type: 'transfer', callId: 'out-1', state: 'failed' }]]);
  });

  it('whose far end hangs up once it has taken it is done', async () => {
    const { router, dialog, account, told, ended } = await talking();
    await router.onCall(blind);
    dialog.referrals[0]?.onTaken();
    account.call.remoteBye();
    expect([told('out-1'), ended('out-1').reason]).toEqual([['transfer', 'transfer', 'ended'], 'transfer']);
  });

  it('whose far end hangs up before it has taken it is an ordinary end', async () => {
    const { router, account, ended, clock } = await talking();
    await router.onCall(blind);
    account.call.remoteBye();
    expect([ended('out-1').reason, clock.pending]).toEqual(['normal', 0]);
  });

  it('that the far end is silent about fails after 2 minutes, and what it says later means nothing', async () => {
    const { router, dialog, updates, clock } = await talking();
    await router.onCall(blind);
    dialog.referrals[0]?.onTaken();
    await clock.advance(120_000);
    expect(updates.at(-1)).toEqual({ type: 'transfer', callId: 'out-1', state: 'failed', status: 408 });
    dialog.referrals[0]?.onResult(200);
    expect([updates.length, router.live]).toEqual([2, 1]);
  });

  it('is not taken while another is under way', async () => {
    const { router } = await talking();
    await router.onCall(blind);
    await expect(router.onCall(blind)).rejects.toMatchObject({ code: 'CALL_STATE' });
  });
});

describe('an attended transfer', () => {
  it('has the far end take the other call over, and ends both when it is done', async () => {
    const { router, dialog, other, told, ended } = await withAnother();
    other.confirm();
    await router.onCall(transfer({ callId: 'in-1' }));
    expect(dialog.referrals[0]?.to).toBe(other.dialog.replacement);
    dialog.referrals[0]?.onTaken();
    dialog.referrals[0]?.onResult(200);
    expect(told('out-1')).toEqual(['transfer', 'transfer', 'ended']);
    expect([ended('out-1').reason, ended('in-1').reason, other.dialog.byes.length]).toEqual(['transfer', 'transfer', 1]);
    expect(router.live).toBe(0);
  });

  it('leaves both calls when it fails', async () => {
    const { router, dialog, other } = await withAnother();
    other.confirm();
    await router.onCall(transfer({ callId: 'in-1' }));
    dialog.referrals[0]?.onResult(503);
    expect([router.live, other.dialog.byes]).toEqual([2, []]);
  });

  it('is not taken to a call that is not there, to itself, or to one that does not talk yet', async () => {
    const { router } = await withAnother();
    await expect(router.onCall(transfer({ callId: 'nobody' }))).rejects.toMatchObject({ code: 'CALL_NOT_FOUND' });
    await expect(router.onCall(transfer({ callId: 'out-1' }))).rejects.toMatchObject({ code: 'CALL_STATE' });
    await expect(router.onCall(transfer({ callId: 'in-1' }))).rejects.toMatchObject({ code: 'CALL_STATE' });
  });
});
