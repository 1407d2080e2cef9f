/** The far end of a call has it go on with somebody else, through Kamailio: REFER, and INVITE with Replaces. sipp plays both parties. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CallsSetup } from './support/calls-setup.js';
import { lacks } from './support/install.js';
import { fingerprint, webrtcAnswer, webrtcOffer } from './support/sdp.js';
import { allWell, type Sipp } from './support/sipp.js';
import { asks, hangsUp, hears, isHungUpOn, replies, says, saysAgain, script, takes, takesCall, takesInvite, type Step } from './support/sipp-script.js';

const refersTo = (number: string): readonly Step[] => [asks('REFER', { headers: [`Refer-To: <sip:${number}@127.0.0.1>`, 'Referred-By: <sip:9001@127.0.0.1>'] }), hears(202)];
const isTold: readonly Step[] = [takes('NOTIFY'), replies(200)];
/** An offer of ours in the call. */
const takesOffer: readonly Step[] = [takesInvite, saysAgain(200, { sdp: 'answer' }), takes('ACK')];
/** It is asked for an offer, and our ACK has the answer. */
const offersAsAsked: readonly Step[] = [takesInvite, saysAgain(200, { sdp: 'offer' }), takes('ACK')];

const statusLines = (sipp: Sipp): string[] => [...sipp.messages.matchAll(/^SIP\/2\.0 (\d+ .*?)\r?$/gm)].flatMap(([, line = ''], index, all) => {
  const before = sipp.messages.slice(0, all[index]?.index);
  // In the body of a NOTIFY.
  return /Content-Type: message\/sipfrag[^\n]*\n(?:[^\n]+\n)*\r?\n$/.test(before) ? [line] : [];
});

describe.skipIf(lacks(...CallsSetup.needs))('a call that its far end hands over', () => {
  let setup: CallsSetup;

  beforeAll(async () => {
    setup = await CallsSetup.start({ users: [{}], withSecond: true, sip: { calls: { 'ring-timeout': '3 seconds', deny: ['9799'] } } });
  });
  afterEach(() => setup.clear());
  afterAll(() => setup.stop());

  const farEnd = (...steps: readonly Step[]): Promise<Sipp> => setup.farEnd(script(...steps));
  const newParty = (...steps: readonly Step[]): Promise<Sipp> => setup.farEnd(script(...steps), { place: 'second' });

  /** Told that the call is somebody else's. @returns whose */
  async function handed(callId: string): Promise<string | undefined> {
    const told = await setup.host.next(callId, (update) => update.type === 'state' && update.state === 'talking' && update.remote?.user === '9701');
    return told.type === 'state' ? told.remote?.user : undefined;
  }

  test('goes on with the new party, to whom the client offers', async () => {
    const first = await farEnd(takesCall, ...refersTo('9701'), ...isTold, ...isTold, ...isTold, isHungUpOn);
    const second = await newParty(takesInvite, says(180), says(200, { sdp: 'answer' }), takes('ACK'), ...takesOffer, isHungUpOn);
    const callId = await setup.call();
    expect(await handed(callId)).toBe('9701');
    await setup.command({ type: 'offer', callId, description: webrtcOffer });
    expect((await setup.next(callId, 'answer')).description.sdp).toMatch(fingerprint);
    expect(await first.outcome()).toEqual(allWell());
    await setup.hangUp(callId);
    expect(await second.outcome()).toEqual(allWell());
    expect(statusLines(first)).toEqual(['100 Trying', '180 Ringing', '200 OK']);
    expect(second.messages).toMatch(/^Referred-By: <sip:9001@127\.0\.0\.1>/m);
    expect(setup.host.story(callId)).toEqual(['trying', 'talking', 'talking', 'answer', 'ended']);
  });

  test('goes on with the new party, which offers as the client makes none', async () => {
    const first = await farEnd(takesCall, ...refersTo('9701'), ...isTold, ...isTold, isHungUpOn);
    const second = await newParty(takesCall, ...offersAsAsked, isHungUpOn);
    const callId = await setup.call();
    expect((await setup.next(callId, 'offer')).description.sdp).toMatch(fingerprint);
    await setup.command({ type: 'answer', callId, description: webrtcAnswer });
    expect(await first.outcome()).toEqual(allWell());
    await setup.hangUp(callId);
    expect(await second.outcome()).toEqual(allWell());
    expect(setup.host.story(callId)).toEqual(['trying', 'talking', 'talking', 'offer', 'ended']);
  });

  test('goes on with the new party when the far end hangs up at once', async () => {
    const first = await farEnd(takesCall, ...refersTo('9701'), ...isTold, hangsUp);
    const second = await newParty(takesCall, ...takesOffer, hangsUp);
    const callId = await setup.call();
    expect(await handed(callId)).toBe('9701');
    await setup.command({ type: 'offer', callId, description: webrtcOffer });
    await setup.host.ended(callId, 'normal');
    expect([await first.outcome(), await second.outcome()]).toEqual([allWell(), allWell()]);
  });

  test('goes on as it was when the new party is busy, and the far end is told', async () => {
    const first = await farEnd(takesCall, ...refersTo('9701'), ...isTold, ...isTold, isHungUpOn);
    const second = await newParty(takesInvite, says(486), takes('ACK'));
    const callId = await setup.call();
    expect(await second.outcome()).toEqual(allWell());
    await expect.poll(() => statusLines(first), { timeout: 10_000 }).toEqual(['100 Trying', '486 Busy Here']);
    await setup.hangUp(callId);
    expect(await first.outcome()).toEqual(allWell());
    expect(setup.host.story(callId)).toEqual(['trying', 'talking', 'ended']);
  });

  test('is not handed to a number that may not be called', async () => {
    const first = await farEnd(takesCall, asks('REFER', { headers: ['Refer-To: <sip:9799@127.0.0.1>'] }), hears(403), isHungUpOn);
    const callId = await setup.call();
    await setup.host.state(callId, 'talking');
    await expect.poll(() => /^SIP\/2\.0 403 /m.test(first.messages), { timeout: 10_000 }).toBe(true);
    await setup.hangUp(callId);
    expect(await first.outcome()).toEqual(allWell());
  });
});
