/** Dialogs outlive the connection that they began on (behaviour 20). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answer, offer, Subject } from './subject.js';

let subject: Subject;

beforeEach(async () => {
  subject = await Subject.open('tcp');
});

afterEach(async () => {
  await subject.close();
});

/** The connection to the registrar drops, and the account registers over another. */
async function lose(): Promise<void> {
  const lost = subject.nextLoss();
  subject.peer.hangUp();
  await lost;
  const registered = subject.account.register(60);
  (await subject.peer.next('REGISTER')).reply(200, ['Expires: 60']);
  expect((await registered).kind).toBe('registered');
}

describe('a call whose connection drops', () => {
  it('goes on: we hold it and hang up over the new one', async () => {
    const { peer } = subject;
    const { accepted, seen } = subject.place();
    (await peer.next('INVITE')).reply(200, [`Contact: ${subject.peerContact}`], answer);
    await peer.next('ACK');
    const dialog = await accepted;
    await lose();
    const answered = new Promise<string>((resolve) => {
      dialog.offer(offer, { onAnswered: resolve, onRefused: ({ status }) => { resolve(String(status)); } });
    });
    const reinvite = await peer.next('INVITE');
    reinvite.reply(200, [`Contact: ${subject.peerContact}`], answer);
    expect(await answered).toBe(answer);
    await peer.next('ACK');
    dialog.bye();
    (await peer.next('BYE')).reply(200);
    expect(seen).toEqual(['accepted']);
  });

  it('goes on: the far end changes it and hangs up over the new one', async () => {
    const { peer } = subject;
    const { seen, inDialog } = await subject.answered();
    await lose();
    const taken = subject.nextOffer();
    peer.send('INVITE', subject.uri, { ...inDialog, headers: [`Contact: ${subject.peerContact}`], body: offer });
    (await taken).accept(answer);
    const ok = await peer.nextResponse(200);
    expect(ok.body).toBe(answer);
    peer.send('ACK', subject.uri, inDialog);
    expect((await peer.request('BYE', subject.uri, { ...inDialog, cseq: inDialog.cseq! + 1 })).status).toBe(200);
    expect(seen).toEqual(['confirmed', 'bye']);
  });

  it('while it rings at the far end is answered over the new one', async () => {
    const { peer } = subject;
    const { accepted, seen } = subject.place();
    const invite = await peer.next('INVITE');
    invite.reply(180, [`Contact: ${subject.peerContact}`]);
    await subject.settled();
    const lost = subject.nextLoss();
    peer.hangUp();
    await lost;
    const registered = subject.account.register(60);
    const register = await peer.next('REGISTER');
    register.reply(200, ['Expires: 60']);
    await registered;
    register.replyTo(invite, 200, `${invite.header('to') ?? ''};tag=far`, [`Contact: ${subject.peerContact}`], answer);
    const ack = await peer.next('ACK');
    expect(ack.header('call-id')).toBe(invite.header('call-id'));
    (await accepted).bye();
    (await peer.next('BYE')).reply(200);
    expect(seen).toEqual(['progress 180', 'accepted']);
  });

  it('while it rings at the far end is cancelled over the new one', async () => {
    const { peer } = subject;
    const { call, refused } = subject.place();
    const invite = await peer.next('INVITE');
    invite.reply(180, [`Contact: ${subject.peerContact}`]);
    await subject.settled();
    await lose();
    call.cancel();
    const cancel = await peer.next('CANCEL');
    expect(cancel.header('via')).toBe(invite.header('via'));
    cancel.reply(200);
    cancel.replyTo(invite, 487, `${invite.header('to') ?? ''};tag=far`);
    expect((await peer.next('ACK')).header('via')).toBe(invite.header('via'));
    expect((await refused).status).toBe(487);
  });

  it('while it rings here is answered over the new one', async () => {
    const { peer } = subject;
    const { call, seen, request } = await subject.invited();
    call.ring();
    await peer.nextResponse(180);
    await lose();
    call.accept(answer);
    const ok = await peer.nextResponse(200);
    peer.send('ACK', subject.uri, { from: request.from, to: ok.header('to')!, callId: request.callId, cseq: request.cseq });
    await subject.settled();
    expect(seen).toEqual(['confirmed']);
  });
});
