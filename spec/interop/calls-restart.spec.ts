/** Connections are lost under calls that talk, with the registrar or alone: the calls go on, and are hung up over the new ones, by either side. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { freePort } from '../support/ports.js';
import { lacks } from './support/install.js';
import { Kamailio, passwordOf, type Transport } from './support/kamailio.js';
import { MappingsTable } from './support/mappings-table.js';
import { webrtcOffer } from './support/sdp.js';
import { Sipp } from './support/sipp.js';
import { allRegistered, startSubject, type Subject } from './support/subject.js';

const transports = ['udp', 'tcp', 'tls', 'ws', 'wss'] as const satisfies readonly Transport[];

describe.skipIf(lacks('kamailio', 'postgresql', 'sipp', 'openssl'))('calls under a registrar that is restarted', () => {
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

  test('go on over each transport, and are hung up by BYE through the new one', async () => {
    const { host, extension } = subject;
    const sipp = await Sipp.answer({ scenario: 'uas-answer-and-be-told', calls: transports.length, port: uasPort });
    try {
      const callIds = transports.map(() => randomUUID());
      for (const [index, callId] of callIds.entries()) {
        await extension.onCall({ type: 'create', callId, from: { type: 1, id: index + 1 }, to: { address: '9001' }, description: webrtcOffer });
        await host.state(callId, 'talking');
      }
      // One ACK for each challenge and one for each answer: what is still within Kamailio when it dies reaches nobody.
      await vi.waitFor(async () => {
        expect(await kamailio.statistic('core.rcv_requests_ack')).toBe(2 * transports.length);
      });
      await kamailio.crash();
      // The connections are gone; over UDP nobody has noticed yet.
      await subject.untilStatus(({ registrations }) => registrations.byState.registered <= 1);
      await kamailio.startAgain();
      await subject.untilStatus(allRegistered(transports.length), 60_000);
      expect(extension.status().calls.live).toBe(transports.length);
      for (const callId of callIds) {
        await extension.onCall({ type: 'hangup', callId });
        await host.ended(callId, 'normal');
      }
      expect(await sipp.outcome()).toEqual({ successful: transports.length, failed: 0, errors: '' });
    } finally {
      await sipp.stop();
    }
  });

  test('are hung up by the far end once their WebSocket connections were closed: it is told where we are now', async () => {
    const { host, extension } = subject;
    const peers = [4, 5]; // over ws and wss
    const sipp = await Sipp.answer({ scenario: 'uas-hang-up-where-told', calls: peers.length, port: uasPort });
    try {
      const callIds: string[] = [];
      for (const id of peers) {
        const callId = randomUUID();
        await extension.onCall({ type: 'create', callId, from: { type: 1, id }, to: { address: '9001' }, description: webrtcOffer });
        await host.state(callId, 'talking');
        callIds.push(callId);
      }
      await kamailio.closeWebSockets();
      for (const callId of callIds) await host.ended(callId, 'normal');
      expect(await sipp.outcome()).toEqual({ successful: peers.length, failed: 0, errors: '' });
    } finally {
      await sipp.stop();
    }
  });

  test('are ended by BYE when the extension stops and they have had their time', async () => {
    const { host, extension } = subject;
    const sipp = await Sipp.answer({ scenario: 'uas-answer', port: uasPort });
    try {
      const callId = randomUUID();
      await extension.onCall({ type: 'create', callId, from: { type: 1, id: 1 }, to: { address: '9001' }, description: webrtcOffer });
      await host.state(callId, 'talking');
      await extension.stop({ drainMs: 300 });
      await host.ended(callId, 'unavailable');
      expect(await sipp.outcome()).toEqual({ successful: 1, failed: 0, errors: '' });
      expect(await kamailio.users()).toEqual([]);
    } finally {
      await sipp.stop();
    }
  });
});
