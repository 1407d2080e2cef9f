/** Requests of ours: what they carry, and what is made of a network that does not take them. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { answer, Subject } from './subject.js';
import { quietDialog } from '../../support/quiet-dialog.js';

let subject: Subject;

beforeEach(async () => {
  subject = await Subject.open();
});

afterEach(async () => {
  await subject.close();
});

it('a request counts its body in bytes, and names no extensions where there are none', async () => {
  const { peer, account } = subject;
  account.invite({ to: 'sip:600@example.com', sdp: 'ü\r\n' }, { ...quietDialog, onProgress: () => undefined, onAccepted: () => undefined, onRefused: () => undefined });
  const invite = await peer.next('INVITE');
  expect([invite.header('content-length'), invite.headers('supported')]).toEqual(['4', ['timer', 'replaces']]);
  invite.reply(486);
  expect((await peer.next('ACK')).headers('supported')).toEqual([]);
});

it('a request that the network does not take ends at once, and says why', async () => {
  const target = { transport: 'udp', host: '127.255.255.255', port: 5060 } as const; // a broadcast, which this socket may not send
  const account = subject.stack.addAccount({ ...subject.account.settings, token: 'tok500', user: '500', target });
  expect(await account.register(60)).toMatchObject({ kind: 'unreachable', code: 'SIP_TRANSPORT' });
});

it('a call that the network does not take ends at once, and says why', async () => {
  const target = { transport: 'udp', host: '127.255.255.255', port: 5060 } as const;
  const account = subject.stack.addAccount({ ...subject.account.settings, token: 'tok500', user: '500', target });
  const refusal = await new Promise((resolve) => {
    account.invite({ to: 'sip:600@example.com', sdp: answer }, { ...quietDialog, onProgress: () => undefined, onAccepted: () => undefined, onRefused: resolve });
  });
  expect(refusal).toMatchObject({ status: 503, local: { code: 'SIP_TRANSPORT', message: expect.stringContaining('127.255.255.255') as string } });
});

it('a Request-URI may be an IPv6 address', async () => {
  const { peer } = subject;
  const { accepted } = subject.place('sip:600@[2001:db8::10]');
  const invite = await peer.next('INVITE');
  expect(invite.uri).toBe('sip:600@[2001:db8::10]');
  invite.reply(200, [`Record-Route: <sip:127.0.0.1:${String(peer.port)};lr>`, 'Contact: <sip:far@[2001:db8::9:1]:5070>'], answer);
  expect((await peer.next('ACK')).uri).toBe('sip:far@[2001:db8::9:1]:5070');
  (await accepted).bye();
  (await peer.next('BYE')).reply(200);
});
