/**
 * The proxy: stateless after RFC 3261 section 16.11. The branch it pushes is a hash of the branch that came in, so a
 * retransmission, the CANCEL and the ACK of a failure take the way of their INVITE without anything being remembered; and the
 * connection a request came by travels as a parameter of our own Via, so its responses find back. It does not fork: of several
 * bindings the best gets the call. A dialog with a WebSocket end is record-routed, because nobody can open a
 * connection to such a client's Contact; other dialogs go on from peer to peer.
 */
import { createHash } from 'node:crypto';
import type { DigestGate } from './digest.js';
import type { Flow, Listeners, Transport } from './listeners.js';
import type { Binding, Location } from './location.js';
import { userOf, type Answer } from './registrar.js';
import {
  formatVia,
  headerOf,
  headersOf,
  parameterOf,
  parseAddress,
  parseUri,
  parseVia,
  tagOf,
  type RequestText,
  type ResponseText,
  type SipHeader,
  type SipUri,
} from './sip-text.js';

export interface ProxyRules {
  /** The host that our AORs carry. */
  domain: string;
  host: string;
  /** 407 to an INVITE from a user of ours. */
  challengeInvites: boolean;
  /** Every dialog stays on the way through here, for those who want to watch it. */
  recordRoute: boolean;
  /** Numbers beside the users' names, and whom they ring. */
  numbers: Readonly<Record<string, string>>;
  passwordOf(user: string): string | undefined;
}

/** Where a request goes on, or what it is answered with. */
export type Onward = { flow: Flow; request: RequestText } | { answer: Answer };

export class PlaygroundProxy {
  constructor(
    private readonly rules: ProxyRules,
    private readonly location: Location,
    private readonly gate: DigestGate,
    private readonly listeners: Listeners,
  ) {}

  /** @param transaction the branch the request came with, and who minted it */
  route(request: RequestText, from: Flow, transaction: string): Onward {
    const hops = Number(headerOf(request, 'max-forwards') ?? 70);
    if (!(hops > 0)) return { answer: { status: 483, phrase: 'Too Many Hops' } };
    const challenge = this.#challenge(request, transaction);
    if (challenge !== undefined) return { answer: challenge };

    const target = this.#target(request);
    if ('answer' in target) return target;
    return { flow: target.flow, request: this.#forwarded(request, from, target, transaction, Math.min(hops, 70) - 1) };
  }

  /** Where a response goes after our Via is taken off; undefined when it is none of ours or its way back is gone. */
  routeBack(response: ResponseText): { flow: Flow; response: ResponseText } | undefined {
    const [ours, theirs] = headersOf(response, 'via').map(parseVia);
    if (ours === undefined || theirs === undefined || !this.#isOurs(ours)) return undefined;
    const at = response.headers.findIndex((header) => header.name.toLowerCase() === 'via');
    const shorter = { ...response, headers: response.headers.filter((_, index) => index !== at) };

    const connection = parameterOf(ours.parameters, 'flow');
    if (connection !== undefined) {
      const flow = this.listeners.connection(connection);
      return flow && { flow, response: shorter };
    }
    // Section 18.2.2 with RFC 3581: back to where the request came from.
    const address = parameterOf(theirs.parameters, 'received') ?? theirs.host;
    const port = Number(parameterOf(theirs.parameters, 'rport') ?? theirs.port ?? 5060);
    return { flow: this.listeners.datagramTo(address, port), response: shorter };
  }

  /** Whether a Request-URI names this server or a user of it. */
  isOurs(uri: SipUri | undefined): boolean {
    return uri !== undefined && this.#isOurs(uri);
  }

  #isOurs(place: { host: string; port: number | undefined }): boolean {
    const hosts = [this.rules.domain, this.rules.host, 'localhost'];
    return (
      hosts.includes(place.host.toLowerCase()) &&
      (place.port === undefined || Object.values(this.listeners.ports).includes(place.port))
    );
  }

  #challenge(request: RequestText, transaction: string): Answer | undefined {
    if (request.method !== 'INVITE' || !this.rules.challengeInvites) return undefined;
    if (tagOf(headerOf(request, 'to')) !== undefined) return undefined;
    const caller = userOf(headerOf(request, 'from'));
    const home = parseUri(parseAddress(headerOf(request, 'from') ?? '')?.uri ?? '');
    if (caller === undefined || !this.isOurs(home) || this.rules.passwordOf(caller) === undefined) return undefined;

    const verdict = this.gate.check({
      method: request.method,
      uri: request.uri,
      transaction,
      credentials: headersOf(request, 'proxy-authorization'),
    });
    if (verdict.accepted) return verdict.user === caller ? undefined : { status: 403, phrase: 'Forbidden' };
    const headers = this.gate.challenges(verdict.stale).map((value) => ({ name: 'Proxy-Authenticate', value }));
    return { status: 407, phrase: 'Proxy Authentication Required', headers };
  }

