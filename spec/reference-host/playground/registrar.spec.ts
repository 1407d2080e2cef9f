import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startPlayground, type Playground, type PlaygroundOptions } from '../../../src/reference-host/playground/playground.js';
import { ManualClock } from '../../support/manual-clock.js';
import { answerTo, fresh, headerLines, register, requestText, statusOf, tcpClient, udpClient, wsClient, type RawClient } from './raw-client.js';

const users = new Set(['alice', 'bob']);
const release: (() => void | Promise<void>)[] = [];
let clock: ManualClock;

async function open(options: Partial<PlaygroundOptions> = {}): Promise<Playground> {
  const playground = await startPlayground({
    passwordOf: (user) => (users.has(user) ? `secret-of-${user}` : undefined),
    clock,
    ...options,
  });
  release.push(() => playground.stop());
  return playground;
}

function kept<Client extends RawClient>(client: Client): Client {
  release.push(() => {
    client.close();
  });
  return client;
}

beforeEach(() => {
  clock = new ManualClock();
});

afterEach(async () => {
  for (const close of release.splice(0).reverse()) await close();
});

function registerText(client: RawClient, more: string[], cseq = 1, branch = fresh(), user = 'alice'): string {
  const address = `<sip:${user}@127.0.0.1>`;
  return requestText(client, { method: 'REGISTER', uri: 'sip:127.0.0.1', from: `${address};tag=1`, to: address, callId: 'one', cseq, branch, more });
}

