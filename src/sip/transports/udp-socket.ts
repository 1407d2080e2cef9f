/**
 * One UDP socket and the flows over it, one for each remote endpoint.
 *
 * This is the hot path: receiving costs one map lookup, sending one encoding and one system call. What is sent in one turn of the event loop
 * leaves together at its end: to wake a far end for each datagram costs more than all the rest. Flows are cheap and hold nothing: the
 * cache is bounded, gives up what was not used lately, and whoever still holds a dropped flow can go on using it.
 */

import { createSocket, type Socket } from 'node:dgram';
import { isIPv4, isIPv6 } from 'node:net';
import type { Endpoint, Flow, FlowEvents } from './flow.js';
import { isKeepAlive, startOfMessage } from './framing.js';
import { isUnspecified, type LocalAddresses, plainAddress } from './local-address.js';
import { failLater, failNow, reportTo, tellDropped, tellMessage } from './telling.js';
import { hostPort, sayFault, transportError } from './transport-fault.js';

/** What IPv4 carries in one datagram: 65,535 bytes less the IP and UDP headers. */
const maxDatagramBytes = 65_507;
/** Asked of the kernel, which gives what it allows: bursts of a registrar with many users fit. */
const kernelBufferBytes = 4 * 1024 * 1024;
/** Datagrams that the kernel has not taken yet; more are refused instead of growing memory. */
const maxUnsentBytes = 16 * 1024 * 1024;
const maxFlows = 16_384;

/** Of a size that is allowed, to leave at the end of the turn. */
interface Datagram {
  readonly bytes: Buffer;
  readonly remote: Endpoint;
  readonly onError: (error: Error) => void;
}

export class UdpSocket {
  readonly local: Endpoint;
  readonly #isWildcard: boolean;
  readonly #isV6: boolean;
  readonly #flows = new Map<string, UdpFlow>();
  /** A registrar sends many datagrams, one after the other. */
  #lastFlow: UdpFlow | undefined;
  /** In the order they were given. */
  #outgoing: Datagram[] = [];
  #unsentBytes = 0;
  #isOpen = true;

  private constructor(
    private readonly socket: Socket,
    private readonly events: FlowEvents,
    private readonly localAddresses: LocalAddresses,
  ) {
    const bound = socket.address();
    this.local = { address: bound.address, port: bound.port };
    this.#isV6 = isIPv6(bound.address);
    this.#isWildcard = isUnspecified(bound.address);
    socket.on('message', (bytes, remote) => {
      this.#receive(bytes, remote);
    });
    socket.on('error', (error) => {
      reportTo(events, transportError(`The UDP socket ${hostPort(bound.address, bound.port)} failed: ${sayFault(error)}.`, error));
    });
  }

