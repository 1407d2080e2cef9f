/** Every way a call from the messenger can go, through Kamailio; sipp plays the far end step by step. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CallsSetup } from './support/calls-setup.js';
import { lacks } from './support/install.js';
import { fingerprint, webrtcAnswer, webrtcOffer } from './support/sdp.js';
import { allWell, type Sipp } from './support/sipp.js';
import {
  asks,
  hangsUp,
  hears,
  isHungUpOn,
  replies,
  says,
  saysAgain,
  script,
  takes,
  takesCall,
  takesInvite,
  waits,
  type Step,
} from './support/sipp-script.js';

describe.skipIf(lacks(...CallsSetup.needs))('a call from the messenger', () => {
  let setup: CallsSetup;

  beforeAll(async () => {
    setup = await CallsSetup.start({ users: [{}], withSecond: true, sip: { calls: { 'ring-timeout': '3 seconds' } } });
  });
  afterEach(() => setup.clear());
  afterAll(() => setup.stop());

  const farEnd = (...steps: readonly Step[]): Promise<Sipp> => setup.farEnd(script(...steps));
  const secondFarEnd = (...steps: readonly Step[]): Promise<Sipp> => setup.farEnd(script(...steps), { place: 'second' });
  const call = (number = '9001'): Promise<string> => setup.call(1, { address: number });
  const story = (callId: string): string[] => setup.host.story(callId);

  describe('before the answer', () => {
    test('early media in a 180 is heard, and a bare 200 after it is the answer', async () => {
      const sipp = await farEnd(takesInvite, says(180, { sdp: 'answer' }), waits(20), says(200), takes('ACK'), isHungUpOn);
      const callId = await call();
      expect((await setup.host.state(callId, 'progress')).description?.sdp).toMatch(fingerprint);
      await setup.host.state(callId, 'talking');
      await setup.hangUp(callId);
      expect(await sipp.outcome()).toEqual(allWell());
      expect(story(callId)).toEqual(['trying', 'progress', 'talking', 'ended']);
    });

    test('a reliable 183 is confirmed by PRACK, and its media are heard', async () => {
      const headers = ['Require: 100rel', 'RSeq: 4711'];
      const sipp = await farEnd(
        takesInvite,
        says(183, { sdp: 'answer', headers }),
        takes('PRACK'),
        replies(200),
        says(200, { sdp: 'answer' }),
        takes('ACK'),
        isHungUpOn,
      );
      const callId = await call();
      expect((await setup.host.state(callId, 'progress')).description?.sdp).toMatch(fingerprint);
      await setup.host.state(callId, 'talking');
      await setup.hangUp(callId);
      expect(await sipp.outcome()).toEqual(allWell());
      expect(sipp.messages).toMatch(/^RAck: 4711 \d+ INVITE\r?$/m);
    });

    test('a 180 after the 183 does not take the media back', async () => {
      const sipp = await farEnd(
        ...[takesInvite, says(183, { sdp: 'answer' }), waits(20), says(180), waits(20), says(200, { sdp: 'answer' }), takes('ACK'), isHungUpOn],
      );
      const callId = await call();
      await setup.host.state(callId, 'talking');
      await setup.hangUp(callId);
      expect(await sipp.outcome()).toEqual(allWell());
      expect(story(callId)).toEqual(['trying', 'progress', 'talking', 'ended']);
    });

    test('of two phones that answer at once one has the call, the other gets ACK and BYE', async () => {
      const phone = [takesInvite, says(200, { sdp: 'answer' }), takes('ACK'), isHungUpOn];
      const phones = [await farEnd(...phone), await secondFarEnd(...phone)];
      const callId = await call('9801');
      await setup.host.state(callId, 'talking');
      const outcomes = phones.map((sipp) => sipp.outcome());
      expect(await Promise.race(outcomes)).toEqual(allWell());
      expect(story(callId)).toEqual(['trying', 'talking']);
      await setup.hangUp(callId);
      expect(await Promise.all(outcomes)).toEqual([allWell(), allWell()]);
    });

    test('ringing for too long ends it, and the line is told', async () => {
      const sipp = await farEnd(takesInvite, says(180), takes('CANCEL'), replies(200), says(487), takes('ACK'));
      const callId = await call();
      expect((await setup.host.ended(callId, 'no_answer')).message).toBe('Nobody answered within 3 s.');
      expect(await sipp.outcome()).toEqual(allWell());
    });

    test('given up before anything came back it is cancelled as soon as something does', async () => {
      const sipp = await farEnd(takesInvite, says(180), takes('CANCEL'), replies(200), says(487), takes('ACK'));
      const callId = await call();
      // The INVITE has gone, and no turn of the loop has passed in which an answer could have come.
      await setup.host.state(callId, 'trying');
      await setup.hangUp(callId);
      expect(await sipp.outcome()).toEqual(allWell());
      expect(story(callId)).toEqual(['trying', 'ended']);
    });

    test('an answer that crosses the CANCEL is acknowledged and hung up', async () => {
      const sipp = await farEnd(takesInvite, says(180), takes('CANCEL'), replies(200), says(200, { sdp: 'answer' }), takes('ACK'), isHungUpOn);
      const callId = await call();
      await setup.host.state(callId, 'ringing');
      await setup.hangUp(callId);
      expect(await sipp.outcome()).toEqual(allWell());
      expect(story(callId)).toEqual(['trying', 'ringing', 'ended']);
    });

    test.each([
      [302, 'unavailable', []],
      [600, 'busy', []],
      [606, 'media', []],
      [480, 'busy', ['Reason: Q.850;cause=17;text="User busy"']],
    ] as const)('a line that says %i ends it with %s (%j)', async (status, reason, headers) => {
      const sipp = await farEnd(takesInvite, says(status, { headers }), takes('ACK'));
      const callId = await call();
      expect((await setup.host.ended(callId, reason)).sip?.status).toBe(status);
      expect(await sipp.outcome()).toEqual(allWell());
    });
  });

  describe('that talks', () => {
    const takesHold = [takesInvite, saysAgain(200, { sdp: 'answer' }), takes('ACK')];

    test('is held and resumed by the far end, by re-INVITE and by UPDATE', async () => {
      const sipp = await farEnd(
        takesCall,
        ...[asks('INVITE', { sdp: 'hold' }), hears(200), asks('UPDATE', { sdp: 'offer' }), hears(200), hangsUp],
      );
      const callId = await call();
      for (const direction of ['sendonly', 'sendrecv']) {
        expect((await setup.next(callId, 'offer')).description.sdp).toContain(`a=${direction}`);
        await setup.command({ type: 'answer', callId, description: webrtcAnswer });
      }
      await setup.host.ended(callId, 'normal');
      expect(await sipp.outcome()).toEqual(allWell());
    });

    test('goes on as it was when the far end refuses what the messenger offers', async () => {
      const sipp = await farEnd(takesCall, takesInvite, saysAgain(488), takes('ACK'), ...takesHold, isHungUpOn);
      const callId = await call();
      await setup.host.state(callId, 'talking');
      await setup.command({ type: 'offer', callId, description: webrtcOffer });
      expect((await setup.next(callId, 'offerRejected')).status).toBe(488);
      await setup.command({ type: 'offer', callId, description: webrtcOffer });
      await setup.next(callId, 'answer');
      await setup.hangUp(callId);
      expect(await sipp.outcome()).toEqual(allWell());
    });

    test('goes on as it was when the far end offers what is no WebRTC', async () => {
      const sipp = await farEnd(takesCall, asks('INVITE', { sdp: 'plain' }), hears(488), asks('UPDATE', { sdp: 'plain' }), hears(488), isHungUpOn);
      const callId = await call();
      await setup.host.state(callId, 'talking');
      await expect.poll(() => sipp.messages.match(/^SIP\/2\.0 488 /gm)?.length, { timeout: 10_000 }).toBe(2);
      await setup.hangUp(callId);
      expect(await sipp.outcome()).toEqual(allWell());
      expect(story(callId)).toEqual(['trying', 'talking', 'ended']);
    });

    test('offers its side again when the far end asks for it by a re-INVITE without SDP', async () => {
      const sipp = await farEnd(takesCall, asks('INVITE'), hears(200, { sdp: 'answer' }), waits(50), hangsUp);
      const callId = await call();
      await setup.host.ended(callId, 'normal');
      expect(await sipp.outcome()).toEqual(allWell());
      const answered = sipp.messages.split(/^-{10,}/m).find((message) => message.includes('SIP/2.0 200 ') && /^CSeq: 1 INVITE/m.test(message));
      expect(answered).toMatch(fingerprint);
    });

    test('settles two offers at once: 491 both ways, and the messenger\'s is sent again', async () => {
      const sipp = await farEnd(
        ...[takesCall, takesInvite, asks('INVITE', { sdp: 'offer' }), hears(491), saysAgain(491), takes('ACK')],
        ...[...takesHold, isHungUpOn],
      );
      const callId = await call();
      await setup.host.state(callId, 'talking');
      await setup.command({ type: 'offer', callId, description: webrtcOffer });
      await setup.next(callId, 'answer');
      await setup.hangUp(callId);
      expect(await sipp.outcome()).toEqual(allWell());
      expect(story(callId)).toEqual(['trying', 'talking', 'answer', 'ended']);
    });

    test('is transferred to another call of its user (attended)', async () => {
      const notify = { headers: ['Event: refer', 'Subscription-State: terminated;reason=noresource'], text: ['message/sipfrag', 'SIP/2.0 200 OK'] as const };
      const first = await farEnd(takesCall, takes('REFER'), replies(202), asks('NOTIFY', notify), hears(200), isHungUpOn);
      const second = await secondFarEnd(takesCall, isHungUpOn);
      const [callId, other] = [await call(), await call('9701')];
      for (const id of [callId, other]) await setup.host.state(id, 'talking');
      await setup.command({ type: 'transfer', callId, to: { callId: other } });
      expect([(await setup.next(callId, 'transfer')).state, (await setup.next(callId, 'transfer')).state]).toEqual(['trying', 'accepted']);
      for (const id of [callId, other]) await setup.host.ended(id, 'transfer');
      expect([await first.outcome(), await second.outcome()]).toEqual([allWell(), allWell()]);
      const sipCallId = /^Call-ID: *(\S+)/m.exec(second.messages)?.[1] ?? '';
      expect(/^Refer-To: <(\S+)>/m.exec(first.messages)?.[1]).toContain(`Replaces=${encodeURIComponent(sipCallId)}%3B`);
    });

    test('is not transferred when the new line is busy, and goes on', async () => {
      const notify = { headers: ['Event: refer', 'Subscription-State: terminated;reason=noresource'], text: ['message/sipfrag', 'SIP/2.0 486 Busy Here'] as const };
      const sipp = await farEnd(takesCall, takes('REFER'), replies(202), asks('NOTIFY', notify), hears(200), isHungUpOn);
      const callId = await call();
      await setup.host.state(callId, 'talking');
      await setup.command({ type: 'transfer', callId, to: { address: '9002' } });
      await setup.next(callId, 'transfer');
      expect(await setup.next(callId, 'transfer')).toMatchObject({ state: 'failed', status: 486 });
      await setup.hangUp(callId);
      expect(await sipp.outcome()).toEqual(allWell());
    });
  });

  test('outlives a restart of the registrar: people talk on, and can hang up', async () => {
    const sipp = await farEnd(takesCall, isHungUpOn);
    const callId = await call();
    await setup.host.state(callId, 'talking');
    await expect.poll(() => /^ACK /m.test(sipp.messages), { timeout: 10_000 }).toBe(true);
    await setup.kamailio.crash();
    await setup.kamailio.startAgain();
    expect(story(callId)).toEqual(['trying', 'talking']);
    await setup.hangUp(callId);
    expect(await sipp.outcome()).toEqual(allWell());
  });
});
