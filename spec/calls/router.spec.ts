import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallCommand, HostUser } from '../../src/host/contract.js';
import { FakeIncomingCall } from '../support/fake-sip.js';
import { settle } from '../support/manual-clock.js';
import { answerSdp, mapping, offerSdp, world } from './call-fixture.js';

const answer = (callId: string): CallCommand => ({ type: 'answer', callId, description: { type: 'answer', sdp: answerSdp } });

describe('the call router', () => {
  it('refuses a second call under an id that lives, whichever way that call goes', async () => {
    const { create, router, account } = world();
    await create();
    router.onIncoming(new FakeIncomingCall(account));
    await expect(create()).rejects.toMatchObject({ code: 'CALL_EXISTS' });
    await expect(create({ callId: 'in-1' })).rejects.toMatchObject({ code: 'CALL_EXISTS' });
    expect([router.live, account.invites.length]).toEqual([2, 1]);
  });

  it.each([{ type: 'hangup' }, { type: 'ringing' }, { type: 'candidates', candidates: [] }] as const)(
    'says that it knows no such call: %j',
    async (command) => {
      const { router } = world();
      await expect(router.onCall({ ...command, callId: 'nobody' } as CallCommand)).rejects.toMatchObject({
        name: 'CallNotFoundError',
        code: 'CALL_NOT_FOUND',
      });
    },
  );

  it('refuses what it does not understand or cannot do, and leaves the calls alone', async () => {
    const { create, router, told } = world();
    await create();
    await expect(router.onCall({ type: 'hangup' } as CallCommand)).rejects.toMatchObject({ code: 'COMMAND_INVALID' });
    await expect(router.onCall({ type: 'dtmf', callId: 'out-1', tones: '1' })).rejects.toMatchObject({ code: 'CALL_STATE' });
    expect([told('out-1'), router.live]).toEqual([['trying'], 1]);
  });

  it('gives each incoming call an id of its own', () => {
    const { router, account, updates } = world();
    for (let call = 0; call < 3; call += 1) router.onIncoming(new FakeIncomingCall(account));
    expect(new Set(updates.map(({ callId }) => callId)).size).toBe(3);
  });

  it('lets a host that hangs or throws in one call\'s update harm no other call', async () => {
    const { create, account, accounts, told, router } = world({
      onUpdate: (update) => {
        if (update.callId === 'out-1') return new Promise<void>(() => undefined);
        throw new Error('the host is broken');
      },
    });
    await create();
    account.call.progress(180);
    await create({ callId: 'out-2', from: { type: 1, id: 102 } });
    accounts.get(2)?.call.accept(answerSdp);
    accounts.get(2)?.call.remoteBye();
    await settle();
    expect([told('out-1'), told('out-2')]).toEqual([['trying'], ['trying', 'talking', 'ended']]);
    expect(router.live).toBe(1);
  });
});

