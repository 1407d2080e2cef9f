/** What is told of a call at its end, for its record, and of those that go on. */
import { describe, expect, it } from 'vitest';
import { FakeIncomingCall } from '../support/fake-sip.js';
import { answerSdp, mapping, offerSdp, world } from './call-fixture.js';

const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds));

describe('the record of a call to SIP', () => {
  it('says who called whom through which mapping, when it rang, was answered and ended, and with which codec', async () => {
    const { create, account, endings, clock } = world();
    await create();
    await clock.advance(1_000);
    account.call.progress(180);
    await clock.advance(1_000);
    account.call.progress(180);
    await clock.advance(3_000);
    account.call.accept(answerSdp);
    await clock.advance(60_000);
    account.call.remoteBye();
    expect(endings).toEqual([
      {
        callId: 'out-1',
        direction: 'outgoing',
        peer: { type: 1, id: 101 },
        mappingId: 1,
        from: 'sip:431@pbx.example',
        to: 'sip:600@pbx.example',
        startedAt: at(0),
        rangAt: at(1),
        answeredAt: at(5),
        endedAt: at(65),
        codecs: ['opus'],
        reason: 'normal',
        class: 'success',
        message: 'The other side hung up.',
      },
    ]);
  });

  it('says what was asked for when it found no way, and nothing that did not happen', async () => {
    const { create, endings } = world({ mappings: [] });
    await create({ to: { peer: { type: 2, id: 7 } } });
    await create({ callId: 'out-2', to: { peer: { type: 4, id: 0, strId: 'sip:desk@example.com' } } });
    expect(endings[0]).toEqual({
      callId: 'out-1',
      direction: 'outgoing',
      peer: { type: 1, id: 101 },
      from: 'user:101',
      to: 'group:7',
      startedAt: at(0),
      endedAt: at(0),
      codecs: [],
      reason: endings[0]?.reason,
      class: 'client',
      message: endings[0]?.message,
    });
    expect(endings[1]?.to).toBe('sip:desk@example.com');
  });

  it('keeps the SIP status, and no codec of a call that only had early media', async () => {
    const { create, account, endings } = world();
    await create();
    account.call.progress(183, answerSdp);
    account.call.refuse(486, 'Busy Here');
    expect(endings).toMatchObject([{ status: 486, reason: 'busy', codecs: [] }]);
    expect(endings[0]?.answeredAt).toBeUndefined();
    expect(endings[0]?.rangAt).toBeUndefined();
  });

  it('is there for a call that meets a stopping extension', async () => {
    const { create, router, endings } = world();
    await router.drain(0);
    await create();
    expect(endings).toMatchObject([{ callId: 'out-1', from: 'user:101', to: '600', startedAt: at(0), endedAt: at(0), reason: 'unavailable' }]);
  });
});

describe('the record of a call from SIP', () => {
  it('says who called whom, when it rang, was answered and ended, and with which codec', async () => {
    const { router, account, endings, clock } = world({ mappings: [mapping(1, { sipHost: '2001:db8::1' })] });
    const call = new FakeIncomingCall(account);
    router.onIncoming(call);
    await clock.advance(1_000);
    await router.onCall({ type: 'ringing', callId: 'in-1' });
    await clock.advance(1_000);
    await router.onCall({ type: 'answer', callId: 'in-1', description: { type: 'answer', sdp: answerSdp } });
    await clock.advance(1_000);
    call.confirm();
    await clock.advance(1_000);
    call.remoteBye();
    expect(endings).toMatchObject([
      {
        callId: 'in-1',
        direction: 'incoming',
        peer: { type: 1, id: 101 },
        mappingId: 1,
        from: 'sip:600@pbx.example',
        to: 'sip:431@[2001:db8::1]',
        startedAt: at(0),
        rangAt: at(1),
        answeredAt: at(2),
        endedAt: at(4),
        codecs: ['opus'],
      },
    ]);
  });

  it('says that nobody answered', async () => {
    const { router, account, endings, clock } = world();
    router.onIncoming(new FakeIncomingCall(account));
    await clock.advance(60_000);
    expect(endings).toMatchObject([{ reason: 'no_answer', endedAt: at(60), codecs: [] }]);
    expect(endings[0]?.answeredAt).toBeUndefined();
  });
});

describe('the calls that go on', () => {
  it('are told with their states, the longest first, and no longer once they are over', async () => {
    const { create, router, account, clock } = world();
    await create({ description: { type: 'offer', sdp: offerSdp } });
    account.call.progress(180);
    await clock.advance(2_000);
    const call = new FakeIncomingCall(account);
    router.onIncoming(call);
    const told = (): unknown[] => [...router.calls()].map(({ callId, state, startedAt }) => [callId, state, startedAt]);
    expect(told()).toEqual([
      ['out-1', 'ringing', at(0)],
      ['in-1', 'offered', at(2)],
    ]);
    account.call.accept(answerSdp);
    call.cancel();
    expect(told()).toEqual([['out-1', 'talking', at(0)]]);
  });
});
