/** DTMF by INFO, and REFER with its NOTIFYs (RFC 3515, RFC 3891), in a call that is up. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Subject } from './subject.js';

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

  it('is not there: a NOTIFY is answered 481', async () => {
    const { inDialog } = await subject.answered();
    expect((await subject.peer.request('NOTIFY', subject.uri, { ...inDialog, headers: notify('active') })).status).toBe(481);
  });
});
