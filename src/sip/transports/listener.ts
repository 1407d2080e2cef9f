/**
 * Takes TCP or TLS connections and makes flows of them, so that in-dialog requests and responses can go back the way they came.
 *
 * Connections are few and must prove themselves: their number is bounded, in all and for each address, so that nobody alone can take
 * the room of all; and one that has brought no SIP message for us in time is cut: a stranger's, half a message's, one that says nothing.
 */

import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, Server as TlsServer } from 'node:tls';
import type { Clock } from '../../base/clock.js';
import { second } from '../../base/units.js';
import type { ConnectionContext } from './connection-flow.js';
import type { Endpoint } from './flow.js';
import { StreamFlow } from './stream-flow.js';
import { plainAddress } from './local-address.js';
import { reportTo, tellDropped } from './telling.js';
import type { TlsIdentity } from './tls-identity.js';
import { sayFault, sayPlace, transportError } from './transport-fault.js';

/** A peer's time for its first message that is for us, TLS handshake included, milliseconds. */
export const firstMessageMs = 30 * second;
/** The rest of a connection after which the kernel asks whether the peer is still there, milliseconds. */
export const keepAliveProbeMs = 30 * second;

export interface ListenerOptions {
  readonly transport: 'tcp' | 'tls';
  /** An IP address. */
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
  /** tls only. */
  readonly identity: TlsIdentity;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly clock: Clock;
  readonly context: ConnectionContext;
  onFlow(flow: StreamFlow): void;
}

export class Listener {
  readonly transport: 'tcp' | 'tls';
  readonly local: Endpoint;
  /** By remote endpoint; the socket is the TCP one, below TLS too. */
  readonly #connections = new Map<string, { readonly socket: Socket; flow?: StreamFlow }>();
  readonly #perAddress = new Map<string, number>();

  private constructor(
    private readonly server: Server,
    private readonly options: ListenerOptions,
  ) {
    this.transport = options.transport;
    this.local = endpointOf(server);
    server.maxConnections = options.maxConnections;
    server.on('error', (error) => {
      reportTo(
        options.context.events,
        transportError(`Taking connections on ${sayPlace(options.transport, this.local)} failed: ${sayFault(error)}.`, error),
      );
    });
    server.on('drop', (dropped) => {
      this.#refused(dropped?.remoteAddress);
    });
    server.on('connection', (socket: Socket) => {
      this.#watch(socket);
    });
    server.on(options.transport === 'tls' ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.#take(socket);
    });
  }

  /** Rejects with the system's error when the port cannot be bound, or OpenSSL's when certificate and key do not fit. */
  static async open(options: ListenerOptions): Promise<Listener> {
    const server =
      options.transport === 'tls' ? createTlsServer({ cert: options.identity.cert, key: options.identity.key }) : createTcpServer();
    // A handshake that fails is the peer's affair; its socket is closed by then.
    server.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: options.address, port: options.port, exclusive: true }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    return new Listener(server, options);
  }

  /** For the connections from now on. */
  useIdentity({ cert, key }: TlsIdentity): void {
    if (this.server instanceof TlsServer) this.server.setSecureContext({ cert, key });
  }

  /** Takes nothing more and cuts what has not become a flow; flows are closed by their owner. Resolves when all are gone. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => {
        resolve();
      });
    });
    for (const { socket, flow } of this.#connections.values()) {
      if (flow === undefined) socket.destroy();
    }
    await closed;
  }

  #watch(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const inUse = this.#perAddress.get(address) ?? 0;
    if (inUse >= this.options.maxConnectionsPerAddress) {
      this.#refused(address);
      socket.on('error', () => undefined).destroy();
      return;
    }
    this.#perAddress.set(address, inUse + 1);
    const key = remoteKey(socket);
    const connection: { readonly socket: Socket; flow?: StreamFlow } = { socket };
    this.#connections.set(key, connection);
    const deadline = this.options.clock.after(firstMessageMs, () => {
      if (connection.flow?.isWelcome !== true) socket.destroy();
    });
    socket.on('error', () => undefined);
    // A peer that vanished without a word must not keep its place for ever.
    socket.setKeepAlive(true, keepAliveProbeMs);
    socket.once('close', () => {
      deadline.cancel();
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#perAddress.set(address, left);
      else this.#perAddress.delete(address);
      if (this.#connections.get(key) === connection) this.#connections.delete(key);
    });
  }

  #refused(address: string | undefined): void {
    tellDropped(this.options.context.events, 'connection', plainAddress(address ?? ''), `on ${sayPlace(this.transport, this.local)}`);
  }

  #take(socket: Socket): void {
    const connection = this.#connections.get(remoteKey(socket));
    if (socket.destroyed || connection === undefined) {
      socket.destroy();
      return;
    }
    connection.flow = new StreamFlow(this.options.transport, socket, this.options.context);
    this.options.onFlow(connection.flow);
  }
}

function remoteKey(socket: Socket): string {
  return `${socket.remoteAddress ?? ''} ${socket.remotePort ?? 0}`;
}

function endpointOf(server: Server): Endpoint {
  const bound = server.address();
  return bound === null || typeof bound === 'string' ? { address: '', port: 0 } : { address: bound.address, port: bound.port };
}
