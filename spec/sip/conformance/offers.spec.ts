/** Offers in a call that is up: re-INVITE (RFC 3261 14) and UPDATE with an offer (RFC 3311), both ways. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallDialog, RemoteOffer } from '../../../src/sip/types.js';
import { ManualClock } from '../../support/manual-clock.js';
import type { Received } from '../../support/scripted-peer.js';
import { answer, Subject } from './subject.js';

const held = 'v=0\r\no=held\r\na=sendonly\r\n';
const resumed = 'v=0\r\no=resumed\r\n';

let subject: Subject;

beforeEach(async () => {
  subject = await Subject.open();
});

afterEach(async () => {
  await subject.close();
});

/** We offer; `seen` gets what comes of it. */
function offerTo(dialog: CallDialog, sdp: string, seen: string[]): void {
  dialog.offer(sdp, {
    onAnswered: (answered) => seen.push(`answered ${answered}`),
    onRefused: ({ status }) => seen.push(`refused ${String(status)}`),
  });
}

const here = (user: string): string => `<sip:${user}@127.0.0.1:${String(subject.peer.port)}>`;

describe('a re-INVITE of ours', () => {
  it('says where we are, is acknowledged, and brings the answer and where the far end is now', async () => {
    const { peer } = subject;
    const { dialog, seen } = await subject.answered();
    offerTo(dialog, held, seen);
    const reinvite = await peer.next('INVITE');
    expect([reinvite.body, reinvite.header('contact'), reinvite.header('allow')]).toEqual([held, expect.stringContaining('tok434'), expect.stringContaining('UPDATE')]);
    reinvite.reply(200, [`Contact: ${here('moved')}`], resumed);
    const ack = await peer.next('ACK');
    expect([ack.uri, ack.cseq]).toEqual([here('moved').slice(1, -1), reinvite.cseq]);
    await subject.settled();
    expect(seen).toEqual(['confirmed', `answered ${resumed}`]);
    dialog.bye();
    const bye = await peer.next('BYE');
    expect(bye.uri).toBe(here('moved').slice(1, -1));
    bye.reply(200);
  });

  it('that is challenged is sent again with credentials and the next CSeq, and its ACK has them too', async () => {
    const { peer } = subject;
    const { dialog, seen } = await subject.answered();
    offerTo(dialog, held, seen);
    const first = await peer.next('INVITE');
    first.reply(407, ['Proxy-Authenticate: Digest realm="example.com", nonce="n1"']);
    const second = await peer.next('INVITE');
    expect([second.cseq, second.header('proxy-authorization')]).toEqual([first.cseq + 1, expect.stringContaining('username="434"')]);
    second.reply(200, [`Contact: ${subject.peerContact}`], answer);
    let ack = await peer.next('ACK');
    if (ack.cseq === first.cseq) ack = await peer.next('ACK');
    expect(ack.header('proxy-authorization')).toBe(second.header('proxy-authorization'));
    await subject.settled();
    expect(seen).toEqual(['confirmed', `answered ${answer}`]);
  });

  it('has its credentials unasked once a request in a call was challenged, and counts the nonce on; before that it shows none', async () => {
    const { peer } = subject;
    const { dialog, seen } = await subject.answered();
    offerTo(dialog, held, seen);
    const first = await peer.next('INVITE');
    expect(first.header('proxy-authorization')).toBeUndefined();
    first.reply(407, ['Proxy-Authenticate: Digest realm="example.com", nonce="n1", qop="auth"']);
    const second = await peer.next('INVITE');
    second.reply(200, [`Contact: ${subject.peerContact}`], answer);
    await subject.settled();
    dialog.bye();
    const bye = await peer.next('BYE');
    bye.reply(200);
    expect([second, bye].map((request) => /nc=(\w+)/.exec(request.header('proxy-authorization') ?? '')?.[1])).toEqual(['00000001', '00000002']);
    expect(bye.cseq).toBe(second.cseq + 1);
  });

  it.each([488, 491, 606])('that is refused %i leaves the call as it was', async (status) => {
    const { peer } = subject;
    const { dialog, seen, inDialog } = await subject.answered();
    offerTo(dialog, held, seen);
    (await peer.next('INVITE')).reply(status);
    await peer.next('ACK');
    await subject.settled();
    expect(seen).toEqual(['confirmed', `refused ${String(status)}`]);
    expect((await peer.request('BYE', subject.uri, inDialog)).status).toBe(200);
  });

  it.each([408, 481])('that is refused %i ends the call: the far end is not in it', async (status) => {
    const { peer } = subject;
    const { dialog, seen } = await subject.answered();
    offerTo(dialog, held, seen);
    (await peer.next('INVITE')).reply(status);
    (await peer.next('BYE')).reply(200);
    expect(seen).toEqual(['confirmed', 'lost']);
  });

  it('is not sent while another is under way, and the owner is told 491', async () => {
    const { peer } = subject;
    const { dialog, seen } = await subject.answered();
    offerTo(dialog, held, seen);
    offerTo(dialog, resumed, seen);
    (await peer.next('INVITE')).reply(200, [`Contact: ${subject.peerContact}`], answer);
    await peer.next('ACK');
    await subject.settled();
    expect(seen).toEqual(['confirmed', 'refused 491', `answered ${answer}`]);
    expect(peer.received.filter(({ method }) => method !== undefined)).toEqual([]);
  });

  it('that is answered after the call has ended is acknowledged, and tells nobody', async () => {
    const { peer } = subject;
    const { dialog, seen } = await subject.answered();
    offerTo(dialog, held, seen);
    const reinvite = await peer.next('INVITE');
    dialog.bye();
    (await peer.next('BYE')).reply(200);
    reinvite.reply(200, [`Contact: ${subject.peerContact}`], answer);
    expect((await peer.next('ACK')).cseq).toBe(reinvite.cseq);
    await subject.settled();
    expect(seen).toEqual(['confirmed']);
  });

  it('in a call that we placed goes the same way', async () => {
    const { peer } = subject;
    const { accepted, seen } = subject.place();
    (await peer.next('INVITE')).reply(200, [`Contact: ${subject.peerContact}`], answer);
    await peer.next('ACK');
    offerTo(await accepted, held, seen);
    (await peer.next('INVITE')).reply(200, [`Contact: ${subject.peerContact}`], resumed);
    await peer.next('ACK');
    await subject.settled();
    expect(seen).toEqual(['accepted', `answered ${resumed}`]);
  });
});

