import { describe, expect, it } from 'vitest';
import { CallNotFoundError } from '../../src/base/errors.js';
import type { HangupReason } from '../../src/host/contract.js';
import { address } from '../support/fake-sip.js';
import { answerSdp, mapping, offerSdp, world } from './call-fixture.js';

const candidate = 'candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host';

describe('a call from the messenger to SIP', () => {
  it('is tried, rings, is answered and ends with the far end\'s BYE, each told once and in order', async () => {
    const { create, account, updates, endings, clock, router } = world();
    await create({ displayName: 'Anna' });
    expect(account.call.options).toEqual({ to: 'sip:600@pbx.example', sdp: offerSdp, displayName: 'Anna' });
    account.call.progress(180);
    account.call.progress(180);
    account.call.accept(answerSdp, address('sip:600@pbx.example', 'Reception'));
    expect([router.live, clock.pending]).toEqual([1, 0]);
    account.call.remoteBye();
    expect(updates).toEqual([
      { type: 'state', callId: 'out-1', state: 'trying' },
      { type: 'state', callId: 'out-1', state: 'ringing' },
      {
        type: 'state',
        callId: 'out-1',
        state: 'talking',
        description: { type: 'answer', sdp: answerSdp },
        remote: { uri: 'sip:600@pbx.example', user: '600', displayName: 'Reception' },
      },
      { type: 'ended', callId: 'out-1', reason: 'normal', message: 'The other side hung up.' },
    ]);
    expect(endings).toMatchObject([{ callId: 'out-1', direction: 'outgoing', reason: 'normal', class: 'success' }]);
    expect([router.live, account.call.dialog.byes]).toEqual([0, []]);
  });

  it('goes to another messenger user by the SIP account, and says who answered', async () => {
    const { create, account, updates } = world();
    await create({ to: { peer: { type: 1, id: 102 } } });
    expect(account.call.options.to).toBe('sip:432@pbx.example');
    account.call.accept(answerSdp, address('sip:432@pbx.example'));
    expect(updates.at(-1)).toMatchObject({ state: 'talking', remote: { user: '432', peer: { type: 1, id: 102 } } });
  });

  it('hands early media over, with 183 or any other 1xx, and again only when it changed', async () => {
    const { create, account, updates, told } = world();
    await create();
    account.call.progress(183, 'early 1');
    account.call.progress(183, 'early 1');
    account.call.progress(180);
    account.call.progress(180, 'early 2');
    account.call.accept(answerSdp);
    expect(told('out-1')).toEqual(['trying', 'progress', 'progress', 'talking']);
    expect(updates.slice(1, 3)).toMatchObject([{ description: { type: 'answer', sdp: 'early 1' } }, { description: { sdp: 'early 2' } }]);
  });

  it('that rang goes on to early media, and a 183 without media is progress of its own', async () => {
    const { create, account, updates, told } = world();
    await create();
    account.call.progress(180);
    account.call.progress(183);
    account.call.progress(183, 'early');
    expect(told('out-1')).toEqual(['trying', 'ringing', 'progress']);
    await create({ callId: 'out-2' });
    account.call.progress(183);
    expect(told('out-2')).toEqual(['trying', 'progress']);
    expect(updates.at(-1)).not.toHaveProperty('description');
  });

  it('is answered without media when the early media was the answer, and ended when there never was any', async () => {
    const { create, account, updates, ended } = world();
    await create();
    account.call.progress(183, 'early');
    account.call.accept();
    expect(updates.at(-1)).toEqual({ type: 'state', callId: 'out-1', state: 'talking' });
    await create({ callId: 'out-2' });
    account.call.accept();
    expect(ended('out-2').reason).toBe('media');
    expect(account.call.dialog.byes).toHaveLength(1);
  });

  it('that is refused says why, with what stood on the wire', async () => {
    const { create, account, ended, endings, clock } = world();
    await create();
    account.call.refuse(486, 'Busy Here');
    expect(ended('out-1')).toEqual({
      type: 'ended',
      callId: 'out-1',
      reason: 'busy',
      sip: { status: 486, phrase: 'Busy Here' },
      message: 'The line is busy (486 Busy Here).',
    });
    expect(endings[0]).toMatchObject({ class: 'client', status: 486 });
    expect(clock.pending).toBe(0);
  });

  it('that an announcement gave up already ends with what the network said then', async () => {
    const { create, account, ended } = world();
    await create();
    account.call.progress(183, answerSdp, undefined, { protocol: 'Q.850', cause: 22 });
    account.call.progress(183, answerSdp);
    account.call.refuse(480, 'Temporarily Unavailable');
    expect(ended('out-1')).toMatchObject({ reason: 'callee_not_found', message: 'The number has changed (480 Temporarily Unavailable).' });
  });

  it('that a gateway answered and then hung up says how it went beyond', async () => {
    const { create, account, ended } = world();
    await create();
    account.call.accept(answerSdp);
    account.call.remoteBye({ protocol: 'Q.850', cause: 17, text: 'User busy' });
    expect(ended('out-1')).toEqual({ type: 'ended', callId: 'out-1', reason: 'busy', message: 'The line is busy.' });
  });

  it('that failed upstream is worth a line in the log, one that was busy is not', async () => {
    const { create, account, logged } = world();
    await create();
    account.call.refuse(486, 'Busy Here');
    expect(logged).toEqual([]);
    await create();
    account.call.refuse(503, 'Service Unavailable');
    expect(logged).toEqual([
      { level: 'warn', message: 'A call failed: The SIP server or its lines are overloaded or down (503 Service Unavailable).' },
    ]);
  });
});

