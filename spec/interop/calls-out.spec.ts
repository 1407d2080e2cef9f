import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CallsSetup, everyTransport, over } from './support/calls-setup.js';
import { lacks } from './support/install.js';
import { fingerprint } from './support/sdp.js';
import { allWell } from './support/sipp.js';

/** Who may not call; the others, 1 to 5, call over the five transports. */
const mute = 6;

describe.skipIf(lacks(...CallsSetup.needs))('calls from the messenger to SIP', () => {
  let setup: CallsSetup;

  beforeAll(async () => {
    setup = await CallsSetup.start({ users: [...over(...everyTransport), { canCall: false }], authInvite: true });
  });
  afterEach(() => setup.clear());
  afterAll(() => setup.stop());

  test('200 calls over five transports are all answered and ended, each with its updates in order', async () => {
    const uas = await setup.farEnd('uas-answer', { calls: 200 });
    const { host } = setup;
    const stories: string[] = [];
    const oneAfterAnother = async (worker: number): Promise<void> => {
      for (let number = 0; number < 10; number += 1) {
        const callId = await setup.call((worker % 5) + 1, { address: `sip:9${worker}${number}@127.0.0.1:${setup.kamailio.ports.udp}` });
        const talking = await host.state(callId, 'talking');
        expect(talking.description?.type).toBe('answer');
        expect(talking.description?.sdp).toMatch(fingerprint);
        await setup.hangUp(callId);
        stories.push(host.story(callId).join(' '));
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, worker) => oneAfterAnother(worker)));
    expect(stories).toHaveLength(200);
    expect([...new Set(stories)]).toEqual(['trying ringing talking ended']);
    expect(await uas.outcome()).toEqual(allWell(200));
  });

  test('an announcement before the answer is heard: 183 with SDP comes as progress with a description', async () => {
    const uas = await setup.farEnd('uas-early-media');
    const callId = await setup.call(1);
    const progress = await setup.host.state(callId, 'progress');
    expect(progress.description).toMatchObject({ type: 'answer' });
    expect(progress.description?.sdp).toMatch(fingerprint);
    await setup.host.state(callId, 'talking');
    await setup.hangUp(callId);
    expect(await uas.outcome()).toEqual(allWell());
  });

  test.each([
    { status: 486, phrase: 'Busy Here', reason: 'busy' },
    { status: 404, phrase: 'Not Found', reason: 'callee_not_found' },
    { status: 603, phrase: 'Decline', reason: 'rejected' },
    { status: 480, phrase: 'Temporarily Unavailable', reason: 'unavailable' },
  ] as const)('a line that says $status ends the call with $reason', async ({ status, phrase, reason }) => {
    const uas = await setup.farEnd('uas-refuse', { words: { STATUS: String(status), PHRASE: phrase } });
    const callId = await setup.call(2);
    const end = await setup.host.ended(callId, reason);
    expect(end.sip).toEqual({ status, phrase });
    expect(end.message).toContain(String(status));
    expect(await uas.outcome()).toEqual(allWell());
  });

  test('a number that the registrar does not know ends the call with callee_not_found', async () => {
    const callId = await setup.call(3, { address: 'nobody-here' });
    expect((await setup.host.ended(callId, 'callee_not_found')).sip?.status).toBe(404);
  });

  test.each([1, 2, 5])('a caller who gives up cancels the ringing line (peer %i)', async (from) => {
    const uas = await setup.farEnd('uas-no-answer');
    const callId = await setup.call(from);
    await setup.host.state(callId, 'ringing');
    await setup.hangUp(callId);
    expect(await uas.outcome()).toEqual(allWell());
    expect(uas.messages).toMatch(/^CANCEL /m);
    expect(setup.host.story(callId)).toEqual(['trying', 'ringing', 'ended']);
  });

  test.each([1, 3, 4])('a callee who hangs up ends the call (peer %i)', async (from) => {
    const uas = await setup.farEnd('uas-answer-then-hang-up');
    const callId = await setup.call(from);
    await setup.host.state(callId, 'talking');
    await setup.host.ended(callId, 'normal');
    expect(await uas.outcome()).toEqual(allWell());
  });

  test('a mapping that may not call is told so and nothing is sent', async () => {
    const before = await setup.kamailio.statistic('core.rcv_requests_invite');
    const callId = await setup.call(mute);
    const end = await setup.host.ended(callId, 'caller_disabled');
    expect(end.message).toMatch(/\.$/);
    expect(setup.host.story(callId).at(-1)).toBe('ended');
    expect(await setup.kamailio.statistic('core.rcv_requests_invite')).toBe(before);
  });

  test('a command for a call that has ended is refused with CALL_NOT_FOUND', async () => {
    const callId = await setup.call(mute);
    await setup.host.ended(callId);
    await expect(setup.hangUp(callId)).rejects.toMatchObject({ code: 'CALL_NOT_FOUND' });
  });
});
