/**
 * All flows of this process: what listens, and the way to the one for a target, opened when there is none.
 *
 * Connections are shared: one for each transport, host, port and WebSocket handshake, however many accounts use it, and callers that
 * want it at the same time wait for the same attempt. A connection that goes down is forgotten at once, so the next `to` opens
 * anew. A target may have several servers: the first that takes a connection gets it, and one that failed is passed over for a while
 * (locating/). Nothing here tries again by itself: when to come back is the registrar's decision.
 */

import { isIP, isIPv6 } from 'node:net';
import type { Clock } from '../../base/clock.js';
import { second } from '../../base/units.js';
import { Locator } from '../locating/locator.js';
import { type NameService, SystemNames } from '../locating/name-service.js';
import type { Place } from '../locating/steps.js';
import type { SipTarget, SipTransport } from '../types.js';
import { addressToBind, bound } from './binding.js';
import { type Attempt, connectStream, openWebSocket, orAborted, withinTime } from './connecting.js';
import type { ConnectionContext, ConnectionFlow } from './connection-flow.js';
import { Connections, isSamePlace, placeOf, targetKey } from './connections.js';
import type { Endpoint, Flow, FlowEvents, Flows } from './flow.js';
import { Listener } from './listener.js';
import { LocalAddresses } from './local-address.js';
import { mostUnheld, OpenedConnections } from './opened-connections.js';
import { StreamFlow } from './stream-flow.js';
import { reportTo } from './telling.js';
import { looksOf, TlsFilesWatch } from './tls-files-watch.js';
import { readTlsIdentity, type TlsFiles, type TlsIdentity } from './tls-identity.js';
import { sayPlace, transportError, unreachable } from './transport-fault.js';
import { UdpSocket } from './udp-socket.js';
import { WebSocketFlow } from './web-socket-flow.js';

export interface FlowTableSettings {
  /** `host`: a name or an address, `0.0.0.0` and `::` for all. Port 0: any free one. Without `tlsPort` nothing listens for TLS. */
  readonly listen: { readonly host: string; readonly udpPort: number; readonly tcpPort: number; readonly tlsPort?: number };
  readonly tls: TlsFiles;
  /** For name lookup, TCP, TLS and WebSocket handshake together, milliseconds. Default 10 s. */
  readonly connectTimeoutMs?: number;
  /**
   * The longest rest between pings on connections that we opened, and between questions to registrars over UDP, milliseconds.
   * Default 20 s; 0: none.
   */
  readonly keepAliveMs?: number;
  /** Connections taken, for each of TCP and TLS. Default 1,000. */
  readonly maxConnections?: number;
  /** And of one address. Default 100. */
  readonly maxConnectionsPerAddress?: number;
  /** Connections that we opened and no account is reached over. Default 1,000. */
  readonly maxUnheldConnections?: number;
}

/** With 10 s for the answer a dead peer is found within 30 s, milliseconds. */
export const keepAliveMs = 20 * second;

export class FlowTable implements Flows {
  readonly #locator: Locator;
  readonly #watch: TlsFilesWatch;
  readonly #listeners: Listener[] = [];
  readonly #connections = new Connections();
  readonly #opened: OpenedConnections;
  readonly #opening = new Map<string, Promise<Flow>>();
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;