describe('whether users are enabled', () => {
  const disabled = (...ids: number[]) => (id: number): Promise<HostUser> => Promise.resolve({ id, name: `User ${String(id)}`, disabled: ids.includes(id) });

  it('is asked of the host before a call is placed', async () => {
    const { create, told, ended, account } = world({ find: disabled(101) });
    await create();
    expect(told('out-1')).toEqual([]);
    await settle();
    expect([told('out-1'), ended('out-1').reason, account.invites.length]).toEqual([['ended'], 'caller_disabled', 0]);
  });

  it('is asked of the user called too', async () => {
    const { create, ended } = world({ find: disabled(102) });
    await create({ to: { peer: { type: 1, id: 102 } } });
    await settle();
    expect(ended('out-1').reason).toBe('callee_disabled');
  });

  it('brings the caller\'s name along, for accounts that have none of their own', async () => {
    const named = world({ find: disabled() });
    await named.create();
    await settle();
    expect(named.account.call.options.displayName).toBe('User 101');
    const own = world({ find: disabled(), mappings: [mapping(1, { displayName: 'Front desk' })] });
    await own.create();
    await settle();
    expect(own.account.call.options.displayName).toBeUndefined();
  });

  it('refuses an incoming call for a disabled user with 480, and the host hears nothing of it', async () => {
    const { router, account, updates, clock, refused, refusals } = world({ find: disabled(101) });
    const call = new FakeIncomingCall(account);
    router.onIncoming(call);
    await settle();
    expect([call.statuses, updates, router.live, clock.pending]).toEqual([[480], [], 0, 0]);
    expect(refused).toEqual([480]);
    expect(refusals).toMatchObject([{ callId: 'in-1', reason: 'callee_disabled', status: 480, message: 'The user called is disabled.' }]);
  });

  it.each([
    ['throws', (): Promise<undefined> => { throw new Error('no users today'); }, 0],
    ['rejects', (): Promise<undefined> => Promise.reject(new Error('no users today')), 0],
    ['knows no such user', (): Promise<undefined> => Promise.resolve(undefined), 0],
    ['never answers', (): Promise<undefined> => new Promise<undefined>(() => undefined), 2_000],
  ])('does not keep a call from its way when the host %s', async (_name, find, waitMs) => {
    const { create, router, account, told, clock, logged } = world({ find });
    const call = new FakeIncomingCall(account);
    await create();
    router.onIncoming(call);
    if (waitMs > 0) {
      await clock.advance(waitMs - 1);
      expect([told('out-1'), told('in-1')]).toEqual([[], []]);
    }
    await clock.advance(waitMs > 0 ? 1 : 0);
    expect([told('out-1'), told('in-1'), account.invites.length]).toEqual([['trying'], ['incoming'], 1]);
    expect(logged.some(({ level }) => level === 'warn')).toBe(_name !== 'knows no such user');
  });

  it('comes too late for a call that was given up meanwhile', async () => {
    const answers: ((user: HostUser) => void)[] = [];
    const { create, router, account, told } = world({ find: () => new Promise((resolve) => answers.push(resolve)) });
    const call = new FakeIncomingCall(account);
    await create();
    router.onIncoming(call);
    await router.onCall({ type: 'hangup', callId: 'out-1' });
    call.cancel();
    for (const reply of answers) reply({ id: 101 });
    await settle();
    expect([told('out-1'), told('in-1'), account.invites.length, router.live]).toEqual([['ended'], [], 0, 0]);
  });

  it('changes nothing any more when the host says it after the call went on without it', async () => {
    const answers: ((user: HostUser) => void)[] = [];
    const { create, router, account, told, clock, logged } = world({ find: () => new Promise((resolve) => answers.push(resolve)) });
    const call = new FakeIncomingCall(account);
    await create({ candidatesComplete: false });
    router.onIncoming(call);
    await clock.advance(2_000);
    const linesBefore = logged.length;
    for (const reply of answers) reply({ id: 101, name: 'Too late', disabled: answers.indexOf(reply) === 1 });
    await clock.advance(2_000);
    expect(account.call.options.displayName).toBeUndefined();
    await clock.advance(58_000);
    expect(call.sent).toMatchObject([{ status: 480, reason: { cause: 19 } }]);
    expect([told('in-1'), logged.slice(linesBefore).map(({ message }) => message)]).toEqual([
      ['incoming', 'ended'],
      ['A call failed: The other side did not start to ring within 30 s.'],
    ]);
  });

  it('does not lose candidates that come while the host is asked', async () => {
    const { create, router, account } = world({ find: disabled() });
    await create({ candidatesComplete: false });
    await router.onCall({ type: 'candidates', callId: 'out-1', candidates: [{ candidate: 'candidate:1' }], endOfCandidates: true });
    await settle();
    expect(account.call.options.sdp).toContain('a=candidate:1\r\na=end-of-candidates\r\n');
  });
});

describe('draining', () => {
  it('takes no new calls: an outgoing one gets its ended, an incoming one 503 with Retry-After', async () => {
    const { create, router, account, ended, endings, updates, refused, refusals } = world();
    await router.drain(0);
    await create();
    expect([ended('out-1').reason, endings.length]).toEqual(['unavailable', 1]);
    const call = new FakeIncomingCall(account);
    router.onIncoming(call);
    expect(call.sent).toEqual([{ status: 503, phrase: 'Service Unavailable', retryAfterS: 30 }]);
    expect([updates.length, router.live]).toEqual([1, 0]);
    expect(refused).toEqual([503]);
    expect(refusals).toMatchObject([{ reason: 'unavailable', class: 'server', status: 503 }]);
  });

  it('waits for people to finish, and no longer than they take', async () => {
    const { create, router, account, clock } = world();
    await create();
    account.call.accept(answerSdp);
    let drained = false;
    const done = router.drain(30_000).then(() => (drained = true));
    await clock.advance(10_000);
    expect(drained).toBe(false);
    account.call.remoteBye();
    await done;
    expect([account.call.dialog.byes, clock.pending]).toEqual([[], 0]);
  });

  it('ends what is left with CANCEL, BYE or 486, each with its ended', async () => {
    const { create, router, account, accounts, ended, clock } = world();
    const offered = new FakeIncomingCall(account);
    const talking = new FakeIncomingCall(account);
    await create();
    await create({ callId: 'out-2', from: { type: 1, id: 102 } });
    accounts.get(2)?.call.accept(answerSdp);
    router.onIncoming(offered);
    router.onIncoming(talking);
    await router.onCall(answer('in-2'));
    talking.confirm();
    const done = router.drain(30_000);
    await clock.advance(29_999);
    expect(router.live).toBe(4);
    await clock.advance(1);
    expect(account.call.cancels).toHaveLength(1);
    expect([accounts.get(2)?.call.dialog.byes.length, talking.dialog.byes.length, offered.statuses]).toEqual([1, 1, [486]]);
    for (const callId of ['out-1', 'out-2', 'in-1', 'in-2']) expect(ended(callId).reason).toBe('unavailable');
    account.call.refuse(487, 'Request Terminated');
    await done;
    expect(clock.pending).toBe(0);
  });

  it('does not wait for ever for a CANCEL that nobody answers or a host that never returns', async () => {
    const { create, router, clock } = world({ onUpdate: () => new Promise<void>(() => undefined) });
    await create();
    const done = router.drain(0);
    await clock.advance(1_000);
    await done;
    expect(router.live).toBe(0);
  });
});

