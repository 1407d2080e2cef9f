/** Who calls and who answers, beside From and To: RFC 3325, RFC 3323. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { quietDialog } from '../../support/quiet-dialog.js';
import { answer, offer, Subject } from './subject.js';

let subject: Subject;

beforeEach(async () => {
  subject = await Subject.open('udp', { statedIdentity: 'asserted' });
});

afterEach(async () => {
  await subject.close();
});

it('a call of ours says who calls as it is configured, and is told who rings and answers as the network says', async () => {
  const { peer, account } = subject;
  const remotes: (string | undefined)[] = [];
  const accepted = new Promise<void>((resolve) => {
    account.invite(
      { to: 'sip:600@example.com', sdp: offer, displayName: 'Anna' },
      {
        ...quietDialog,
        onProgress: ({ remote }) => remotes.push(remote?.uri),
        onAccepted: ({ remote }) => {
          remotes.push(remote?.uri);
          resolve();
        },
        onRefused: () => undefined,
      },
    );
  });
  const invite = await peer.next('INVITE');
  expect([invite.header('p-asserted-identity'), invite.header('p-preferred-identity')]).toEqual(['"Anna" <sip:434@example.com>', undefined]);
  invite.reply(180, [`Contact: ${subject.peerContact}`]);
  invite.reply(200, [`Contact: ${subject.peerContact}`, 'P-Asserted-Identity: <sip:601@example.com>'], answer);
  await peer.next('ACK');
  await accepted;
  expect(remotes).toEqual(['sip:600@example.com', 'sip:601@example.com']);
});

it('a call that reaches us says who calls as the network does, and whether that may be told', async () => {
  const { call } = await subject.invited(['P-Asserted-Identity: "Front desk" <sip:601@example.com>', 'Privacy: id', 'Diversion: <sip:602@example.com>;reason=no-answer']);
  expect(call.identity).toMatchObject({
    asserted: { uri: 'sip:601@example.com', displayName: 'Front desk' },
    isPrivate: true,
    forwardedBy: [{ by: { uri: 'sip:602@example.com' }, reason: 'no-answer' }],
  });
  call.reject(480);
  await subject.peer.nextResponse(480);
});
