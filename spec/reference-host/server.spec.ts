import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from 'winston';
import { WebSocket } from 'ws';
import { ExtensionError } from '../../src/base/errors.js';
import { startReferenceHost, type ReferenceHost } from '../../src/reference-host/server.js';
import { FakeExtension } from './fake-extension.js';

let extension: FakeExtension;
let host: ReferenceHost;
const sockets: WebSocket[] = [];

beforeEach(async () => {
  extension = new FakeExtension();
  host = await startReferenceHost({ extension, config: { tree: {} }, logger: createLogger({ silent: true }), port: 0 });
  await host.users.create({ id: 1, name: 'Alice' });
  await host.users.create({ id: 2, name: 'Bob' });
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await host.stop();
});

interface Reply {
  status: number;
  type: string | null;
  body: Record<string, unknown>;
}

async function ask(method: string, path: string, token?: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
  const response = await fetch(host.url + path, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, type: response.headers.get('content-type'), body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
}

async function signIn(userId: number): Promise<string> {
  return String((await ask('POST', '/api/session', undefined, { userId })).body.token);
}

/** An open event stream. */
async function listen(token: string): Promise<{ socket: WebSocket; next: () => Promise<Record<string, unknown>>; send: (message: unknown) => void }> {
  const socket = new WebSocket(`${host.url.replace('http', 'ws')}/api/events?token=${token}`);
  sockets.push(socket);
  const heard: Record<string, unknown>[] = [];
  const takers: ((event: Record<string, unknown>) => void)[] = [];
  socket.on('message', (data) => {
    const event = JSON.parse((data as Buffer).toString()) as Record<string, unknown>;
    const taker = takers.shift();
    if (taker === undefined) heard.push(event);
    else taker(event);
  });
  await once(socket, 'open');
  return {
    socket,
    next: () => {
      const event = heard.shift();
      return event === undefined ? new Promise((resolve) => takers.push(resolve)) : Promise.resolve(event);
    },
    send: (message) => {
      socket.send(typeof message === 'string' ? message : JSON.stringify(message));
    },
  };
}

const offer = { type: 'offer', sdp: 'v=0' };
const answer = { type: 'answer', sdp: 'v=0' };

describe('users over HTTP', () => {
  it('creating, changing, disabling and deleting a user drives the hooks', async () => {
    const token = await signIn(1);
    extension.told.length = 0;
    const created = await ask('POST', '/api/users', token, { name: 'Carol' });
    expect([created.status, created.body]).toEqual([201, { id: 3, name: 'Carol' }]);
    await ask('PATCH', '/api/users/3', token, { disabled: true });
    expect((await ask('DELETE', '/api/users/3', token)).status).toBe(204);
    expect(extension.told).toEqual(['created 3', 'updated 3 disabled', 'deleted 3']);
    expect((await ask('GET', '/api/users', token)).body).toEqual([{ id: 1, name: 'Alice' }, { id: 2, name: 'Bob' }]);
  });

  it('a user whom the extension refuses is not created, and the error keeps its code', async () => {
    const token = await signIn(1);
    extension.refusal = new ExtensionError('DATABASE_UNAVAILABLE', 'The database does not answer.');
    const refused = await ask('POST', '/api/users', token, { name: 'Carol' });
    expect(refused.type).toContain('application/problem+json');
    expect(refused.body).toMatchObject({ status: 503, code: 'DATABASE_UNAVAILABLE', detail: 'The database does not answer.' });
    expect(host.users.list()).toHaveLength(2);
  });

  it('the extension finds the users of the host', async () => {
    expect(await extension.host.users?.find(2)).toEqual({ id: 2, name: 'Bob' });
    expect(await extension.host.users?.find(9)).toBeUndefined();
  });

  it('a deleted user is signed out', async () => {
    const [alice, bob] = [await signIn(1), await signIn(2)];
    const { socket } = await listen(bob);
    const closed = once(socket, 'close');
    await ask('DELETE', '/api/users/2', alice);
    await closed;
    expect((await ask('GET', '/api/calls', bob)).status).toBe(401);
  });
});

describe('signing in', () => {
  it.each([
    ['GET', '/api/users'],
    ['POST', '/api/users'],
    ['PATCH', '/api/users/1'],
    ['DELETE', '/api/users/1'],
    ['GET', '/api/calls'],
    ['POST', '/api/calls'],
    ['POST', '/api/calls/x/hangup'],
  ])('%s %s wants a token', async (method, path) => {
    const refused = await ask(method, path, 'made-up', method === 'POST' ? {} : undefined);
    expect(refused.body).toMatchObject({ status: 401, code: 'NOT_SIGNED_IN' });
    expect(extension.commands).toEqual([]);
  });

  it('the event stream wants one too, and says so before it upgrades', async () => {
    const socket = new WebSocket(`${host.url.replace('http', 'ws')}/api/events?token=made-up`);
    sockets.push(socket);
    socket.on('error', () => undefined);
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(response.statusCode).toBe(401);
  });

  it.each(['/api/events?token=made-up', '/api/status'])('a connection whose upgrade comes to nothing is ended, and the server waits for none when it stops: %s', async (path) => {
    const { hostname, port } = new URL(host.url);
    const client = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
    client.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n`);
    await once(client.resume(), 'end');
    await host.stop();
    client.destroy();
  });

  it('a token in the address is good for the event stream alone', async () => {
    expect((await ask('GET', `/api/calls?token=${await signIn(1)}`)).status).toBe(401);
  });

  it('is refused to a page of another name that was made to point here', async () => {
    const post = request(`${host.url}/api/session`, { method: 'POST', headers: { host: 'evil.example', 'content-type': 'application/json' } });
    post.end(JSON.stringify({ userId: 1 }));
    const [response] = (await once(post, 'response')) as [{ statusCode: number; resume(): void }];
    response.resume();
    expect(response.statusCode).toBe(403);
  });

  it('is for users that exist', async () => {
    expect((await ask('POST', '/api/session', undefined, { userId: 9 })).body).toMatchObject({ code: 'USER_NOT_FOUND' });
  });
});

describe('calls', () => {
  it('a client calls over HTTP and hears what becomes of it on its event stream', async () => {
    const token = await signIn(1);
    const { next } = await listen(token);
    const { status, body } = await ask('POST', '/api/calls', token, { to: { address: 'sip:100@pbx' }, description: offer });
    expect(status).toBe(201);
    const callId = String(body.callId);
    expect(extension.commands).toMatchObject([{ type: 'create', callId, from: { type: 1, id: 1 }, description: offer }]);
    extension.say({ type: 'state', callId, state: 'talking', description: { type: 'answer', sdp: 'v=0' } });
    expect(await next()).toEqual({ type: 'state', callId, state: 'talking', description: answer });
    expect((await ask('POST', `/api/calls/${callId}/hangup`, token)).status).toBe(204);
    expect(extension.commands.at(-1)).toEqual({ type: 'hangup', callId });
    extension.say({ type: 'ended', callId, reason: 'normal', message: 'The call is over.' });
    expect(await next()).toMatchObject({ type: 'ended', message: 'The call is over.' });
    expect((await ask('GET', '/api/calls', token)).body).toMatchObject([{ callId, state: 'finished', ended: { reason: 'normal' } }]);
  });

  it('a client takes an incoming call over its event stream', async () => {
    const { next, send } = await listen(await signIn(2));
    const to = { type: 1, id: 2 } as const;
    extension.say({ type: 'incoming', callId: 'in', to, from: { uri: 'sip:100@pbx' }, description: { type: 'offer', sdp: 'v=0' }, video: false, mappingId: 1 });
    expect(await next()).toMatchObject({ type: 'incoming', callId: 'in' });
    send({ type: 'ringing', callId: 'in', requestId: 'a' });
    send({ type: 'answer', callId: 'in', description: answer, requestId: 'b' });
    expect(await next()).toEqual({ type: 'accepted', requestId: 'a', callId: 'in' });
    expect(await next()).toEqual({ type: 'accepted', requestId: 'b', callId: 'in' });
    expect(extension.commands.map((command) => command.type)).toEqual(['ringing', 'answer']);
  });

  it.each([
    ['candidates', { candidates: [{ candidate: 'candidate:1', sdpMid: '0' }], endOfCandidates: true }],
    ['offer', { description: offer }],
    ['dtmf', { tones: '12#' }],
    ['transfer', { to: { address: 'sip:200@pbx' } }],
  ])('%s over HTTP reaches the extension as it was sent', async (action, fields) => {
    const token = await signIn(1);
    await ask('POST', '/api/calls', token, { callId: 'mine', to: { peer: { type: 1, id: 2 } }, description: offer });
    expect((await ask('POST', `/api/calls/mine/${action}`, token, fields)).status).toBe(204);
    expect(extension.commands.at(-1)).toEqual({ type: action, callId: 'mine', ...fields });
  });

  it('a command that is none is told what is wrong with it, over both ways, and the stream stays open', async () => {
    const token = await signIn(1);
    const { next, send } = await listen(token);
    const refused = await ask('POST', '/api/calls', token, { to: { address: '100' }, description: { type: 'answer', sdp: 'v=0' } });
    expect(refused.body).toMatchObject({ status: 400, code: 'REQUEST_INVALID', detail: expect.stringContaining('description.type') as string });
    for (const rubbish of ['{', '[]', 'null', '{"type":"explode"}']) {
      send(rubbish);
      expect(await next()).toMatchObject({ type: 'error', problem: { code: 'REQUEST_INVALID' } });
    }
    send({ type: 'hangup', callId: 'none', requestId: 7 });
    expect(await next()).toMatchObject({ type: 'error', problem: { code: 'REQUEST_INVALID' } });
    send({ type: 'hangup', callId: 'none', requestId: 'r' });
    expect(await next()).toMatchObject({ type: 'error', requestId: 'r', callId: 'none', problem: { code: 'CALL_NOT_FOUND' } });
    expect(extension.commands).toEqual([]);
  });

  it('what nobody foresaw is an internal error without its details', async () => {
    const token = await signIn(1);
    extension.refusal = new Error('password=hunter2');
    const failed = await ask('POST', '/api/calls', token, { to: { address: '100' }, description: offer });
    expect(failed.body).toMatchObject({ status: 500, code: 'INTERNAL' });
    expect(JSON.stringify(failed.body)).not.toContain('hunter2');
  });
});

describe('the server', () => {
  it('shows the status of the extension', async () => {
    expect((await ask('GET', '/api/status')).body).toMatchObject({ ready: true, registrations: { total: 2 } });
  });

  it('answers what it does not have, bodies that are no JSON and bodies that are too long with a problem', async () => {
    expect((await ask('GET', '/nowhere')).body).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    const broken = await fetch(`${host.url}/api/session`, { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } });
    expect(await broken.json()).toMatchObject({ status: 400, code: 'REQUEST_INVALID' });
    const long = await ask('POST', '/api/session', undefined, { userId: 1, filler: 'x'.repeat(200_000) });
    expect(long.body).toMatchObject({ status: 413, code: 'REQUEST_INVALID' });
  });

  it('stops the extension once and closes with a client connected', async () => {
    const { socket } = await listen(await signIn(1));
    const closed = once(socket, 'close');
    await Promise.all([host.stop(), host.stop()]);
    await closed;
    expect(extension.stops).toBe(1);
  });

  it('does not stay behind when the extension cannot start', async () => {
    const port = Number(new URL(host.url).port);
    await host.stop();
    const failing = new FakeExtension();
    failing.refusal = new ExtensionError('CONFIG_INVALID', 'server.conf is no good.');
    const options = { config: { tree: {} }, logger: createLogger({ silent: true }), port };
    await expect(startReferenceHost({ ...options, extension: failing })).rejects.toThrow('server.conf is no good.');
    host = await startReferenceHost({ ...options, extension });
    expect(new URL(host.url).port).toBe(String(port));
  });

  it('registers nobody when its port is taken', async () => {
    const second = new FakeExtension();
    const port = Number(new URL(host.url).port);
    const starting = startReferenceHost({ extension: second, config: { tree: {} }, logger: createLogger({ silent: true }), port });
    await expect(starting).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(second.told).toEqual([]);
  });
});

describe('signing in', () => {
  it('tells a client on this machine who may, by name alone', async () => {
    const { body } = await ask('GET', '/api/session');
    expect(body).toEqual([
      { id: 1, name: 'Alice' },
      { id: 2, name: 'Bob' },
    ]);
  });

  it('is refused to a page from elsewhere whose name was made to point here', async () => {
    const answer = await new Promise<number | undefined>((resolve) => {
      request(`${host.url}/api/session`, { headers: { host: 'evil.example' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).end();
    });
    expect(answer).toBe(403);
  });
});