/** One thing that may happen; those that do not fit the call at that moment are part of the point. */
const outgoingSteps = ['180', '180sdp', '182', '183', '183sdp', '200', '200sdp', '486', 'bye', 'hangup', 'candidates', 'end', 'ringing', 'answer', 'wait1', 'wait30', 'wait60', 'drain'] as const;
const incomingSteps = ['ring', 'answer', 'partial', 'candidates', 'end', 'hangup', 'ack', 'lost', 'cancel', 'bye', 'wait1', 'wait30', 'wait60', 'drain'] as const;

describe('whatever happens, in whatever order', () => {
  const quietly = (promise: Promise<void>): void => {
    promise.catch((thrown: unknown) => {
      expect(thrown).toHaveProperty('code');
    });
  };

  it('an outgoing call is told one end, as the last thing, and leaves no timer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...outgoingSteps), { maxLength: 12 }), fc.boolean(), fc.boolean(), async (steps, candidatesComplete, asks) => {
        const { create, router, account, told, clock, ended } = world(asks ? { find: (id) => Promise.resolve({ id }) } : {});
        await create({ candidatesComplete });
        for (const step of steps) {
          const call = account.invites.at(-1);
          if (step.startsWith('wait')) await clock.advance(Number(step.slice(4)) * 1_000);
          else if (step === 'drain') void router.drain(5_000);
          else if (step === 'hangup' || step === 'ringing') quietly(router.onCall({ type: step, callId: 'out-1' }));
          else if (step === 'answer') quietly(router.onCall(answer('out-1')));
          else if (step === 'candidates' || step === 'end') quietly(router.onCall({ type: 'candidates', callId: 'out-1', candidates: [], endOfCandidates: step === 'end' }));
          else if (step === 'bye') call?.remoteBye();
          else if (step === '486') call?.refuse(486, 'Busy Here');
          else if (step.startsWith('200')) call?.accept(step === '200' ? undefined : answerSdp);
          else call?.progress(Number(step.slice(0, 3)), step.endsWith('sdp') ? 'early' : undefined);
        }
        await clock.advance(200_000);
        quietly(router.onCall({ type: 'hangup', callId: 'out-1' }));
        await clock.advance(200_000);
        expect(told('out-1').at(-1)).toBe('ended');
        expect(ended('out-1').message).not.toBe('The call ended, and nobody said why.');
        expect([router.live, clock.pending]).toEqual([0, 0]);
        expect(account.invites.at(-1)?.cancels.length ?? 0).toBeLessThanOrEqual(1);
      }),
      { numRuns: 150 },
    );
  });

  it('an incoming call is told one end, as the last thing, is answered once, and leaves no timer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...incomingSteps), { maxLength: 12 }), async (steps) => {
        const { router, account, told, clock, ended } = world();
        const call = new FakeIncomingCall(account, { sdp: offerSdp });
        router.onIncoming(call);
        for (const step of steps) {
          if (step.startsWith('wait')) await clock.advance(Number(step.slice(4)) * 1_000);
          else if (step === 'drain') void router.drain(5_000);
          else if (step === 'ring') quietly(router.onCall({ type: 'ringing', callId: 'in-1' }));
          else if (step === 'answer') quietly(router.onCall(answer('in-1')));
          else if (step === 'partial') quietly(router.onCall({ ...answer('in-1'), candidatesComplete: false } as CallCommand));
          else if (step === 'candidates' || step === 'end') quietly(router.onCall({ type: 'candidates', callId: 'in-1', candidates: [], endOfCandidates: step === 'end' }));
          else if (step === 'hangup') quietly(router.onCall({ type: 'hangup', callId: 'in-1' }));
          else if (step === 'ack') call.confirm();
          else if (step === 'lost') call.lose();
          else if (step === 'cancel' && !call.statuses.some((status) => status >= 200)) call.cancel();
          else if (step === 'bye') call.remoteBye();
        }
        await clock.advance(200_000);
        quietly(router.onCall({ type: 'hangup', callId: 'in-1' }));
        await clock.advance(200_000);
        expect(told('in-1').at(-1)).toBe('ended');
        expect(ended('in-1').message).not.toBe('The call ended, and nobody said why.');
        expect(call.statuses.filter((status) => status >= 200).length).toBeLessThanOrEqual(1);
        expect([router.live, clock.pending]).toEqual([0, 0]);
      }),
      { numRuns: 150 },
    );
  });
});