  #target(request: RequestText): { flow: Flow; uri: string } | { answer: Answer } {
    const uri = parseUri(request.uri);
    const notFound = { answer: { status: 404, phrase: 'Not Found' } };
    if (uri === undefined) return { answer: { status: 416, phrase: 'Unsupported URI Scheme' } };

    // In a dialog the Request-URI is a Contact: one we know by its binding, else a neighbour's own address.
    const bound = this.location.at(request.uri);
    if (bound !== undefined) return { flow: this.#flowOf(bound), uri: request.uri };
    if (!this.#isOurs(uri)) {
      const inDialog = tagOf(headerOf(request, 'to')) !== undefined;
      const isNeighbour = isLoopback(uri.host) && (parameterOf(uri.parameters, 'transport') ?? 'udp').toLowerCase() === 'udp';
      if (!inDialog || !isNeighbour) return notFound;
      return { flow: this.listeners.datagramTo(uri.host, uri.port ?? 5060), uri: request.uri };
    }

    if (uri.user === undefined) {
      if (request.method === 'OPTIONS') return { answer: { status: 200, phrase: 'OK' } };
      return notFound;
    }
    const user = Object.hasOwn(this.rules.numbers, uri.user) ? this.rules.numbers[uri.user] : uri.user;
    const [best] = this.location.of(user ?? uri.user);
    if (best !== undefined) return { flow: this.#flowOf(best), uri: best.contact };
    // Nothing was sent on, so there is nothing to cancel.
    if (request.method === 'CANCEL') return { answer: { status: 481, phrase: 'Call/Transaction Does Not Exist' } };
    if (this.rules.passwordOf(uri.user) === undefined) return notFound;
    return { answer: { status: 480, phrase: 'Temporarily Unavailable' } };
  }

  /** The connection it registered by; on UDP the Contact's own port when it is on the machine it registered from, else the source. */
  #flowOf(binding: Binding): Flow {
    const { flow } = binding;
    const uri = parseUri(binding.contact);
    if (flow.transport !== 'udp' || uri?.host !== flow.address) return flow;
    return this.listeners.datagramTo(uri.host, uri.port ?? 5060);
  }

  #forwarded(
    request: RequestText,
    from: Flow,
    target: { flow: Flow; uri: string },
    transaction: string,
    hops: number,
  ): RequestText {
    const transport = target.flow.transport;
    const branch = createHash('sha256').update(`${transaction}|${target.uri}`).digest('hex').slice(0, 24);
    const via: SipHeader = {
      name: 'Via',
      value: formatVia({
        transport: transport.toUpperCase(),
        host: this.rules.host,
        port: this.listeners.ports[transport],
        parameters: [
          ['branch', `z9hG4bK${branch}`],
          ...(from.connection === undefined ? [] : [['flow', from.connection] as [string, string]]),
        ],
      }),
    };
    const rest = request.headers.filter((header) => !this.#isSpent(header));
    const routed = this.#recordRoute(request, from.transport, transport);
    return {
      ...request,
      uri: target.uri,
      headers: [via, ...routed, ...rest, { name: 'Max-Forwards', value: String(hops) }],
    };
  }

  /** What ends here: the hop count, the credentials for our realm, the Route that named us (section 16.4). */
  #isSpent(header: SipHeader): boolean {
    const name = header.name.toLowerCase();
    if (name === 'max-forwards') return true;
    if (name === 'proxy-authorization') return header.value.includes(`realm="${this.rules.domain}"`);
    return name === 'route' && this.isOurs(parseUri(parseAddress(header.value)?.uri ?? ''));
  }

  #recordRoute(request: RequestText, from: Transport, to: Transport): SipHeader[] {
    if (request.method !== 'INVITE' || tagOf(headerOf(request, 'to')) !== undefined) return [];
    if (!this.rules.recordRoute && from !== 'ws' && to !== 'ws') return [];
    // A WebSocket client sends all it has over its one connection, so the URI speaks to the other end.
    const transport = from === 'ws' ? to : from;
    const port = this.listeners.ports[transport];
    return [{ name: 'Record-Route', value: `<sip:${this.rules.host}:${port};transport=${transport};lr>` }];
  }
}

function isLoopback(host: string): boolean {
  return /^127(?:\.\d{1,3}){3}$/.test(host) || host === '[::1]' || host === 'localhost';
}