describe('an outgoing call given up', () => {
  it('before the answer is over for the host at once, and CANCEL is sent', async () => {
    const { create, account, ended, router, clock, updates } = world();
    await create();
    account.call.progress(180);
    await router.onCall({ type: 'hangup', callId: 'out-1' });
    expect(ended('out-1')).toEqual({ type: 'ended', callId: 'out-1', reason: 'normal', message: 'The call was ended here.' });
    expect([account.call.cancels, router.live]).toEqual([[undefined], 0]);
    const before = updates.length;
    account.call.refuse(487, 'Request Terminated');
    expect([updates.length, clock.pending]).toEqual([before, 0]);
  });

  it('because another device took it says so to the other phones (RFC 3326)', async () => {
    const { create, account, ended, router } = world();
    await create();
    await router.onCall({ type: 'hangup', callId: 'out-1', reason: 'picked_up' });
    expect(account.call.cancels).toEqual([{ protocol: 'SIP', cause: 200, text: 'Call completed elsewhere' }]);
    expect(ended('out-1').reason).toBe('picked_up');
  });

  it.each([
    ['rejected', 'SIP', 603],
    ['busy', 'SIP', 486],
    ['no_answer', 'Q.850', 19],
    ['error', 'SIP', 500],
  ] as const)('as %s tells the other side by Reason: %s;cause=%i', async (reason, protocol, cause) => {
    const { create, account, router } = world();
    await create();
    await router.onCall({ type: 'hangup', callId: 'out-1', reason });
    expect(account.call.cancels).toMatchObject([{ protocol, cause }]);
  });

  it('whose answer crosses the CANCEL is ended with BYE and not told as talking', async () => {
    const { create, account, told, router, clock } = world();
    await create();
    await router.onCall({ type: 'hangup', callId: 'out-1' });
    account.call.accept(answerSdp);
    expect(account.call.dialog.byes).toHaveLength(1);
    expect(told('out-1')).toEqual(['trying', 'ended']);
    expect(clock.pending).toBe(0);
  });

  it('leaves nothing behind when no response to the CANCEL ever comes', async () => {
    const { create, router, clock, told } = world();
    await create();
    await router.onCall({ type: 'hangup', callId: 'out-1' });
    expect(clock.pending).toBe(1);
    await clock.advance(40_000);
    expect([clock.pending, told('out-1')]).toEqual([0, ['trying', 'ended']]);
  });

  it.each([
    ['normal', 16],
    ['busy', 17],
    ['rejected', 21],
    ['no_answer', 19],
    ['picked_up', 200],
    ['error', 41],
  ] as [HangupReason, number][])('while talking ends it with BYE: %s -> cause %i', async (reason, cause) => {
    const { create, account, ended, router } = world();
    await create();
    account.call.accept(answerSdp);
    await router.onCall({ type: 'hangup', callId: 'out-1', reason });
    expect(account.call.dialog.byes).toMatchObject([{ cause }]);
    expect([ended('out-1').reason, router.live]).toEqual([reason, 0]);
  });

  it('by the host while it is told of the call still sends the CANCEL for the INVITE', async () => {
    const { create, account, told, clock } = world({
      onUpdate: async (update, router) => {
        if (update.type === 'state' && update.state === 'trying') await router.onCall({ type: 'hangup', callId: update.callId });
      },
    });
    await create();
    await clock.advance(0);
    expect([account.invites.length, account.call.cancels.length]).toEqual([1, 1]);
    expect(told('out-1')).toEqual(['trying', 'ended']);
  });
});

describe('the guards of an outgoing call', () => {
  it('cancel it when nothing but 100 comes within setup-timeout', async () => {
    const { create, account, ended, clock } = world();
    await create();
    await clock.advance(29_999);
    expect(account.call.cancels).toEqual([]);
    await clock.advance(1);
    expect(account.call.cancels).toHaveLength(1);
    expect(ended('out-1')).toMatchObject({ reason: 'unavailable', message: 'The other side did not start to ring within 30 s.' });
  });

  it.each([
    ['180', [180]],
    ['183', [183]],
    ['182', [182]],
    ['182 and 180 later', [182, 180]],
  ])('cancel it when it rings for ring-timeout after %s', async (_name, statuses) => {
    const { create, account, ended, clock } = world();
    await create();
    await clock.advance(20_000);
    for (const status of statuses) {
      account.call.progress(status);
      await clock.advance(10_000);
    }
    await clock.advance(60_000 - 10_000 * statuses.length - 1);
    expect(account.call.cancels).toEqual([]);
    await clock.advance(1);
    expect(account.call.cancels).toHaveLength(1);
    expect(ended('out-1')).toMatchObject({ reason: 'no_answer', message: 'Nobody answered within 60 s.' });
  });

  it('let people talk for as long as they like', async () => {
    const { create, account, told, clock } = world();
    await create();
    account.call.accept(answerSdp);
    await clock.advance(24 * 3_600_000);
    expect(told('out-1')).toEqual(['trying', 'talking']);
  });
});

