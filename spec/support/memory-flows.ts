/** The stack's flows over a network in memory: one host with its UDP socket and its connections. */
import { ExtensionError } from '../../src/base/errors.js';
import type { Endpoint, Flow, FlowEvents, Flows } from '../../src/sip/transports/flow.js';
import type { SipTarget } from '../../src/sip/types.js';
import { nameOf, type ConnectionEnd, type LossyNetwork } from './lossy-network.js';

const port = 5060;

export class MemoryFlows implements Flows {
  readonly localPorts = { udp: port, tcp: port };
  readonly #local: Endpoint;
  readonly #datagrams = new Map<string, Flow>();
  readonly #connections = new Map<string, MemoryConnection>();
  readonly #opening = new Map<string, Promise<Flow>>();
  /** Hosts that were looked up: like names, the first use takes a turn of the loop. */
  readonly #known = new Set<string>();
  #isClosed = false;

  constructor(
    private readonly network: LossyNetwork,
    address: string,
    private readonly events: FlowEvents,
  ) {
    this.#local = { address, port };
    network.bind(this.#local, (from, text) => {
      events.onMessage(this.#datagram(from), Buffer.from(text));
    });
    network.listen(this.#local, (end) => {
      this.#keep(end);
    });
  }

  get listening(): readonly string[] {
    return [`udp:${nameOf(this.#local)}`, `tcp:${nameOf(this.#local)}`];
  }

  existing({ transport, host, port: targetPort }: SipTarget): Flow | undefined {
    const remote = { address: host, port: targetPort };
    if (transport !== 'udp') return this.#connections.get(nameOf(remote));
    return this.#known.has(host) ? this.#datagram(remote) : undefined;
  }

  to(target: SipTarget): Promise<Flow> {
    if (this.#isClosed) return Promise.reject(new ExtensionError('SIP_TRANSPORT', 'The SIP stack is closed.'));
    const remote = { address: target.host, port: target.port };
    if (target.transport === 'udp') {
      this.#known.add(target.host);
      return Promise.resolve(this.#datagram(remote));
    }
    const existing = this.#connections.get(nameOf(remote));
    if (existing !== undefined) return Promise.resolve(existing);
    const opening = this.#opening.get(nameOf(remote)) ?? this.#connect(remote);
    this.#opening.set(nameOf(remote), opening);
    return opening;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.network.bind(this.#local, undefined);
    this.network.listen(this.#local, undefined);
    this.network.cut(this.#local.address);
    return Promise.resolve();
  }

  #connect(remote: Endpoint): Promise<Flow> {
    return new Promise((resolve, reject) => {
      this.network.connect(this.#local.address, remote, (end) => {
        this.#opening.delete(nameOf(remote));
        if (this.#isClosed) end?.close();
        if (end === undefined || this.#isClosed) reject(new ExtensionError('SIP_TRANSPORT', `Cannot reach ${nameOf(remote)} over tcp: nobody is there.`));
        else resolve(this.#keep(end));
      });
    });
  }

  #keep(end: ConnectionEnd): Flow {
    const flow = new MemoryConnection(end);
    this.#connections.set(nameOf(end.remote), flow);
    end.onText = (text) => {
      this.events.onMessage(flow, Buffer.from(text));
    };
    end.onClosed = () => {
      flow.isOpen = false;
      this.#connections.delete(nameOf(end.remote));
      this.events.onClosed(flow, 'The connection was cut');
    };
    return flow;
  }

  #datagram(remote: Endpoint): Flow {
    let flow = this.#datagrams.get(nameOf(remote));
    if (flow === undefined) {
      flow = {
        transport: 'udp',
        remote,
        local: this.#local,
        isReliable: false,
        isOpen: true,
        send: (text) => {
          this.network.sendDatagram(this.#local, remote, text);
        },
        close: () => undefined,
      };
      this.#datagrams.set(nameOf(remote), flow);
    }
    return flow;
  }
}

class MemoryConnection implements Flow {
  readonly transport = 'tcp';
  readonly isReliable = true;
  isOpen = true;

  constructor(private readonly end: ConnectionEnd) {}

  get remote(): Endpoint {
    return this.end.remote;
  }

  get local(): Endpoint {
    return this.end.local;
  }

  send(text: string, onError: (error: Error) => void): void {
    if (this.isOpen) this.end.send(text);
    else queueMicrotask(() => { onError(new ExtensionError('SIP_TRANSPORT', 'The connection is closed.')); });
  }

  close(): void {
    this.end.close();
  }
}
