import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CallUpdate } from '../../src/host/contract.js';
import { lacks } from './support/install.js';
import { Kamailio, passwordOf, type Transport } from './support/kamailio.js';
import { MappingsTable } from './support/mappings-table.js';
import { fingerprint, webrtcAnswer } from './support/sdp.js';
import { Sipp, type SippLine } from './support/sipp.js';
import { allRegistered, startSubject, type Subject } from './support/subject.js';

const transports = ['udp', 'tcp', 'tls', 'ws', 'wss'] as const satisfies readonly Transport[];
/** A mapping that may not be called; the others, 1 to 5, are registered over the five transports. */
const unlisted = 6;

describe.skipIf(lacks('kamailio', 'postgresql', 'sipp', 'openssl'))('calls from SIP to the messenger', () => {
  let table: MappingsTable;
  let kamailio: Kamailio;
  let subject: Subject;
  let sipp: Sipp | undefined;
  let robot: ((update: CallUpdate) => void | Promise<void>) | undefined;

  const start = (sip: Record<string, unknown> = {}): Promise<Subject> =>
    startSubject(
      table.settings,
      { ...sip, listen: { tls: { ca: kamailio.caFile } } },
      { onUpdate: (update) => robot?.(update) },
    );

  beforeAll(async () => {
    table = await MappingsTable.start();
    kamailio = await Kamailio.start({ authInvite: true });
    await table.replace(
      [...transports, 'udp' as const].map((transport, index) => ({
        user: `user-${index + 1}`,
        password: passwordOf(`user-${index + 1}`),
        port: kamailio.ports[transport],
        transport,
        peerId: index + 1,
        canBeCalled: index + 1 !== unlisted,
      })),
    );
    subject = await start();
    await subject.untilStatus(allRegistered(6));
  });

  afterAll(async () => {
    await subject.stop();
    expect(subject.host.problems).toEqual([]);
    await kamailio.stop();
    await table.stop();
  });

  afterEach(async () => {
    robot = undefined;
    await sipp?.stop();
    sipp = undefined;
  });

  const lineTo = (peerId: number): SippLine => ({
    caller: `caller-${peerId}`,
    password: passwordOf(`caller-${peerId}`),
    dialled: `user-${peerId}`,
  });

  const dial = async (
    scenario: string,
    lines: readonly SippLine[],
    options: { calls?: number; words?: Record<string, string> } = {},
  ): Promise<Sipp> => {
    sipp = await Sipp.call({ scenario, lines, proxyPort: kamailio.ports.udp, ...options });
    return sipp;
  };

  const succeeded = (calls: number) => ({ successful: calls, failed: 0, errors: '' });

  test('200 calls all reach the user who was dialled, are answered, and end with the caller hanging up', async () => {
    const delivered: string[] = [];
    robot = async (update) => {
      if (update.type !== 'incoming') return;
      delivered.push(`${update.from.user ?? ''} -> ${update.to.type}:${update.to.id}`);
      expect(update.description.sdp).toMatch(fingerprint);
      await subject.extension.onCall({ type: 'ringing', callId: update.callId });
      await subject.extension.onCall({ type: 'answer', callId: update.callId, description: webrtcAnswer });
    };
    const uac = await dial('uac-call', [1, 2, 3, 4, 5].map(lineTo), { calls: 200 });
    expect(await uac.outcome()).toEqual(succeeded(200));
    expect(delivered).toHaveLength(200);
    expect([...new Set(delivered)].sort()).toEqual([1, 2, 3, 4, 5].map((peer) => `caller-${peer} -> 1:${peer}`));
    const { host } = subject;
    await Promise.all(host.callIds.map((callId) => host.ended(callId, 'normal')));
    expect([...new Set(host.callIds.map((callId) => host.story(callId).join(' ')))]).toEqual(['incoming talking ended']);
    expect(subject.extension.status().calls.live).toBe(0);
  });

  test.each([1, 2, 3, 4, 5])('the messenger can hang up an answered call (peer %i)', async (peer) => {
    const uac = await dial('uac-call-until-bye', [lineTo(peer)]);
    const { host, extension } = subject;
    const { callId } = await host.nextIncoming();
    await extension.onCall({ type: 'answer', callId, description: webrtcAnswer });
    await host.state(callId, 'talking');
    await extension.onCall({ type: 'hangup', callId, reason: 'normal' });
    await host.ended(callId, 'normal');
    expect(await uac.outcome()).toEqual(succeeded(1));
  });

  test('a busy user gives the caller 486', async () => {
    const uac = await dial('uac-refused', [lineTo(1)], { words: { STATUS: '486' } });
    const { callId } = await subject.host.nextIncoming();
    await subject.extension.onCall({ type: 'hangup', callId, reason: 'busy' });
    await subject.host.ended(callId, 'busy');
    expect(await uac.outcome()).toEqual(succeeded(1));
  });

  test('a user who declines gives the caller 603', async () => {
    const uac = await dial('uac-refused', [lineTo(2)], { words: { STATUS: '603' } });
    const { callId } = await subject.host.nextIncoming();
    await subject.extension.onCall({ type: 'hangup', callId, reason: 'rejected' });
    await subject.host.ended(callId, 'rejected');
    expect(await uac.outcome()).toEqual(succeeded(1));
  });

  test.each([1, 4])('a caller who gives up while it rings ends the call (peer %i)', async (peer) => {
    const uac = await dial('uac-cancel', [lineTo(peer)]);
    const { callId } = await subject.host.nextIncoming();
    await subject.extension.onCall({ type: 'ringing', callId });
    await subject.host.ended(callId, 'no_answer');
    expect(await uac.outcome()).toEqual(succeeded(1));
    expect(subject.host.story(callId)).toEqual(['incoming', 'ended']);
  });

  test('a mapping that may not be called gives the caller 403 and the messenger nothing', async () => {
    const before = subject.host.callIds.length;
    const uac = await dial('uac-refused', [lineTo(unlisted)], { words: { STATUS: '403' } });
    expect(await uac.outcome()).toEqual(succeeded(1));
    expect(subject.host.callIds).toHaveLength(before);
  });

  // The registrar looked user-1 up and relays to its Contact, while To names user-2; the caller's Contact is another again.
  const forwarded: SippLine = { ...lineTo(1), to: 'user-2' };

  test('the user is told by our Contact when contacts count', async () => {
    const uac = await dial('uac-call-until-bye', [forwarded], { words: { CONTACT_USER: 'desk-17' } });
    await expectCallee(uac, 1);
  });

  test('with dialog-ignore-contact-field the user is told by To and the caller by From alone', async () => {
    await subject.stop();
    subject = await start({ 'dialog-ignore-contact-field': true });
    await subject.untilStatus(allRegistered(6));
    const uac = await dial('uac-call-until-bye', [forwarded], { words: { CONTACT_USER: 'desk-17' } });
    const from = await expectCallee(uac, 2);
    expect(from).toMatchObject({ user: 'caller-1' });
    expect(from.uri).not.toContain('desk-17');
  });

  async function expectCallee(uac: Sipp, peerId: number): Promise<{ uri: string }> {
    const { callId, to, from } = await subject.host.nextIncoming();
    expect(to).toMatchObject({ type: 1, id: peerId });
    await subject.extension.onCall({ type: 'answer', callId, description: webrtcAnswer });
    await subject.host.state(callId, 'talking');
    await subject.extension.onCall({ type: 'hangup', callId });
    expect(await uac.outcome()).toEqual(succeeded(1));
    return from;
  }
});
