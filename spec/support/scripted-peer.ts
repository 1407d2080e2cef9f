/** A SIP peer on a raw UDP, TCP or WebSocket socket that says just what a spec tells it: no stack of ours is in it. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';

const deadlineMs = 5_000;
/** A spec may turn the clock of the stack by hand; the deadline stays on the wall clock. */
const { setTimeout: afterWallClock, clearTimeout: stopWallClock } = globalThis;

/** What a peer speaks over. */
interface Line {
  readonly protocol: 'UDP' | 'TCP' | 'WS';
  readonly port: number;
  /** To where the last message came from, or to that port. */
  send(text: string, port?: number): void;
  /** Ends the connection, where there is one. */
  hangUp(): void;
  close(): Promise<void>;
}

type Hear = (text: string, answer: (text: string) => void) => void;

interface RequestOptions {
  from: string;
  to: string;
  callId: string;
  cseq?: number;
  branch?: string;
  /** The whole top Via. */
  via?: string;
  headers?: string[];
  body?: string;
}

/** A message as it came. */
export class Received {
  readonly startLine: string;
  readonly body: string;
  readonly #headers: [string, string][];

  constructor(
    readonly text: string,
    private readonly answer: (text: string) => void,
  ) {
    const end = text.indexOf('\r\n\r\n');
    const [startLine = '', ...lines] = text.slice(0, end).split('\r\n');
    this.startLine = startLine;
    this.body = text.slice(end + 4);
    this.#headers = lines.map((line) => [line.slice(0, line.indexOf(':')).trim().toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]);
  }

  get method(): string | undefined {
    return this.startLine.startsWith('SIP/') ? undefined : this.startLine.split(' ')[0];
  }

  get uri(): string {
    return this.startLine.split(' ')[1] ?? '';
  }

  get status(): number {
    return Number(this.startLine.split(' ')[1]);
  }

  get cseq(): number {
    return Number.parseInt(this.header('cseq') ?? '', 10);
  }

  header(name: string): string | undefined {
    return this.headers(name)[0];
  }

  headers(name: string): string[] {
    return this.#headers.filter(([key]) => key === name).map(([, value]) => value);
  }

  /** The URI of the Contact that another message of the call had. */
  contactOf(other: Received): string {
    return /<([^>]*)>/.exec(other.header('contact') ?? '')?.[1] ?? '';
  }

  reply(status: number, headers: string[] = [], body = ''): void {
    const to = this.header('to') ?? '';
    this.replyRaw(status, status > 100 && !to.includes('tag=') ? `${to};tag=far` : to, headers, body);
  }

  replyRaw(status: number, to: string, headers: string[], body = ''): void {
    this.#send(status, this.headers('via'), to, headers, body);
  }

  /** Answers another message, to where this one came from. */
  replyTo(other: Received, status: number, to: string, headers: string[] = [], body = ''): void {
    new Received(other.text, this.answer).replyRaw(status, to, headers, body);
  }

  replyVia(status: number, via: string, headers: string[]): void {
    this.#send(status, [via], `${this.header('to') ?? ''};tag=far`, headers, '');
  }

  #send(status: number, vias: string[], to: string, headers: string[], body: string): void {
    const type = body === '' ? [] : ['Content-Type: application/sdp'];
    this.answer(
      [
        `SIP/2.0 ${String(status)} Spec`,
        ...vias.map((via) => `Via: ${via}`),
        `From: ${this.header('from') ?? ''}`,
        `To: ${to}`,
        `Call-ID: ${this.header('call-id') ?? ''}`,
        `CSeq: ${this.header('cseq') ?? ''}`,
        ...headers,
        ...type,
        `Content-Length: ${String(Buffer.byteLength(body))}`,
        '',
        body,
      ].join('\r\n'),
    );
  }
}

export class ScriptedPeer {
  /** All that came and nobody waited for yet. */
  readonly received: Received[] = [];
  #waiting: { wants: (message: Received) => boolean; resolve: (message: Received) => void; giveUp: () => void }[] = [];
  readonly #line: Line;
  #cseq = 0;

