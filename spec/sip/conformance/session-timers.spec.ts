/** Session timers of calls, both roles (RFC 4028). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { second } from '../../../src/base/units.js';
import type { CallDialog } from '../../../src/sip/types.js';
import { ManualClock } from '../../support/manual-clock.js';
import type { Received } from '../../support/scripted-peer.js';
import { answer, Subject } from './subject.js';

const answerNow = 'v=0\r\no=now\r\n';

let clock: ManualClock;
let subject: Subject;

beforeEach(async () => {
  clock = new ManualClock();
  subject = await Subject.open('udp', { clock, sessionExpiresS: 600 });
});

afterEach(async () => {
  await subject.close();
});

/** A call of ours that the peer answered; the ACK has come. */
async function placed(headers: string[]): Promise<{ seen: string[]; invite: Received; dialog: CallDialog }> {
  const { peer } = subject;
  const { accepted, seen } = subject.place();
  const invite = await peer.next('INVITE');
  invite.reply(200, [`Contact: ${subject.peerContact}`, ...headers], answer);
  await peer.next('ACK');
  return { seen, invite, dialog: await accepted };
}

const timerOf = (message: Received): (string | undefined)[] => [message.header('session-expires'), message.header('require')];

describe('a call that we place', () => {
  it('asks for the configured interval, and is refreshed half way by an UPDATE that changes nothing', async () => {
    const { peer } = subject;
    const { seen, invite } = await placed(['Allow: INVITE, UPDATE', 'Supported: timer', 'Require: timer', 'Session-Expires: 300;refresher=uac']);
    expect([invite.header('session-expires'), invite.header('supported'), invite.header('min-se')]).toEqual(['600', 'timer', undefined]);
    await clock.advance(149 * second);
    await subject.settled();
    expect(peer.received.filter(({ method }) => method !== undefined)).toEqual([]);
    await clock.advance(second);
    const update = await peer.next('UPDATE');
    expect([update.header('session-expires'), update.header('supported'), update.body]).toEqual(['300;refresher=uac', 'timer', '']);
    expect(update.header('contact')).toContain('tok434');
    update.reply(200, ['Session-Expires: 300;refresher=uac']);
    await subject.settled();
    await clock.advance(150 * second);
    (await peer.next('UPDATE')).reply(200, ['Session-Expires: 300;refresher=uas']);
    await subject.settled();
    expect(seen).toEqual(['accepted']);
  });

  it('is refreshed with the answer to an offer that we asked for, and knows that offer again', async () => {
    const { peer } = subject;
    const { accepted, seen } = subject.place();
    (await peer.next('INVITE')).reply(200, [`Contact: ${subject.peerContact}`, 'Session-Expires: 300;refresher=uac'], answer);
    await peer.next('ACK');
    (await accepted).askForOffer({ onOffer: (offer) => { offer.accept('v=0\r\no=ours\r\n'); }, onRefused: () => undefined });
    const asking = await peer.next('INVITE');
    expect([asking.header('session-expires'), asking.body]).toEqual(['300;refresher=uac', '']);
    asking.reply(200, [`Contact: ${subject.peerContact}`, 'Session-Expires: 300;refresher=uac'], answerNow);
    await peer.next('ACK');
    await clock.advance(150 * second);
    const reinvite = await peer.next('INVITE');
    expect(reinvite.body).toBe('v=0\r\no=ours\r\n');
    reinvite.reply(200, [`Contact: ${subject.peerContact}`], answerNow);
    await peer.next('ACK');
    await subject.settled();
    expect(seen).toEqual(['accepted']);
  });

  it('is refreshed by a re-INVITE with our description where UPDATE is not taken, and nobody hears of it unless the far end says something new', async () => {
    const { peer } = subject;
    const { seen } = await placed(['Session-Expires: 300;refresher=uac']);
    for (const said of [answer, answerNow]) {
      await clock.advance(150 * second);
      const reinvite = await peer.next('INVITE');
      expect([reinvite.body, reinvite.header('session-expires')]).toEqual([expect.stringContaining('o=offer'), '300;refresher=uac']);
      reinvite.reply(200, [`Contact: ${subject.peerContact}`, 'Session-Expires: 300;refresher=uac'], said);
      await peer.next('ACK');
      await subject.settled();
    }
    expect(seen).toEqual(['accepted', `answer ${answerNow}`]);
  });

  it.each([[405], [501]])('goes over to re-INVITE when UPDATE is refused after all, %i', async (status) => {
    const { peer } = subject;
    await placed(['Allow: INVITE, UPDATE', 'Session-Expires: 300;refresher=uac']);
    await clock.advance(150 * second);
    (await peer.next('UPDATE')).reply(status);
    (await peer.next('INVITE')).reply(200, [`Contact: ${subject.peerContact}`], answer);
    await peer.next('ACK');
  });

  it.each([
    [408, 'SIP_TIMEOUT'],
    [481, '481'],
  ])('whose refresh is answered %i is ended: the far end is not in it', async (status, told) => {
    const { peer } = subject;
    const { seen } = await placed(['Allow: UPDATE', 'Session-Expires: 300;refresher=uac']);
    await clock.advance(150 * second);
    (await peer.next('UPDATE')).reply(status);
    (await peer.next('BYE')).reply(200);
    expect(seen).toEqual(['accepted', `lost ${told}`]);
  });

  it('whose refresh is refused for now is refreshed again, and ended shortly before the interval is over', async () => {
    const { peer } = subject;
    const { seen } = await placed(['Session-Expires: 300;refresher=uac']);
    peer.answerAll('INVITE', 500);
    await clock.advance(150 * second);
    for (let ten = 0; ten < 12; ten += 1) {
      await subject.settled();
      await clock.advance(10 * second);
    }
    (await peer.next('BYE')).reply(200);
    const refreshes = new Set(peer.received.filter(({ method }) => method === 'ACK').map(({ cseq }) => cseq));
    expect(refreshes.size).toBeGreaterThan(2);
    expect(seen).toEqual(['accepted', 'lost SIP_SESSION_EXPIRED']);
  });

  it.each([[491], [500], [503]])('whose refresh by UPDATE meets %i is refreshed again a little later', async (status) => {
    const { peer } = subject;
    const { seen } = await placed(['Allow: UPDATE', 'Session-Expires: 300;refresher=uac']);
    await clock.advance(150 * second);
    (await peer.next('UPDATE')).reply(status);
    await subject.settled();
    await clock.advance(4 * second);
    (await peer.next('UPDATE')).reply(200, ['Session-Expires: 300;refresher=uac']);
    await subject.settled();
    await clock.advance(140 * second);
    expect(seen).toEqual(['accepted']);
  });

  it('is ended when the far end, which is to refresh it, does not', async () => {
    const { peer } = subject;
    const { seen } = await placed(['Require: timer', 'Session-Expires: 300;refresher=uas']);
    await clock.advance(267 * second);
    await subject.settled();
    expect(seen).toEqual(['accepted']);
    await clock.advance(second);
    const bye = await peer.next('BYE');
    expect(bye.header('reason')).toBe('Q.850;cause=102;text="Recovery on timer expiry"');
    bye.reply(200);
    expect(seen).toEqual(['accepted', 'lost SIP_SESSION_EXPIRED']);
  });

  it('is looked after by us alone when the far end knows no session timers: any answer is a sign of life', async () => {
    const { peer } = subject;
    const { seen } = await placed([]);
    for (const status of [488, 500]) {
      await clock.advance(300 * second);
      (await peer.next('INVITE')).reply(status);
      await peer.next('ACK');
      await subject.settled();
    }
    await clock.advance(300 * second);
    (await peer.next('INVITE')).reply(481);
    await peer.next('ACK');
    (await peer.next('BYE')).reply(200);
    expect(seen).toEqual(['accepted', 'lost 481']);
  });

  it.each([['UPDATE'], ['INVITE']])('that has ended is not refreshed any more by %s', async (method) => {
    const { peer } = subject;
    const { dialog } = await placed([`Allow: BYE, ${method}`, 'Session-Expires: 300;refresher=uac']);
    dialog.bye();
    (await peer.next('BYE')).reply(200);
    await clock.advance(300 * second);
    await subject.settled();
    expect(peer.received.filter((message) => message.method === method || message.method === 'BYE')).toEqual([]);
  });

  it.each([[405], [422], [481]])('that ends while its refresh is under way is over, though that is answered %i', async (status) => {
    const { peer } = subject;
    const { dialog, seen } = await placed(['Allow: UPDATE', 'Session-Expires: 300;refresher=uac']);
    await clock.advance(150 * second);
    const update = await peer.next('UPDATE');
    dialog.bye();
    (await peer.next('BYE')).reply(200);
    update.reply(status, ['Min-SE: 900']);
    await subject.settled();
    expect([peer.received.filter(({ method }) => method !== undefined), seen]).toEqual([[], ['accepted']]);
  });

  it('that meets 422 is placed again with the interval that is taken, as the same call', async () => {
    const { peer } = subject;
    const { accepted, seen } = subject.place();
    const first = await peer.next('INVITE');
    first.reply(422, ['Min-SE: 900']);
    await peer.next('ACK');
    const again = await peer.next('INVITE');
    expect([again.header('session-expires'), again.header('min-se'), again.cseq]).toEqual(['900', '900', first.cseq + 1]);
    expect([again.header('call-id'), again.header('from'), again.body]).toEqual([first.header('call-id'), first.header('from'), first.body]);
    again.reply(200, [`Contact: ${subject.peerContact}`, 'Session-Expires: 900;refresher=uac'], answer);
    await peer.next('ACK');
    await accepted;
    expect(seen).toEqual(['accepted']);
  });

  it('that meets 422 with no longer interval than was asked for is over', async () => {
    const { peer } = subject;
    const { refused } = subject.place();
    (await peer.next('INVITE')).reply(422, ['Min-SE: 900']);
    await peer.next('ACK');
    (await peer.next('INVITE')).reply(422, ['Min-SE: 900']);
    await peer.next('ACK');
    expect((await refused).status).toBe(422);
  });

  it('that is given up is not placed again when it meets 422', async () => {
    const { peer } = subject;
    const { call, refused } = subject.place();
    const invite = await peer.next('INVITE');
    invite.reply(180, [`Contact: ${subject.peerContact}`]);
    await subject.settled();
    call.cancel();
    (await peer.next('CANCEL')).reply(200);
    invite.reply(422, ['Min-SE: 900']);
    await peer.next('ACK');
    expect((await refused).status).toBe(422);
    await subject.settled();
    expect(peer.received.filter(({ method }) => method === 'INVITE')).toEqual([]);
  });

  it('has a refresh that meets 422 sent again with the longer interval', async () => {
    const { peer } = subject;
    await placed(['Allow: UPDATE', 'Session-Expires: 300;refresher=uac']);
    await clock.advance(150 * second);
    (await peer.next('UPDATE')).reply(422, ['Min-SE: 400']);
    const again = await peer.next('UPDATE');
    expect([again.header('session-expires'), again.header('min-se')]).toEqual(['400;refresher=uac', '400']);
    again.reply(422, ['Min-SE: 400']);
    await subject.settled();
    expect(peer.received.filter(({ method }) => method === 'UPDATE')).toEqual([]);
  });
});

