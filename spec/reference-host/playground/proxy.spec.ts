import { afterEach, describe, expect, it } from 'vitest';
import { startPlayground, type Playground, type PlaygroundMessage, type PlaygroundOptions } from '../../../src/reference-host/playground/playground.js';
import {
  answerTo,
  fresh,
  headerLines,
  register,
  requestText,
  responseText,
  statusOf,
  tcpClient,
  udpClient,
  wsClient,
  type RawClient,
  type RequestParts,
} from './raw-client.js';

const users = new Set(['alice', 'bob', 'carol']);
const release: (() => void | Promise<void>)[] = [];

async function open(options: Partial<PlaygroundOptions> = {}): Promise<Playground> {
  const playground = await startPlayground({
    passwordOf: (user) => (users.has(user) ? `secret-of-${user}` : undefined),
    challengeInvites: false,
    ...options,
  });
  release.push(() => playground.stop());
  return playground;
}

async function client(opening: Promise<RawClient>): Promise<RawClient> {
  const raw = await opening;
  release.push(() => {
    raw.close();
  });
  return raw;
}

/** Alice and Bob on UDP, Bob registered with the Contact `sip:token@...`. */
async function aliceAndBob(options: Partial<PlaygroundOptions> = {}): Promise<{ playground: Playground; alice: RawClient; bob: RawClient }> {
  const playground = await open(options);
  const alice = await client(udpClient(playground.udpPort));
  const bob = await client(udpClient(playground.udpPort));
  await register(bob, { user: 'bob', contacts: [`<sip:token@127.0.0.1:${bob.port}>`] });
  return { playground, alice, bob };
}

function invite(parts: Partial<RequestParts> = {}): RequestParts {
  return {
    method: 'INVITE',
    uri: 'sip:bob@127.0.0.1',
    from: '<sip:alice@127.0.0.1>;tag=a',
    to: '<sip:bob@127.0.0.1>',
    callId: fresh(),
    branch: fresh(),
    ...parts,
  };
}

function branchOf(text: string): string | undefined {
  return /branch=([^;\r]+)/.exec(headerLines(text, 'Via')[0] ?? '')?.[1];
}

afterEach(async () => {
  for (const close of release.splice(0).reverse()) await close();
});

