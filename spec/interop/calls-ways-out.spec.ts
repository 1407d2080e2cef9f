/** Every way a call from the messenger can go, through Kamailio; sipp plays the far end step by step. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CallCommand, CallUpdate } from '../../src/host/contract.js';
import { freePort } from '../support/ports.js';
import type { UpdateOf } from '../support/fake-host.js';
import { lacks } from './support/install.js';
import { Kamailio, passwordOf } from './support/kamailio.js';
import { MappingsTable } from './support/mappings-table.js';
import { fingerprint, webrtcAnswer, webrtcOffer } from './support/sdp.js';
import { Sipp } from './support/sipp.js';
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
import { allRegistered, startSubject, type Subject } from './support/subject.js';

const good = { successful: 1, failed: 0, errors: '' };

describe.skipIf(lacks('kamailio', 'postgresql', 'sipp', 'openssl'))('a call from the messenger', () => {
  let table: MappingsTable;
  let kamailio: Kamailio;
  let subject: Subject;
  let ports: { first: number; second: number };
  const running: Sipp[] = [];

  beforeAll(async () => {
    table = await MappingsTable.start();
    ports = { first: await freePort(), second: await freePort() };
    kamailio = await Kamailio.start({ uas: { port: ports.first }, secondUas: { port: ports.second } });
    await table.replace([{ user: 'user-1', password: passwordOf('user-1'), port: kamailio.ports.udp, peerId: 1 }]);
    subject = await startSubject(table.settings, { calls: { 'ring-timeout': '3 seconds' } });
    await subject.untilStatus(allRegistered(1));
  });

  afterAll(async () => {
    await subject.stop();
    expect(subject.host.problems).toEqual([]);
    await kamailio.stop();
    await table.stop();
  });

  afterEach(async () => {
    for (const sipp of running.splice(0)) await sipp.stop();
    expect(subject.extension.status().calls.live).toBe(0);
  });

  async function farEnd(...steps: readonly Step[]): Promise<Sipp> {
    const sipp = await Sipp.answer({ scenario: script(...steps), port: ports.first });
    running.push(sipp);
    return sipp;
  }

  async function secondFarEnd(...steps: readonly Step[]): Promise<Sipp> {
    const sipp = await Sipp.answer({ scenario: script(...steps), port: ports.second });
    running.push(sipp);
    return sipp;
  }

  async function call(number = '9001'): Promise<string> {
    const callId = randomUUID();
    const to = { address: number };
    await subject.extension.onCall({ type: 'create', callId, from: { type: 1, id: 1 }, to, description: webrtcOffer });
    return callId;
  }

  const command = (given: CallCommand): Promise<void> => subject.extension.onCall(given);
  const story = (callId: string): string[] => subject.host.story(callId);
  const next = <T extends CallUpdate['type']>(callId: string, type: T): Promise<UpdateOf<T>> =>
    subject.host.next(callId, (update): update is UpdateOf<T> => update.type === type);

  async function hangUp(callId: string): Promise<void> {
    await command({ type: 'hangup', callId });
    await subject.host.ended(callId, 'normal');
  }

  describe('before the answer', () => {
    test('early media in a 180 is heard, and a bare 200 after it is the answer', async () => {
      const sipp = await farEnd(takesInvite, says(180, { sdp: 'answer' }), waits(20), says(200), takes('ACK'), isHungUpOn);
      const callId = await call();
      expect((await subject.host.state(callId, 'progress')).description?.sdp).toMatch(fingerprint);
      await subject.host.state(callId, 'talking');
      await hangUp(callId);
      expect(await sipp.outcome()).toEqual(good);
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
      expect((await subject.host.state(callId, 'progress')).description?.sdp).toMatch(fingerprint);
      await subject.host.state(callId, 'talking');
      await hangUp(callId);
      expect(await sipp.outcome()).toEqual(good);
      expect(sipp.messages).toMatch(/^RAck: 4711 \d+ INVITE\r?$/m);
    });

    test('a 180 after the 183 does not take the media back', async () => {
      const sipp = await farEnd(
        ...[takesInvite, says(183, { sdp: 'answer' }), waits(20), says(180), waits(20), says(200, { sdp: 'answer' }), takes('ACK'), isHungUpOn],
      );
      const callId = await call();
      await subject.host.state(callId, 'talking');
      await hangUp(callId);
      expect(await sipp.outcome()).toEqual(good);
      expect(story(callId)).toEqual(['trying', 'progress', 'talking', 'ended']);
    });

    test('of two phones that answer at once one has the call, the other gets ACK and BYE', async () => {
      const phone = [takesInvite, says(200, { sdp: 'answer' }), takes('ACK'), isHungUpOn];
      const phones = [await farEnd(...phone), await secondFarEnd(...phone)];
      const callId = await call('9801');
      await subject.host.state(callId, 'talking');
      const outcomes = phones.map((sipp) => sipp.outcome());
      expect(await Promise.race(outcomes)).toEqual(good);
      expect(story(callId)).toEqual(['trying', 'talking']);
      await hangUp(callId);
      expect(await Promise.all(outcomes)).toEqual([good, good]);
    });

    test('ringing for too long ends it, and the line is told', async () => {
      const sipp = await farEnd(takesInvite, says(180), takes('CANCEL'), replies(200), says(487), takes('ACK'));
      const callId = await call();
      expect((await subject.host.ended(callId, 'no_answer')).message).toBe('Nobody answered within 3 s.');
      expect(await sipp.outcome()).toEqual(good);
    });

    test('given up before anything came back it is cancelled as soon as something does', async () => {
      const sipp = await farEnd(takesInvite, says(180), takes('CANCEL'), replies(200), says(487), takes('ACK'));
      const callId = await call();
      // The INVITE has gone, and no turn of the loop has passed in which an answer could have come.
      await subject.host.state(callId, 'trying');
      await hangUp(callId);
      expect(await sipp.outcome()).toEqual(good);
      expect(story(callId)).toEqual(['trying', 'ended']);
    });

    test('an answer that crosses the CANCEL is acknowledged and hung up', async () => {
      const sipp = await farEnd(takesInvite, says(180), takes('CANCEL'), replies(200), says(200, { sdp: 'answer' }), takes('ACK'), isHungUpOn);
      const callId = await call();
      await subject.host.state(callId, 'ringing');
      await hangUp(callId);
      expect(await sipp.outcome()).toEqual(good);
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
      expect((await subject.host.ended(callId, reason)).sip?.status).toBe(status);
      expect(await sipp.outcome()).toEqual(good);
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
        expect((await next(callId, 'offer')).description.sdp).toContain(`a=${direction}`);
        await command({ type: 'answer', callId, description: webrtcAnswer });
      }
      await subject.host.ended(callId, 'normal');
      expect(await sipp.outcome()).toEqual(good);
    });

    test('goes on as it was when the far end refuses what the messenger offers', async () => {
      const sipp = await farEnd(takesCall, takesInvite, saysAgain(488), takes('ACK'), ...takesHold, isHungUpOn);
      const callId = await call();
      await subject.host.state(callId, 'talking');
      await command({ type: 'offer', callId, description: webrtcOffer });
      expect((await next(callId, 'offerRejected')).status).toBe(488);
      await command({ type: 'offer', callId, description: webrtcOffer });
      await next(callId, 'answer');
      await hangUp(callId);
      expect(await sipp.outcome()).toEqual(good);
    });

    test('goes on as it was when the far end offers what is no WebRTC', async () => {
      const sipp = await farEnd(takesCall, asks('INVITE', { sdp: 'plain' }), hears(488), asks('UPDATE', { sdp: 'plain' }), hears(488), isHungUpOn);
      const callId = await call();
      await subject.host.state(callId, 'talking');
      await expect.poll(() => sipp.messages.match(/^SIP\/2\.0 488 /gm)?.length, { timeout: 10_000 }).toBe(2);
      await hangUp(callId);
      expect(await sipp.outcome()).toEqual(good);
      expect(story(callId)).toEqual(['trying', 'talking', 'ended']);
    });

    test('offers its side again when the far end asks for it by a re-INVITE without SDP', async () => {
      const sipp = await farEnd(takesCall, asks('INVITE'), hears(200, { sdp: 'answer' }), waits(50), hangsUp);
      const callId = await call();
      await subject.host.ended(callId, 'normal');
      expect(await sipp.outcome()).toEqual(good);
      const answered = sipp.messages.split(/^-{10,}/m).find((message) => message.includes('SIP/2.0 200 ') && /^CSeq: 1 INVITE/m.test(message));
      expect(answered).toMatch(fingerprint);
    });

    test('settles two offers at once: 491 both ways, and the messenger\'s is sent again', async () => {
      const sipp = await farEnd(
        ...[takesCall, takesInvite, asks('INVITE', { sdp: 'offer' }), hears(491), saysAgain(491), takes('ACK')],
        ...[...takesHold, isHungUpOn],
      );
      const callId = await call();
      await subject.host.state(callId, 'talking');
      await command({ type: 'offer', callId, description: webrtcOffer });
      await next(callId, 'answer');
      await hangUp(callId);
      expect(await sipp.outcome()).toEqual(good);
      expect(story(callId)).toEqual(['trying', 'talking', 'answer', 'ended']);
    });

    test('is transferred to another call of its user (attended)', async () => {
      const notify = { headers: ['Event: refer', 'Subscription-State: terminated;reason=noresource'], text: ['message/sipfrag', 'SIP/2.0 200 OK'] as const };
      const first = await farEnd(takesCall, takes('REFER'), replies(202), asks('NOTIFY', notify), hears(200), isHungUpOn);
      const second = await secondFarEnd(takesCall, isHungUpOn);
      const [callId, other] = [await call(), await call('9701')];
      for (const id of [callId, other]) await subject.host.state(id, 'talking');
      await command({ type: 'transfer', callId, to: { callId: other } });
      expect([(await next(callId, 'transfer')).state, (await next(callId, 'transfer')).state]).toEqual(['trying', 'accepted']);
      for (const id of [callId, other]) await subject.host.ended(id, 'transfer');
      expect([await first.outcome(), await second.outcome()]).toEqual([good, good]);
      const sipCallId = /^Call-ID: *(\S+)/m.exec(second.messages)?.[1] ?? '';
      expect(/^Refer-To: <(\S+)>/m.exec(first.messages)?.[1]).toContain(`Replaces=${encodeURIComponent(sipCallId)}%3B`);
    });

    test('is not transferred when the new line is busy, and goes on', async () => {
      const notify = { headers: ['Event: refer', 'Subscription-State: terminated;reason=noresource'], text: ['message/sipfrag', 'SIP/2.0 486 Busy Here'] as const };
      const sipp = await farEnd(takesCall, takes('REFER'), replies(202), asks('NOTIFY', notify), hears(200), isHungUpOn);
      const callId = await call();
      await subject.host.state(callId, 'talking');
      await command({ type: 'transfer', callId, to: { address: '9002' } });
      await next(callId, 'transfer');
      expect(await next(callId, 'transfer')).toMatchObject({ state: 'failed', status: 486 });
      await hangUp(callId);
      expect(await sipp.outcome()).toEqual(good);
    });
  });

  test('outlives a restart of the registrar: people talk on, and can hang up', async () => {
    const sipp = await farEnd(takesCall, isHungUpOn);
    const callId = await call();
    await subject.host.state(callId, 'talking');
    await expect.poll(() => /^ACK /m.test(sipp.messages), { timeout: 10_000 }).toBe(true);
    await kamailio.crash();
    await kamailio.startAgain();
    expect(story(callId)).toEqual(['trying', 'talking']);
    await hangUp(callId);
    expect(await sipp.outcome()).toEqual(good);
  });
});
