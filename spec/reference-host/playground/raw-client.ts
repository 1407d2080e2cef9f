import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { WebSocket } from 'ws';

/** A SIP client as bare as can be: sends text, hands out what comes in order. */
export interface RawClient {
  readonly port: number;
  readonly via: string;
  send(text: string): void;
  next(): Promise<string>;
  /** What has come and was not taken. */
  readonly waiting: string[];
  close(): void;
}

class Inbox {
  readonly waiting: string[] = [];
  readonly #takers: ((text: string) => void)[] = [];

  put(text: string): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.waiting.push(text);
    else taker(text);
  }

  next(): Promise<string> {
    const text = this.waiting.shift();
    return text === undefined ? new Promise((resolve) => this.#takers.push(resolve)) : Promise.resolve(text);
  }
}

export async function udpClient(serverPort: number): Promise<RawClient> {
  const socket = createSocket('udp4');
  const inbox = new Inbox();
  socket.on('message', (bytes) => {
    inbox.put(bytes.toString());
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  return {
    port,
    via: `SIP/2.0/UDP 127.0.0.1:${port};rport`,
    send: (text) => {
      socket.send(text, serverPort, '127.0.0.1');
    },
    next: () => inbox.next(),
    waiting: inbox.waiting,
    close: () => {
      socket.close();
    },
  };
}

export async function tcpClient(serverPort: number): Promise<RawClient & { closed: Promise<unknown> }> {
  const socket = connect(serverPort, '127.0.0.1');
  const inbox = new Inbox();
  let pending = '';
  socket.on('data', (chunk) => {
    pending += chunk.toString('latin1');
    for (;;) {
      if (/^\r\n(?!\r\n)/.test(pending)) {
        inbox.put('\r\n');
        pending = pending.slice(2);
      }
      const end = pending.indexOf('\r\n\r\n');
      if (end < 0) return;
      const total = end + 4 + Number(/^content-length: *(\d+)/im.exec(pending)?.[1] ?? 0);
      if (pending.length < total) return;
      inbox.put(pending.slice(0, total));
      pending = pending.slice(total);
    }
  });
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  await once(socket, 'connect');
  return {
    port: socket.localPort ?? 0,
    via: `SIP/2.0/TCP 127.0.0.1:${String(socket.localPort)};rport`,
    send: (text) => {
      socket.write(text);
    },
    next: () => inbox.next(),
    waiting: inbox.waiting,
    close: () => socket.destroy(),
    closed,
  };
}

export async function wsClient(serverPort: number): Promise<RawClient> {
  const socket = new WebSocket(`ws://127.0.0.1:${serverPort}/`, 'sip');
  const inbox = new Inbox();
  socket.on('message', (data) => {
    inbox.put((data as Buffer).toString());
  });
  await once(socket, 'open');
  return {
    port: 0,
    via: 'SIP/2.0/WS 8ac9d.invalid;rport',
    send: (text) => {
      socket.send(text);
    },
    next: () => inbox.next(),
    waiting: inbox.waiting,
    close: () => {
      socket.terminate();
    },
  };
}

let serial = 0;
/** A number never used before in this process, for branches and Call-IDs. */
export function fresh(): string {
  serial += 1;
  return `n${serial}`;
}

export interface RequestParts {
  method: string;
  uri: string;
  from: string;
  to: string;
  callId?: string;
  cseq?: number;
  branch?: string;
  /** Whole header lines. */
  more?: string[];
  body?: string;
}

export function requestText(client: RawClient, parts: RequestParts): string {
  const body = parts.body ?? '';
  return [
    `${parts.method} ${parts.uri} SIP/2.0`,
    `Via: ${client.via};branch=z9hG4bK${parts.branch ?? fresh()}`,
    `From: ${parts.from}`,
    `To: ${parts.to}`,
    `Call-ID: ${parts.callId ?? fresh()}`,
    `CSeq: ${parts.cseq ?? 1} ${parts.method}`,
    ...(parts.more ?? []),
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

/** A response as a UAS sends it: the request's Vias, Record-Routes, From, Call-ID, CSeq, and To with a tag. */
export function responseText(request: string, status: string, more: string[] = []): string {
  const lines = request.split('\r\n');
  const copied = lines.filter((line) => /^(via|record-route|from|call-id|cseq):/i.test(line));
  const to = lines.find((line) => /^to:/i.test(line)) ?? '';
  return [`SIP/2.0 ${status}`, ...copied, to.includes(';tag=') ? to : `${to};tag=uas`, ...more, 'Content-Length: 0', '', ''].join('\r\n');
}

export function statusOf(text: string): number {
  return Number(/^SIP\/2\.0 (\d{3})/.exec(text)?.[1] ?? 0);
}

export function headerLines(text: string, name: string): string[] {
  return text
    .split('\r\n')
    .filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}: `))
    .map((line) => line.slice(name.length + 2));
}

export interface Credentials {
  user: string;
  password: string;
  method: string;
  uri: string;
  algorithm?: 'MD5' | 'SHA-256';
  nc?: number;
}

/** The credentials that answer a 401 or 407; computed here again, after RFC 7616 section 3.4. */
export function answerTo(challenged: string, credentials: Credentials): string {
  const { user, password, method, uri, algorithm = 'MD5', nc = 1 } = credentials;
  const isProxy = statusOf(challenged) === 407;
  const offered = headerLines(challenged, isProxy ? 'Proxy-Authenticate' : 'WWW-Authenticate');
  const challenge = offered.find((line) => line.includes(`algorithm=${algorithm},`)) ?? '';
  const realm = /realm="([^"]*)"/.exec(challenge)?.[1] ?? '';
  const nonce = /nonce="([^"]*)"/.exec(challenge)?.[1] ?? '';
  const hash = (text: string) => createHash(algorithm === 'MD5' ? 'md5' : 'sha256').update(text).digest('hex');
  const count = nc.toString(16).padStart(8, '0');
  const response = hash(
    `${hash(`${user}:${realm}:${password}`)}:${nonce}:${count}:0a4f113b:auth:${hash(`${method}:${uri}`)}`,
  );
  return (
    `${isProxy ? 'Proxy-Authorization' : 'Authorization'}: Digest username="${user}", realm="${realm}", nonce="${nonce}", ` +
    `uri="${uri}", response="${response}", algorithm=${algorithm}, qop=auth, nc=${count}, cnonce="0a4f113b"`
  );
}

export interface Registration {
  user: string;
  password?: string;
  contacts: string[];
  expires?: number;
  callId?: string;
  cseq?: number;
  algorithm?: 'MD5' | 'SHA-256';
}

/** REGISTER, challenge, REGISTER: the last reply. */
export async function register(client: RawClient, registration: Registration): Promise<string> {
  const { user, password = `secret-of-${user}`, contacts, expires, callId = fresh(), cseq = 1, algorithm } = registration;
  const uri = 'sip:127.0.0.1';
  const more = contacts.map((contact) => `Contact: ${contact}`);
  if (expires !== undefined) more.push(`Expires: ${expires}`);
  const parts = { method: 'REGISTER', uri, from: `<sip:${user}@127.0.0.1>;tag=${fresh()}`, to: `<sip:${user}@127.0.0.1>`, callId };
  client.send(requestText(client, { ...parts, cseq, more }));
  const challenged = await client.next();
  if (statusOf(challenged) !== 401) return challenged;
  const authorization = answerTo(challenged, { user, password, method: 'REGISTER', uri, algorithm });
  client.send(requestText(client, { ...parts, cseq: cseq + 1, more: [...more, authorization] }));
  return client.next();
}
