import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CallsSetup, over } from './support/calls-setup.js';
import { lacks } from './support/install.js';
import { fingerprint, webrtcAnswer, webrtcOffer } from './support/sdp.js';
import { allWell } from './support/sipp.js';

describe.skipIf(lacks(...CallsSetup.needs))('a call that talks, through Kamailio', () => {
  let setup: CallsSetup;

  beforeAll(async () => {
    setup = await CallsSetup.start({ users: over('udp', 'tcp', 'ws'), authInvite: true });
  });
  afterEach(() => setup.clear());
  afterAll(() => setup.stop());

  test.each([1, 2, 3])('is held from both sides, hears tones both ways, and is transferred (peer %i)', async (from) => {
    const sipp = await setup.farEnd('uas-in-dialog');
    const callId = await setup.call(from);
    await setup.host.state(callId, 'talking');

    await setup.command({ type: 'offer', callId, description: webrtcOffer });
    expect((await setup.next(callId, 'answer')).description.sdp).toMatch(fingerprint);
    await setup.command({ type: 'dtmf', callId, tones: '5' });

    expect((await setup.next(callId, 'offer')).description.sdp).toMatch(fingerprint);
    await setup.command({ type: 'answer', callId, description: webrtcAnswer });
    expect((await setup.next(callId, 'dtmf')).tones).toBe('7');

    await setup.command({ type: 'transfer', callId, to: { address: '9002' } });
    expect([(await setup.next(callId, 'transfer')).state, (await setup.next(callId, 'transfer')).state]).toEqual(['trying', 'accepted']);
    await setup.host.ended(callId, 'transfer');
    expect(await sipp.outcome()).toEqual(allWell());
    expect(sipp.messages).toMatch(/Signal=5/);
    expect(sipp.messages).toMatch(/^Refer-To: <sip:9002@/m);
  });

  test('is placed with the session interval that the far end takes, which then refreshes it', async () => {
    const sipp = await setup.farEnd('uas-session-timer');
    const callId = await setup.call();
    await setup.host.state(callId, 'talking');
    await setup.host.ended(callId, 'normal');
    expect(await sipp.outcome()).toEqual(allWell());
  });
});
