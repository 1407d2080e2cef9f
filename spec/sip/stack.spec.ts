/** The stack against a scripted peer on a raw UDP socket: every byte that crosses is the peer's own text. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import { openSipStack } from '../../src/sip/stack.js';
import type { CallRefusal, IncomingCall, OutgoingCallEvents, SipAccount, SipStack } from '../../src/sip/types.js';
import { ScriptedPeer, type Received } from '../support/scripted-peer.js';
import { quietDialog } from '../support/quiet-dialog.js';

let peer: ScriptedPeer;
let stack: SipStack;
let account: SipAccount;
let incoming: ((call: IncomingCall) => void) | undefined;
const warnings: string[] = [];

async function openStack(ignoresContact = false): Promise<void> {
  stack = await openSipStack(
    {
      flows: { listen: { host: '127.0.0.1', udpPort: 0, tcpPort: 0 }, tls: { verify: true } },
      trusted: [],
      ignoresContact,
      userAgent: 'dialog-sip/spec',
    },
    {
      clock: systemClock,
      events: { onInvite: (call) => incoming?.(call), onFlowLost: () => undefined },
      log: { debug: () => undefined, warn: (message) => warnings.push(message) },
    },
  );
  account = stack.addAccount({
    token: 'tok434',
    user: '434',
    domain: 'example.com',
    password: 'secret',
    displayName: 'Ann "A" Smith',
    target: { transport: 'udp', host: '127.0.0.1', port: peer.port },
  });
}

beforeEach(async () => {
  peer = await ScriptedPeer.open();
  await openStack();
});

afterEach(async () => {
  incoming = undefined;
  await stack.close();
  await peer.close();
  expect(warnings.splice(0)).toEqual([]);
});

/** Events of a call, in words. */
function record(): OutgoingCallEvents & { seen: string[]; accepted: Promise<{ bye(): void }>; refused: Promise<CallRefusal> } {
  const seen: string[] = [];
  let accept: (dialog: { bye(): void }) => void;
  let refuse: (refusal: CallRefusal) => void;
  return {
    seen,
    accepted: new Promise((resolve) => (accept = resolve)),
    refused: new Promise((resolve) => (refuse = resolve)),
    ...quietDialog,
    onProgress: ({ status, sdp, reason }) => seen.push(`progress ${String(status)} ${sdp?.trim() ?? ''} ${String(reason?.cause ?? '')}`.trimEnd().replace(/ +/g, ' ')),
    onAccepted: ({ dialog, sdp }) => {
      seen.push(`accepted ${sdp?.trim() ?? ''}`);
      accept(dialog);
    },
    onRefused: (refusal) => {
      seen.push(`refused ${String(refusal.status)}`);
      refuse(refusal);
    },
    onBye: (reason) => seen.push(`bye ${String(reason?.cause ?? '')}`.trim()),
  };
}

const challenge = 'WWW-Authenticate: Digest realm="example.com", nonce="n1", qop="auth"';

