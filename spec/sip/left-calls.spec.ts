/** Ending calls of a process that is gone: another stack, which has their loose ends alone. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { looseEnd, type LooseEnd } from '../../src/sip/loose-end.js';
import { openSipStack } from '../../src/sip/stack.js';
import type { SipAccount, SipStack } from '../../src/sip/types.js';
import { ManualClock } from '../support/manual-clock.js';
import type { Received } from '../support/scripted-peer.js';
import { answer, Subject } from './conformance/subject.js';

let subject: Subject;
let clock: ManualClock;
let stack: SipStack;
let account: SipAccount;

beforeEach(async () => {
  subject = await Subject.open();
  clock = new ManualClock();
  stack = await openSipStack(
    {
      flows: { listen: { host: '127.0.0.1', udpPort: 0, tcpPort: 0 }, tls: { verify: true } },
      trusted: [],
      ignoresContact: false,
      sessionExpiresS: 0,
      userAgent: 'dialog-sip/spec',
    },
    {
      clock,
      events: { onInvite: () => undefined, onFlowLost: () => undefined },
      log: { debug: () => undefined, warn: (message) => subject.warnings.push(message) },
    },
  );
  account = stack.addAccount(subject.account.settings);
});

afterEach(async () => {
  await stack.close();
  await subject.close();
});

/** As the journal keeps it. */
function kept(end: LooseEnd | undefined): LooseEnd {
  const text = JSON.stringify(end);
  expect(text).not.toContain('secret');
  return looseEnd.parse(JSON.parse(text));
}

describe('a call that was answered', () => {
  it('is ended by BYE in its dialog, along its routes, with a higher CSeq, when we placed it', async () => {
    const { peer } = subject;
    const { accepted } = subject.place();
    const invite = await peer.next('INVITE');
    const route = `<sip:127.0.0.1:${String(peer.port)};lr>`;
    invite.reply(200, [`Record-Route: <sip:far.example.com;lr>, ${route}`, 'Contact: <sip:far@192.0.2.9>'], answer);
    await peer.next('ACK');
    account.endLeft(kept((await accepted).looseEnd));
    const bye = await peer.next('BYE');
    expect([bye.uri, bye.headers('route').join(', '), bye.header('call-id')]).toEqual([
      'sip:far@192.0.2.9',
      `${route}, <sip:far.example.com;lr>`,
      invite.header('call-id'),
    ]);
    expect(bye.header('from')).toBe(invite.header('from'));
    expect(bye.header('to')).toMatch(/^<sip:600@example\.com>;tag=.+/);
    expect(bye.cseq).toBeGreaterThan(invite.cseq + 1_000);
    bye.reply(200);
  });

  it('is ended by BYE when it came to us', async () => {
    const { peer } = subject;
    const { dialog, ok, inDialog } = await subject.answered();
    account.endLeft(kept(dialog.looseEnd));
    const bye = await peer.next('BYE');
    expect([bye.uri, bye.header('from'), bye.header('to'), bye.header('call-id')]).toEqual([
      `sip:600@127.0.0.1:${String(peer.port)};transport=udp`,
      ok.header('to'),
      inDialog.from,
      inDialog.callId,
    ]);
    bye.reply(200);
  });

  it('is ended with the credentials of its account when the BYE is challenged', async () => {
    const { peer } = subject;
    const { dialog } = await subject.answered();
    account.endLeft(kept(dialog.looseEnd));
    const bye = await peer.next('BYE');
    bye.reply(407, ['Proxy-Authenticate: Digest realm="r", nonce="n"']);
    const again = await peer.next('BYE');
    expect([again.header('proxy-authorization'), again.cseq]).toEqual([expect.stringMatching(/^Digest username="434", realm="r"/), bye.cseq + 1]);
    again.reply(200);
  });
});

describe('an INVITE without a final response', () => {
  let invite: Received;
  let cancel: Received;

  beforeEach(async () => {
    const { peer } = subject;
    const { call } = subject.place();
    invite = await peer.next('INVITE');
    invite.reply(180, [`Contact: ${subject.peerContact}`]);
    await subject.settled();
    account.endLeft(kept(call.looseEnd));
    cancel = await peer.next('CANCEL');
  });

  it('is cancelled on its own hop', () => {
    const same = ['via', 'from', 'to', 'call-id'];
    expect([cancel.uri, cancel.header('cseq'), ...same.map((name) => cancel.header(name))]).toEqual([
      invite.uri,
      `${String(invite.cseq)} CANCEL`,
      ...same.map((name) => invite.header(name)),
    ]);
  });

  it('has its refusal acknowledged, as often as that comes', async () => {
    cancel.reply(200);
    const refusal = { line: 487, to: `${invite.header('to') ?? ''};tag=late` };
    for (let times = 0; times < 2; times += 1) {
      cancel.replyTo(invite, refusal.line, refusal.to);
      const ack = await subject.peer.next('ACK');
      expect([ack.uri, ack.header('via'), ack.header('to'), ack.header('cseq')]).toEqual([
        invite.uri,
        invite.header('via'),
        refusal.to,
        `${String(invite.cseq)} ACK`,
      ]);
    }
    expect(stack.usage().transactions).toBe(0);
  });

  it('that was answered meanwhile is acknowledged, and ended by BYE', async () => {
    const to = `${invite.header('to') ?? ''};tag=crossed`;
    cancel.reply(200);
    cancel.replyTo(invite, 200, to, [`Record-Route: <sip:127.0.0.1:${String(subject.peer.port)};lr>`, 'Contact: <sip:far@192.0.2.9>'], answer);
    const ack = await subject.peer.next('ACK');
    const bye = await subject.peer.next('BYE');
    expect([ack.uri, ack.header('to'), ack.cseq]).toEqual(['sip:far@192.0.2.9', to, invite.cseq]);
    expect([bye.uri, bye.header('to'), bye.header('from')]).toEqual(['sip:far@192.0.2.9', to, invite.header('from')]);
    bye.reply(200);
  });

  it('is forgotten when nobody knows it', async () => {
    cancel.reply(481);
    await expect.poll(() => stack.usage().transactions).toBe(0);
  });

  it('is forgotten after 64*T1 when nobody answers', async () => {
    expect(stack.usage().transactions).toBe(1);
    await clock.advance(32_000);
    expect(stack.usage().transactions).toBe(0);
  });
});

