/** A registrar that sends us to another one (RFC 3261 8.1.3.4): two scripted peers, and the stack between them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import { readRedirect } from '../../src/sip/redirect.js';
import { openSipStack } from '../../src/sip/stack.js';
import type { RegisterOutcome, SipAccount, SipStack, SipTransport } from '../../src/sip/types.js';
import { freePort } from '../support/ports.js';
import { ScriptedPeer, type Received } from '../support/scripted-peer.js';
import { message, parsedResponse } from './parser/messages.js';
import { quietDialog } from '../support/quiet-dialog.js';

let registrar: ScriptedPeer;
let other: ScriptedPeer;
let stack: SipStack;
let account: SipAccount;
/** How far the clock is ahead of the system's, milliseconds. */
let aheadMs = 0;

beforeEach(async () => {
  aheadMs = 0;
  [registrar, other] = await Promise.all([ScriptedPeer.open(), ScriptedPeer.open()]);
  stack = await openSipStack(
    {
      flows: { listen: { host: '127.0.0.1', udpPort: 0, tcpPort: 0 }, tls: { verify: true } },
      trusted: [],
      ignoresContact: false,
      userAgent: 'dialog-sip/spec',
    },
    {
      clock: { ...systemClock, now: () => systemClock.now() + aheadMs },
      events: { onInvite: () => undefined, onFlowLost: () => undefined },
      log: { debug: () => undefined, warn: () => undefined },
    },
  );
  account = stack.addAccount({
    token: 'tok434',
    user: '434',
    domain: 'example.com',
    password: 'secret',
    target: { transport: 'udp', host: '127.0.0.1', port: registrar.port },
  });
});

afterEach(async () => {
  await stack.close();
  await Promise.all([registrar.close(), other.close()]);
});

/** Registers; the registrar answers with that status and Contact. */
async function sendOn(status: number, contact = `<sip:434@127.0.0.1:${other.port}>`): Promise<{ asked: Received; outcome: Promise<RegisterOutcome> }> {
  const outcome = account.register(1800);
  const asked = await registrar.next('REGISTER');
  asked.reply(status, [`Contact: ${contact}`]);
  return { asked, outcome };
}

describe('a registrar that sends us on', () => {
  it('is left for the one it names, whose URI without user is asked for: same AOR, same Call-ID, next CSeq', async () => {
    const { asked, outcome } = await sendOn(302);
    const followed = await other.next('REGISTER');
    expect(followed.uri).toBe(`sip:127.0.0.1:${other.port}`);
    expect([followed.header('call-id'), followed.cseq]).toEqual([asked.header('call-id'), asked.cseq + 1]);
    expect(followed.header('to')).toBe(asked.header('to'));
    followed.reply(401, ['WWW-Authenticate: Digest realm="example.com", nonce="n1", qop="auth"']);
    const answered = await other.next('REGISTER');
    expect(answered.header('authorization')).toContain(`uri="sip:127.0.0.1:${other.port}"`);
    answered.reply(200, ['Expires: 600']);
    expect(await outcome).toEqual({ kind: 'registered', expiresS: 600, contactChanged: false });
  });

  it('is asked first again next time, when a 302 names no expiry', async () => {
    const { outcome } = await sendOn(302);
    (await other.next('REGISTER')).reply(200);
    await outcome;
    const refresh = account.register(1800);
    (await registrar.next('REGISTER')).reply(200);
    expect(await refresh).toMatchObject({ kind: 'registered' });
    expect(other.received).toEqual([]);
  });

  it.each([
    ['Contact', ';expires=600', []],
    ['Expires', '', ['Expires: 600']],
  ])('is asked again when the expiry of the 302 is over, which its %s names', async (_where, parameter, headers) => {
    const outcome = account.register(1800);
    (await registrar.next('REGISTER')).reply(302, [`Contact: <sip:127.0.0.1:${other.port}>${parameter}`, ...headers]);
    (await other.next('REGISTER')).reply(200);
    await outcome;
    aheadMs = 599_000;
    const refresh = account.register(1800);
    (await other.next('REGISTER')).reply(200);
    expect(await refresh).toMatchObject({ kind: 'registered' });
    expect(registrar.received).toEqual([]);
    aheadMs = 601_000;
    const later = account.register(1800);
    (await registrar.next('REGISTER')).reply(200);
    expect(await later).toMatchObject({ kind: 'registered' });
  });

  it('is left for good by a 301, calls included, for as long as the other one works', async () => {
    const { outcome } = await sendOn(301);
    (await other.next('REGISTER')).reply(200);
    await outcome;
    aheadMs = 100 * 24 * 3_600_000;
    const refresh = account.register(1800);
    (await other.next('REGISTER')).reply(200);
    await refresh;
    account.invite({ to: 'sip:600@example.com', sdp: 'v=0\r\n' }, { ...quietDialog, onProgress: () => undefined, onAccepted: () => undefined, onRefused: () => undefined });
    (await other.next('INVITE')).reply(486);
    const failing = account.register(1800);
    (await other.next('REGISTER')).reply(500);
    expect(await failing).toMatchObject({ kind: 'refused', status: 500 });
    const back = account.register(1800);
    (await registrar.next('REGISTER')).reply(200);
    expect(await back).toMatchObject({ kind: 'registered' });
  });

  it('is followed once: the one it names sends us nowhere', async () => {
    const { outcome } = await sendOn(302);
    (await other.next('REGISTER')).reply(302, [`Contact: <sip:127.0.0.1:${registrar.port}>`]);
    expect(await outcome).toMatchObject({ kind: 'refused', status: 302 });
    expect([registrar.received, other.received]).toEqual([[], []]);
  });

  it('to itself is not followed', async () => {
    const { outcome } = await sendOn(302, `<sip:127.0.0.1:${registrar.port};transport=udp>`);
    expect(await outcome).toMatchObject({ kind: 'refused', status: 302 });
    expect(registrar.received).toEqual([]);
  });

  it('to one that is not there is told as that, and is asked itself the next time', async () => {
    const port = await freePort();
    const { outcome } = await sendOn(301, `<sip:127.0.0.1:${port};transport=tcp>`);
    expect(await outcome).toMatchObject({ kind: 'unreachable', code: 'SIP_TRANSPORT', sentOnTo: `sip:127.0.0.1:${port};transport=tcp` });
    const next = account.register(1800);
    (await registrar.next('REGISTER')).reply(200);
    expect(await next).toMatchObject({ kind: 'registered' });
  });

  it('to another transport is followed there', async () => {
    const overTcp = await ScriptedPeer.openTcp();
    const { outcome } = await sendOn(302, `<sip:127.0.0.1:${overTcp.port};transport=TCP>`);
    const followed = await overTcp.next('REGISTER');
    expect(followed.header('contact')).toContain(';transport=tcp>');
    followed.reply(200);
    expect(await outcome).toMatchObject({ kind: 'registered' });
    await overTcp.close();
  });
});