  private constructor(
    private readonly settings: FlowTableSettings,
    private readonly events: FlowEvents,
    private readonly clock: Clock,
    private identity: TlsIdentity,
    looks: string,
    private readonly udp: UdpSocket,
    names: NameService,
  ) {
    this.#opened = new OpenedConnections(settings.maxUnheldConnections ?? mostUnheld);
    this.#locator = new Locator(clock, names, Math.random, (place) => this.#objection(place));
    this.#watch = new TlsFilesWatch(clock, settings.tls, looks, {
      onChanged: (next) => {
        this.identity = next;
        for (const listener of this.#listeners) listener.useIdentity(next);
      },
      onUnusable: (error) => {
        reportTo(events, transportError(`${error.message} What was read before goes on being used.`, error));
      },
    });
  }

  /**
   * Binds the sockets; what was bound is released again when one cannot be.
   * @param names who is asked for names; the system's resolver unless a spec says otherwise
   * @throws ExtensionError SIP_TRANSPORT: which address and port, what is wrong, what to do; or which TLS file cannot be read
   */
  static async open(
    settings: FlowTableSettings,
    events: FlowEvents,
    clock: Clock,
    names: NameService = new SystemNames(),
  ): Promise<FlowTable> {
    // First, so that no change of a file falls between looking and reading.
    const looks = await looksOf(settings.tls);
    const identity = await readTlsIdentity(settings.tls);
    const { host, udpPort, tcpPort, tlsPort } = settings.listen;
    if (tlsPort !== undefined && (identity.cert === undefined || identity.key === undefined)) {
      throw transportError('Listening for TLS needs a certificate: set modules.sip.listen.tls.cert and key, or leave tls-port out.');
    }
    const address = await bound('udp', host, udpPort, async () =>
      isIP(host) === 0 ? addressToBind((await names.addresses(host)).addresses) : host,
    );
    const udp = await bound('udp', host, udpPort, () => UdpSocket.bind(address, udpPort, events, new LocalAddresses(clock)));
    const table = new FlowTable(settings, events, clock, identity, looks, udp, names);
    try {
      await table.#listen('tcp', address, tcpPort);
      if (tlsPort !== undefined) await table.#listen('tls', address, tlsPort);
    } catch (thrown) {
      await table.close();
      throw thrown;
    }
    return table;
  }

  /** `udp:127.0.0.1:5060`, then tcp and tls. */
  get listening(): readonly string[] {
    return [sayPlace('udp', this.udp.local), ...this.#listeners.map(({ transport, local }) => sayPlace(transport, local))];
  }

  get localPorts(): { readonly udp: number; readonly tcp: number; readonly tls?: number } {
    const port = (wanted: SipTransport): number | undefined => this.#listeners.find(({ transport }) => transport === wanted)?.local.port;
    const tls = port('tls');
    return { udp: this.udp.local.port, tcp: port('tcp') ?? 0, ...(tls === undefined ? {} : { tls }) };
  }

  /**
   * The flow to a target, opened when there is none.
   * @throws ExtensionError SIP_TRANSPORT: host, port, transport and what was wrong
   */
  to(target: SipTarget): Promise<Flow> {
    const existing = this.existing(target);
    if (existing !== undefined) return Promise.resolve(existing);
    if (this.#closed !== undefined) return Promise.reject(unreachable(target, transportError('the SIP stack is closed')));
    const key = targetKey(target);
    let opening = this.#opening.get(key);
    if (opening === undefined) {
      opening = this.#open(target, key).finally(() => this.#opening.delete(key));
      this.#opening.set(key, opening);
    }
    return opening;
  }

  /**
   * The way to an address: over a connection that ends there, taken or opened, or a new one. WebSocket peers can only be reached over
   * the connection that is there.
   * @throws ExtensionError SIP_TRANSPORT
   */
  toEndpoint(transport: SipTransport, endpoint: Endpoint): Promise<Flow> {
    const existing = this.#connections.atEndpoint(transport, endpoint);
    if (existing !== undefined) return Promise.resolve(existing);
    const target = { transport, host: endpoint.address, port: endpoint.port };
    if (transport === 'ws' || transport === 'wss') {
      return Promise.reject(unreachable(target, transportError('its connection is gone, and a WebSocket peer cannot be called back')));
    }
    return this.to(target);
  }

  /** The flow when it is there: the connection is open, or it is UDP and the address known. No promise on the hot path. */
  existing(target: SipTarget): Flow | undefined {
    if (target.transport !== 'udp' || target.isTransportOpen === true) {
      const connection = this.#connections.ofTarget(targetKey(target));
      if (connection !== undefined) return this.#isLeft(connection, target) ? undefined : connection;
    }
    const place = this.#closed === undefined ? this.#locator.chosen(target) : undefined;
    return place?.transport === 'udp' ? this.udp.flow(place.address, place.port) : undefined;
  }

  transportOf(target: SipTarget): SipTransport {
    return target.isTransportOpen === true ? this.#locator.transportOf(target) : target.transport;
  }

  hold(flow: Flow, more: 1 | -1): void {
    this.#opened.hold(flow, more);
  }

  passOver(flow: Flow, leastMs?: number): void {
    this.#locator.failed(placeOf(flow), leastMs);
  }

  /** Says goodbye on every connection, gives up attempts, closes the sockets. Idempotent; never rejects. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort(transportError('the SIP stack is being closed'));
    this.#locator.close();
    this.#watch.close();
    const listeners = this.#listeners.map((listener) => listener.close());
    const flows = [...this.#connections.all];
    for (const flow of flows) flow.close();
    await Promise.allSettled(this.#opening.values());
    await Promise.all(flows.map((flow) => flow.closed));
    await Promise.all(listeners);
    await this.udp.close();
  }

  async #listen(transport: 'tcp' | 'tls', address: string, port: number): Promise<void> {
    const { clock, identity } = this;
    const listener = await bound(transport, address, port, () =>
      Listener.open({
        transport,
        address,
        port,
        identity,
        maxConnections: this.settings.maxConnections ?? 1_000,
        maxConnectionsPerAddress: this.settings.maxConnectionsPerAddress ?? 100,
        clock,
        // Keeping a connection alive is for the side that opened it (RFC 5626 4.4).
        context: this.#context(0),
        onFlow: this.#add,
      }),
    );
    this.#listeners.push(listener);
  }

  async #open(target: SipTarget, key: string): Promise<Flow> {
    const { clock } = this;
    const timeoutMs = this.settings.connectTimeoutMs ?? 10 * second;
    try {
      return await withinTime(clock, timeoutMs, this.#closing.signal, async (signal) => {
        const places = await orAborted(signal, this.#locator.candidates(target));
        // A server that swallows everything may not take the time of the others.
        return await this.#openFirst(target, key, places, timeoutMs / places.length, signal);
      });
    } catch (thrown) {
      throw unreachable(target, thrown);
    }
  }

  /** RFC 3263 4.3: the first server that can be reached. */
  async #openFirst(target: SipTarget, key: string, places: readonly Place[], shareMs: number, signal: AbortSignal): Promise<Flow> {
    let fault: unknown = transportError('the name has no address');
    for (const [index, place] of places.entries()) {
      signal.throwIfAborted();
      const open = (until: AbortSignal): Promise<Flow> => this.#openTo({ target, place, tls: this.identity, signal: until }, key);
      try {
        return await (index === places.length - 1 ? open(signal) : withinTime(this.clock, shareMs, signal, open));
      } catch (thrown) {
        fault = thrown;
        this.#locator.failed(place);
      }
    }
    throw fault;
  }

  async #openTo(attempt: Attempt, key: string): Promise<Flow> {
    const { place } = attempt;
    if (place.transport === 'udp') return this.udp.flow(place.address, place.port);
    const connection = this.#connections.ofTargetAt(key, place) ?? (await this.#connect(attempt, key));
    this.#connections.serve(key, connection);
    return connection;
  }

  async #connect(attempt: Attempt, key: string): Promise<ConnectionFlow> {
    const { place, signal } = attempt;
    const socket = await connectStream(attempt);
    const context = this.#context(this.settings.keepAliveMs ?? keepAliveMs);
    const keep = <T extends ConnectionFlow>(flow: T): T => {
      this.#add(flow);
      this.#opened.add(flow);
      this.#connections.serveAt(key, place, flow);
      return flow;
    };
    try {
      const { transport } = place;
      if (transport === 'ws' || transport === 'wss') {
        return await openWebSocket(attempt, socket, (webSocket) => keep(new WebSocketFlow(transport, webSocket, socket, context)));
      }
      signal.throwIfAborted();
      if (socket.destroyed) throw transportError('the peer closed the connection at once');
      return keep(new StreamFlow(transport === 'tls' ? 'tls' : 'tcp', socket, context));
    } catch (thrown) {
      socket.destroy();
      throw thrown;
    }
  }

  #context(keepAliveMs: number): ConnectionContext {
    return { events: this.events, clock: this.clock, keepAliveMs, onDown: this.#forget };
  }

  #objection({ transport, address }: Place): string | undefined {
    if (transport !== 'udp' || this.udp.canReach(address)) return undefined;
    const family = isIPv6(address) ? 'IPv6' : 'IPv4';
    return `it has ${family} addresses only, and ${sayPlace('udp', this.udp.local)} cannot send there: set modules.sip.listen.host to "::" for both`;
  }

  /** Its server failed, and the target has another. */
  #isLeft(connection: ConnectionFlow, target: SipTarget): boolean {
    const place = placeOf(connection);
    if (!this.#locator.isPassedOver(place)) return false;
    const chosen = this.#locator.chosen(target);
    return chosen === undefined || !isSamePlace(chosen, place);
  }

  readonly #add = (flow: ConnectionFlow): void => {
    if (this.#closed !== undefined) {
      flow.close();
      return;
    }
    this.#connections.add(flow);
  };

  readonly #forget = (flow: ConnectionFlow): void => {
    this.#connections.forget(flow);
    this.#opened.forget(flow);
  };
}