describe('the playground registrar', () => {
  it.each(['udp', 'tcp', 'ws'] as const)('registers a user over %s and remembers the Contact and its transport', async (transport) => {
    const playground = await open();
    const client = kept(
      await { udp: () => udpClient(playground.udpPort), tcp: () => tcpClient(playground.tcpPort), ws: () => wsClient(playground.wsPort) }[transport](),
    );
    const reply = await register(client, { user: 'alice', contacts: [`<sip:token@127.0.0.1:9>;q=0.5`], expires: 60 });
    expect(statusOf(reply)).toBe(200);
    expect(headerLines(reply, 'Contact')).toEqual(['<sip:token@127.0.0.1:9>;q=0.5;expires=60']);
    expect(playground.bindings()).toEqual([
      { aor: 'sip:alice@127.0.0.1', contact: 'sip:token@127.0.0.1:9', expiresAt: new Date('2026-01-01T00:01:00Z'), transport },
    ]);
  });

  it('offers SHA-256 before MD5 and takes either', async () => {
    const playground = await open();
    const client = kept(await udpClient(playground.udpPort));
    client.send(registerText(client, []));
    const challenges = headerLines(await client.next(), 'WWW-Authenticate');
    expect(challenges.map((line) => /algorithm=([\w-]+)/.exec(line)?.[1])).toEqual(['SHA-256', 'MD5']);
    for (const algorithm of ['SHA-256', 'MD5'] as const) {
      const reply = await register(client, { user: 'alice', contacts: ['<sip:a@127.0.0.1>'], algorithm });
      expect(statusOf(reply)).toBe(200);
    }
  });

  it('challenges a wrong password again, without calling the nonce stale, and binds nothing', async () => {
    const playground = await open();
    const client = kept(await udpClient(playground.udpPort));
    const reply = await register(client, { user: 'alice', password: 'wrong', contacts: ['<sip:a@127.0.0.1>'] });
    expect(statusOf(reply)).toBe(401);
    expect(reply).not.toContain('stale');
    expect(playground.bindings()).toEqual([]);
  });

  it('refuses to bind a user with the password of another', async () => {
    const playground = await open();
    const client = kept(await udpClient(playground.udpPort));
    client.send(registerText(client, ['Contact: <sip:a@127.0.0.1>']));
    const authorization = answerTo(await client.next(), { user: 'bob', password: 'secret-of-bob', method: 'REGISTER', uri: 'sip:127.0.0.1' });
    client.send(registerText(client, ['Contact: <sip:a@127.0.0.1>', authorization], 2));
    expect(statusOf(await client.next())).toBe(403);
    expect(playground.bindings()).toEqual([]);
  });

  it('says stale=true to the right password with an old nonce', async () => {
    const playground = await open({ nonceLifetime: 30 });
    const client = kept(await udpClient(playground.udpPort));
    client.send(registerText(client, []));
    const authorization = answerTo(await client.next(), { user: 'alice', password: 'secret-of-alice', method: 'REGISTER', uri: 'sip:127.0.0.1' });
    await clock.advance(31_000);
    client.send(registerText(client, [authorization], 2));
    const reply = await client.next();
    expect(statusOf(reply)).toBe(401);
    expect(headerLines(reply, 'WWW-Authenticate').every((line) => line.endsWith('stale=true'))).toBe(true);
  });

  it('takes the next nonce count without a challenge, a repeated one only from a retransmission', async () => {
    const playground = await open();
    const client = kept(await udpClient(playground.udpPort));
    client.send(registerText(client, []));
    const challenged = await client.next();
    const credentials = { user: 'alice', password: 'secret-of-alice', method: 'REGISTER', uri: 'sip:127.0.0.1' };
    const contact = 'Contact: <sip:a@127.0.0.1>';
    const first = registerText(client, [contact, answerTo(challenged, { ...credentials, nc: 1 })], 2);
    client.send(first);
    const granted = await client.next();
    client.send(first);
    expect(await client.next()).toBe(granted);
    client.send(registerText(client, [contact, answerTo(challenged, { ...credentials, nc: 2 })], 3));
    expect(statusOf(await client.next())).toBe(200);
    client.send(registerText(client, [contact, answerTo(challenged, { ...credentials, nc: 2 })], 4));
    const replayed = await client.next();
    expect(statusOf(replayed)).toBe(401);
    expect(replayed).toContain('stale=true');
  });

  it('grants no longer than its maximum and refuses less than its minimum with 423', async () => {
    const playground = await open({ minExpires: 60, maxExpires: 600 });
    const client = kept(await udpClient(playground.udpPort));
    const long = await register(client, { user: 'alice', contacts: ['<sip:a@127.0.0.1>;expires=7200'] });
    expect(headerLines(long, 'Contact')).toEqual(['<sip:a@127.0.0.1>;expires=600']);
    const short = await register(client, { user: 'bob', contacts: ['<sip:b@127.0.0.1>'], expires: 59 });
    expect(statusOf(short)).toBe(423);
    expect(headerLines(short, 'Min-Expires')).toEqual(['60']);
  });

  it('lets a binding expire when its time is over', async () => {
    const playground = await open();
    const client = kept(await udpClient(playground.udpPort));
    await register(client, { user: 'alice', contacts: ['<sip:a@127.0.0.1>'], expires: 20 });
    await clock.advance(19_999);
    expect(playground.bindings()).toHaveLength(1);
    await clock.advance(1);
    expect(playground.bindings()).toEqual([]);
  });

  it('lists all devices of a user, and removes one by expires=0 or all by the asterisk', async () => {
    const playground = await open();
    const client = kept(await udpClient(playground.udpPort));
    await register(client, { user: 'alice', contacts: ['<sip:desk@127.0.0.1:1>'] });
    const two = await register(client, { user: 'alice', contacts: ['<sip:mobile@127.0.0.1:2>'] });
    expect(headerLines(two, 'Contact')).toHaveLength(2);
    const one = await register(client, { user: 'alice', contacts: ['<sip:desk@127.0.0.1:1>;expires=0'] });
    expect(headerLines(one, 'Contact').map((line) => line.split(';')[0])).toEqual(['<sip:mobile@127.0.0.1:2>']);
    const refused = await register(client, { user: 'alice', contacts: ['*'], expires: 60 });
    expect(statusOf(refused)).toBe(400);
    const none = await register(client, { user: 'alice', contacts: ['*'], expires: 0 });
    expect(statusOf(none)).toBe(200);
    expect(playground.bindings()).toEqual([]);
  });

  it('replaces the binding of a restarted client that shows the same instance', async () => {
    const playground = await open();
    const client = kept(await udpClient(playground.udpPort));
    const instance = ';reg-id=1;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e128>"';
    await register(client, { user: 'alice', contacts: [`<sip:old@127.0.0.1:1>${instance}`] });
    await register(client, { user: 'alice', contacts: [`<sip:new@127.0.0.1:2>${instance}`] });
    expect(playground.bindings().map((binding) => binding.contact)).toEqual(['sip:new@127.0.0.1:2']);
  });

  it('ignores a REGISTER that was overtaken by a later one of the same Call-ID', async () => {
    const playground = await open();
    const client = kept(await udpClient(playground.udpPort));
    await register(client, { user: 'alice', contacts: ['<sip:a@127.0.0.1>'], callId: 'same', cseq: 10 });
    const late = await register(client, { user: 'alice', contacts: ['<sip:a@127.0.0.1>;expires=0'], callId: 'same', cseq: 5 });
    expect(statusOf(late)).toBe(500);
    expect(playground.bindings()).toHaveLength(1);
  });

  it('drops what was bound over a connection when the connection closes', async () => {
    const playground = await open();
    const stays = kept(await udpClient(playground.udpPort));
    const goes = await tcpClient(playground.tcpPort);
    await register(stays, { user: 'alice', contacts: ['<sip:a@127.0.0.1>'] });
    await register(goes, { user: 'bob', contacts: ['<sip:b@127.0.0.1>'] });
    goes.close();
    await expect.poll(() => playground.bindings().map((binding) => binding.aor)).toEqual(['sip:alice@127.0.0.1']);
  });

  it('says in the Via where the request really came from', async () => {
    const playground = await open();
    const client = kept(await udpClient(playground.udpPort));
    const address = '<sip:alice@127.0.0.1>';
    const text = requestText(client, { method: 'REGISTER', uri: 'sip:127.0.0.1', from: `${address};tag=1`, to: address });
    client.send(text.replace(/^Via: .*;rport/m, 'v: SIP/2.0/UDP 10.0.0.1:5060;rport'));
    const [via = ''] = headerLines(await client.next(), 'Via');
    expect(via).toContain(`received=127.0.0.1`);
    expect(via).toContain(`rport=${client.port}`);
  });

  it('answers 404 for a user it does not have', async () => {
    const playground = await open();
    const client = kept(await udpClient(playground.udpPort));
    expect(statusOf(await register(client, { user: 'mallory', contacts: ['<sip:m@127.0.0.1>'] }))).toBe(404);
  });

  it('drops what is not SIP and goes on answering', async () => {
    const playground = await open();
    const client = kept(await udpClient(playground.udpPort));
    const rubbish = ['', '\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n', 'REGISTER sip:127.0.0.1 SIP/2.0\r\n\r\n', '\0'.repeat(2_000)];
    for (const text of rubbish) client.send(text);
    client.send(registerText(client, []).replace('Content-Length: 0', 'Content-Length: 999'));
    client.send(registerText(client, []));
    expect(statusOf(await client.next())).toBe(401);
    expect(client.waiting).toEqual([]);
  });

  it('answers keep-alives on a stream and reads messages that come in pieces or several at once', async () => {
    const playground = await open();
    const client = kept(await tcpClient(playground.tcpPort));
    client.send('\r\n\r\n');
    expect(await client.next()).toBe('\r\n');
    const text = registerText(client, []);
    client.send(text.slice(0, 40));
    client.send(text.slice(40) + registerText(client, []));
    expect(statusOf(await client.next())).toBe(401);
    expect(statusOf(await client.next())).toBe(401);
    const options = { method: 'OPTIONS', uri: 'sip:127.0.0.1', from: '<sip:a@x.example>;tag=1', to: '<sip:127.0.0.1>' };
    const long = requestText(client, { ...options, body: 'a body in two pieces' });
    client.send(long.slice(0, -9));
    client.send(long.slice(-9) + registerText(client, []));
    expect(statusOf(await client.next())).toBe(200);
    expect(statusOf(await client.next())).toBe(401);
  });

  it('closes a stream that sends a message too long to be one', async () => {
    const playground = await open();
    const client = kept(await tcpClient(playground.tcpPort));
    client.send(registerText(client, []).replace('Content-Length: 0', 'Content-Length: 70000'));
    await client.closed;
  });

  it('forgets its bindings on demand, as a restarted registrar does', async () => {
    const playground = await open();
    const client = kept(await udpClient(playground.udpPort));
    await register(client, { user: 'alice', contacts: ['<sip:a@127.0.0.1>'] });
    playground.forget();
    expect(playground.bindings()).toEqual([]);
  });

  it('says in words which port cannot be opened, and leaves nothing open', async () => {
    const first = await open();
    await expect(open({ udpPort: first.udpPort })).rejects.toMatchObject({
      code: 'SIP_TRANSPORT',
      message: expect.stringContaining(String(first.udpPort)) as string,
      cause: { code: 'EADDRINUSE' },
    });
  });
});