  private constructor(connect: (hear: Hear) => Line) {
    this.#line = connect((text, answer) => {
      this.#receive(text, answer);
    });
  }

  static async open(address = '127.0.0.1'): Promise<ScriptedPeer> {
    const socket = createSocket('udp4');
    socket.bind(0, address);
    await once(socket, 'listening');
    return new ScriptedPeer((hear) => {
      let remotePort = 0;
      socket.on('message', (bytes, from) => {
        remotePort = from.port;
        hear(bytes.toString(), (reply) => {
          socket.send(reply, from.port, from.address);
        });
      });
      return {
        protocol: 'UDP',
        port: socket.address().port,
        send: (text, port) => {
          socket.send(text, port ?? remotePort, '127.0.0.1');
        },
        hangUp: () => undefined,
        close: () => new Promise((resolve) => socket.close(resolve)),
      };
    });
  }

  /** Listens for the connection of the stack, and speaks over the last one that it took. */
  static async openTcp(): Promise<ScriptedPeer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ScriptedPeer((hear) => {
      let current: Socket | undefined;
      server.on('connection', (socket) => {
        current = socket;
        let held = '';
        socket.on('data', (chunk: Buffer) => {
          held += chunk.toString('latin1');
          for (let end = endOfFirst(held); end > 0; end = endOfFirst(held)) {
            hear(Buffer.from(held.slice(0, end), 'latin1').toString(), (reply) => socket.write(reply));
            held = held.slice(end);
          }
        });
        socket.on('error', () => undefined);
      });
      return {
        protocol: 'TCP',
        port: (server.address() as AddressInfo).port,
        send: (text) => current?.write(text),
        hangUp: () => current?.destroy(),
        close: async () => {
          current?.destroy();
          server.close();
          await once(server, 'close');
        },
      };
    });
  }

  /** The same over WebSocket (RFC 7118). */
  static async openWs(): Promise<ScriptedPeer> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => 'sip' });
    await once(server, 'listening');
    return new ScriptedPeer((hear) => {
      let current: WebSocket | undefined;
      server.on('connection', (socket) => {
        current = socket;
        socket.on('message', (data: Buffer) => {
          hear(data.toString(), (reply) => {
            socket.send(reply);
          });
        });
      });
      return {
        protocol: 'WS',
        port: (server.address() as AddressInfo).port,
        send: (text) => { current?.send(text); },
        hangUp: () => { current?.terminate(); },
        close: () => {
          current?.terminate();
          return new Promise((resolve) => {
            server.close(() => { resolve(); });
          });
        },
      };
    });
  }

  get port(): number {
    return this.#line.port;
  }

  /** The next request of that method; retransmissions count. */
  next(method: string): Promise<Received> {
    return this.#next(`a ${method}`, (message) => message.method === method);
  }

  nextResponse(status: number): Promise<Received> {
    return this.#next(`a ${String(status)}`, (message) => message.method === undefined && message.status === status);
  }

  /** Answers what came of that method and will come. */
  answerAll(method: string, status: number): void {
    const answer = (): void => {
      void this.next(method).then(
        (request) => {
          request.reply(status);
          answer();
        },
        () => undefined, // the deadline of a peer that is done with
      );
    };
    answer();
  }

  /** Sends a request and waits for the first response to it. */
  request(method: string, uri: string, options: RequestOptions): Promise<Received> {
    const cseq = this.send(method, uri, options);
    return this.#next(
      `a response to ${method}`,
      (message) => message.method === undefined && message.header('cseq') === `${String(cseq)} ${method}` && message.header('call-id') === options.callId,
    );
  }

  send(method: string, uri: string, options: RequestOptions, port?: number): number {
    const cseq = options.cseq ?? (this.#cseq += 1);
    const body = options.body ?? '';
    const text = [
      `${method} ${uri} SIP/2.0`,
      `Via: ${options.via ?? `SIP/2.0/${this.#line.protocol} 127.0.0.1:${String(this.port)};branch=${options.branch ?? `z9hG4bK${String(Math.random()).slice(2)}`};rport`}`,
      `From: ${options.from}`,
      `To: ${options.to}`,
      `Call-ID: ${options.callId}`,
      `CSeq: ${String(cseq)} ${method}`,
      'Max-Forwards: 70',
      ...(options.headers ?? []),
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${String(Buffer.byteLength(body))}`,
      '',
      body,
    ].join('\r\n');
    this.#line.send(text, port);
    return cseq;
  }

  /** Lines of a message, without a body, as they are. */
  sendLines(...lines: string[]): void {
    this.#line.send(`${lines.join('\r\n')}\r\n\r\n`);
  }

  hangUp(): void {
    this.#line.hangUp();
  }

  /** What is still waited for, and by nobody any more, is given up. */
  close(): Promise<void> {
    for (const { giveUp } of this.#waiting) giveUp();
    return this.#line.close();
  }

  #receive(text: string, answer: (text: string) => void): void {
    const message = new Received(text, answer);
    const index = this.#waiting.findIndex(({ wants }) => wants(message));
    if (index < 0) this.received.push(message);
    else this.#waiting.splice(index, 1)[0]?.resolve(message);
  }

  #next(what: string, wants: (message: Received) => boolean): Promise<Received> {
    const index = this.received.findIndex(wants);
    const [here] = index < 0 ? [] : this.received.splice(index, 1);
    if (here !== undefined) return Promise.resolve(here);
    return new Promise((resolve, reject) => {
      const timer = afterWallClock(() => {
        reject(new Error(`${what} did not come; what came: ${this.received.map(({ startLine }) => startLine).join(' | ')}`));
      }, deadlineMs);
      this.#waiting.push({
        wants,
        giveUp: () => {
          stopWallClock(timer);
        },
        resolve: (message) => {
          stopWallClock(timer);
          resolve(message);
        },
      });
    });
  }
}

/** Where the first message in a stream ends, by Content-Length; 0 while it is not whole. */
function endOfFirst(stream: string): number {
  const headersTo = stream.indexOf('\r\n\r\n');
  if (headersTo < 0) return 0;
  const length = Number(/\r\nContent-Length: *(\d+)/i.exec(stream.slice(0, headersTo))?.[1] ?? 0);
  const end = headersTo + 4 + length;
  return stream.length < end ? 0 : end;
}
