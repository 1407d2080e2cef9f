import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CallTarget } from '../../src/host/contract.js';
import { lacks } from './support/install.js';
import { Kamailio, passwordOf, type Transport } from './support/kamailio.js';
import { MappingsTable } from './support/mappings-table.js';
import { freePort } from '../support/ports.js';
import { fingerprint, webrtcOffer } from './support/sdp.js';
import { Sipp } from './support/sipp.js';
import { allRegistered, startSubject, type Subject } from './support/subject.js';

const transports = ['udp', 'tcp', 'tls', 'ws', 'wss'] as const satisfies readonly Transport[];
/** A mapping that may not call; the others, 1 to 5, call over the five transports. */
const mute = 6;

describe.skipIf(lacks('kamailio', 'postgresql', 'sipp', 'openssl'))('calls from the messenger to SIP', () => {
  let table: MappingsTable;
  let kamailio: Kamailio;
  let subject: Subject;
  let uasPort: number;
  let sipp: Sipp | undefined;

  beforeAll(async () => {
    table = await MappingsTable.start();
    uasPort = await freePort();
    kamailio = await Kamailio.start({ authInvite: true, uas: { port: uasPort } });
    await table.replace(
      [...transports, 'udp' as const].map((transport, index) => ({
        user: `user-${index + 1}`,
        password: passwordOf(`user-${index + 1}`),
        port: kamailio.ports[transport],
        transport,
        peerId: index + 1,
        canCall: index + 1 !== mute,
      })),
    );
    subject = await startSubject(table.settings, { listen: { tls: { ca: kamailio.caFile } } });
    await subject.untilStatus(allRegistered(6));
  });

  afterAll(async () => {
    await subject.stop();
    expect(subject.host.problems).toEqual([]);
    await kamailio.stop();
    await table.stop();
  });

  afterEach(async () => {
    await sipp?.stop();
    sipp = undefined;
  });

  const listen = async (scenario: string, calls: number, words: Record<string, string> = {}): Promise<Sipp> => {
    sipp = await Sipp.answer({ scenario, calls, port: uasPort, words });
    return sipp;
  };

  const call = async (from: number, to: CallTarget = { address: '9001' }): Promise<string> => {
    const callId = randomUUID();
    await subject.extension.onCall({ type: 'create', callId, from: { type: 1, id: from }, to, description: webrtcOffer });
    return callId;
  };

  const hangUp = (callId: string): Promise<void> =>
    subject.extension.onCall({ type: 'hangup', callId, reason: 'normal' });

  test('200 calls over five transports are all answered and ended, each with its updates in order', async () => {
    const uas = await listen('uas-answer', 200);
    const { host } = subject;
    const stories: string[] = [];
    const oneAfterAnother = async (worker: number): Promise<void> => {
      for (let number = 0; number < 10; number += 1) {
        const callId = await call((worker % 5) + 1, { address: `sip:9${worker}${number}@127.0.0.1:${kamailio.ports.udp}` });
        const talking = await host.state(callId, 'talking');
        expect(talking.description?.type).toBe('answer');
        expect(talking.description?.sdp).toMatch(fingerprint);
        await hangUp(callId);
        await host.ended(callId, 'normal');
        stories.push(host.story(callId).join(' '));
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, worker) => oneAfterAnother(worker)));
    expect(stories).toHaveLength(200);
    expect([...new Set(stories)]).toEqual(['trying ringing talking ended']);
    expect(await uas.outcome()).toEqual({ successful: 200, failed: 0, errors: '' });
    expect(subject.extension.status().calls.live).toBe(0);
  });

  test('an announcement before the answer is heard: 183 with SDP comes as progress with a description', async () => {
    const uas = await listen('uas-early-media', 1);
    const callId = await call(1);
    const progress = await subject.host.state(callId, 'progress');
    expect(progress.description).toMatchObject({ type: 'answer' });
    expect(progress.description?.sdp).toMatch(fingerprint);
    await subject.host.state(callId, 'talking');
    await hangUp(callId);
    await subject.host.ended(callId, 'normal');
    expect(await uas.outcome()).toEqual({ successful: 1, failed: 0, errors: '' });
  });

  test.each([
    { status: 486, phrase: 'Busy Here', reason: 'busy' },
    { status: 404, phrase: 'Not Found', reason: 'callee_not_found' },
    { status: 603, phrase: 'Decline', reason: 'rejected' },
    { status: 480, phrase: 'Temporarily Unavailable', reason: 'unavailable' },
  ] as const)('a line that says $status ends the call with $reason', async ({ status, phrase, reason }) => {
    const uas = await listen('uas-refuse', 1, { STATUS: String(status), PHRASE: phrase });
    const callId = await call(2);
    const end = await subject.host.ended(callId, reason);
    expect(end.sip).toEqual({ status, phrase });
    expect(end.message).toContain(String(status));
    expect(await uas.outcome()).toEqual({ successful: 1, failed: 0, errors: '' });
  });

  test('a number that the registrar does not know ends the call with callee_not_found', async () => {
    const callId = await call(3, { address: 'nobody-here' });
    expect((await subject.host.ended(callId, 'callee_not_found')).sip?.status).toBe(404);
  });

  test.each([1, 2, 5])('a caller who gives up cancels the ringing line (peer %i)', async (from) => {
    const uas = await listen('uas-no-answer', 1);
    const callId = await call(from);
    await subject.host.state(callId, 'ringing');
    await hangUp(callId);
    await subject.host.ended(callId);
    expect(await uas.outcome()).toEqual({ successful: 1, failed: 0, errors: '' });
    expect(uas.messages).toMatch(/^CANCEL /m);
    expect(subject.host.story(callId)).toEqual(['trying', 'ringing', 'ended']);
  });

  test.each([1, 3, 4])('a callee who hangs up ends the call (peer %i)', async (from) => {
    const uas = await listen('uas-answer-then-hang-up', 1);
    const callId = await call(from);
    await subject.host.state(callId, 'talking');
    await subject.host.ended(callId, 'normal');
    expect(await uas.outcome()).toEqual({ successful: 1, failed: 0, errors: '' });
  });

  test('a mapping that may not call is told so and nothing is sent', async () => {
    const before = await kamailio.statistic('core.rcv_requests_invite');
    const callId = await call(mute);
    const end = await subject.host.ended(callId, 'caller_disabled');
    expect(end.message).toMatch(/\.$/);
    expect(subject.host.story(callId).at(-1)).toBe('ended');
    expect(await kamailio.statistic('core.rcv_requests_invite')).toBe(before);
  });

  test('a command for a call that has ended is refused with CALL_NOT_FOUND', async () => {
    const callId = await call(mute);
    await subject.host.ended(callId);
    await expect(hangUp(callId)).rejects.toMatchObject({ code: 'CALL_NOT_FOUND' });
  });
});
