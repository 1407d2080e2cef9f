import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CallUpdate } from '../../src/host/contract.js';
import { CallsSetup, everyTransport, over } from './support/calls-setup.js';
import { lacks } from './support/install.js';
import { passwordOf } from './support/kamailio.js';
import { fingerprint, webrtcAnswer } from './support/sdp.js';
import { allWell, type Sipp, type SippLine } from './support/sipp.js';

/** Who may not be called; the others, 1 to 5, are registered over the five transports. */
const unlisted = 6;

describe.skipIf(lacks(...CallsSetup.needs))('calls from SIP to the messenger', () => {
  let setup: CallsSetup;
  let robot: ((update: CallUpdate) => void | Promise<void>) | undefined;

  beforeAll(async () => {
    const users = [...over(...everyTransport), { canBeCalled: false }];
    setup = await CallsSetup.start({ users, authInvite: true, onUpdate: (update) => robot?.(update) });
  });
  afterEach(async () => {
    robot = undefined;
    await setup.clear();
  });
  afterAll(() => setup.stop());

  const lineTo = (peerId: number): SippLine => ({
    caller: `caller-${peerId}`,
    password: passwordOf(`caller-${peerId}`),
    dialled: `user-${peerId}`,
  });

  test('200 calls all reach the user who was dialled, are answered, and end with the caller hanging up', async () => {
    const delivered: string[] = [];
    robot = async (update) => {
      if (update.type !== 'incoming') return;
      delivered.push(`${update.from.user ?? ''} -> ${update.to.type}:${update.to.id}`);
      expect(update.description.sdp).toMatch(fingerprint);
      await setup.command({ type: 'ringing', callId: update.callId });
      await setup.command({ type: 'answer', callId: update.callId, description: webrtcAnswer });
    };
    const uac = await setup.caller('uac-call', [1, 2, 3, 4, 5].map(lineTo), { calls: 200 });
    expect(await uac.outcome()).toEqual(allWell(200));
    expect(delivered).toHaveLength(200);
    expect([...new Set(delivered)].sort()).toEqual([1, 2, 3, 4, 5].map((peer) => `caller-${peer} -> 1:${peer}`));
    const { host } = setup;
    await Promise.all(host.callIds.map((callId) => host.ended(callId, 'normal')));
    expect([...new Set(host.callIds.map((callId) => host.story(callId).join(' ')))]).toEqual(['incoming talking ended']);
  });

  test.each([1, 2, 3, 4, 5])('the messenger can hang up an answered call (peer %i)', async (peer) => {
    const uac = await setup.caller('uac-call-until-bye', [lineTo(peer)]);
    await setup.hangUp(await setup.answered());
    expect(await uac.outcome()).toEqual(allWell());
  });

  test('a busy user gives the caller 486', async () => {
    const uac = await setup.caller('uac-refused', [lineTo(1)], { words: { STATUS: '486' } });
    const { callId } = await setup.host.nextIncoming();
    await setup.command({ type: 'hangup', callId, reason: 'busy' });
    await setup.host.ended(callId, 'busy');
    expect(await uac.outcome()).toEqual(allWell());
  });

  test('a user who declines gives the caller 603', async () => {
    const uac = await setup.caller('uac-refused', [lineTo(2)], { words: { STATUS: '603' } });
    const { callId } = await setup.host.nextIncoming();
    await setup.command({ type: 'hangup', callId, reason: 'rejected' });
    await setup.host.ended(callId, 'rejected');
    expect(await uac.outcome()).toEqual(allWell());
  });

  test.each([1, 4])('a caller who gives up while it rings ends the call (peer %i)', async (peer) => {
    const uac = await setup.caller('uac-cancel', [lineTo(peer)]);
    const { callId } = await setup.host.nextIncoming();
    await setup.command({ type: 'ringing', callId });
    await setup.host.ended(callId, 'no_answer');
    expect(await uac.outcome()).toEqual(allWell());
    expect(setup.host.story(callId)).toEqual(['incoming', 'ended']);
  });

  test('a mapping that may not be called gives the caller 403 and the messenger nothing', async () => {
    const before = setup.host.callIds.length;
    const uac = await setup.caller('uac-refused', [lineTo(unlisted)], { words: { STATUS: '403' } });
    expect(await uac.outcome()).toEqual(allWell());
    expect(setup.host.callIds).toHaveLength(before);
  });

  // The registrar looked user-1 up and relays to its Contact, while To names user-2; the caller's Contact is another again.
  const forwarded: SippLine = { ...lineTo(1), to: 'user-2' };

  test('the user is told by our Contact when contacts count', async () => {
    const uac = await setup.caller('uac-call-until-bye', [forwarded], { words: { CONTACT_USER: 'desk-17' } });
    await expectCallee(uac, 1);
  });

  test('with dialog-ignore-contact-field the user is told by To and the caller by From alone', async () => {
    await setup.startAnew({ 'dialog-ignore-contact-field': true });
    const uac = await setup.caller('uac-call-until-bye', [forwarded], { words: { CONTACT_USER: 'desk-17' } });
    const from = await expectCallee(uac, 2);
    expect(from).toMatchObject({ user: 'caller-1' });
    expect(from.uri).not.toContain('desk-17');
  });

  async function expectCallee(uac: Sipp, peerId: number): Promise<{ uri: string }> {
    const { callId, to, from } = await setup.host.nextIncoming();
    expect(to).toMatchObject({ type: 1, id: peerId });
    await setup.command({ type: 'answer', callId, description: webrtcAnswer });
    await setup.host.state(callId, 'talking');
    await setup.hangUp(callId);
    expect(await uac.outcome()).toEqual(allWell());
    return from;
  }
});
