import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import type { SipTarget } from '../../../src/sip/types.js';
import { settle } from '../../support/manual-clock.js';
import { closeAll, later, localhost, message, noError, openBench, Peer, tlsFile } from './flow-harness.js';

afterEach(closeAll);

interface WebSocketPeer {
  readonly port: number;
  readonly upgrades: IncomingMessage[];
  readonly sockets: WebSocket[];
}

/** A SIP server over WebSocket; it takes any HTTP verb, which the ws server alone would not. */
async function webSocketPeer(options: { isSecure?: boolean; autoPong?: boolean; status?: string; protocol?: string } = {}): Promise<WebSocketPeer> {
  const http: Server = options.isSecure
    ? createSecureServer({ cert: readFileSync(tlsFile('server.pem')), key: readFileSync(tlsFile('server.key')) })
    : createServer();
  const protocol = options.protocol ?? 'sip';
  const server = new WebSocketServer({
    noServer: true,
    autoPong: options.autoPong ?? true,
    handleProtocols: () => (protocol === '' ? false : protocol),
  });
  const upgrades: IncomingMessage[] = [];
  const sockets: WebSocket[] = [];
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgrades.push(request);
    if (options.status !== undefined) {
      socket.end(`HTTP/1.1 ${options.status}\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const seen = Object.assign(Object.create(request) as IncomingMessage, { method: 'GET' });
    server.handleUpgrade(seen, socket, head, (webSocket) => sockets.push(webSocket));
  });
  http.listen(0, localhost);
  await once(http, 'listening');
  later(async () => {
    for (const socket of sockets) socket.terminate();
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  });
  const address = http.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0, upgrades, sockets };
}

function target(port: number, webSocket: SipTarget['webSocket'] = { method: 'GET', location: '/' }, transport: 'ws' | 'wss' = 'ws'): SipTarget {
  return { transport, host: localhost, port, webSocket };
}

async function frame(socket: WebSocket): Promise<{ text: string; isBinary: boolean }> {
  const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
  return { text: data.toString(), isBinary };
}

describe('a WebSocket flow', () => {
  it.each(['ws', 'wss'] as const)('carries one message a frame both ways over %s', async (transport) => {
    const peer = await webSocketPeer({ isSecure: transport === 'wss' });
    const { table, log } = await openBench({ tls: { ca: tlsFile('ca.pem'), verify: true } });
    const flow = await table.to(target(peer.port, undefined, transport));
    const [socket] = peer.sockets;
    const sent = frame(socket!);
    flow.send(message('1', 'Grüße'), noError);
    expect(await sent).toEqual({ text: message('1', 'Grüße'), isBinary: false });
    socket!.send(message('2'));
    socket!.send(Buffer.from(message('3')), { binary: true });
    expect((await log.arrived(2)).map(({ text }) => text)).toEqual([message('2'), message('3')]);
    expect(log.messages[0]!.flow).toBe(flow);
    expect(flow).toMatchObject({ transport, isReliable: true, isOpen: true, remote: { address: localhost, port: peer.port } });
    expect(flow.local.port).toBe(peer.upgrades[0]!.socket.remotePort);
  });

  it('opens with the verb, Host and path that the mapping names, and the subprotocol sip', async () => {
    const peer = await webSocketPeer();
    const { table } = await openBench();
    await table.to(target(peer.port, { method: 'POST', host: 'example.com:8443', location: '/index?x=1' }));
    const [upgrade] = peer.upgrades;
    expect(upgrade).toMatchObject({ method: 'POST', url: '/index?x=1' });
    expect(upgrade!.headers).toMatchObject({ host: 'example.com:8443', 'sec-websocket-protocol': 'sip', upgrade: 'websocket' });
    expect(upgrade!.headers['sec-websocket-extensions']).toBeUndefined();
    expect(upgrade!.rawHeaders.filter((name) => name.toLowerCase() === 'host')).toHaveLength(1);
  });

  it('uses the target for Host when the mapping names none', async () => {
    const peer = await webSocketPeer();
    const { table } = await openBench();
    await table.to(target(peer.port));
    expect(peer.upgrades[0]).toMatchObject({ method: 'GET', url: '/', headers: { host: `127.0.0.1:${peer.port}` } });
  });

  it('shares a connection among accounts with the same handshake only', async () => {
    const peer = await webSocketPeer();
    const { table } = await openBench();
    const same = { method: 'GET', host: 'a.example.com', location: '/' };
    const flows = await Promise.all([
      ...Array.from({ length: 30 }, () => table.to(target(peer.port, { ...same }))),
      table.to(target(peer.port, { ...same, host: 'b.example.com' })),
      table.to(target(peer.port, { ...same, location: '/other' })),
    ]);
    expect(new Set(flows).size).toBe(3);
    expect(peer.upgrades).toHaveLength(3);
  });

  it.each([
    ['404 Not Found', 'the server answered 404 Not Found to the WebSocket handshake (GET /index)'],
    ['301 Moved Permanently', 'the server answered 301 Moved Permanently to the WebSocket handshake (GET /index)'],
    ['200 OK', 'the server answered 200 OK to the WebSocket handshake (GET /index)'],
  ])('tells what a server answered that does not upgrade: %s', async (status, why) => {
    const peer = await webSocketPeer({ status });
    const { table, clock } = await openBench();
    await expect(table.to(target(peer.port, { method: 'GET', location: '/index' }))).rejects.toMatchObject({
      code: 'SIP_TRANSPORT',
      message: `Cannot reach 127.0.0.1:${peer.port} over ws: ${why}.`,
    });
    expect(clock.pending).toBe(0);
  });

  it.each(['', 'chat'])('is refused by us when the server does not agree to the subprotocol: "%s"', async (protocol) => {
    const peer = await webSocketPeer({ protocol });
    const { table } = await openBench();
    await expect(table.to(target(peer.port))).rejects.toThrow(
      `Cannot reach 127.0.0.1:${peer.port} over ws: the server does not agree to the WebSocket subprotocol "sip".`,
    );
  });

  it('tells that the certificate is not trusted', async () => {
    const peer = await webSocketPeer({ isSecure: true });
    const { table } = await openBench();
    await expect(table.to(target(peer.port, undefined, 'wss'))).rejects.toThrow(
      `Cannot reach 127.0.0.1:${peer.port} over wss: the issuer of its certificate is not known`,
    );
  });

  it('tells that the port is not one of HTTP', async () => {
    const peer = await Peer.listen();
    const { table } = await openBench();
    const refused = expect(table.to(target(peer.port))).rejects.toThrow(/what came back is not HTTP: is this a WebSocket port \(HPE_/);
    (await peer.socket()).write('SIP/2.0 400 Bad Request\r\n\r\n');
    await refused;
  });

  it('gives up a server that says nothing', async () => {
    const peer = await Peer.listen();
    const { table, clock } = await openBench({ connectTimeoutMs: 4_000 });
    const refused = expect(table.to(target(peer.port))).rejects.toThrow(`127.0.0.1:${peer.port} over ws: it did not answer within 4 s.`);
    const socket = await peer.socket();
    await once(socket, 'data');
    const gone = once(socket, 'close');
    await clock.advance(4_000);
    await refused;
    await gone;
  });

  it.each([
    [{ method: 'GET /x HTTP/1.1\r\nX:', location: '/' }, /is no HTTP verb/],
    [{ method: 'GET', host: 'a\r\nX-Evil: 1', location: '/' }, /Invalid character in header content/],
  ])('never lets a mapping write into the handshake: %o', async (webSocket, words) => {
    const peer = await webSocketPeer();
    const { table } = await openBench();
    await expect(table.to(target(peer.port, webSocket))).rejects.toThrow(words);
    expect(peer.upgrades).toEqual([]);
  });

  it('tells once that the peer closed it, with its code and reason', async () => {
    const peer = await webSocketPeer();
    const { table, log } = await openBench();
    const flow = await table.to(target(peer.port));
    peer.sockets[0]!.close(1001, 'restart');
    expect(await log.gone()).toEqual([`ws:127.0.0.1:${peer.port}: The peer closed the connection (1001, restart).`]);
    expect(flow.isOpen).toBe(false);
    expect(table.existing(target(peer.port))).toBeUndefined();
    flow.close();
    await settle();
    expect(log.closed).toHaveLength(1);
    expect((await table.to(target(peer.port))).isOpen).toBe(true);
  });

  it('tells that the connection broke', async () => {
    const peer = await webSocketPeer();
    const { table, log } = await openBench();
    await table.to(target(peer.port));
    peer.sockets[0]!.terminate();
    expect(await log.gone()).toEqual([`ws:127.0.0.1:${peer.port}: The connection broke.`]);
  });

  it('is cut by a message of more than 64 KB', async () => {
    const peer = await webSocketPeer();
    const { table, log } = await openBench();
    await table.to(target(peer.port));
    peer.sockets[0]!.send('x'.repeat(65_537));
    expect((await log.gone())[0]).toMatch(/: The connection was cut: it sent a message of more than 64 KB/);
    expect(log.messages).toEqual([]);
  });

  it('answers a CRLF ping in a frame and keeps CRLFs to itself', async () => {
    const peer = await webSocketPeer();
    const { table, log } = await openBench();
    await table.to(target(peer.port));
    const pong = frame(peer.sockets[0]!);
    peer.sockets[0]!.send('\r\n\r\n');
    expect((await pong).text).toBe('\r\n');
    peer.sockets[0]!.send('\r\n');
    peer.sockets[0]!.send(message('after'));
    expect((await log.arrived(1)).map(({ text }) => text)).toEqual([message('after')]);
  });

  it('pings within the interval and stays while pongs come', async () => {
    const peer = await webSocketPeer({ autoPong: false });
    const { table, log, clock } = await openBench({ keepAliveMs: 25_000 });
    const flow = await table.to(target(peer.port));
    const [socket] = peer.sockets;
    for (let turn = 0; turn < 3; turn += 1) {
      const ping = once(socket!, 'ping');
      await clock.advance(25_000);
      await ping;
      socket!.pong();
      // The message behind the pong shows that the pong was read.
      socket!.send(message(String(turn)));
      await log.arrived(turn + 1);
    }
    await clock.advance(10_000);
    expect(flow.isOpen).toBe(true);
  });

  it('is given up 10 s after a ping that gets no pong', async () => {
    const peer = await webSocketPeer({ autoPong: false });
    const { table, log, clock } = await openBench({ keepAliveMs: 25_000 });
    await table.to(target(peer.port));
    await clock.advance(35_000);
    expect((await log.gone())[0]).toMatch(/: The peer does not answer pings any more\.$/);
    expect(clock.pending).toBe(0);
  });

  it('is found dead within 30 s of its last sign of life, as it comes', async () => {
    const peer = await webSocketPeer({ autoPong: false });
    const { table, log, clock } = await openBench();
    await table.to(target(peer.port));
    await clock.advance(30_000);
    await log.gone();
  });

  it('reads a message that comes together with the handshake', async () => {
    const peer = await Peer.listen();
    const { table, log } = await openBench();
    const opening = table.to(target(peer.port));
    const socket = await peer.socket();
    const [request] = (await once(socket, 'data')) as [Buffer];
    const key = /sec-websocket-key: (.*)\r\n/i.exec(request.toString())?.[1] ?? '';
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    const text = message('early');
    socket.write(
      Buffer.concat([
        Buffer.from(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: sip\r\n\r\n`,
        ),
        Buffer.from([0x81, text.length]),
        Buffer.from(text),
      ]),
    );
    expect((await log.arrived(1))[0]).toMatchObject({ text, flow: await opening });
  });
});
