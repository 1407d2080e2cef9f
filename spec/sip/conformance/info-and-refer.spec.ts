/** DTMF by INFO, and REFER with its NOTIFYs (RFC 3515, RFC 3891) both ways, in a call that is up. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ReceivedReferral } from '../../../src/sip/types.js';
import { ManualClock } from '../../support/manual-clock.js';
import type { Received } from '../../support/scripted-peer.js';
import { Subject, type TakenCall } from './subject.js';

let subject: Subject;

beforeEach(async () => {
  subject = await Subject.open();
});

afterEach(async () => {
  await subject.close();
});

describe('a tone of ours', () => {
  it('goes out as INFO with application/dtmf-relay, and its answer is told', async () => {
    const { peer } = subject;
    const { dialog, seen } = await subject.answered();
    dialog.sendTone('*', 160, (status) => seen.push(`tone ${String(status)}`));
    const info = await peer.next('INFO');
    expect([info.header('content-type'), info.body]).toEqual(['application/dtmf-relay', 'Signal=*\r\nDuration=160\r\n']);
    info.reply(415);
    await subject.settled();
    expect(seen).toEqual(['confirmed', 'tone 415']);
  });

  it('that is answered 481 ends the call', async () => {
    const { peer } = subject;
    const { dialog, seen } = await subject.answered();
    dialog.sendTone('1', 100, () => seen.push('tone'));
    (await peer.next('INFO')).reply(481);
    (await peer.next('BYE')).reply(200);
    expect(seen).toEqual(['confirmed', 'lost']);
  });
});

describe('an INFO', () => {
  it.each([
    ['application/dtmf-relay', 'Signal=5\r\nDuration=160\r\n', '5'],
    ['application/dtmf-relay', 'Signal= #\nDuration= 250', '#'],
    ['application/dtmf-relay', 'Duration=160\r\nSignal=10\r\n', '*'],
    ['application/dtmf', 'd', 'D'],
    ['Application/DTMF;x=y', '11', '#'],
  ])('with %s %j is a tone', async (type, body, tone) => {
    const { inDialog, seen } = await subject.answered();
    const ok = await subject.peer.request('INFO', subject.uri, { ...inDialog, headers: [`Content-Type: ${type}`], body });
    expect([ok.status, seen]).toEqual([200, ['confirmed', `tone ${tone}`]]);
  });

  it('without a body is answered 200, with another body 415, of a package 469, outside of a call 481', async () => {
    const { peer, uri } = subject;
    const { inDialog, seen } = await subject.answered();
    expect((await peer.request('INFO', uri, inDialog)).status).toBe(200);
    const refused = await peer.request('INFO', uri, { ...inDialog, cseq: 12, headers: ['Content-Type: application/dtmf-relay'], body: 'Signal=16' });
    expect([refused.status, refused.header('accept')]).toEqual([415, 'application/dtmf-relay, application/dtmf']);
    expect((await peer.request('INFO', uri, { ...inDialog, cseq: 13, headers: ['Info-Package: foo'] })).status).toBe(469);
    expect((await peer.request('INFO', uri, subject.newCall())).status).toBe(481);
    expect(seen).toEqual(['confirmed']);
  });
});

describe('a REFER of ours', () => {
  const started = async (): Promise<Awaited<ReturnType<Subject['answered']>>> => {
    const taken = await subject.answered();
    taken.dialog.refer('sip:601@example.com', {
      onTaken: () => taken.seen.push('taken'),
      onResult: (status) => taken.seen.push(`result ${String(status)}`),
    });
    return taken;
  };
  const notify = (state: string): string[] => ['Event: refer', `Subscription-State: ${state}`, 'Content-Type: message/sipfrag'];

  it('names the new party and us, and NOTIFYs say how it goes', async () => {
    const { peer, uri } = subject;
    const { seen, inDialog } = await started();
    const refer = await peer.next('REFER');
    expect([refer.header('refer-to'), refer.header('referred-by'), refer.header('contact')]).toEqual([
      '<sip:601@example.com>',
      '<sip:434@example.com>',
      expect.stringContaining('tok434'),
    ]);
    refer.reply(202);
    expect((await peer.request('NOTIFY', uri, { ...inDialog, headers: notify('active;expires=60'), body: 'SIP/2.0 100 Trying\r\n' })).status).toBe(200);
    expect((await peer.request('NOTIFY', uri, { ...inDialog, cseq: 12, headers: notify('terminated;reason=noresource'), body: 'SIP/2.0 486 Busy Here' })).status).toBe(200);
    expect(seen).toEqual(['confirmed', 'taken', 'result 486']);
  });

  it('that is refused says so once, whatever NOTIFY comes after', async () => {
    const { peer, uri } = subject;
    const { seen, inDialog } = await started();
    (await peer.next('REFER')).reply(603);
    await subject.settled();
    expect((await peer.request('NOTIFY', uri, { ...inDialog, headers: notify('terminated'), body: 'SIP/2.0 200 OK' })).status).toBe(200);
    expect(seen).toEqual(['confirmed', 'result 603']);
  });

  it('whose subscription ends without a final status has an unknown end', async () => {
    const { peer, uri } = subject;
    const { seen, inDialog } = await started();
    (await peer.next('REFER')).reply(202);
    await peer.request('NOTIFY', uri, { ...inDialog, headers: notify('terminated;reason=timeout'), body: 'SIP/2.0 180 Ringing' });
    expect(seen).toEqual(['confirmed', 'taken', 'result undefined']);
  });

  it('may name a call that the new party takes over, by its tags as the far end sees them', async () => {
    const { dialog, inDialog, ok } = await subject.answered();
    const ourTag = /tag=(\w+)/.exec(ok.header('to')!)![1]!;
    const replaces = decodeURIComponent(/\?Replaces=(.*)$/.exec(dialog.replacement)![1]!);
    expect(replaces).toBe(`${inDialog.callId};to-tag=f1;from-tag=${ourTag}`);
    expect(dialog.replacement).toMatch(/^sip:600@127\.0\.0\.1:/);
  });

  it('names that one by its address of record where a proxy stands between: its device may be out of reach', async () => {
    const { peer } = subject;
    const { dialog, inDialog } = await subject.answered([`Record-Route: <sip:127.0.0.1:${String(peer.port)};lr>`, 'Contact: <sip:device@far-device.invalid>']);
    const aor = /<(.*?)>/.exec(inDialog.from)![1]!;
    expect(dialog.replacement.startsWith(`${aor}?Replaces=`)).toBe(true);
  });

  it('is not there: a NOTIFY is answered 481', async () => {
    const { inDialog } = await subject.answered();
    expect((await subject.peer.request('NOTIFY', subject.uri, { ...inDialog, headers: notify('active') })).status).toBe(481);
  });
});

describe('a REFER of the far end', () => {
  type InDialog = Awaited<ReturnType<Subject['answered']>>['inDialog'];
  const carol = 'Refer-To: <sip:carol@example.com>';
  const refer = (inDialog: InDialog, headers: string[], cseq = 11): Promise<Received> => subject.peer.request('REFER', subject.uri, { ...inDialog, cseq, headers });

  /** A REFER that its owner has and has not answered yet. */
  const asked = async (headers = [carol]): Promise<TakenCall & { referral: ReceivedReferral; inDialog: InDialog; response: Promise<Received> }> => {
    const taken = await subject.answered();
    const told = subject.nextReferral();
    const response = refer(taken.inDialog, headers);
    return { ...taken, referral: await told, response };
  };
  /** NOTIFYs that nobody waited for. */
  const untold = (): Received[] => subject.peer.received.filter(({ method }) => method === 'NOTIFY');
  /** The next NOTIFY, answered. */
  const notified = async (status = 200): Promise<[event?: string, state?: string, body?: string]> => {
    const notify = await subject.peer.next('NOTIFY');
    notify.reply(status);
    return [notify.header('event'), notify.header('subscription-state'), notify.body];
  };

  it('is announced in Allow, accepted with 202, and its NOTIFYs say how it goes until the last', async () => {
    const { referral, response, inDialog } = await asked();
    referral.accept();
    const accepted = await response;
    expect([accepted.status, accepted.header('contact'), accepted.header('allow')]).toEqual([202, expect.stringContaining('tok434'), expect.stringContaining('REFER')]);
    const first = await subject.peer.next('NOTIFY');
    expect([first.header('event'), first.header('content-type'), first.header('contact'), first.header('to')]).toEqual([
      'refer',
      'message/sipfrag;version=2.0',
      expect.stringContaining('tok434'),
      inDialog.from,
    ]);
    expect([first.header('subscription-state'), first.body]).toEqual(['active;expires=600', 'SIP/2.0 100 Trying\r\n']);
    first.reply(200);
    referral.notify(180, 'Ringing\r\nX: y');
    expect(await notified()).toEqual(['refer', 'active;expires=600', 'SIP/2.0 180 RingingX: y\r\n']);
    referral.notify(486, 'Busy Here');
    expect(await notified()).toEqual(['refer', 'terminated;reason=noresource', 'SIP/2.0 486 Busy Here\r\n']);
    referral.notify(200, 'OK');
    await subject.settled();
    expect(untold()).toEqual([]);
  });

  it.each<[string, string[], Partial<ReceivedReferral>]>([
    ['with a name, parameters and brackets', ['Refer-To: "Carol" <sip:carol@example.com;user=phone;method=INVITE>;x=y'], { target: 'sip:carol@example.com;user=phone' }],
    ['in compact form, without brackets', ['r: sip:carol@example.com', 'b: sip:bob@example.com'], { target: 'sip:carol@example.com', referredBy: '<sip:bob@example.com>' }],
    ['of a number', ['Refer-To: tel:+49301234'], { target: 'tel:+49301234' }],
    [
      'with a call to take over and headers that are none of ours',
      ['Refer-To: <sip:carol@example.com?Route=%3Csip%3Aevil.example%3E&Replaces=id%40h%3Bto-tag%3Dt1%3Bfrom-tag%3Df1%3Bx%3D%0D%0Ay&From=sip%3Aa%40b>'],
      { target: 'sip:carol@example.com', replaces: 'id@h;to-tag=t1;from-tag=f1' },
    ],
    [
      'with a call to take over while it rings alone, by somebody who signs for it',
      ['Refer-To: <sip:carol@example.com?replaces=id%3Bfrom-tag%3Df1%3Bearly-only%3Bto-tag%3Dt1>', 'Referred-By: "B" <sip:bob@example.com>;cid="20398@example.com"'],
      { target: 'sip:carol@example.com', replaces: 'id;to-tag=t1;from-tag=f1;early-only', referredBy: '"B" <sip:bob@example.com>' },
    ],
    ['of nobody that can be read', [carol, 'Referred-By: <<>'], { target: 'sip:carol@example.com' }],
    ['of two at once', [carol, 'Referred-By: sip:a@b', 'Referred-By: sip:c@d'], { target: 'sip:carol@example.com' }],
  ])('%s is told as whom to call', async (_what, headers, told) => {
    const { referral } = await asked(headers);
    const { target, replaces, referredBy } = referral;
    expect(Object.entries({ target, replaces, referredBy }).filter(([, value]) => value !== undefined)).toEqual(Object.entries(told));
  });

  it.each<[string, number, string[]]>([
    ['without a Refer-To', 400, []],
    ['with two', 400, [carol, carol]],
    ['with two in one line', 400, [`${carol}, <sip:dave@example.com>`]],
    ['with what is no URI', 400, ['Refer-To: <sip:>']],
    ['with headers in a tel:', 400, ['Refer-To: <tel:+1?Replaces=x>']],
    ['with a Replaces that cannot be read', 400, ['Refer-To: <sip:carol@example.com?Replaces=id%3Bto-tag%3Da>']],
    ['with a Replaces that ends the line', 400, ['Refer-To: <sip:carol@example.com?Replaces=id%3Bto-tag%3Da%0D%0AX%3A%3Bfrom-tag%3Db>']],
    ['with a Replaces that is escaped badly', 400, ['Refer-To: <sip:carol@example.com?Replaces=%zz>']],
    ['with two calls to take over', 400, ['Refer-To: <sip:c@d?Replaces=i%3Bto-tag%3Da%3Bfrom-tag%3Db&Replaces=i%3Bto-tag%3Da%3Bfrom-tag%3Db>']],
    ['of another scheme', 416, ['Refer-To: <http://example.com/>']],
    ['to another method', 501, ['Refer-To: <sip:carol@example.com;method=BYE>']],
  ])('%s is refused %i, and nobody is told', async (_what, status, headers) => {
    const { inDialog, seen } = await subject.answered();
    expect((await refer(inDialog, headers)).status).toBe(status);
    expect(seen).toEqual(['confirmed']);
  });

  it('outside of a call is refused 405', async () => {
    expect((await subject.peer.request('REFER', subject.uri, { ...subject.newCall(), headers: [carol] })).status).toBe(405);
  });

  it('that is refused says so once, and none is told of it', async () => {
    const { referral, response } = await asked();
    referral.reject(603);
    referral.accept();
    referral.notify(200, 'OK');
    expect((await response).status).toBe(603);
    await subject.settled();
    expect(untold()).toEqual([]);
  });

  it('is refused 491 while another one is asked or goes on; the next after it has an id of its own', async () => {
    const { referral, response, inDialog } = await asked();
    expect((await refer(inDialog, [carol], 12)).status).toBe(491);
    referral.accept();
    await response;
    await notified();
    expect((await refer(inDialog, [carol], 13)).status).toBe(491);
    referral.notify(404, 'Not Found');
    await notified();
    const told = subject.nextReferral();
    const again = refer(inDialog, [carol], 14);
    (await told).accept();
    expect((await again).status).toBe(202);
    expect(await notified()).toEqual(['refer;id=14', 'active;expires=600', 'SIP/2.0 100 Trying\r\n']);
  });

  it('with Refer-Sub: false is accepted with the same, and told nothing', async () => {
    const { referral, response, inDialog } = await asked([carol, 'Refer-Sub: false', 'Require: norefersub']);
    referral.accept();
    const accepted = await response;
    expect([accepted.status, accepted.header('refer-sub'), accepted.header('supported')]).toEqual([202, 'false', expect.stringContaining('norefersub')]);
    expect((await refer(inDialog, [carol], 12)).status).toBe(491);
    referral.notify(200, 'OK');
    await subject.settled();
    expect(untold()).toEqual([]);
  });

  it('is told the newest alone when a NOTIFY takes its time', async () => {
    const { referral, response } = await asked();
    referral.accept();
    await response;
    const first = await subject.peer.next('NOTIFY');
    referral.notify(180, 'Ringing');
    referral.notify(183, 'Session Progress');
    referral.notify(200, 'OK');
    await subject.settled();
    expect(untold().filter(({ cseq }) => cseq > first.cseq)).toEqual([]);
    first.reply(200);
    expect(await notified()).toEqual(['refer', 'terminated;reason=noresource', 'SIP/2.0 200 OK\r\n']);
    await subject.settled();
    expect(untold().filter(({ cseq }) => cseq > first.cseq + 1)).toEqual([]);
  });

  it.each([481, 489, 501])('whose NOTIFY is refused %i is told no more, and the call goes on', async (status) => {
    const { referral, response, inDialog, seen } = await asked();
    referral.accept();
    await response;
    await notified(status);
    await subject.settled();
    referral.notify(200, 'OK');
    await subject.settled();
    expect([seen, untold()]).toEqual([['confirmed', 'referral'], []]);
    expect((await subject.peer.request('BYE', subject.uri, { ...inDialog, cseq: 12 })).status).toBe(200);
  });

  it('whose NOTIFY comes at a bad time is told the next', async () => {
    const { referral, response } = await asked();
    referral.accept();
    await response;
    await notified(500);
    await subject.settled();
    referral.notify(200, 'OK');
    expect((await notified())[1]).toBe('terminated;reason=noresource');
  });

  it('whose NOTIFY is challenged has it again with credentials', async () => {
    const { referral, response } = await asked();
    referral.accept();
    await response;
    const first = await subject.peer.next('NOTIFY');
    first.reply(407, ['Proxy-Authenticate: Digest realm="example.com", nonce="n1"']);
    const second = await subject.peer.next('NOTIFY');
    expect([second.cseq, second.body, second.header('proxy-authorization')]).toEqual([first.cseq + 1, first.body, expect.stringContaining('username="434"')]);
    second.reply(200);
  });

  it('that is not answered yet is answered 487 when the call ends; one that goes on is told no more', async () => {
    const { referral, response, inDialog } = await asked();
    expect((await subject.peer.request('BYE', subject.uri, { ...inDialog, cseq: 12 })).status).toBe(200);
    expect((await response).status).toBe(487);
    referral.accept();
    const other = await asked();
    other.referral.accept();
    const trying = await subject.peer.next('NOTIFY');
    other.referral.notify(180, 'Ringing');
    expect((await subject.peer.request('BYE', subject.uri, { ...other.inDialog, cseq: 12 })).status).toBe(200);
    trying.reply(200);
    await subject.settled();
    expect([(await other.response).status, untold().filter(({ cseq }) => cseq > trying.cseq)]).toEqual([202, []]);
  });
});