describe('a call that reaches us', () => {
  it('has the interval it asks for, and is ended when its caller, who refreshes, is silent', async () => {
    const { peer } = subject;
    const { ok, seen } = await subject.answered(['Supported: timer', 'Session-Expires: 300']);
    expect(timerOf(ok)).toEqual(['300;refresher=uac', 'timer']);
    await clock.advance(268 * second);
    (await peer.next('BYE')).reply(200);
    expect(seen).toEqual(['confirmed', 'lost']);
  });

  it.each(['UPDATE', 'INVITE'])('goes on as long as its caller refreshes it by %s', async (method) => {
    const { peer, uri } = subject;
    const { inDialog, seen } = await subject.answered(['Supported: timer', 'Session-Expires: 300']);
    for (const cseq of [11, 12]) {
      await clock.advance(200 * second);
      const refresh = { ...inDialog, cseq, headers: [`Contact: ${subject.peerContact}`, 'Supported: timer', 'Session-Expires: 300;refresher=uac'] };
      const ok = await peer.request(method, uri, refresh);
      expect([ok.status, ...timerOf(ok)]).toEqual([200, '300;refresher=uac', 'timer']);
      if (method === 'INVITE') peer.send('ACK', uri, { ...inDialog, cseq });
      await subject.settled();
    }
    expect(seen).toEqual(['confirmed']);
  });

  it('is refreshed by us when its caller wants that, and an offer that is accepted refreshes it too', async () => {
    const { peer, uri } = subject;
    const { inDialog } = await subject.answered(['Supported: timer', 'Session-Expires: 300;refresher=uas', 'Allow: UPDATE']);
    await clock.advance(100 * second);
    const taken = subject.nextOffer();
    peer.send('UPDATE', uri, { ...inDialog, headers: ['Supported: timer', 'Session-Expires: 300'], body: answerNow });
    (await taken).accept(answer);
    expect(timerOf(await peer.nextResponse(200))).toEqual(['300;refresher=uas', undefined]);
    await clock.advance(149 * second);
    await subject.settled();
    expect(peer.received.filter(({ method }) => method === 'UPDATE')).toEqual([]);
    await clock.advance(second);
    (await peer.next('UPDATE')).reply(200, ['Session-Expires: 300;refresher=uac']);
  });

  it('that waits for a re-INVITE of ours is not refreshed beside it, but by it', async () => {
    const { peer } = subject;
    const { dialog } = await subject.answered(['Supported: timer', 'Session-Expires: 300;refresher=uas']);
    await clock.advance(140 * second);
    dialog.offer(answerNow, { onAnswered: () => undefined, onRefused: () => undefined });
    const reinvite = await peer.next('INVITE');
    expect(reinvite.header('session-expires')).toBe('300;refresher=uac');
    reinvite.reply(100);
    await subject.settled();
    await clock.advance(10 * second);
    await subject.settled();
    expect(peer.received.filter(({ method }) => method === 'INVITE')).toEqual([]);
    reinvite.reply(200, [`Contact: ${subject.peerContact}`, 'Session-Expires: 300;refresher=uac'], answer);
    await peer.next('ACK');
    await subject.settled();
    await clock.advance(149 * second);
    await subject.settled();
    expect(peer.received.filter(({ method }) => method === 'INVITE')).toEqual([]);
  });

  it.each([['INVITE'], ['UPDATE']])('or %s in it, with an interval below 90 s is refused 422 with Min-SE', async (method) => {
    const { peer, uri } = subject;
    const headers = [`Contact: ${subject.peerContact}`, 'Supported: timer', 'Session-Expires: 60'];
    if (method === 'INVITE') {
      const refused = await peer.request('INVITE', uri, { ...subject.newCall(), headers, body: answer });
      expect([refused.status, refused.header('min-se')]).toEqual([422, '90']);
      expect(subject.calls).toEqual([]);
    } else {
      const { inDialog } = await subject.answered();
      const refused = await peer.request('UPDATE', uri, { ...inDialog, headers });
      expect([refused.status, refused.header('min-se')]).toEqual([422, '90']);
    }
  });

  it('may require session timers', async () => {
    const { ok } = await subject.answered(['Require: timer', 'Session-Expires: 300']);
    expect(timerOf(ok)).toEqual(['300;refresher=uac', 'timer']);
  });
});

it('with session timers off none is asked for, and what the far end asks for is kept', async () => {
  await subject.close();
  subject = await Subject.open('udp', { clock });
  const { invite } = await placed([]);
  expect(timerOf(invite)).toEqual([undefined, undefined]);
  const { ok, seen } = await subject.answered(['Supported: timer', 'Session-Expires: 300']);
  expect(timerOf(ok)).toEqual(['300;refresher=uac', 'timer']);
  await clock.advance(268 * second);
  (await subject.peer.next('BYE')).reply(200);
  expect(seen).toEqual(['confirmed', 'lost']);
});