describe('a registration', () => {
  it('answers the challenge, and the next one needs none', async () => {
    const outcome = account.register(1800);
    const first = await peer.next('REGISTER');
    expect(first.header('authorization')).toBeUndefined();
    first.reply(401, [challenge]);
    const second = await peer.next('REGISTER');
    expect(second.header('authorization')).toContain('nc=00000001');
    expect([second.header('call-id'), second.cseq]).toEqual([first.header('call-id'), first.cseq + 1]);
    expect(second.header('contact')).toMatch(/^<sip:tok434@127\.0\.0\.1:\d+;transport=udp>;\+sip\.instance="<urn:uuid:.*>";reg-id=1;expires=1800$/);
    second.reply(200, [`Contact: <sip:other@192.0.2.1>;expires=5`, `Contact: <sip:tok434@192.0.2.1>;expires=900`, `Contact: ${second.header('contact')!.replace('expires=1800', 'expires=600')}`]);
    expect(await outcome).toEqual({ kind: 'registered', expiresS: 600, contactChanged: false });

    const refresh = account.register(1800);
    const third = await peer.next('REGISTER');
    expect(third.header('authorization')).toContain('nc=00000002');
    third.reply(200, ['Expires: 60']);
    expect(await refresh).toMatchObject({ kind: 'registered', expiresS: 60 });
  });

  it('names the flow that leads to its registrar, once there is one and while it is open', async () => {
    const registrar = await ScriptedPeer.openTcp();
    const overTcp = stack.addAccount({ ...account.settings, token: 'tok435', target: { transport: 'tcp', host: '127.0.0.1', port: registrar.port } });
    expect([account.flowName, overTcp.flowName]).toEqual([undefined, undefined]);
    for (const [one, its] of [[account, peer], [overTcp, registrar]] as const) {
      const outcome = one.register(1800);
      (await its.next('REGISTER')).reply(200);
      await outcome;
    }
    expect([account.flowName, overTcp.flowName]).toEqual([`udp 127.0.0.1:${peer.port}`, `tcp 127.0.0.1:${registrar.port}`]);
    await registrar.close();
    await vi.waitFor(() => {
      expect(overTcp.flowName).toBeUndefined();
    });
  });

  it('is refused with the reason: the password, the interval, the time to come back', async () => {
    const wrong = account.register(1800);
    (await peer.next('REGISTER')).reply(401, [challenge]);
    (await peer.next('REGISTER')).reply(401, [challenge]);
    expect(await wrong).toMatchObject({ kind: 'refused', status: 401, wrongPassword: true });

    const brief = account.register(60);
    (await peer.next('REGISTER')).reply(423, ['Min-Expires: 3600']);
    expect(await brief).toMatchObject({ kind: 'refused', status: 423, minExpiresS: 3600, wrongPassword: false });

    const busy = account.register(60);
    (await peer.next('REGISTER')).reply(503, ['Retry-After: 120 (maintenance)']);
    expect(await busy).toMatchObject({ kind: 'refused', status: 503, retryAfterMs: 120_000 });
  });

  it('is sent again when the datagram is lost', async () => {
    const outcome = account.register(1800);
    const lost = await peer.next('REGISTER');
    const again = await peer.next('REGISTER');
    expect(again.header('via')).toBe(lost.header('via'));
    again.reply(200, ['Expires: 60']);
    expect(await outcome).toMatchObject({ kind: 'registered' });
  });

  it('learns where the registrar sees it', async () => {
    const outcome = account.register(1800);
    const request = await peer.next('REGISTER');
    request.replyVia(200, `${request.header('via')!.replace(';rport', ';rport=40001')};received=198.51.100.7`, ['Expires: 60']);
    expect(await outcome).toMatchObject({ kind: 'registered', contactChanged: true });
    void account.register(1800);
    expect((await peer.next('REGISTER')).header('contact')).toContain('sip:tok434@198.51.100.7:40001');
  });

  it('says so when the host is not to be found', async () => {
    const lost = stack.addAccount({ ...account.settings, token: 'x', target: { transport: 'udp', host: 'no-such-host.invalid', port: 5060 } });
    expect(await lost.register(60)).toMatchObject({ kind: 'unreachable', code: 'SIP_TRANSPORT' });
    expect((await lost.register(60) as { message: string }).message).toContain('no-such-host.invalid');
  });
});

