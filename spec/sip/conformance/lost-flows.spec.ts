/** Dialogs outlive the connection that they began on (behaviour 20). */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { minute, second } from '../../../src/base/units.js';
import type { CallDialog } from '../../../src/sip/types.js';
import { ManualClock } from '../../support/manual-clock.js';
import type { Received } from '../../support/scripted-peer.js';
import { answer, offer, Subject } from './subject.js';

let subject: Subject;

afterEach(async () => {
  await subject.close();
});

/** The account registers. @returns the URI of its Contact */
async function register(): Promise<string> {
  const registered = subject.account.register(60);
  const request = await subject.peer.next('REGISTER');
  request.reply(200, ['Expires: 60']);
  expect((await registered).kind).toBe('registered');
  return contactIn(request);
}

/** The connection to the registrar drops, and the account registers over another. @returns the URI of its Contact there */
async function lose(): Promise<string> {
  const lost = subject.nextLoss();
  subject.peer.hangUp();
  await lost;
  return register();
}

function contactIn(message: Received): string {
  return message.contactOf(message);
}

describe('a call whose connection drops', () => {
  beforeEach(async () => {
    subject = await Subject.open('tcp');
  });

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

describe('the far end of a call whose connection drops', () => {
  const takesUpdate = 'Allow: INVITE, ACK, BYE, UPDATE';
  /** Longer than what many of these are spread over. */
  const soon = 2 * second;
  let clock: ManualClock;

  beforeEach(async () => {
    // SIP.js has timers of its own.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    clock = new ManualClock();
    subject = await Subject.open('ws', { clock });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  /** A call of ours that the peer answered. */
  async function placed(...headers: string[]): Promise<{ seen: string[]; dialog: CallDialog; contact: string; inDialog: ReturnType<typeof farSide> }> {
    const { peer } = subject;
    const { accepted, seen } = subject.place();
    const invite = await peer.next('INVITE');
    invite.reply(200, [`Contact: ${subject.peerContact}`, ...headers], answer);
    const ack = await peer.next('ACK');
    return { seen, dialog: await accepted, contact: contactIn(invite), inDialog: farSide(ack) };
  }

  /** What stands in the peer's own requests in that dialog. */
  function farSide(ack: Received): { from: string; to: string; callId: string } {
    return { from: ack.header('to')!, to: ack.header('from')!, callId: ack.header('call-id')! };
  }

  function told(): Received[] {
    return subject.peer.received.filter(({ method }) => method === 'UPDATE' || method === 'INVITE');
  }

  it('is told by UPDATE where we are now, and its BYE finds us there', async () => {
    const { peer } = subject;
    const { seen, contact, inDialog } = await placed(takesUpdate);
    const now = await lose();
    expect(now).not.toBe(contact);
    expect(told()).toEqual([]);
    await clock.advance(soon);
    const update = await peer.next('UPDATE');
    expect([contactIn(update), update.body]).toEqual([now, '']);
    update.reply(200, [`Contact: ${subject.peerContact}`]);
    expect((await peer.request('BYE', contactIn(update), { ...inDialog, cseq: 1 })).status).toBe(200);
    expect(seen).toEqual(['accepted', 'bye']);
  });

  it('is told by a re-INVITE that changes nothing where UPDATE is not taken, and its re-INVITE finds us there', async () => {
    const { peer } = subject;
    const { seen, inDialog } = await subject.answered(['Allow: INVITE, ACK, BYE']);
    const now = await lose();
    await clock.advance(soon);
    const reinvite = await peer.next('INVITE');
    expect([contactIn(reinvite), reinvite.body]).toEqual([now, answer]);
    reinvite.reply(200, [`Contact: ${subject.peerContact}`], offer);
    await peer.next('ACK');
    const taken = subject.nextOffer();
    peer.send('INVITE', contactIn(reinvite), { ...inDialog, headers: [`Contact: ${subject.peerContact}`], body: offer });
    (await taken).accept(answer);
    expect((await peer.nextResponse(200)).header('call-id')).toBe(inDialog.callId);
    expect(seen).toEqual(['confirmed']);
  });

  it('is told once in each call: not again when the account registers anew, but when the next connection drops too', async () => {
    const { peer } = subject;
    const calls = [await placed(takesUpdate), await placed(takesUpdate)];
    const callIds = calls.map(({ inDialog }) => inDialog.callId).sort();
    for (let round = 0; round < 2; round += 1) {
      const now = await lose();
      await clock.advance(soon);
      const updates = [await peer.next('UPDATE'), await peer.next('UPDATE')];
      expect(updates.map((update) => update.header('call-id')).sort()).toEqual(callIds);
      expect(updates.map(contactIn)).toEqual([now, now]);
      for (const update of updates) update.reply(200);
      await subject.settled();
      expect(await register()).toBe(now);
      await clock.advance(minute);
      await subject.settled();
      expect(told()).toEqual([]);
    }
  });

  it('is told once where we are when a second connection drops before it was told of the first', async () => {
    const { peer } = subject;
    const { seen } = await placed(takesUpdate);
    await lose();
    const now = await lose();
    await clock.advance(soon);
    const update = await peer.next('UPDATE');
    expect(contactIn(update)).toBe(now);
    await subject.settled();
    expect(told()).toEqual([]);
    update.reply(200);
    await subject.settled();
    expect(seen).toEqual(['accepted']);
  });

  it('is not told when the call ended meanwhile, nor when a hold of either side has told it', async () => {
    const { peer } = subject;
    const ended = await placed(takesUpdate);
    const held = await placed(takesUpdate);
    const changed = await placed(takesUpdate);
    const now = await lose();
    ended.dialog.bye();
    (await peer.next('BYE')).reply(200);
    const answered = new Promise<string>((resolve) => {
      held.dialog.offer(offer, { onAnswered: resolve, onRefused: ({ status }) => { resolve(String(status)); } });
    });
    (await peer.next('INVITE')).reply(200, [`Contact: ${subject.peerContact}`], answer);
    expect(await answered).toBe(answer);
    expect((await peer.request('UPDATE', now, { ...changed.inDialog, cseq: 1, headers: [`Contact: ${subject.peerContact}`] })).header('contact')).toContain(now);
    await clock.advance(soon);
    await subject.settled();
    expect(told()).toEqual([]);
  });

  it('that has no time for it is told a little later', async () => {
    const { peer } = subject;
    const { seen } = await placed();
    const now = await lose();
    await clock.advance(soon);
    (await peer.next('INVITE')).reply(491);
    await peer.next('ACK');
    await subject.settled();
    await clock.advance(2 * second);
    await subject.settled();
    expect(told()).toEqual([]);
    await clock.advance(2 * second);
    const again = await peer.next('INVITE');
    expect(contactIn(again)).toBe(now);
    again.reply(200, [`Contact: ${subject.peerContact}`], answer);
    await peer.next('ACK');
    await clock.advance(minute);
    await subject.settled();
    expect([told(), seen]).toEqual([[], ['accepted']]);
  });

  it('that says when to come again is told then', async () => {
    const { peer } = subject;
    await placed(takesUpdate);
    const now = await lose();
    await clock.advance(soon);
    (await peer.next('UPDATE')).reply(500, ['Retry-After: 10']);
    await subject.settled();
    await clock.advance(9 * second);
    await subject.settled();
    expect(told()).toEqual([]);
    await clock.advance(second);
    const again = await peer.next('UPDATE');
    expect(contactIn(again)).toBe(now);
    again.reply(200);
    await subject.settled();
  });

  it.each([
    [488, []],
    [480, ['Retry-After: 10']],
    [500, []],
  ])('that refuses to be told, by %i with %j, is left alone, and the call goes on', async (status, headers) => {
    const { peer } = subject;
    const { seen } = await placed();
    await lose();
    await clock.advance(soon);
    (await peer.next('INVITE')).reply(status, headers);
    await peer.next('ACK');
    await register();
    await clock.advance(minute);
    await subject.settled();
    expect([told(), seen]).toEqual([[], ['accepted']]);
  });

  it.each([
    [481, '481'],
    // RFC 4320 4.2: from whoever is on the way, and no more than silence.
    [408, 'SIP_TIMEOUT'],
  ])('that answers %i has no such call any more, and it ends here', async (status, why) => {
    const { peer } = subject;
    const { seen } = await placed(takesUpdate);
    await lose();
    await clock.advance(soon);
    (await peer.next('UPDATE')).reply(status);
    (await peer.next('BYE')).reply(200);
    expect(seen).toEqual(['accepted', `lost ${why}`]);
  });

  it('that says nothing to an UPDATE because that connection dropped too is told over the next, and the call goes on', async () => {
    const { peer } = subject;
    const { seen } = await placed(takesUpdate);
    await lose();
    await clock.advance(soon);
    await peer.next('UPDATE');
    const now = await lose();
    await clock.advance(soon);
    const again = await peer.next('UPDATE');
    expect(contactIn(again)).toBe(now);
    again.reply(200);
    await subject.settled();
    await vi.advanceTimersByTimeAsync(33 * second);
    await subject.settled();
    expect(seen).toEqual(['accepted']);
  });

  it('that says nothing to a re-INVITE because that connection dropped too is told over the next, once the first is given up', async () => {
    const { peer } = subject;
    const { seen } = await placed();
    await lose();
    await clock.advance(soon);
    (await peer.next('INVITE')).reply(100);
    await subject.settled();
    const now = await lose();
    // 32 s for the first, and as long again for its CANCEL; each pause is twice as long as the one before.
    await clock.advance(130 * second);
    const again = await peer.next('INVITE');
    expect(contactIn(again)).toBe(now);
    again.reply(200, [`Contact: ${subject.peerContact}`], answer);
    await peer.next('ACK');
    expect(seen).toEqual(['accepted']);
  });

  it('is told when it answers a call that rang while the connection dropped', async () => {
    const { peer } = subject;
    const { seen, accepted } = subject.place();
    const invite = await peer.next('INVITE');
    invite.reply(180, [`Contact: ${subject.peerContact}`]);
    await subject.settled();
    const lost = subject.nextLoss();
    peer.hangUp();
    await lost;
    const registered = subject.account.register(60);
    const request = await peer.next('REGISTER');
    request.reply(200, ['Expires: 60']);
    await registered;
    request.replyTo(invite, 200, `${invite.header('to') ?? ''};tag=far`, [`Contact: ${subject.peerContact}`, takesUpdate], answer);
    await accepted;
    await clock.advance(soon);
    expect(contactIn(await peer.next('UPDATE'))).toBe(contactIn(request));
    expect(seen).toEqual(['progress 180', 'accepted']);
  });
});