describe('a REFER of the far end that its owner forgets', () => {
  let clock: ManualClock;

  beforeEach(async () => {
    await subject.close();
    clock = new ManualClock();
    subject = await Subject.open('udp', { clock });
  });

  const asked = async (): Promise<{ referral: ReceivedReferral; response: Promise<Received> }> => {
    const { inDialog } = await subject.answered();
    const told = subject.nextReferral();
    const response = subject.peer.request('REFER', subject.uri, { ...inDialog, headers: ['Refer-To: sip:carol@example.com'] });
    return { referral: await told, response };
  };

  it('is refused 603 after 10 s', async () => {
    const { response } = await asked();
    await clock.advance(9_999);
    await subject.settled();
    expect(subject.peer.received.filter(({ status }) => status === 603)).toEqual([]);
    await clock.advance(1);
    expect((await response).status).toBe(603);
  });

  it('is over after 10 minutes, with a NOTIFY that says so and what was told last', async () => {
    const { referral, response } = await asked();
    referral.accept();
    await response;
    (await subject.peer.next('NOTIFY')).reply(200);
    await subject.settled();
    await clock.advance(90_000);
    referral.notify(180, 'Ringing');
    const ringing = await subject.peer.next('NOTIFY');
    expect(ringing.header('subscription-state')).toBe('active;expires=510');
    ringing.reply(200);
    await subject.settled();
    await clock.advance(510_000);
    const last = await subject.peer.next('NOTIFY');
    expect([last.header('subscription-state'), last.body]).toEqual(['terminated;reason=timeout', 'SIP/2.0 180 Ringing\r\n']);
    last.reply(200);
  });
});

