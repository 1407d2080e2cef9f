/** Every way a call to the messenger can go, through Kamailio; sipp plays the caller step by step. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CallsSetup, over } from './support/calls-setup.js';
import { lacks } from './support/install.js';
import { fingerprint, webrtcAnswer, webrtcOffer } from './support/sdp.js';
import { allWell, type Sipp } from './support/sipp.js';
import { asks, calls, cancels, hangsUp, hears, isHungUpOn, replies, saysAgain, script, takes, takesInvite, waits, type Step } from './support/sipp-script.js';

describe.skipIf(lacks(...CallsSetup.needs))('a call to the messenger', () => {
  let setup: CallsSetup;

  beforeAll(async () => {
    setup = await CallsSetup.start({ users: over('udp', 'tcp', 'ws'), sip: { calls: { 'ring-timeout': '3 seconds' } } });
  });
  afterEach(() => setup.clear());
  afterAll(() => setup.stop());

  /** @param peer who is called: 1 over udp, 2 over tcp, 3 over ws */
  const caller = (steps: readonly Step[], peer = 1): Promise<Sipp> =>
    setup.caller(script(calls, ...steps), [{ caller: 'caller-1', password: '', dialled: `user-${peer}` }]);

  test.each([
    ['picked_up', 'Reason: SIP;cause=200;text="Call completed elsewhere"'],
    ['rejected', 'Reason: SIP;cause=603;text="Decline"'],
    ['busy', 'Reason: SIP;cause=600;text="Busy Everywhere"'],
  ] as const)('that the server takes back ends with %s: %s', async (reason, header) => {
    const uac = await caller([hears(180), cancels(header)]);
    const { callId } = await setup.host.nextIncoming();
    await setup.command({ type: 'ringing', callId });
    await setup.host.ended(callId, reason);
    expect(await uac.outcome()).toEqual(allWell());
  });

  test('that nobody takes ends by itself, and the caller is told', async () => {
    const uac = await caller([hears(180), hears(480)]);
    const { callId } = await setup.host.nextIncoming();
    await setup.command({ type: 'ringing', callId });
    await setup.host.ended(callId, 'no_answer');
    expect(await uac.outcome()).toEqual(allWell());
  });

  test.each([1, 2, 3])('is held and resumed from both sides (peer %i)', async (peer) => {
    const uac = await caller(
      [hears(200), asks('INVITE', { sdp: 'hold' }), hears(200), takesInvite, saysAgain(200, { sdp: 'answer' }), takes('ACK'), asks('UPDATE', { sdp: 'offer' }), hears(200), isHungUpOn],
      peer,
    );
    const callId = await setup.answered();
    expect((await setup.next(callId, 'offer')).description.sdp).toContain('a=sendonly');
    await setup.command({ type: 'answer', callId, description: webrtcAnswer });
    await expect.poll(() => uac.messages.match(/^ACK /gm)?.length, { timeout: 10_000 }).toBe(2);
    await setup.command({ type: 'offer', callId, description: webrtcOffer });
    expect((await setup.next(callId, 'answer')).description.sdp).toMatch(fingerprint);
    await setup.next(callId, 'offer');
    await setup.command({ type: 'answer', callId, description: webrtcAnswer });
    await expect.poll(() => uac.messages.match(/^CSeq: 3 UPDATE/gm)?.length, { timeout: 10_000 }).toBe(2);
    await setup.hangUp(callId);
    expect(await uac.outcome()).toEqual(allWell());
  });

  test('hears tones both ways', async () => {
    const tone = { text: ['application/dtmf-relay', 'Signal=#', 'Duration=160'] as const };
    const uac = await caller([hears(200), asks('INFO', tone), hears(200), takes('INFO'), replies(200), isHungUpOn]);
    const callId = await setup.answered();
    expect((await setup.next(callId, 'dtmf')).tones).toBe('#');
    await setup.command({ type: 'dtmf', callId, tones: '9' });
    await expect.poll(() => /^Signal=9/m.test(uac.messages), { timeout: 10_000 }).toBe(true);
    await setup.hangUp(callId);
    expect(await uac.outcome()).toEqual(allWell());
  });

  test('is transferred, and ends when the caller says that it went well', async () => {
    const notify = { headers: ['Event: refer', 'Subscription-State: terminated;reason=noresource'], text: ['message/sipfrag', 'SIP/2.0 200 OK'] as const };
    const uac = await caller([hears(200), takes('REFER'), replies(202), asks('NOTIFY', notify), hears(200), isHungUpOn]);
    const callId = await setup.answered();
    await setup.command({ type: 'transfer', callId, to: { peer: { type: 1, id: 2 } } });
    await setup.host.ended(callId, 'transfer');
    expect(await uac.outcome()).toEqual(allWell());
    expect(uac.messages).toMatch(/^Refer-To: <sip:user-2@/m);
  });

  test('ends when the caller hangs up', async () => {
    const uac = await caller([hears(200), waits(50), hangsUp]);
    await setup.host.ended(await setup.answered(), 'normal');
    expect(await uac.outcome()).toEqual(allWell());
  });

  test('goes on over a new connection when the one it came over is lost', async () => {
    const uac = await caller([hears(200), isHungUpOn], 3);
    const callId = await setup.answered();
    await setup.kamailio.closeWebSockets();
    await expect.poll(() => setup.host.logText().includes('over ws was lost'), { timeout: 10_000 }).toBe(true);
    expect(setup.host.story(callId)).toEqual(['incoming', 'talking']);
    await setup.hangUp(callId);
    expect(await uac.outcome()).toEqual(allWell());
    await setup.untilRegistered();
  });

  // The last: it leaves nobody registered for a while.
  test('outlives a restart of the registrar, whatever it came over', async () => {
    const up: [string, Sipp][] = [];
    for (const peer of [1, 2, 3]) {
      const uac = await caller([hears(200), isHungUpOn], peer);
      up.push([await setup.answered(), uac]);
    }
    await setup.kamailio.crash();
    await setup.kamailio.startAgain();
    for (const [callId, uac] of up) {
      expect(setup.host.story(callId)).toEqual(['incoming', 'talking']);
      await setup.hangUp(callId);
      expect(await uac.outcome()).toEqual(allWell());
    }
  });
});