describe('the playground proxy', () => {
  it('carries a call to the Contact of the user and the responses back', async () => {
    const { alice, bob } = await aliceAndBob();
    const body = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n';
    alice.send(requestText(alice, { ...invite(), more: ['Content-Type: application/sdp', 'X-Unknown: kept'], body }));
    const arrived = await bob.next();
    expect(arrived.split('\r\n')[0]).toBe(`INVITE sip:token@127.0.0.1:${bob.port} SIP/2.0`);
    expect(headerLines(arrived, 'Via')).toHaveLength(2);
    expect(headerLines(arrived, 'Max-Forwards')).toEqual(['69']);
    expect(headerLines(arrived, 'X-Unknown')).toEqual(['kept']);
    expect(arrived.endsWith(body)).toBe(true);
    bob.send(responseText(arrived, '180 Ringing'));
    const ringing = await alice.next();
    expect(statusOf(ringing)).toBe(180);
    expect(headerLines(ringing, 'Via')).toHaveLength(1);
    bob.send(responseText(arrived, '200 OK'));
    expect(statusOf(await alice.next())).toBe(200);
  });

  it('sends retransmission, CANCEL and the ACK of a refusal with the branch of their INVITE, the next request with another', async () => {
    const { alice, bob } = await aliceAndBob();
    const parts = invite();
    alice.send(requestText(alice, parts));
    const branch = branchOf(await bob.next());
    alice.send(requestText(alice, parts));
    alice.send(requestText(alice, { ...parts, method: 'CANCEL' }));
    alice.send(requestText(alice, { ...parts, method: 'ACK', to: `${parts.to};tag=uas` }));
    const followers = [await bob.next(), await bob.next(), await bob.next()];
    expect(followers.map((text) => text.split(' ')[0])).toEqual(['INVITE', 'CANCEL', 'ACK']);
    expect(followers.map(branchOf)).toEqual([branch, branch, branch]);
    alice.send(requestText(alice, invite()));
    expect(branchOf(await bob.next())).not.toBe(branch);
  });

  it('asks a user of its own for the password of an INVITE, absorbs the ACK, and takes the credentials off', async () => {
    const { alice, bob } = await aliceAndBob({ challengeInvites: true });
    const parts = invite();
    alice.send(requestText(alice, parts));
    const challenged = await alice.next();
    expect(statusOf(challenged)).toBe(407);
    alice.send(requestText(alice, { ...parts, method: 'ACK', to: headerLines(challenged, 'To')[0] ?? '' }));
    const authorization = answerTo(challenged, { user: 'alice', password: 'secret-of-alice', method: 'INVITE', uri: parts.uri });
    alice.send(requestText(alice, { ...parts, branch: fresh(), cseq: 2, more: [authorization] }));
    const arrived = await bob.next();
    expect(arrived.startsWith('INVITE')).toBe(true);
    expect(arrived).not.toContain('Proxy-Authorization');
    expect(arrived).toContain('CSeq: 2 INVITE');
  });

  it('lets a retransmitted INVITE with credentials through', async () => {
    const { alice, bob } = await aliceAndBob({ challengeInvites: true });
    const parts = invite();
    alice.send(requestText(alice, parts));
    const authorization = answerTo(await alice.next(), { user: 'alice', password: 'secret-of-alice', method: 'INVITE', uri: parts.uri });
    const text = requestText(alice, { ...parts, branch: fresh(), cseq: 2, more: [authorization] });
    alice.send(text);
    alice.send(text);
    expect((await bob.next()).startsWith('INVITE')).toBe(true);
    expect((await bob.next()).startsWith('INVITE')).toBe(true);
    expect(alice.waiting).toEqual([]);
  });

  it('does not let a user call in the name of another', async () => {
    const { alice } = await aliceAndBob({ challengeInvites: true });
    const parts = invite({ from: '<sip:carol@127.0.0.1>;tag=c' });
    alice.send(requestText(alice, parts));
    const authorization = answerTo(await alice.next(), { user: 'alice', password: 'secret-of-alice', method: 'INVITE', uri: parts.uri });
    alice.send(requestText(alice, { ...parts, branch: fresh(), cseq: 2, more: [authorization] }));
    expect(statusOf(await alice.next())).toBe(403);
  });

  it('does not ask callers from elsewhere', async () => {
    const { alice, bob } = await aliceAndBob({ challengeInvites: true });
    alice.send(requestText(alice, invite({ from: '<sip:+4930123@pstn.example>;tag=p' })));
    expect((await bob.next()).startsWith('INVITE')).toBe(true);
  });

  it('says 404 for nobody, 480 for a user who is not there, 483 for a request at its last hop', async () => {
    const { alice } = await aliceAndBob();
    alice.send(requestText(alice, invite({ uri: 'sip:nobody@127.0.0.1' })));
    expect(statusOf(await alice.next())).toBe(404);
    alice.send(requestText(alice, invite({ uri: 'sip:carol@127.0.0.1' })));
    expect(statusOf(await alice.next())).toBe(480);
    alice.send(requestText(alice, invite({ more: ['Max-Forwards: 0'] })));
    expect(statusOf(await alice.next())).toBe(483);
  });

  it('does not carry a new request to an address that nobody registered', async () => {
    const { alice, bob } = await aliceAndBob();
    alice.send(requestText(alice, invite({ uri: `sip:someone@127.0.0.1:${bob.port}` })));
    expect(statusOf(await alice.next())).toBe(404);
    expect(bob.waiting).toEqual([]);
  });

  it('reaches a TCP client by its connection, and a caller on TCP gets the responses by his', async () => {
    const playground = await open();
    const alice = await client(tcpClient(playground.tcpPort));
    const bob = await client(tcpClient(playground.tcpPort));
    await register(bob, { user: 'bob', contacts: ['<sip:bob@127.0.0.1:1;transport=tcp>'] });
    alice.send(requestText(alice, invite()));
    const arrived = await bob.next();
    expect(arrived.startsWith('INVITE sip:bob@127.0.0.1:1;transport=tcp')).toBe(true);
    bob.send(responseText(arrived, '486 Busy Here'));
    expect(statusOf(await alice.next())).toBe(486);
  });

  it('keeps a WebSocket client with an .invalid Contact reachable in both directions of a dialog', async () => {
    const playground = await open();
    const alice = await client(udpClient(playground.udpPort));
    const bob = await client(wsClient(playground.wsPort));
    const contact = 'sip:token@8ac9d.invalid;transport=ws';
    await register(bob, { user: 'bob', contacts: [`<${contact}>`] });
    const parts = invite();
    alice.send(requestText(alice, parts));
    const arrived = await bob.next();
    const [route = ''] = headerLines(arrived, 'Record-Route');
    expect(route).toBe(`<sip:127.0.0.1:${playground.udpPort};transport=udp;lr>`);
    bob.send(responseText(arrived, '200 OK', [`Contact: <${contact}>`]));
    expect(headerLines(await alice.next(), 'Record-Route')).toEqual([route]);

    const to = `${parts.to};tag=uas`;
    alice.send(requestText(alice, { ...parts, method: 'BYE', uri: contact, to, cseq: 2, branch: fresh(), more: [`Route: ${route}`] }));
    const bye = await bob.next();
    expect(bye.startsWith(`BYE ${contact}`)).toBe(true);
    expect(headerLines(bye, 'Route')).toEqual([]);
    bob.send(responseText(bye, '200 OK'));
    expect(statusOf(await alice.next())).toBe(200);

    const back = { method: 'INFO', uri: `sip:alice@127.0.0.1:${alice.port}`, from: to, to: parts.from, callId: parts.callId };
    bob.send(requestText(bob, { ...back, more: [`Route: ${route}`] }));
    const info = await alice.next();
    expect(info.startsWith(`INFO sip:alice@127.0.0.1:${alice.port}`)).toBe(true);
    alice.send(responseText(info, '200 OK'));
    expect(statusOf(await bob.next())).toBe(200);
  });

  it('sends the CANCEL to the device that rang, though another device of the user refreshed in between', async () => {
    const playground = await open();
    const [alice, desk, mobile] = [
      await client(udpClient(playground.udpPort)),
      await client(udpClient(playground.udpPort)),
      await client(udpClient(playground.udpPort)),
    ];
    await register(desk, { user: 'bob', contacts: [`<sip:desk@127.0.0.1:${desk.port}>`] });
    await register(mobile, { user: 'bob', contacts: [`<sip:mobile@127.0.0.1:${mobile.port}>`] });
    const parts = invite();
    alice.send(requestText(alice, parts));
    expect((await mobile.next()).startsWith('INVITE sip:mobile@')).toBe(true);
    await register(desk, { user: 'bob', contacts: [`<sip:desk@127.0.0.1:${desk.port}>`] });
    alice.send(requestText(alice, { ...parts, method: 'CANCEL' }));
    expect((await mobile.next()).startsWith('CANCEL sip:mobile@')).toBe(true);
  });

  it('drops responses whose topmost Via is not its own', async () => {
    const { alice, bob } = await aliceAndBob();
    alice.send(requestText(alice, invite()));
    const arrived = await bob.next();
    bob.send(responseText(arrived, '200 OK').replace(/^Via: SIP\/2.0\/UDP 127.0.0.1:\d+/m, 'Via: SIP/2.0/UDP 127.0.0.1:1'));
    bob.send(responseText(arrived, '180 Ringing'));
    expect(statusOf(await alice.next())).toBe(180);
  });

  it('answers OPTIONS to itself', async () => {
    const { alice } = await aliceAndBob();
    alice.send(requestText(alice, invite({ method: 'OPTIONS', uri: 'sip:127.0.0.1', to: '<sip:127.0.0.1>' })));
    expect(statusOf(await alice.next())).toBe(200);
  });

  it('stays on the way of every dialog when asked to, and tells of each message without its secrets', async () => {
    const seen: PlaygroundMessage[] = [];
    const { alice, bob } = await aliceAndBob({ recordRoute: true, onMessage: (message) => seen.push(message) });
    alice.send(requestText(alice, invite()));
    expect(headerLines(await bob.next(), 'Record-Route')).toHaveLength(1);
    expect(seen.map(({ direction, method, status, fromUser }) => [direction, method, status, fromUser])).toEqual([
      ['in', 'REGISTER', undefined, 'bob'],
      ['out', 'REGISTER', 401, 'bob'],
      ['in', 'REGISTER', undefined, 'bob'],
      ['out', 'REGISTER', 200, 'bob'],
      ['in', 'INVITE', undefined, 'alice'],
      ['out', 'INVITE', undefined, 'alice'],
    ]);
    expect(JSON.stringify(seen)).not.toMatch(/nonce|response|secret/);
  });
});
