import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CallUpdate } from '../../src/host/contract.js';
import { freePort } from '../support/ports.js';
import type { UpdateOf } from '../support/fake-host.js';
import { lacks } from './support/install.js';
import { Kamailio, passwordOf, type Transport } from './support/kamailio.js';
import { MappingsTable } from './support/mappings-table.js';
import { fingerprint, webrtcAnswer, webrtcOffer } from './support/sdp.js';
import { Sipp } from './support/sipp.js';
import { allRegistered, startSubject, type Subject } from './support/subject.js';

const transports = ['udp', 'tcp', 'ws'] as const satisfies readonly Transport[];

describe.skipIf(lacks('kamailio', 'postgresql', 'sipp', 'openssl'))('a call that talks, through Kamailio', () => {
  let table: MappingsTable;
  let kamailio: Kamailio;
  let subject: Subject;
  let uasPort: number;

  beforeAll(async () => {
    table = await MappingsTable.start();
    uasPort = await freePort();
    kamailio = await Kamailio.start({ authInvite: true, uas: { port: uasPort } });
    await table.replace(
      transports.map((transport, index) => ({
        user: `user-${index + 1}`,
        password: passwordOf(`user-${index + 1}`),
        port: kamailio.ports[transport],
        transport,
        peerId: index + 1,
      })),
    );
    subject = await startSubject(table.settings, { listen: { tls: { ca: kamailio.caFile } } });
    await subject.untilStatus(allRegistered(transports.length));
  });

  afterAll(async () => {
    await subject.stop();
    expect(subject.host.problems).toEqual([]);
    await kamailio.stop();
    await table.stop();
  });

  test.each([1, 2, 3])('is held from both sides, hears tones both ways, and is transferred (peer %i)', async (from) => {
    const sipp = await Sipp.answer({ scenario: 'uas-in-dialog', port: uasPort });
    try {
      const { host, extension } = subject;
      const callId = randomUUID();
      const next = <T extends CallUpdate['type']>(type: T): Promise<UpdateOf<T>> =>
        host.next(callId, (update): update is UpdateOf<T> => update.type === type);
      await extension.onCall({ type: 'create', callId, from: { type: 1, id: from }, to: { address: '9001' }, description: webrtcOffer });
      await host.state(callId, 'talking');

      await extension.onCall({ type: 'offer', callId, description: webrtcOffer });
      expect((await next('answer')).description.sdp).toMatch(fingerprint);
      await extension.onCall({ type: 'dtmf', callId, tones: '5' });

      expect((await next('offer')).description.sdp).toMatch(fingerprint);
      await extension.onCall({ type: 'answer', callId, description: webrtcAnswer });
      expect((await next('dtmf')).tones).toBe('7');

      await extension.onCall({ type: 'transfer', callId, to: { address: '9002' } });
      expect([(await next('transfer')).state, (await next('transfer')).state]).toEqual(['trying', 'accepted']);
      await host.ended(callId, 'transfer');
      expect(await sipp.outcome()).toEqual({ successful: 1, failed: 0, errors: '' });
      expect(sipp.messages).toMatch(/Signal=5/);
      expect(sipp.messages).toMatch(/^Refer-To: <sip:9002@/m);
    } finally {
      await sipp.stop();
    }
  });

  test('is placed with the session interval that the far end takes, which then refreshes it', async () => {
    const sipp = await Sipp.answer({ scenario: 'uas-session-timer', port: uasPort });
    try {
      const { host, extension } = subject;
      const callId = randomUUID();
      await extension.onCall({ type: 'create', callId, from: { type: 1, id: 1 }, to: { address: '9001' }, description: webrtcOffer });
      await host.state(callId, 'talking');
      await host.ended(callId, 'normal');
      expect(await sipp.outcome()).toEqual({ successful: 1, failed: 0, errors: '' });
    } finally {
      await sipp.stop();
    }
  });
});