describe('a call that we place', () => {
  const offer = 'v=0\r\no=offer\r\n';

  it('rings, is answered, acknowledged and ended by us', async () => {
    const events = record();
    account.invite({ to: 'sip:600@example.com', sdp: offer }, events);
    const invite = await peer.next('INVITE');
    expect(invite.body).toBe(offer);
    expect(invite.header('from')).toMatch(/^"Ann \\"A\\" Smith" <sip:434@example.com>;tag=/);
    expect(invite.uri).toBe('sip:600@example.com');
    invite.reply(180, ['Contact: <sip:600@127.0.0.1>']);
    invite.reply(183, ['Contact: <sip:600@127.0.0.1>'], 'early\r\n');
    invite.reply(200, [`Contact: <sip:far@127.0.0.1:${String(peer.port)}>`], 'answer\r\n');
    const ack = await peer.next('ACK');
    expect([ack.uri, ack.cseq]).toEqual([`sip:far@127.0.0.1:${String(peer.port)}`, invite.cseq]);
    (await events.accepted).bye();
    const bye = await peer.next('BYE');
    bye.reply(200);
    expect(bye.cseq).toBeGreaterThan(invite.cseq);
    expect(events.seen).toEqual(['progress 180', 'progress 183 early', 'accepted answer']);
  });

  it('answers a proxy, and its ACK carries the credentials', async () => {
    const events = record();
    account.invite({ to: 'sip:600@example.com', sdp: offer }, events);
    const first = await peer.next('INVITE');
    first.reply(407, ['Proxy-Authenticate: Digest realm="p", nonce="n1", algorithm=SHA-256, qop="auth"']);
    expect((await peer.next('ACK')).header('via')).toBe(first.header('via'));
    const second = await peer.next('INVITE');
    expect(second.header('proxy-authorization')).toContain('algorithm=SHA-256');
    second.reply(200, [`Contact: <sip:far@127.0.0.1:${String(peer.port)}>`], 'answer\r\n');
    expect((await peer.next('ACK')).header('proxy-authorization')).toBe(second.header('proxy-authorization'));
    await events.accepted;
  });

  it('goes by the recorded route, all of it', async () => {
    const events = record();
    account.invite({ to: 'sip:600@example.com', sdp: offer }, events);
    const route = [`<sip:127.0.0.1:${String(peer.port)};lr>`, '<sip:p2.example.com;lr>'];
    const invite = await peer.next('INVITE');
    invite.reply(200, [`Record-Route: ${route[1]!}, ${route[0]!}`, 'Contact: <sip:far@192.0.2.9>'], 'answer\r\n');
    expect((await peer.next('ACK')).headers('route')).toEqual(route);
    (await events.accepted).bye();
    const bye = await peer.next('BYE');
    expect([bye.headers('route'), bye.uri]).toEqual([route, 'sip:far@192.0.2.9']);
  });

  it('tells that it rings though the 180 has no Contact and no To tag', async () => {
    const events = record();
    account.invite({ to: 'sip:600@example.com', sdp: offer }, events);
    const invite = await peer.next('INVITE');
    invite.replyRaw(180, invite.header('to')!, []);
    invite.reply(486, []);
    await events.refused;
    expect(events.seen).toEqual(['progress 180', 'refused 486']);
    expect((await peer.next('ACK')).cseq).toBe(invite.cseq);
  });

  it('tells the Reason of a 18x that plays an announcement (RFC 3326)', async () => {
    const events = record();
    account.invite({ to: 'sip:600@example.com', sdp: offer }, events);
    const invite = await peer.next('INVITE');
    invite.reply(183, ['Reason: Q.850;cause=1;text="Unallocated number"']);
    invite.reply(480, []);
    await events.refused;
    expect(events.seen).toEqual(['progress 183 1', 'refused 480']);
  });

  it('is cancelled once it rings, and told once', async () => {
    const events = record();
    const call = account.invite({ to: 'sip:600@example.com', sdp: offer }, events);
    const invite = await peer.next('INVITE');
    call.cancel({ protocol: 'SIP', cause: 200, text: 'Call completed elsewhere' });
    call.cancel();
    invite.reply(180, ['Contact: <sip:600@127.0.0.1>']);
    const cancel = await peer.next('CANCEL');
    expect([cancel.header('via'), cancel.cseq]).toEqual([invite.header('via'), invite.cseq]);
    expect(cancel.header('reason')).toBe('SIP;cause=200;text="Call completed elsewhere"');
    cancel.reply(200);
    invite.reply(487, []);
    expect(await events.refused).toMatchObject({ status: 487 });
    expect(events.seen.filter((event) => event.startsWith('refused'))).toHaveLength(1);
  });

  it('is acknowledged and ended when the answer crosses the CANCEL', async () => {
    const events = record();
    const call = account.invite({ to: 'sip:600@example.com', sdp: offer }, events);
    const invite = await peer.next('INVITE');
    invite.reply(180, ['Contact: <sip:600@127.0.0.1>']);
    await expect.poll(() => events.seen).toEqual(['progress 180']);
    call.cancel();
    invite.reply(200, [`Contact: <sip:far@127.0.0.1:${String(peer.port)}>`], 'answer\r\n');
    await peer.next('ACK');
    (await peer.next('BYE')).reply(200);
    expect(await events.refused).toMatchObject({ status: 487 });
  });

  it('keeps the first answer of a fork and ends the second', async () => {
    const events = record();
    account.invite({ to: 'sip:600@example.com', sdp: offer }, events);
    const invite = await peer.next('INVITE');
    const contact = `Contact: <sip:far@127.0.0.1:${String(peer.port)}>`;
    invite.replyRaw(200, `${invite.header('to')!};tag=A`, [contact], 'a\r\n');
    invite.replyRaw(200, `${invite.header('to')!};tag=B`, [contact], 'b\r\n');
    const bye = await peer.next('BYE');
    expect(bye.header('to')).toContain('tag=B');
    bye.reply(200);
    expect(events.seen).toEqual(['accepted a']);
  });

  it('is ended by the far end, with its reason', async () => {
    const events = record();
    account.invite({ to: 'sip:600@example.com', sdp: offer }, events);
    const invite = await peer.next('INVITE');
    invite.reply(200, [`Contact: <sip:far@127.0.0.1:${String(peer.port)}>`], 'answer\r\n');
    const ack = await peer.next('ACK');
    const bye = peer.request('BYE', ack.contactOf(invite), { from: ack.header('to')!, to: ack.header('from')!, callId: ack.header('call-id')!, headers: ['Reason: Q.850;cause=16'] });
    expect((await bye).status).toBe(200);
    expect(events.seen).toEqual(['accepted answer', 'bye 16']);
  });

  it('cannot be led astray by a header in its display name', async () => {
    account.invite({ to: 'sip:600@example.com', sdp: offer, displayName: 'x"\r\nEvil: yes' }, record());
    expect((await peer.next('INVITE')).header('evil')).toBeUndefined();
  });
});