describe('an offer that we ask the far end for', () => {
  const twoStreams = ['v=0', 'o=- 7 3 IN IP4 192.0.2.9', 's=-', 't=0 0', 'm=audio 4000/2 UDP/TLS/RTP/SAVPF 111 0', 'a=mid:0', 'm=video 9 UDP/TLS/RTP/SAVPF 96', ''].join('\r\n');

  /** We ask; `seen` gets what comes of it but the offer. */
  const askOf = (dialog: CallDialog, seen: string[]): Promise<RemoteOffer> =>
    new Promise((resolve) => {
      let offers = 0;
      dialog.askForOffer({
        onOffer: (offer) => {
          offers += 1;
          if (offers > 1) seen.push('offered again');
          offer.onWithdrawn = () => seen.push('withdrawn');
          resolve(offer);
        },
        onRefused: ({ status }) => seen.push(`refused ${String(status)}`),
      });
    });
  /** The far end has answered, and nobody has decided yet. */
  const offered = async (sdp = twoStreams): Promise<Awaited<ReturnType<Subject['answered']>> & { offer: RemoteOffer; reinvite: Received }> => {
    const taken = await subject.answered();
    const told = askOf(taken.dialog, taken.seen);
    const reinvite = await subject.peer.next('INVITE');
    reinvite.reply(200, [`Contact: ${here('moved')}`], sdp);
    return { ...taken, offer: await told, reinvite };
  };
  const acks = (): Received[] => subject.peer.received.filter(({ method }) => method === 'ACK');

  it('is asked for by a re-INVITE without SDP, and answered in the ACK, which goes again with the same answer, not before', async () => {
    const { peer } = subject;
    const { dialog, seen, offer, reinvite } = await offered();
    expect([reinvite.body, reinvite.header('content-type'), reinvite.header('contact')]).toEqual(['', undefined, expect.stringContaining('tok434')]);
    expect(offer.sdp).toBe(twoStreams);
    reinvite.reply(200, [`Contact: ${here('moved')}`], twoStreams);
    // Of another branch that cannot be: this one is in the call already.
    reinvite.replyRaw(200, '<sip:600@example.com>;tag=other', [`Contact: ${here('other')}`], twoStreams);
    await subject.settled();
    expect(acks()).toEqual([]);
    offer.accept(resumed);
    offer.reject(488);
    const ack = await peer.next('ACK');
    expect([ack.uri, ack.cseq, ack.body]).toEqual([here('moved').slice(1, -1), reinvite.cseq, resumed]);
    reinvite.reply(200, [`Contact: ${here('moved')}`], twoStreams);
    expect((await peer.next('ACK')).text).toBe(ack.text);
    expect([dialog.localSdp, seen]).toEqual([resumed, ['confirmed']]);
  });

  it('is what the far end is told of again, by whoever asks, once it is answered', async () => {
    const { peer, uri } = subject;
    const { dialog, offer, inDialog } = await offered();
    expect(dialog.localSdp).toBe(answer);
    offer.accept(resumed);
    await peer.next('ACK');
    const ok = await peer.request('INVITE', uri, { ...inDialog, headers: [`Contact: ${here('moved')}`] });
    expect(ok.body).toBe(resumed);
    peer.send('ACK', uri, { ...inDialog, body: held });
    await subject.settled();
  });

  it('that is refused is answered without a stream, and the call ends with BYE', async () => {
    const { peer } = subject;
    const { seen, offer } = await offered();
    offer.reject(488);
    offer.accept(resumed);
    const ack = await peer.next('ACK');
    expect(ack.body.split('\r\n')).toEqual([
      'v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=-', 'c=IN IP4 0.0.0.0', 't=0 0', 'm=audio 0 UDP/TLS/RTP/SAVPF 111 0', 'm=video 0 UDP/TLS/RTP/SAVPF 96', '',
    ]);
    const bye = await peer.next('BYE');
    expect(bye.header('reason')).toBe('SIP;cause=488');
    bye.reply(200);
    await subject.settled();
    expect([seen, acks()]).toEqual([['confirmed'], []]);
  });

  it('is refused for the session that there was, in its next version', async () => {
    const { peer } = subject;
    const { dialog, offer } = await offered();
    offer.accept('v=0\r\no=ann 5 18446744073709551 IN IP4 192.0.2.1\r\n');
    await peer.next('ACK');
    const again = askOf(dialog, []);
    (await peer.next('INVITE')).reply(200, [`Contact: ${here('moved')}`], twoStreams);
    (await again).reject(488);
    expect((await peer.next('ACK')).body).toContain('\r\no=ann 5 18446744073709552 IN IP4 192.0.2.1\r\n');
    (await peer.next('BYE')).reply(200);
  });

  it('is withdrawn when the far end hangs up, and its 2xx is acknowledged all the same', async () => {
    const { peer, uri } = subject;
    const { seen, offer, inDialog } = await offered();
    expect((await peer.request('BYE', uri, { ...inDialog, cseq: 12 })).status).toBe(200);
    expect((await peer.next('ACK')).body).toContain('m=audio 0 ');
    offer.accept(resumed);
    await subject.settled();
    expect([seen, acks()]).toEqual([['confirmed', 'withdrawn', 'bye'], []]);
  });

  it('is acknowledged before our BYE when we hang up, however late the 2xx comes', async () => {
    const { peer } = subject;
    const early = await offered();
    early.dialog.bye();
    await peer.next('ACK');
    (await peer.next('BYE')).reply(200);
    const late = await subject.answered();
    void askOf(late.dialog, late.seen);
    const reinvite = await peer.next('INVITE');
    late.dialog.bye();
    (await peer.next('BYE')).reply(200);
    reinvite.reply(200, [`Contact: ${subject.peerContact}`], twoStreams);
    expect((await peer.next('ACK')).body).toContain('m=audio 0 ');
    await subject.settled();
    expect([early.seen, late.seen]).toEqual([['confirmed', 'withdrawn'], ['confirmed']]);
  });

  it('is not there: the 2xx without one is acknowledged, and the owner is told 488', async () => {
    const { peer } = subject;
    const { dialog, seen } = await subject.answered();
    void askOf(dialog, seen);
    (await peer.next('INVITE')).reply(200, [`Contact: ${subject.peerContact}`]);
    expect((await peer.next('ACK')).body).toBe('');
    await subject.settled();
    expect(seen).toEqual(['confirmed', 'refused 488']);
    offerTo(dialog, held, seen);
    (await peer.next('INVITE')).reply(488);
  });

  it('is not asked for while another offer is under way, nor is another made while it waits for its answer', async () => {
    const { peer, uri } = subject;
    const { dialog, seen, offer, inDialog } = await offered();
    offerTo(dialog, held, seen);
    void askOf(dialog, seen);
    const theirs = { ...inDialog, headers: [`Contact: ${subject.peerContact}`], body: held };
    for (const [method, cseq] of [['INVITE', 12], ['UPDATE', 13]] as const) expect((await peer.request(method, uri, { ...theirs, cseq })).status, method).toBe(491);
    expect(seen).toEqual(['confirmed', 'refused 491', 'refused 491']);
    offer.accept(resumed);
    expect((await peer.next('ACK')).body).toBe(resumed);
    offerTo(dialog, held, seen);
    (await peer.next('INVITE')).reply(200, [`Contact: ${subject.peerContact}`], answer);
    await subject.settled();
    expect(seen.slice(3)).toEqual([`answered ${answer}`]);
  });

  it.each([[491, ['confirmed', 'refused 491']], [481, ['confirmed', 'lost']]])('is refused %i as any re-INVITE is', async (status, told) => {
    const { peer } = subject;
    const { dialog, seen } = await subject.answered();
    peer.answerAll('BYE', 200);
    void askOf(dialog, seen);
    (await peer.next('INVITE')).reply(status);
    await peer.next('ACK');
    await subject.settled();
    expect(seen).toEqual(told);
  });

  it('that is forgotten ends the call before the far end has waited for the ACK for 64*T1; one that is answered does not', async () => {
    await subject.close();
    const clock = new ManualClock();
    subject = await Subject.open('udp', { clock });
    const { peer } = subject;
    const answered = await offered();
    answered.offer.accept(resumed);
    await peer.next('ACK');
    const { seen, offer } = await offered();
    await clock.advance(29_999);
    await subject.settled();
    expect(acks()).toEqual([]);
    await clock.advance(1);
    expect((await peer.next('ACK')).body).toContain('m=audio 0 ');
    (await peer.next('BYE')).reply(200);
    offer.accept(resumed);
    await subject.settled();
    expect([answered.seen, seen, acks()]).toEqual([['confirmed'], ['confirmed', 'withdrawn', 'lost'], []]);
  });
});

