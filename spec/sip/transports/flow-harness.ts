/** What the specs of flows share: a table on free ports of 127.0.0.1, what it told, and messages to send. */

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../../src/base/clock.js';
import type { Flow, FlowEvents } from '../../../src/sip/transports/flow.js';
import { FlowTable, type FlowTableSettings } from '../../../src/sip/transports/flow-table.js';
import type { Address, NameService } from '../../../src/sip/locating/name-service.js';
import { ManualClock } from '../../support/manual-clock.js';
import { freePort } from '../../support/ports.js';

export const localhost = '127.0.0.1';

/** Containers often have no IPv6 at all. */
export const hasIPv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'));

/** A file of fixtures/tls. */
export function tlsFile(name: string): string {
  return fileURLToPath(new URL(`../../../fixtures/tls/${name}`, import.meta.url));
}

/** Remembers what flows tell, and lets a spec wait for it. */
export class FlowLog implements FlowEvents {
  readonly messages: { flow: Flow; text: string }[] = [];
  readonly closed: { flow: Flow; why: string }[] = [];
  readonly faults: Error[] = [];
  #waiting: (() => void)[] = [];

  onMessage(flow: Flow, bytes: Buffer): void {
    this.messages.push({ flow, text: bytes.toString() });
    this.#changed();
  }

  onClosed(flow: Flow, why: string): void {
    this.closed.push({ flow, why });
    this.#changed();
  }

  onFault(error: Error): void {
    this.faults.push(error);
    this.#changed();
  }

  /** Resolves with the messages once there are `count`. */
  async arrived(count: number): Promise<{ flow: Flow; text: string }[]> {
    await this.until(() => this.messages.length >= count);
    return this.messages;
  }

  /** Resolves with the reasons once `count` connections are gone. */
  async gone(count = 1): Promise<string[]> {
    await this.until(() => this.closed.length >= count);
    return this.closed.map(({ why }) => why);
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

export interface Bench {
  readonly table: FlowTable;
  readonly log: FlowLog;
  readonly clock: ManualClock;
}

export interface BenchOptions extends Partial<Omit<FlowTableSettings, 'listen'>> {
  readonly listen?: Partial<FlowTableSettings['listen']>;
  readonly events?: FlowEvents;
  readonly clock?: Clock;
  /** Addresses by name; then nothing else is known of a name. */
  readonly lookup?: (host: string) => Promise<readonly Address[]>;
  readonly names?: NameService;
}

const open: (() => void | Promise<void>)[] = [];

/** A table on free ports; `closeAll` closes it. */
export async function openBench(options: BenchOptions = {}): Promise<Bench> {
  const log = new FlowLog();
  const clock = new ManualClock();
  const { listen, events, lookup, names = lookup && addressesOnly(lookup), clock: otherClock, ...settings } = options;
  const table = await FlowTable.open(
    { tls: { verify: true }, ...settings, listen: { host: localhost, udpPort: 0, tcpPort: 0, ...listen } },
    events ?? log,
    otherClock ?? clock,
    names,
  );
  later(async () => {
    const closed = table.close();
    // Peers that do not answer a goodbye are cut when the clock says so.
    await clock.advance(60_000);
    await closed;
  });
  return { table, log, clock };
}

function addressesOnly(lookup: NonNullable<BenchOptions['lookup']>): NameService {
  const none = (): Promise<never> => Promise.reject(Object.assign(new Error('none'), { code: 'ENODATA' }));
  return { addresses: async (host) => ({ addresses: await lookup(host) }), srv: none, naptr: none, close: () => undefined };
}

/** Runs at `closeAll`, the last one first. */
export function later(release: () => void | Promise<void>): void {
  open.push(release);
}

export async function closeAll(): Promise<void> {
  for (let release = open.pop(); release !== undefined; release = open.pop()) await release();
}

/** A TCP peer: its port, and its connections as they come. */
export class Peer {
  readonly sockets: Socket[] = [];
  #wake: (() => void) | undefined;

  private constructor(
    readonly server: Server,
    event: 'connection' | 'secureConnection',
  ) {
    server.on('tlsClientError', () => undefined);
    server.on(event, (socket: Socket) => {
      socket.on('error', () => undefined);
      this.sockets.push(socket);
      this.#wake?.();
    });
  }

  static async listen(server: Server = createServer(), event: 'connection' | 'secureConnection' = 'connection'): Promise<Peer> {
    const all = new Set<Socket>();
    server.on('connection', (socket: Socket) => all.add(socket));
    const peer = new Peer(server, event);
    // Not a port that the system gives to others: a spec may close its peer and expect that nobody listens there.
    server.listen(await freePort(), localhost);
    await once(server, 'listening');
    later(() => {
      for (const socket of all) socket.destroy();
      server.close();
    });
    return peer;
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** The connection number `index`, once it is there. */
  async socket(index = 0): Promise<Socket> {
    while (this.sockets[index] === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.sockets[index];
  }
}

/** Everything a socket receives, once it is `length` characters. */
export function received(socket: Socket, length: number): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const take = (chunk: Buffer): void => {
      text += chunk.toString();
      if (text.length < length) return;
      socket.off('data', take);
      resolve(text);
    };
    socket.on('data', take);
  });
}

/** A request that a framer takes, with that body. */
export function message(callId: string, body = ''): string {
  return `OPTIONS sip:434@example.com SIP/2.0\r\nCall-ID: ${callId}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** An `onError` that must not be called. */
export function noError(error: Error): void {
  throw error;
}