describe('candidates of an outgoing call', () => {
  it('are gathered before the INVITE until the last has come', async () => {
    const { create, account, router, told } = world();
    await create({ candidatesComplete: false });
    await router.onCall({ type: 'candidates', callId: 'out-1', candidates: [{ candidate, sdpMid: '0' }] });
    expect([account.invites.length, told('out-1')]).toEqual([0, ['trying']]);
    await router.onCall({ type: 'candidates', callId: 'out-1', candidates: [], endOfCandidates: true });
    expect(account.call.options.sdp).toBe(`${offerSdp}a=${candidate}\r\na=end-of-candidates\r\n`);
  });

  it('that are late are not waited for longer than candidate-timeout, and ignored after', async () => {
    const { create, account, router, clock } = world();
    await create({ candidatesComplete: false });
    await router.onCall({ type: 'candidates', callId: 'out-1', candidates: [{ candidate, sdpMid: '0' }] });
    await clock.advance(1_999);
    expect(account.invites).toHaveLength(0);
    await clock.advance(1);
    expect(account.call.options.sdp).toBe(`${offerSdp}a=${candidate}\r\n`);
    await router.onCall({ type: 'candidates', callId: 'out-1', candidates: [{ candidate }], endOfCandidates: true });
    expect(account.invites).toHaveLength(1);
  });

  it('are not waited for unless the host says that they come', async () => {
    const { create, account, router } = world();
    await create();
    expect(account.call.options.sdp).toBe(offerSdp);
    await router.onCall({ type: 'candidates', callId: 'out-1', candidates: [{ candidate }], endOfCandidates: true });
    expect(account.invites).toHaveLength(1);
  });

  it('end with a hangup: no INVITE is sent then', async () => {
    const { create, account, router, clock, ended } = world();
    await create({ candidatesComplete: false });
    await router.onCall({ type: 'hangup', callId: 'out-1' });
    await clock.advance(60_000);
    expect([account.invites.length, ended('out-1').reason]).toEqual([0, 'normal']);
  });
});

describe('an outgoing call that cannot be placed', () => {
  it.each([
    ['the caller may not call', { mappings: [mapping(1, { canCall: false })] }, {}, 'caller_disabled'],
    ['the caller has no account', { mappings: [] }, {}, 'caller_disabled'],
    ['the callee has no account', {}, { to: { peer: { type: 1, id: 999 } } }, 'unavailable'],
    ['the address is none', {}, { to: { address: 'mailto:a@b' } }, 'callee_not_found'],
  ] as const)('because %s is taken, and gets its one ended', async (_why, options, changes, reason) => {
    const { create, account, told, ended, clock, router } = world(options);
    await create(changes);
    expect([told('out-1'), ended('out-1').reason]).toEqual([['ended'], reason]);
    expect([account.invites.length, clock.pending, router.live]).toEqual([0, 0, 0]);
  });

  it('because its account is not in the stack is unavailable', async () => {
    const { create, accounts, ended } = world();
    accounts.delete(1);
    await create();
    expect(ended('out-1')).toMatchObject({ reason: 'unavailable', message: 'The SIP account of this call is not set up here.' });
  });

  it('because the stack throws, against its word, still ends', async () => {
    const { create, account, told, clock, logged } = world();
    account.fault = new Error('broken');
    await create();
    await clock.advance(120_000);
    expect(told('out-1')).toEqual(['trying', 'ended']);
    expect(logged[0]).toEqual({ level: 'error', message: 'A call could not do what it should (invite): broken' });
    expect(clock.pending).toBe(0);
  });
});

describe('commands that do not fit an outgoing call', () => {
  it.each([
    { type: 'ringing', callId: 'out-1' },
    { type: 'answer', callId: 'out-1', description: { type: 'answer', sdp: answerSdp } },
  ] as const)('are refused: %j', async (command) => {
    const { create, router, told } = world();
    await create();
    await expect(router.onCall(command)).rejects.toMatchObject({ code: 'CALL_STATE' });
    expect(told('out-1')).toEqual(['trying']);
  });

  it('are not found after the end, and the id is free from the ended update on', async () => {
    const again: Promise<void>[] = [];
    const w = world({
      onUpdate: (update) => {
        if (update.type === 'ended' && again.length === 0) again.push(w.create());
      },
    });
    await w.create();
    w.account.call.refuse(404, 'Not Found');
    await Promise.all(again);
    expect([w.router.live, w.account.invites.length]).toEqual([1, 2]);
    w.account.call.refuse(404, 'Not Found');
    await expect(w.router.onCall({ type: 'hangup', callId: 'out-1' })).rejects.toBeInstanceOf(CallNotFoundError);
  });
});