describe('a re-INVITE of the far end', () => {
  it('is answered 200 with our answer and our Contact once the owner has one', async () => {
    const { peer, uri } = subject;
    const { seen, inDialog, dialog } = await subject.answered();
    const taken = subject.nextOffer();
    const trying = await peer.request('INVITE', uri, { ...inDialog, headers: [`Contact: ${here('moved')}`], body: held });
    expect(trying.status).toBe(100);
    const remote = await taken;
    expect(remote.sdp).toBe(held);
    remote.accept(resumed);
    const ok = await peer.nextResponse(200);
    expect([ok.body, ok.header('contact'), ok.header('to')]).toEqual([resumed, expect.stringContaining('tok434'), inDialog.to]);
    peer.send('ACK', uri, inDialog);
    await subject.settled();
    dialog.bye();
    const bye = await peer.next('BYE');
    expect(bye.uri).toBe(here('moved').slice(1, -1));
    bye.reply(200);
    expect(seen).toEqual(['confirmed']);
  });

  it('is refused 488 with a Warning when its owner does so, and the call goes on', async () => {
    const { peer, uri } = subject;
    const { seen, inDialog } = await subject.answered();
    const taken = subject.nextOffer();
    peer.send('INVITE', uri, { ...inDialog, branch: 'z9hG4bKre', headers: [`Contact: ${subject.peerContact}`], body: held });
    (await taken).reject(488);
    const refused = await peer.nextResponse(488);
    expect([refused.header('warning'), refused.header('to')]).toEqual([expect.stringMatching(/^399 /), inDialog.to]);
    peer.send('ACK', uri, { ...inDialog, branch: 'z9hG4bKre' });
    expect((await peer.request('BYE', uri, { ...inDialog, cseq: 12 })).status).toBe(200);
    expect(seen).toEqual(['confirmed', 'bye']);
  });

  it('without SDP is answered with what we said last, and its ACK brings the answer', async () => {
    const { peer, uri } = subject;
    const { dialog, inDialog } = await subject.answered();
    const answered = subject.nextAnswer();
    const ok = await peer.request('INVITE', uri, { ...inDialog, headers: [`Contact: ${here('moved')}`] });
    expect([ok.status, ok.body, ok.header('contact')]).toEqual([200, answer, expect.stringContaining('tok434')]);
    peer.send('ACK', uri, { ...inDialog, body: resumed });
    expect(await answered).toBe(resumed);
    dialog.bye();
    const bye = await peer.next('BYE');
    expect(bye.uri).toBe(here('moved').slice(1, -1));
    bye.reply(200);
  });

  it('with a body that is no session description is refused 415', async () => {
    const { inDialog } = await subject.answered();
    const headers = [`Contact: ${subject.peerContact}`, 'Content-Type: text/plain'];
    const refused = await subject.peer.request('INVITE', subject.uri, { ...inDialog, headers, body: 'hello' });
    expect([refused.status, refused.header('accept')]).toEqual([415, 'application/sdp']);
  });

  it('is answered 491 while ours is under way, and 500 with Retry-After while theirs is', async () => {
    const { peer, uri } = subject;
    const { dialog, seen, inDialog } = await subject.answered();
    offerTo(dialog, held, seen);
    const ours = await peer.next('INVITE');
    const theirs = { ...inDialog, headers: [`Contact: ${subject.peerContact}`], body: held };
    expect((await peer.request('INVITE', uri, theirs)).status).toBe(491);
    expect((await peer.request('UPDATE', uri, { ...theirs, cseq: 12 })).status).toBe(491);
    ours.reply(488);
    await peer.next('ACK');
    const taken = subject.nextOffer();
    peer.send('INVITE', uri, { ...theirs, cseq: 13 });
    const first = await taken;
    for (const [method, cseq] of [['INVITE', 14], ['UPDATE', 15]] as const) {
      const refused = await peer.request(method, uri, { ...theirs, cseq });
      expect([refused.status, refused.header('retry-after')], method).toEqual([500, expect.stringMatching(/^\d+$/)]);
    }
    first.accept(answer);
    await peer.nextResponse(200);
    peer.send('ACK', uri, { ...inDialog, cseq: 13 });
    await subject.settled();
  });

  it('that is cancelled is answered 487, and its owner is told', async () => {
    const { peer, uri } = subject;
    const { seen, inDialog } = await subject.answered();
    const taken = subject.nextOffer();
    const request = { ...inDialog, branch: 'z9hG4bKre', headers: [`Contact: ${subject.peerContact}`], body: held };
    peer.send('INVITE', uri, request);
    const remote = await taken;
    remote.onWithdrawn = () => seen.push('withdrawn');
    expect((await peer.request('CANCEL', uri, { ...request, body: '', headers: [] })).status).toBe(200);
    await peer.nextResponse(487);
    peer.send('ACK', uri, { ...inDialog, branch: 'z9hG4bKre' });
    remote.accept(answer);
    await subject.settled();
    expect(seen).toEqual(['confirmed', 'withdrawn']);
    expect(peer.received.filter(({ status }) => status === 200)).toEqual([]);
  });

  it('that waits for its answer is answered 487 when the far end hangs up', async () => {
    const { peer, uri } = subject;
    const { seen, inDialog } = await subject.answered();
    const taken = subject.nextOffer();
    peer.send('INVITE', uri, { ...inDialog, branch: 'z9hG4bKre', headers: [`Contact: ${subject.peerContact}`], body: held });
    await taken;
    expect((await peer.request('BYE', uri, { ...inDialog, cseq: 12 })).status).toBe(200);
    await peer.nextResponse(487);
    peer.send('ACK', uri, { ...inDialog, branch: 'z9hG4bKre' });
    await subject.settled();
    expect(seen).toEqual(['confirmed', 'bye']);
  });
});

