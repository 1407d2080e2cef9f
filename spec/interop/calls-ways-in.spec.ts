/** Every way a call to the messenger can go, through Kamailio; sipp plays the caller step by step. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CallCommand, CallUpdate } from '../../src/host/contract.js';
import type { UpdateOf } from '../support/fake-host.js';
import { lacks } from './support/install.js';
import { Kamailio, passwordOf, type Transport } from './support/kamailio.js';
import { MappingsTable } from './support/mappings-table.js';
import { fingerprint, webrtcAnswer, webrtcOffer } from './support/sdp.js';
import { Sipp } from './support/sipp.js';
import { asks, calls, cancels, hangsUp, hears, isHungUpOn, replies, saysAgain, script, takes, takesInvite, waits, type Step } from './support/sipp-script.js';
import { allRegistered, startSubject, type Subject } from './support/subject.js';

const good = { successful: 1, failed: 0, errors: '' };
const transports = ['udp', 'tcp', 'ws'] as const satisfies readonly Transport[];

describe.skipIf(lacks('kamailio', 'postgresql', 'sipp', 'openssl'))('a call to the messenger', () => {
  let table: MappingsTable;
  let kamailio: Kamailio;
  let subject: Subject;
  const running: Sipp[] = [];

  beforeAll(async () => {
    table = await MappingsTable.start();
    kamailio = await Kamailio.start();
    await table.replace(
      transports.map((transport, index) => ({
        user: `user-${index + 1}`,
        password: passwordOf(`user-${index + 1}`),
        port: kamailio.ports[transport],
        transport,
        peerId: index + 1,
      })),
    );
    subject = await startSubject(table.settings, { calls: { 'ring-timeout': '3 seconds' } });
    await subject.untilStatus(allRegistered(transports.length));
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

  /** @param peer who is called: 1 over udp, 2 over tcp, 3 over ws */
  async function caller(steps: readonly Step[], peer = 1): Promise<Sipp> {
    const dialled = `user-${peer}`;
    const lines = [{ caller: 'caller-1', password: '', dialled }];
    const sipp = await Sipp.call({ scenario: script(calls, ...steps), lines, proxyPort: kamailio.ports.udp });
    running.push(sipp);
    return sipp;
  }

  const command = (given: CallCommand): Promise<void> => subject.extension.onCall(given);
  const next = <T extends CallUpdate['type']>(callId: string, type: T): Promise<UpdateOf<T>> =>
    subject.host.next(callId, (update): update is UpdateOf<T> => update.type === type);

  async function answered(): Promise<string> {
    const { callId } = await subject.host.nextIncoming();
    await command({ type: 'answer', callId, description: webrtcAnswer });
    await subject.host.state(callId, 'talking');
    return callId;
  }

  async function hangUp(callId: string): Promise<void> {
    await command({ type: 'hangup', callId });
    await subject.host.ended(callId, 'normal');
  }

  test.each([
    ['picked_up', 'Reason: SIP;cause=200;text="Call completed elsewhere"'],
    ['rejected', 'Reason: SIP;cause=603;text="Decline"'],
    ['busy', 'Reason: SIP;cause=600;text="Busy Everywhere"'],
  ] as const)('that the server takes back ends with %s: %s', async (reason, header) => {
    const uac = await caller([hears(180), cancels(header)]);
    const { callId } = await subject.host.nextIncoming();
    await command({ type: 'ringing', callId });
    await subject.host.ended(callId, reason);
    expect(await uac.outcome()).toEqual(good);
  });

  test('that nobody takes ends by itself, and the caller is told', async () => {
    const uac = await caller([hears(180), hears(480)]);
    const { callId } = await subject.host.nextIncoming();
    await command({ type: 'ringing', callId });
    await subject.host.ended(callId, 'no_answer');
    expect(await uac.outcome()).toEqual(good);
  });

  test.each([1, 2, 3])('is held and resumed from both sides (peer %i)', async (peer) => {
    const uac = await caller(
      [hears(200), asks('INVITE', { sdp: 'hold' }), hears(200), takesInvite, saysAgain(200, { sdp: 'answer' }), takes('ACK'), asks('UPDATE', { sdp: 'offer' }), hears(200), isHungUpOn],
      peer,
    );
    const callId = await answered();
    expect((await next(callId, 'offer')).description.sdp).toContain('a=sendonly');
    await command({ type: 'answer', callId, description: webrtcAnswer });
    await expect.poll(() => uac.messages.match(/^ACK /gm)?.length, { timeout: 10_000 }).toBe(2);
    await command({ type: 'offer', callId, description: webrtcOffer });
    expect((await next(callId, 'answer')).description.sdp).toMatch(fingerprint);
    await next(callId, 'offer');
    await command({ type: 'answer', callId, description: webrtcAnswer });
    await expect.poll(() => uac.messages.match(/^CSeq: 3 UPDATE/gm)?.length, { timeout: 10_000 }).toBe(2);
    await hangUp(callId);
    expect(await uac.outcome()).toEqual(good);
  });

  test('hears tones both ways', async () => {
    const tone = { text: ['application/dtmf-relay', 'Signal=#', 'Duration=160'] as const };
    const uac = await caller([hears(200), asks('INFO', tone), hears(200), takes('INFO'), replies(200), isHungUpOn]);
    const callId = await answered();
    expect((await next(callId, 'dtmf')).tones).toBe('#');
    await command({ type: 'dtmf', callId, tones: '9' });
    await expect.poll(() => /^Signal=9/m.test(uac.messages), { timeout: 10_000 }).toBe(true);
    await hangUp(callId);
    expect(await uac.outcome()).toEqual(good);
  });

  test('is transferred, and ends when the caller says that it went well', async () => {
    const notify = { headers: ['Event: refer', 'Subscription-State: terminated;reason=noresource'], text: ['message/sipfrag', 'SIP/2.0 200 OK'] as const };
    const uac = await caller([hears(200), takes('REFER'), replies(202), asks('NOTIFY', notify), hears(200), isHungUpOn]);
    const callId = await answered();
    await command({ type: 'transfer', callId, to: { peer: { type: 1, id: 2 } } });
    await subject.host.ended(callId, 'transfer');
    expect(await uac.outcome()).toEqual(good);
    expect(uac.messages).toMatch(/^Refer-To: <sip:user-2@/m);
  });

  test('ends when the caller hangs up', async () => {
    const uac = await caller([hears(200), waits(50), hangsUp]);
    await subject.host.ended(await answered(), 'normal');
    expect(await uac.outcome()).toEqual(good);
  });

  test('goes on over a new connection when the one it came over is lost', async () => {
    const uac = await caller([hears(200), isHungUpOn], 3);
    const callId = await answered();
    await kamailio.closeWebSockets();
    await expect.poll(() => subject.host.logText().includes('over ws was lost'), { timeout: 10_000 }).toBe(true);
    expect(subject.host.story(callId)).toEqual(['incoming', 'talking']);
    await hangUp(callId);
    expect(await uac.outcome()).toEqual(good);
    await subject.untilStatus(allRegistered(transports.length));
  });

  // The last: it leaves nobody registered for a while.
  test('outlives a restart of the registrar, whatever it came over', async () => {
    const up: [string, Sipp][] = [];
    for (const peer of [1, 2, 3]) {
      const uac = await caller([hears(200), isHungUpOn], peer);
      up.push([await answered(), uac]);
    }
    await kamailio.crash();
    await kamailio.startAgain();
    for (const [callId, uac] of up) {
      expect(subject.host.story(callId)).toEqual(['incoming', 'talking']);
      await hangUp(callId);
      expect(await uac.outcome()).toEqual(good);
    }
  });
});