describe('a call that reaches us', () => {
  const invite = (options: { uri?: string; to?: string; branch?: string; headers?: string[]; body?: string } = {}): Promise<Received> =>
    peer.request('INVITE', options.uri ?? `sip:tok434@127.0.0.1:${stackPort()}`, {
      from: '"Bob" <sip:600@example.com>;tag=f1',
      to: options.to ?? '<sip:434@example.com>',
      callId: 'in-1',
      branch: options.branch,
      headers: [`Contact: <sip:600@127.0.0.1:${String(peer.port)}>`, ...(options.headers ?? [])],
      body: options.body ?? 'v=0\r\n',
    });
  const stackPort = (): string => /udp:127\.0\.0\.1:(\d+)/.exec(stack.listening.join(' '))![1]!;

  /** The stack answers registrars alone: it knows this peer once it has sent to it. */
  beforeEach(async () => {
    const registered = account.register(60);
    (await peer.next('REGISTER')).reply(200, ['Expires: 60']);
    await registered;
  });

  it('is told with its caller, rings, is answered and ended by the caller', async () => {
    const told = new Promise<IncomingCall>((resolve) => (incoming = resolve));
    const trying = invite();
    const call = await told;
    const seen: string[] = [];
    call.events = { ...quietDialog, onCancelled: () => seen.push('cancelled'), onConfirmed: () => seen.push('confirmed'), onLost: () => seen.push('lost'), onBye: () => seen.push('bye') };
    expect([call.account, call.sdp, call.from.user, call.from.displayName, call.to.uri]).toEqual([account, 'v=0\r\n', '600', 'Bob', 'sip:434@example.com']);
    expect((await trying).status).toBe(100);
    call.ring();
    expect((await peer.nextResponse(180)).header('contact')).toContain('tok434');
    call.accept('answer\r\n');
    const ok = await peer.nextResponse(200);
    expect(ok.body).toBe('answer\r\n');
    const dialog = { from: '<sip:600@example.com>;tag=f1', to: ok.header('to')!, callId: 'in-1' };
    peer.send('ACK', `sip:tok434@127.0.0.1:${stackPort()}`, { ...dialog, cseq: ok.cseq });
    await expect.poll(() => seen).toEqual(['confirmed']);
    expect((await peer.request('BYE', `sip:tok434@127.0.0.1:${stackPort()}`, dialog)).status).toBe(200);
    expect(seen).toEqual(['confirmed', 'bye']);
  });

  it('is ended by us after its ACK, not before', async () => {
    const told = new Promise<IncomingCall>((resolve) => (incoming = resolve));
    void invite();
    const call = await told;
    call.accept('answer\r\n')?.bye();
    const ok = await peer.nextResponse(200);
    peer.send('ACK', `sip:tok434@127.0.0.1:${stackPort()}`, { from: '<sip:600@example.com>;tag=f1', to: ok.header('to')!, callId: 'in-1', cseq: ok.cseq });
    const bye = await peer.next('BYE');
    expect(bye.uri).toBe(`sip:600@127.0.0.1:${String(peer.port)}`);
    bye.reply(200);
  });

  it('is refused, again when the INVITE comes again, and silent after the ACK', async () => {
    let calls = 0;
    incoming = (call) => {
      calls += 1;
      call.reject(486);
    };
    void invite({ branch: 'z9hG4bKsame' });
    const busy = await peer.nextResponse(486);
    void invite({ branch: 'z9hG4bKsame' });
    expect((await peer.nextResponse(486)).header('to')).toBe(busy.header('to'));
    expect(calls).toBe(1);
  });

  it('is cancelled: 200 to the CANCEL, 487 to the INVITE', async () => {
    const told = new Promise<IncomingCall>((resolve) => (incoming = resolve));
    void invite({ branch: 'z9hG4bKc' });
    const call = await told;
    const cancelled = new Promise((resolve) => {
      call.events = { ...quietDialog, onCancelled: resolve, onConfirmed: () => undefined, onLost: () => undefined };
    });
    peer.send('CANCEL', `sip:tok434@127.0.0.1:${stackPort()}`, { from: '"Bob" <sip:600@example.com>;tag=f1', to: '<sip:434@example.com>', callId: 'in-1', branch: 'z9hG4bKc', headers: ['Reason: SIP;cause=200;text="elsewhere"'] });
    expect(await cancelled).toEqual({ protocol: 'SIP', cause: 200, text: 'elsewhere' });
    await peer.nextResponse(487);
    expect(call.accept('late')).toBeUndefined();
  });

  it('finds its account by To when the Request-URI is not ours, and none is 404', async () => {
    const told = new Promise<IncomingCall>((resolve) => (incoming = resolve));
    void invite({ uri: 'sip:whoever@192.0.2.1' });
    expect((await told).account).toBe(account);
    expect((await peer.request('INVITE', 'sip:nobody@example.com', { from: '<sip:600@x.example>;tag=1', to: '<sip:nobody@example.com>', callId: 'in-2', body: '' })).status).toBe(404);
  });

  it('is refused 420 when it requires what we do not know', async () => {
    const refused = await invite({ headers: ['Require: foo'] });
    expect([refused.status, refused.header('unsupported')]).toEqual([420, 'foo']);
  });

  it('is answered 200 to OPTIONS and 405 to a method that we do not take', async () => {
    const dialog = { from: '<sip:600@example.com>;tag=o', to: '<sip:434@example.com>', callId: 'o-1' };
    expect((await peer.request('OPTIONS', `sip:tok434@127.0.0.1:${stackPort()}`, dialog)).status).toBe(200);
    for (const method of ['MESSAGE', 'PUBLISH', 'REFER']) {
      const refused = await peer.request(method, `sip:tok434@127.0.0.1:${stackPort()}`, { ...dialog, callId: `o-${method}` });
      expect([refused.status, refused.header('allow')]).toEqual([405, 'INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, NOTIFY']);
    }
  });

  it('gets silence from a stranger', async () => {
    const stranger = await ScriptedPeer.open('127.0.0.2');
    stranger.send('OPTIONS', 'sip:tok434@127.0.0.1', { from: '<sip:s@example.com>;tag=o', to: '<sip:434@example.com>', callId: 's-1' }, Number(stackPort()));
    expect((await peer.request('OPTIONS', `sip:tok434@127.0.0.1:${stackPort()}`, { from: '<sip:600@example.com>;tag=o', to: '<sip:434@example.com>', callId: 'o-3' })).status).toBe(200);
    expect(stranger.received).toEqual([]);
    await stranger.close();
  });
});