describe('an UPDATE with an offer', () => {
  it('is answered 200 with our answer, and says where the far end is now', async () => {
    const { peer, uri } = subject;
    const { dialog, inDialog } = await subject.answered();
    const taken = subject.nextOffer();
    peer.send('UPDATE', uri, { ...inDialog, headers: [`Contact: ${here('moved')}`], body: held });
    (await taken).accept(resumed);
    const ok = await peer.nextResponse(200);
    expect([ok.body, ok.header('contact'), ok.header('cseq')]).toEqual([resumed, expect.stringContaining('tok434'), '11 UPDATE']);
    dialog.bye();
    const bye = await peer.next('BYE');
    expect(bye.uri).toBe(here('moved').slice(1, -1));
    bye.reply(200);
  });

  it('before the far end answers our own is refused 491', async () => {
    const { peer } = subject;
    const { refused } = subject.place();
    const invite = await peer.next('INVITE');
    invite.reply(180, [`Contact: ${subject.peerContact}`]);
    await subject.settled();
    const inDialog = { from: `${invite.header('to')!};tag=far`, to: invite.header('from')!, callId: invite.header('call-id')!, cseq: 1 };
    expect((await peer.request('UPDATE', subject.uri, { ...inDialog, headers: [`Contact: ${subject.peerContact}`], body: held })).status).toBe(491);
    invite.reply(486);
    await refused;
  });

  it('before the call is answered is refused 500 with Retry-After: the first offer has no answer yet', async () => {
    const { peer, uri } = subject;
    const { call, request } = await subject.invited();
    call.ring();
    const to = (await peer.nextResponse(180)).header('to')!;
    const refused = await peer.request('UPDATE', uri, { ...request, to, cseq: 11, body: held });
    expect([refused.status, refused.header('retry-after')]).toEqual([500, expect.stringMatching(/^\d+$/)]);
    call.reject(480);
    await peer.nextResponse(480);
  });
});