describe('a call that follows from a transfer', () => {
  it('names the call that it takes over, requires that to be understood, and says who sent us, challenged or not', async () => {
    const { peer } = subject;
    const { refused } = subject.place('sip:carol@example.com', { replaces: 'id@h;to-tag=t1;from-tag=f1', referredBy: '"B" <sip:bob@example.com>' });
    const first = await peer.next('INVITE');
    first.reply(407, ['Proxy-Authenticate: Digest realm="example.com", nonce="n1"']);
    const second = await peer.next('INVITE');
    for (const invite of [first, second]) {
      expect([invite.header('replaces'), invite.header('require'), invite.header('referred-by')]).toEqual(['id@h;to-tag=t1;from-tag=f1', 'replaces', '"B" <sip:bob@example.com>']);
    }
    second.reply(420, ['Unsupported: replaces']);
    expect((await refused).status).toBe(420);
  });

  it('of its own says nothing of that, and no value ends its line', async () => {
    const { peer } = subject;
    const plain = subject.place();
    const first = await peer.next('INVITE');
    expect(['replaces', 'require', 'referred-by'].map((name) => first.header(name))).toEqual([undefined, undefined, undefined]);
    const odd = subject.place('sip:carol@example.com', { replaces: 'id\r\nX: 1', referredBy: '<sip:b@c>\r\nX: 2' });
    const second = await peer.next('INVITE');
    expect([second.header('replaces'), second.header('referred-by'), second.header('x')]).toEqual(['idX: 1', '<sip:b@c>X: 2', undefined]);
    for (const invite of [first, second]) invite.reply(486);
    await Promise.all([plain.refused, odd.refused]);
  });
});