describe('dialog-ignore-contact-field', () => {
  it('routes by To against the Request-URI, and sends the BYE where the call came from', async () => {
    await stack.close();
    await openStack(true);
    const other = stack.addAccount({ ...account.settings, token: 'tok500', user: '500' });
    const registered = account.register(60);
    (await peer.next('REGISTER')).reply(200, ['Expires: 60']);
    await registered;
    const told = new Promise<IncomingCall>((resolve) => (incoming = resolve));
    const port = /udp:127\.0\.0\.1:(\d+)/.exec(stack.listening.join(' '))![1]!;
    void peer.request('INVITE', `sip:tok434@127.0.0.1:${port}`, {
      from: '<sip:600@example.com>;tag=f1',
      to: '<sip:500@example.com>',
      callId: 'in-9',
      headers: ['Contact: <sip:600@192.0.2.200:9>'],
      body: 'v=0\r\n',
    });
    const call = await told;
    expect(call.account).toBe(other);
    call.accept('answer\r\n')?.bye();
    const ok = await peer.nextResponse(200);
    peer.send('ACK', `sip:tok500@127.0.0.1:${port}`, { from: '<sip:600@example.com>;tag=f1', to: ok.header('to')!, callId: 'in-9', cseq: ok.cseq });
    expect((await peer.next('BYE')).uri).toBe('sip:600@192.0.2.200:9');
  });
});
