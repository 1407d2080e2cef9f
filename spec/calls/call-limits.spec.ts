/** How many calls there may be, and that each is counted once and no longer than it lives. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CallLimits } from '../../src/calls/call-limits.js';
import type { CallCommand, Peer } from '../../src/host/contract.js';
import { FakeIncomingCall } from '../support/fake-sip.js';
import { ManualClock } from '../support/manual-clock.js';
import { answerSdp, offerSdp, world } from './call-fixture.js';
import { talking } from './talking.js';

const user = (id: number): Peer => ({ type: 1, id });

describe('a user with calls.max-per-user', () => {
  it('cannot place another, and is told so; somebody else can, and so can the user when one has ended', async () => {
    const { create, account, ended, router, endings, logged } = world({ settings: { maxPerUser: 2 } });
    await create({ callId: 'a' });
    await create({ callId: 'b' });
    await create({ callId: 'c' });
    expect(ended('c')).toEqual({
      type: 'ended',
      callId: 'c',
      reason: 'unavailable',
      message: 'This user has as many calls as it may have at once (calls.max-per-user).',
    });
    expect([account.invites.length, router.live]).toEqual([2, 2]);
    expect(endings).toMatchObject([{ callId: 'c', reason: 'unavailable', class: 'client', peer: user(101) }]);
    expect(logged.at(-1)?.message).toContain('A call was not placed: This user has as many calls');
    await create({ callId: 'd', from: user(102) });
    await router.onCall({ type: 'hangup', callId: 'a' });
    await create({ callId: 'e' });
    expect([account.invites.length, router.live]).toEqual([3, 3]);
  });

  it('is busy to callers, who may try again later, and the host hears nothing', async () => {
    const { create, account, router, updates, refused, refusals } = world({ settings: { maxPerUser: 1 } });
    await create();
    const call = new FakeIncomingCall(account, { sdp: offerSdp });
    router.onIncoming(call);
    expect(call.sent).toEqual([{ status: 486, phrase: 'Busy Here', retryAfterS: 30 }]);
    expect([refused, updates.filter(({ type }) => type === 'incoming')]).toEqual([[486], []]);
    expect(refusals).toMatchObject([{ reason: 'unavailable', class: 'client', status: 486, message: expect.stringContaining('calls.max-per-user') as string }]);
  });
});

describe('calls.max-total', () => {
  it('holds for everybody in both directions', async () => {
    const { create, account, ended, endings, router } = world({ settings: { maxTotal: 2 } });
    await create({ callId: 'a' });
    router.onIncoming(new FakeIncomingCall(account, { sdp: offerSdp }));
    await create({ callId: 'b', from: user(102) });
    expect([ended('b').reason, endings[0]?.class]).toEqual(['unavailable', 'server']);
    const call = new FakeIncomingCall(account, { sdp: offerSdp });
    router.onIncoming(call);
    expect(call.sent).toEqual([{ status: 503, phrase: 'Service Unavailable', retryAfterS: 30 }]);
    await router.onCall({ type: 'hangup', callId: 'a' });
    await create({ callId: 'c', from: user(102) });
    expect(router.live).toBe(2);
  });

  it('may be one', async () => {
    const { create, account, router } = world({ settings: { maxTotal: 1 } });
    await create({ callId: 'a' });
    const call = new FakeIncomingCall(account, { sdp: offerSdp });
    router.onIncoming(call);
    expect([router.live, call.statuses]).toEqual([1, [503]]);
  });
});

describe('calls.max-per-minute', () => {
  it('holds for what a user places within any minute, however short the calls', async () => {
    const { create, ended, router, account, clock } = world({ settings: { maxPerMinute: 2 } });
    const place = async (callId: string, from = user(101)): Promise<boolean> => {
      const before = account.invites.length;
      await create({ callId, from });
      if (account.invites.length > before) await router.onCall({ type: 'hangup', callId });
      return account.invites.length > before;
    };
    expect(await place('a')).toBe(true);
    await clock.advance(30_000);
    expect([await place('b'), await place('c')]).toEqual([true, false]);
    expect(ended('c').message).toBe('This user has placed as many calls as it may in a minute (calls.max-per-minute); try again later.');
    await clock.advance(29_999);
    expect(await place('d')).toBe(false);
    await clock.advance(1);
    expect([await place('e'), await place('f')]).toEqual([true, false]);
    await create({ callId: 'g', from: user(102) });
    expect(router.live).toBe(1);
  });

  it('counts a transfer, which has somebody called too, and no call that comes in', async () => {
    const { router, account, dialog, updates } = await talking({ settings: { maxPerMinute: 2 } });
    router.onIncoming(new FakeIncomingCall(account, { sdp: offerSdp }));
    const transfer: CallCommand = { type: 'transfer', callId: 'out-1', to: { address: '601' } };
    await router.onCall(transfer);
    dialog.referrals[0]?.onResult(486);
    await router.onCall(transfer);
    expect([dialog.referrals.length, updates.filter((update) => update.type === 'transfer').length]).toEqual([1, 2]);
  });

  it('forgets who placed nothing for a minute', async () => {
    const clock = new ManualClock();
    const limits = new CallLimits({ maxPerUser: 0, maxPerMinute: 5, maxTotal: 0 }, { live: 0, liveOf: () => 0 }, clock);
    for (let id = 0; id < 100; id += 1) limits.place(user(id));
    await clock.advance(59_999);
    limits.place(user(0));
    expect(limits.remembered).toBe(100);
    await clock.advance(1);
    limits.place(user(1_000));
    expect(limits.remembered).toBe(2);
  });
});

const steps = ['place', 'place102', 'receive', 'answer', 'accept', 'refuse', 'hangup', 'cancel', 'bye', 'reuse', 'wait'] as const;

describe('whatever happens to calls', () => {
  it('each is counted while it lives and not after: never more than may be, and room again when all are over', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...steps), { maxLength: 25 }), fc.nat(), async (sequence, seed) => {
        const { create, router, account, accounts, updates, clock } = world({ settings: { maxPerUser: 2, maxTotal: 3 } });
        const owners = new Map<string, number>();
        const incoming: FakeIncomingCall[] = [];
        const living = (): string[] => {
          for (const update of updates) if (update.type === 'incoming') owners.set(update.callId, 101);
          const over = new Set(updates.filter(({ type }) => type === 'ended').map(({ callId }) => callId));
          return [...owners.keys()].filter((callId) => !over.has(callId));
        };
        const place = async (id: number): Promise<void> => {
          const callId = `c${String(owners.size)}`;
          owners.set(callId, id);
          await create({ callId, from: user(id) });
        };
        for (const [turn, step] of sequence.entries()) {
          const some = living()[(seed + turn) % Math.max(living().length, 1)] ?? '';
          const [far] = [account, accounts.get(2)].map((each) => each?.invites.at((seed + turn) % Math.max(each.invites.length, 1)));
          const near = incoming.at((seed + turn) % Math.max(incoming.length, 1));
          if (step === 'place') await place(101);
          else if (step === 'place102') await place(102);
          else if (step === 'receive') {
            const call = new FakeIncomingCall(account, { sdp: offerSdp });
            router.onIncoming(call);
            if (call.sent.length === 0) incoming.push(call);
          } else if (step === 'answer') await router.onCall({ type: 'answer', callId: some, description: { type: 'answer', sdp: answerSdp } }).catch(() => undefined);
          else if (step === 'hangup') await router.onCall({ type: 'hangup', callId: some }).catch(() => undefined);
          else if (step === 'accept') far?.accept(answerSdp);
          else if (step === 'refuse') far?.refuse(486, 'Busy Here');
          else if (step === 'bye') far?.remoteBye();
          else if (step === 'cancel' && near?.statuses.every((status) => status < 200) === true) near.cancel();
          else if (step === 'reuse' && some !== '') await create({ callId: some }).catch(() => undefined);
          else if (step === 'wait') await clock.advance(45_000);
          const alive = living();
          expect(router.live).toBe(alive.length);
          expect(alive.length).toBeLessThanOrEqual(3);
          for (const id of [101, 102]) expect(alive.filter((callId) => owners.get(callId) === id).length).toBeLessThanOrEqual(2);
        }
        for (const callId of living()) await router.onCall({ type: 'hangup', callId });
        await clock.advance(200_000);
        for (const id of [101, 101, 102]) await place(id);
        expect(router.live).toBe(3);
      }),
      { numRuns: 200 },
    );
  });
});
