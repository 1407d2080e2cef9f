/** Connections are lost under calls that talk, with the registrar or alone: the calls go on, and are hung up over the new ones, by either side. */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { CallsSetup, everyTransport, over } from './support/calls-setup.js';
import { lacks } from './support/install.js';
import { allWell } from './support/sipp.js';

describe.skipIf(lacks(...CallsSetup.needs))('calls under a registrar that is restarted', () => {
  let setup: CallsSetup;

  beforeAll(async () => {
    setup = await CallsSetup.start({ users: over(...everyTransport), authInvite: true });
  });
  afterEach(() => setup.clear());
  afterAll(() => setup.stop());

  async function talking(...peers: readonly number[]): Promise<string[]> {
    const callIds: string[] = [];
    for (const peer of peers) {
      const callId = await setup.call(peer);
      await setup.host.state(callId, 'talking');
      callIds.push(callId);
    }
    return callIds;
  }

  test('go on over each transport, and are hung up by BYE through the new one', async () => {
    const total = everyTransport.length;
    const sipp = await setup.farEnd('uas-answer-and-be-told', { calls: total });
    const callIds = await talking(1, 2, 3, 4, 5);
    // One ACK for each challenge and one for each answer: what is still within Kamailio when it dies reaches nobody.
    await vi.waitFor(async () => {
      expect(await setup.kamailio.statistic('core.rcv_requests_ack')).toBe(2 * total);
    });
    await setup.kamailio.crash();
    // The connections are gone; over UDP nobody has noticed yet.
    await setup.untilStatus(({ registrations }) => registrations.byState.registered <= 1);
    await setup.kamailio.startAgain();
    await setup.untilRegistered(60_000);
    expect(setup.extension.status().calls.live).toBe(total);
    for (const callId of callIds) await setup.hangUp(callId);
    expect(await sipp.outcome()).toEqual(allWell(total));
  });

  test('are hung up by the far end once their WebSocket connections were closed: it is told where we are now', async () => {
    const sipp = await setup.farEnd('uas-hang-up-where-told', { calls: 2 });
    const callIds = await talking(4, 5); // over ws and wss
    await setup.kamailio.closeWebSockets();
    for (const callId of callIds) await setup.host.ended(callId, 'normal');
    expect(await sipp.outcome()).toEqual(allWell(2));
  });

  test('are ended by BYE when the extension stops and they have had their time', async () => {
    const sipp = await setup.farEnd('uas-answer');
    const [callId = ''] = await talking(1);
    await setup.extension.stop({ drainMs: 300 });
    await setup.host.ended(callId, 'unavailable');
    expect(await sipp.outcome()).toEqual(allWell());
    expect(await setup.kamailio.users()).toEqual([]);
  });
});
