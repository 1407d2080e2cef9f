/**
 * A registrar that does what a spec says, faults above all, over udp, tcp, tls or ws: it hands each REGISTER to `answer`. It can be
 * stopped, started again on the same port, and made to drop its connections. No stack of ours is in it.
 */
import { hash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions, type Server as TlsServer } from 'node:tls';
import { WebSocketServer } from 'ws';
import { freePort } from '../../support/ports.js';
import { Received } from '../../support/scripted-peer.js';

export type Answer = (register: Received) => void;

export class ScriptedRegistrar {
  readonly host = '127.0.0.1';
  /** Every REGISTER that came. */
  readonly registers: Received[] = [];
  #stop: (() => Promise<void>) | undefined;
  #dropConnections: () => void = () => undefined;

  private constructor(
    readonly transport: 'udp' | 'tcp' | 'tls' | 'ws',
    readonly port: number,
    public answer: Answer,
    private tls: TlsOptions,
  ) {}

  static async start(transport: ScriptedRegistrar['transport'], answer: Answer = grant(1800), tls: TlsOptions = {}): Promise<ScriptedRegistrar> {
    const registrar = new ScriptedRegistrar(transport, await freePort(), answer, tls);
    await registrar.startAgain();
    return registrar;
  }

  async startAgain(tls = this.tls): Promise<void> {
    if (this.transport === 'udp') await this.#listenForDatagrams();
    else if (this.transport === 'ws') await this.#listenForWebSockets();
    else await this.#listenForStreams(this.transport === 'tls' ? createTlsServer(tls) : createTcpServer());
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#dropConnections();
    await this.#stop?.();
    this.#stop = undefined;
  }

  dropConnections(): void {
    this.#dropConnections();
  }

  #hear(text: string, reply: (text: string) => void): void {
    const message = new Received(text, reply);
    if (message.method === 'OPTIONS') message.reply(200);
    if (message.method !== 'REGISTER') return;
    this.registers.push(message);
    this.answer(message);
  }

  async #listenForDatagrams(): Promise<void> {
    const socket = createSocket('udp4');
    socket.on('message', (bytes, from) => {
      this.#hear(bytes.toString(), (reply) => {
        socket.send(reply, from.port, from.address);
      });
    });
    socket.bind(this.port, this.host);
    await once(socket, 'listening');
    this.#stop = () => new Promise((resolve) => socket.close(resolve));
  }

  async #listenForStreams(server: Server | TlsServer): Promise<void> {
    const sockets = new Set<Socket>();
    server.on(this.transport === 'tls' ? 'secureConnection' : 'connection', (socket: Socket) => {
      sockets.add(socket);
      let held = '';
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
      socket.on('data', (chunk: Buffer) => {
        // A REGISTER has no body: it ends with its headers. Keep-alives between messages are skipped.
        held = `${held}${chunk.toString('latin1')}`.replace(/^(?:\r\n)+/, '');
        for (let end = held.indexOf('\r\n\r\n'); end >= 0; end = held.indexOf('\r\n\r\n')) {
          this.#hear(held.slice(0, end + 4), (reply) => socket.write(reply));
          held = held.slice(end + 4).replace(/^(?:\r\n)+/, '');
        }
      });
    });
    server.on('tlsClientError', () => undefined);
    server.listen(this.port, this.host);
    await once(server, 'listening');
    this.#dropConnections = () => {
      for (const socket of sockets) socket.destroy();
    };
    this.#stop = async () => {
      server.close();
      await once(server, 'close');
    };
  }

  async #listenForWebSockets(): Promise<void> {
    const server = new WebSocketServer({ host: this.host, port: this.port, handleProtocols: () => 'sip' });
    server.on('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.on('message', (data: Buffer) => {
        this.#hear(data.toString(), (reply) => {
          socket.send(reply);
        });
      });
    });
    await once(server, 'listening');
    this.#dropConnections = () => {
      for (const socket of server.clients) socket.close(1001);
    };
    this.#stop = () => new Promise((resolve) => {
      for (const socket of server.clients) socket.terminate();
      server.close(() => {
        resolve();
      });
    });
  }
}

/** 200; the Contact as it came, with that expiry. @param others more Contacts of the same AOR, first */
export function grant(expiresS: number, ...others: string[]): Answer {
  return (register) => {
    const own = (register.header('contact') ?? '').replace(/;expires=\d+/, '');
    register.reply(200, [...others, `${own};expires=${expiresS}`].map((contact) => `Contact: ${contact}`));
  };
}

export function refuse(status: number, ...headers: string[]): Answer {
  return (register) => {
    register.reply(status, headers);
  };
}

export interface Challenge {
  readonly password: string;
  readonly nonce: string;
  readonly algorithms?: readonly ('MD5' | 'SHA-256')[];
  readonly isStale?: boolean;
}

/** Challenges every REGISTER whose credentials are not right for that nonce, with the first of the algorithms; the right ones go to `then`. */
export function challenge({ password, nonce, algorithms = ['MD5'], isStale = false }: Challenge, then: Answer = grant(1800)): Answer {
  return (register) => {
    const credentials = register.header('authorization') ?? '';
    const value = (name: string): string => new RegExp(`[ ,]${name}="?([^",]*)`).exec(credentials)?.[1] ?? '';
    const digest = (text: string): string => hash(value('algorithm') === 'SHA-256' ? 'sha256' : 'md5', text, 'hex');
    const ha1 = digest(`${value('username')}:spec:${password}`);
    const right = digest(`${ha1}:${nonce}:${value('nc')}:${value('cnonce')}:auth:${digest(`REGISTER:${register.uri}`)}`);
    if (value('response') === right) then(register);
    else register.reply(401, algorithms.map((algorithm) => `WWW-Authenticate: Digest realm="spec", nonce="${nonce}", algorithm=${algorithm}, qop="auth"${isStale ? ', stale=true' : ''}`));
  };
}