describe('where a redirect leads', () => {
  const read = (over: SipTransport, ...contacts: string[]) => {
    const response = parsedResponse(
      message([
        'SIP/2.0 302 Moved Temporarily',
        'Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1',
        'From: <sip:a@example.com>;tag=f',
        'To: <sip:a@example.com>;tag=t',
        'Call-ID: id@example.com',
        'CSeq: 1 REGISTER',
        ...contacts.map((contact) => `Contact: ${contact}`),
      ]),
    );
    const target = { transport: over, host: 'pbx.example.com', port: 5060, webSocket: { method: 'GET', host: 'pbx.example.com', location: '/sip' } };
    const redirect = readRedirect(response, target, over, 0);
    return redirect && { ...redirect.target, uri: redirect.requestUri.toString() };
  };

  it.each<[string, SipTransport, string, Record<string, unknown> | undefined]>([
    ['the transport in use when it names none', 'tcp', '<sip:192.0.2.7:5070>', { transport: 'tcp', host: '192.0.2.7', port: 5070 }],
    ['DNS when it has a name without port', 'udp', '<sip:b.example.com>', { transport: 'udp', host: 'b.example.com', port: 0 }],
    ['an IPv6 address', 'udp', '<sip:[2001:db8::1]:5070>', { host: '2001:db8::1', port: 5070, uri: 'sip:[2001:db8::1]:5070' }],
    ['TLS for sips:', 'udp', '<sips:b.example.com>', { transport: 'tls', uri: 'sips:b.example.com' }],
    ['nowhere less safe than TLS', 'tls', '<sip:b.example.com;transport=tcp>', undefined],
    ['nowhere less safe than WSS', 'wss', '<sip:b.example.com;transport=udp>', undefined],
    ['WSS when it says ws and WSS is in use, with the same path and no Host of the old', 'wss', '<sip:b.example.com:443;transport=ws>', { transport: 'wss', webSocket: { method: 'GET', host: undefined, location: '/sip' } }],
    ['nowhere by a transport that we do not have', 'udp', '<sip:b.example.com;transport=sctp>', undefined],
    ['nowhere by another scheme', 'udp', '<tel:+1234>', undefined],
    ['nowhere when it is the registrar itself, in whatever case', 'udp', '<sip:PBX.example.com:5060>', undefined],
    ['nowhere for a Contact that cannot be read', 'udp', '<sip:@>', undefined],
    ['nowhere for a star', 'udp', '*', undefined],
  ])('is %s', (_name, over, contact, expected) => {
    if (expected === undefined) expect(read(over, contact)).toBeUndefined();
    else expect(read(over, contact)).toMatchObject(expected);
  });

  it('is the Contact with the highest q that may be followed', () => {
    expect(read('udp', '<sip:a.example.com>;q=0.5, <sip:b.example.com>;q=0.9', '<sip:c.example.com;transport=sctp>')).toMatchObject({ host: 'b.example.com' });
    expect(read('udp', '<sip:a.example.com>;q=0.5', '<sip:b.example.com>')).toMatchObject({ host: 'b.example.com' });
    expect(read('udp', '<sip:a.example.com>;q=7', '<sip:b.example.com>;q=0.1')).toMatchObject({ host: 'b.example.com' });
  });
});