  /**
   * @param address an IP address
   * @param port 0: any free port
   * @throws the system's error when the socket cannot be bound
   */
  static async bind(address: string, port: number, events: FlowEvents, localAddresses: LocalAddresses): Promise<UdpSocket> {
    const isV6 = isIPv6(address);
    const socket = createSocket({
      type: isV6 ? 'udp6' : 'udp4',
      // Only addresses come here: without this Node.js would ask its resolver, a turn of the event loop, for every datagram.
      lookup: (host, _options, callback) => {
        callback(null, host, isV6 ? 6 : 4);
      },
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ address, port, exclusive: true }, () => {
        socket.off('error', reject);
        resolve();
      });
    }).catch((thrown: unknown) => {
      socket.close();
      throw thrown;
    });
    try {
      socket.setRecvBufferSize(kernelBufferBytes);
      socket.setSendBufferSize(kernelBufferBytes);
    } catch {
      // The kernel's own sizes do, only with less room for bursts.
    }
    return new UdpSocket(socket, events, localAddresses);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** True when a datagram to that address can leave by this socket. */
  canReach(address: string): boolean {
    return this.#isV6 ? isIPv6(address) || this.local.address === '::' : isIPv4(address);
  }

  flow(address: string, port: number): UdpFlow {
    const last = this.#lastFlow;
    if (last?.remote.port !== port || last.remote.address !== address) return (this.#lastFlow = this.#find(address, port));
    last.isUsed = true;
    return last;
  }

  #find(address: string, port: number): UdpFlow {
    const key = `${address} ${port}`;
    let flow = this.#flows.get(key);
    if (flow === undefined) {
      if (this.#flows.size >= maxFlows) this.#dropOne();
      flow = new UdpFlow(this, { address, port });
      this.#flows.set(key, flow);
    } else {
      flow.isUsed = true;
    }
    return flow;
  }

  localTowards(remote: string): Endpoint {
    return this.#isWildcard ? { address: this.localAddresses.towards(remote), port: this.local.port } : this.local;
  }

  send(text: string, remote: Endpoint, onError: (error: Error) => void): void {
    if (!this.#isOpen) {
      failLater(this.events, onError, transportError('The UDP socket is closed.'));
      return;
    }
    const bytes = Buffer.from(text);
    if (bytes.length > maxDatagramBytes) {
      failLater(this.events, onError, transportError(`A message of ${bytes.length} bytes does not fit into one datagram.`));
      return;
    }
    if (this.#unsentBytes + bytes.length > maxUnsentBytes) {
      failLater(this.events, onError, transportError(`Too much waits to be sent to ${hostPort(remote.address, remote.port)} over udp.`));
      return;
    }
    this.#unsentBytes += bytes.length;
    if (this.#outgoing.push({ bytes, remote, onError }) === 1) setImmediate(this.#flush);
  }

  /** What was given still leaves. Idempotent. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#flush();
    await new Promise<void>((resolve) => this.socket.close(resolve));
    this.#flows.clear();
  }

  readonly #flush = (): void => {
    const outgoing = this.#outgoing;
    this.#outgoing = [];
    for (const datagram of outgoing) this.#sendNow(datagram);
  };

  #sendNow({ bytes, remote, onError }: Datagram): void {
    const address = this.#isV6 && isIPv4(remote.address) ? `::ffff:${remote.address}` : remote.address;
    try {
      this.socket.send(bytes, remote.port, address, (error) => {
        this.#unsentBytes -= bytes.length;
        if (error !== null) failNow(this.events, onError, sendError(remote, error));
      });
    } catch (thrown) {
      // Only for what is no address or port at all: Node.js throws at once.
      this.#unsentBytes -= bytes.length;
      failLater(this.events, onError, sendError(remote, thrown));
    }
  }

  #receive(bytes: Buffer, remote: Endpoint): void {
    if (!this.#isOpen) return;
    const start = startOfMessage(bytes);
    if (start < 0) {
      if (!isKeepAlive(bytes)) tellDropped(this.events, 'unparsable', plainAddress(remote.address), 'not SIP');
      return;
    }
    const flow = this.flow(plainAddress(remote.address), remote.port);
    tellMessage(this.events, flow, start === 0 ? bytes : bytes.subarray(start));
  }

  /** Second chance: the oldest flow that was not used since it was last looked at goes. */
  #dropOne(): void {
    for (const [key, flow] of this.#flows) {
      this.#flows.delete(key);
      if (!flow.isUsed) return;
      flow.isUsed = false;
      this.#flows.set(key, flow);
    }
  }
}

export class UdpFlow implements Flow {
  readonly transport = 'udp';
  readonly isReliable = false;
  /** Used again since it was made or last looked at by the cache. */
  isUsed = false;

  constructor(
    private readonly socket: UdpSocket,
    readonly remote: Endpoint,
  ) {}

  get local(): Endpoint {
    return this.socket.localTowards(this.remote.address);
  }

  get isOpen(): boolean {
    return this.socket.isOpen;
  }

  send(text: string, onError: (error: Error) => void): void {
    this.socket.send(text, this.remote, onError);
  }

  /** There is nothing to close: the socket belongs to all flows over it. */
  close(): void {
    return;
  }
}

function sendError(remote: Endpoint, thrown: unknown): Error {
  return transportError(`Cannot send to ${hostPort(remote.address, remote.port)} over udp: ${sayFault(thrown)}.`, thrown);
}
