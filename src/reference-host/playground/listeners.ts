/**
 * The playground's sockets: one UDP socket, a TCP and a WebSocket (RFC 7118) listener. Whatever arrives is handed on with
 * the *flow* it came by, and a flow can be answered: a source address on UDP, the same connection otherwise.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { largestMessage, StreamFraming } from './stream-framing.js';

export type Transport = 'udp' | 'tcp' | 'ws';

export interface Flow {
  readonly transport: Transport;
  /** Of the other end. */
  readonly address: string;
  readonly port: number;
  /** Names the connection; absent on UDP. */
  readonly connection?: string;
  /** Never throws; what cannot be sent is lost, as on any network. */
  send(bytes: Buffer): void;
}

export interface Listeners {
  readonly ports: Record<Transport, number>;
  datagramTo(address: string, port: number): Flow;
  /** Undefined once that connection has closed. */
  connection(name: string): Flow | undefined;
  close(): Promise<void>;
}

export interface ListenerEvents {
  received(flow: Flow, bytes: Buffer): void;
  /** The connection of that flow is gone. */
  closed(flow: Flow): void;
}

export interface Ports {
  udp: number;
  /** Undefined: the number that UDP got, as RFC 3261 section 18.1.1 has senders of long messages expect. */
  tcp: number | undefined;
  /** 0: any. */
  ws: number;
}

const connectionsAtMost = 2_000;

/**
 * Opens all three or none; rejects with the system's error (`EADDRINUSE`).
 * @param tries how often any free UDP port is drawn until the same TCP port is free too
 */
export async function openListeners(host: string, ports: Ports, events: ListenerEvents, tries = 5): Promise<Listeners> {
  const open = new Map<string, { flow: Flow; destroy: () => void }>();
  let connections = 0;

  const adopt = (transport: Transport, socket: Socket, write: (bytes: Buffer) => void, destroy: () => void): Flow => {
    connections += 1;
    const name = `${transport}${connections}`;
    const flow: Flow = {
      transport,
      address: plainAddress(socket.remoteAddress ?? ''),
      port: socket.remotePort ?? 0,
      connection: name,
      send: write,
    };
    open.set(name, { flow, destroy });
    socket.once('close', () => {
      open.delete(name);
      events.closed(flow);
    });
    if (open.size > connectionsAtMost) destroy();
    return flow;
  };

  const tcp = createTcpServer((socket) => {
    const framing = new StreamFraming();
    const write = (bytes: Buffer): void => {
      if (socket.writable) socket.write(bytes);
    };
    const flow = adopt('tcp', socket, write, () => socket.destroy());
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      const framed = framing.push(chunk);
      if (framed === undefined) {
        socket.destroy();
        return;
      }
      for (let ping = 0; ping < framed.pings; ping += 1) write(Buffer.from('\r\n'));
      for (const message of framed.messages) events.received(flow, message);
    });
  });

  const http = createServer((_request, response) => {
    response.writeHead(426, { 'content-type': 'text/plain' }).end('This port speaks SIP over WebSocket only.\n');
  });
  const ws = new WebSocketServer({
    server: http,
    maxPayload: largestMessage,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has('sip') ? 'sip' : false),
  });
  ws.on('connection', (client, request) => {
    if (client.protocol !== 'sip') {
      client.close(1002, 'the sub-protocol must be sip');
      return;
    }
    const write = (bytes: Buffer): void => {
      if (client.readyState === client.OPEN) client.send(bytes.toString('utf8'));
    };
    const flow = adopt('ws', request.socket, write, () => {
      client.terminate();
    });
    client.on('error', () => {
      client.terminate();
    });
    client.on('message', (data) => {
      const bytes = Array.isArray(data) ? Buffer.concat(data) : data instanceof ArrayBuffer ? Buffer.from(data) : data;
      if (bytes.toString('latin1').trim() === '') write(Buffer.from('\r\n'));
      else events.received(flow, bytes);
    });
  });
  // The HTTP server's own errors come through `listen` below; ws repeats them here.
  ws.on('error', () => undefined);

  const udp = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 1 << 21 });
  const datagramTo = (address: string, port: number): Flow => ({
    transport: 'udp',
    address,
    port,
    send: (bytes) => {
      // An unreachable client must not end the playground: the callback takes the error that would be emitted.
      udp.send(bytes, port, address, () => undefined);
    },
  });
  udp.on('message', (bytes, from) => {
    events.received(datagramTo(from.address, from.port), bytes);
  });

  const close = async (): Promise<void> => {
    for (const { destroy } of open.values()) destroy();
    ws.close();
    http.closeAllConnections();
    await Promise.all([
      new Promise<void>((resolve) => {
        try {
          udp.close(() => {
            resolve();
          });
        } catch {
          resolve(); // it never opened
        }
      }),
      closeServer(tcp),
      closeServer(http),
    ]);
  };

  try {
    const udpPort = await new Promise<number>((resolve, reject) => {
      udp.once('error', reject);
      udp.bind(ports.udp, host, () => {
        udp.off('error', reject);
        udp.on('error', () => undefined);
        resolve(udp.address().port);
      });
    });
    const tcpPort = await listen(tcp, host, ports.tcp ?? udpPort);
    const wsPort = await listen(http, host, ports.ws);
    return {
      ports: { udp: udpPort, tcp: tcpPort, ws: wsPort },
      datagramTo,
      connection: (name) => open.get(name)?.flow,
      close,
    };
  } catch (thrown) {
    await close();
    if (ports.udp === 0 && ports.tcp === undefined && tries > 1) return openListeners(host, ports, events, tries - 1);
    throw thrown;
  }
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      server.on('error', () => undefined);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

/** `::ffff:127.0.0.1` as a dual-stack socket says it is 127.0.0.1. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