describe('an INVITE of theirs that rings here', () => {
  it('is answered 480 as the process that is gone would have, again and again over UDP until the ACK comes', async () => {
    const { peer } = subject;
    const via = `SIP/2.0/UDP 127.0.0.1:${String(peer.port)};branch=z9hG4bKleft;rport`;
    const { call, request } = await subject.invited([], { via, headers: [`Contact: ${subject.peerContact}`, 'Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKfirst'] });
    call.ring();
    const rings = await peer.nextResponse(180);
    account.endLeft(kept(call.looseEnd));
    const final = await peer.nextResponse(480);
    const same = ['from', 'to', 'call-id', 'cseq'];
    expect(same.map((name) => final.header(name))).toEqual(same.map((name) => rings.header(name)));
    expect(final.headers('via')).toEqual(rings.headers('via'));

    await clock.advance(500);
    await peer.nextResponse(480);
    const port = Number(/udp:127\.0\.0\.1:(\d+)/.exec(stack.listening.join(' '))?.[1]);
    peer.send('ACK', subject.uri, { ...request, via, to: final.header('to') ?? '' }, port);
    // The INVITE is known still, and what answers the CANCEL of it says that the ACK was taken in before.
    peer.send('INVITE', subject.uri, { ...request, via, headers: [] }, port);
    peer.send('CANCEL', subject.uri, { ...request, via, headers: [] }, port);
    await peer.nextResponse(481);
    await clock.advance(34_000);
    expect(peer.received.map(({ startLine }) => startLine).filter((line) => line.includes(' 480 '))).toEqual([]);
    expect(stack.usage().retransmissions).toBe(0);
  });

  it.each(['tcp', 'ws'] as const)('is answered over the connection of its account: that which it came by is gone (%s)', async (transport) => {
    const over = await Subject.open(transport);
    const { call } = await over.invited();
    stack.addAccount({ ...over.account.settings, token: 'after' }).endLeft(kept(call.looseEnd));
    const final = await over.peer.nextResponse(480);
    expect([final.header('call-id'), final.header('to')]).toEqual([call.callId, expect.stringMatching(/;tag=.+/)]);
    await over.close();
  });

  it('is nobody\'s to answer once it has a final response', async () => {
    const { call } = await subject.invited();
    call.reject(486);
    await subject.peer.nextResponse(486);
    expect(call.looseEnd).toBeUndefined();
  });

  it('is passed over when where it came from cannot be read', async () => {
    const { call } = await subject.invited();
    const end = kept(call.looseEnd);
    account.endLeft({ ...end, callId: 'unreadable', vias: ['nonsense'] } as LooseEnd);
    account.endLeft(end);
    expect((await subject.peer.nextResponse(480)).header('call-id')).toBe(end.callId);
  });
});

describe('what is left of a call', () => {
  it('is nothing before the INVITE went out and once it is refused', async () => {
    const { call, refused } = subject.place();
    const invite = await subject.peer.next('INVITE');
    expect(call.looseEnd?.kind).toBe('invite');
    invite.reply(486);
    await refused;
    expect(call.looseEnd).toBeUndefined();
  });

  it.each(['remoteTarget', 'localUri', 'remoteUri'])('is passed over when it cannot be read: %s', async (part) => {
    const { dialog } = await subject.answered();
    const end = kept(dialog.looseEnd);
    account.endLeft({ ...end, callId: 'unreadable', [part]: 'nonsense' });
    account.endLeft(end);
    const bye = await subject.peer.next('BYE');
    expect(bye.header('call-id')).toBe(end.callId);
    bye.reply(200);
  });

  it('takes no line end into a header', async () => {
    const { dialog } = await subject.answered();
    expect(looseEnd.safeParse({ ...kept(dialog.looseEnd), callId: 'a\r\nRoute: <sip:x>' }).success).toBe(false);
  });
});
