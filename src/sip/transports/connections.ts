/**
 * The connections that there are, taken and opened, and what each is found by: the target that it was opened for, the place where that
 * target's server is, the endpoint at its other end.
 */
import type { Place } from '../locating/steps.js';
import type { SipTarget, SipTransport } from '../types.js';
import type { ConnectionFlow } from './connection-flow.js';
import type { Endpoint, Flow } from './flow.js';

export class Connections {
  readonly #all = new Set<ConnectionFlow>();
  readonly #byTarget = new Map<string, ConnectionFlow>();
  /** The same and those to a target's other servers, by target and place. */
  readonly #byPlace = new Map<string, ConnectionFlow>();
  readonly #byEndpoint = new Map<string, ConnectionFlow>();

  /** Those that are closing among them. */
  get all(): Iterable<ConnectionFlow> {
    return this.#all;
  }

  /** @param key of `targetKey` */
  ofTarget(key: string): ConnectionFlow | undefined {
    return this.#byTarget.get(key);
  }

  ofTargetAt(key: string, place: Place): ConnectionFlow | undefined {
    return this.#byPlace.get(placeKey(key, place));
  }

  atEndpoint(transport: SipTransport, endpoint: Endpoint): ConnectionFlow | undefined {
    return this.#byEndpoint.get(endpointKey(transport, endpoint));
  }

  add(flow: ConnectionFlow): void {
    this.#all.add(flow);
    this.#byEndpoint.set(endpointKey(flow.transport, flow.remote), flow);
  }

  /** From now on that target is reached over it. */
  serve(key: string, flow: ConnectionFlow): void {
    this.#byTarget.set(key, flow);
  }

  serveAt(key: string, place: Place, flow: ConnectionFlow): void {
    this.#byPlace.set(placeKey(key, place), flow);
  }

  /** It went down: found no more, and gone once it is closed. */
  forget(flow: ConnectionFlow): void {
    const key = endpointKey(flow.transport, flow.remote);
    if (this.#byEndpoint.get(key) === flow) this.#byEndpoint.delete(key);
    for (const [target, other] of this.#byTarget) if (other === flow) this.#byTarget.delete(target);
    for (const [place, other] of this.#byPlace) if (other === flow) this.#byPlace.delete(place);
    void flow.closed.then(() => this.#all.delete(flow));
  }
}

/** The same for all accounts that may share a connection. */
export function targetKey({ transport, host, port, isTransportOpen, webSocket }: SipTarget): string {
  const key = `${isTransportOpen === true ? 'any' : transport} ${host.toLowerCase()} ${port}`;
  if (webSocket === undefined) return key;
  return `${key} ${webSocket.method} ${webSocket.host ?? ''} ${webSocket.location}`;
}

export function placeOf({ transport, remote }: Flow): Place {
  return { transport, address: remote.address, port: remote.port };
}

export function isSamePlace(one: Place, other: Place): boolean {
  return one.transport === other.transport && one.address === other.address && one.port === other.port;
}

function placeKey(target: string, { transport, address, port }: Place): string {
  return `${target} at ${transport} ${address} ${port}`;
}

function endpointKey(transport: SipTransport, endpoint: Endpoint): string {
  return `${transport} ${endpoint.address} ${endpoint.port}`;
}
