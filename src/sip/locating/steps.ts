/**
 * RFC 3263 section 4 for a client: from what a target says to the addresses that are to be tried, in order.
 *
 * | the target has           | asked                        | port              |
 * |--------------------------|------------------------------|-------------------|
 * | a numeric host           | nobody                       | its own, or the transport's |
 * | a port                   | A, AAAA                      | its own           |
 * | a transport, no port     | SRV, else A, AAAA            | SRV's, or the transport's |
 * | neither                  | NAPTR, else SRV of udp, tcp and tls, else A, AAAA | the same |
 */
import { isIP } from 'node:net';
import { minute, second } from '../../base/units.js';
import type { Endpoint } from '../transports/flow.js';
import { codeOf, transportError } from '../transports/transport-fault.js';
import type { SipTarget, SipTransport } from '../types.js';
import type { NameService, NaptrRecord, SrvRecord } from './name-service.js';
import type { SrvOrder } from './srv-order.js';

/** Where a server is: an address, a port, and how SIP travels there. */
export interface Place extends Endpoint {
  readonly transport: SipTransport;
}

export interface Located {
  /** In the order in which to try them; at least one. */
  readonly places: readonly Place[];
  readonly keepMs: number;
}

/** SRV and NAPTR, and that there are none: Node.js does not tell their TTL. */
const recordsKeepMs = minute;
/** Addresses that come without a TTL. */
const addressesKeepMs = 30 * second;
/** What nobody answered is soon asked again. */
export const brieflyMs = 5 * second;
/** Bounds for a TTL: 0 would ask for each message, a week would outlive a move. */
const leastTtlMs = brieflyMs;
const mostTtlMs = 60 * minute;
/** No answer makes us try more. */
const maxServices = 8;
const maxServers = 16;
const maxPlaces = 32;

const defaultPorts: Readonly<Record<SipTransport, number>> = { udp: 5060, tcp: 5060, tls: 5061, ws: 80, wss: 443 };

/** RFC 3263 4.1; the labels for WebSocket follow its rule, as RFC 7118 names none. */
const srvLabels: Readonly<Record<SipTransport, string>> = {
  udp: '_sip._udp',
  tcp: '_sip._tcp',
  tls: '_sips._tcp',
  ws: '_sip._ws',
  wss: '_sips._ws',
};

/** RFC 3263 4.1, RFC 7118 6. */
const naptrServices: ReadonlyMap<string, SipTransport> = new Map([
  ['SIP+D2U', 'udp'],
  ['SIP+D2T', 'tcp'],
  ['SIPS+D2T', 'tls'],
  ['SIP+D2W', 'ws'],
  ['SIPS+D2W', 'wss'],
]);

/** What a domain offers: where its SRV records are for one transport. */
interface Service {
  readonly transport: SipTransport;
  readonly name: string;
}

/** Rejects when there is no address at all: with the resolver's own error, or SIP_TRANSPORT. */
export async function locate(target: SipTarget, names: NameService, order: SrvOrder): Promise<Located> {
  const { host, port, transport } = target;
  const search = new Search(names, order);
  if (port !== 0 || isIP(host) !== 0) {
    await search.addresses(host, port === 0 ? defaultPorts[transport] : port, transport);
    return search.found();
  }
  const services = target.isTransportOpen === true ? await search.services(host) : [serviceOf(transport, host)];
  const answers = await Promise.all(services.map((service) => search.servers(service)));
  for (const [index, service] of services.entries()) {
    const servers = answers[index] ?? [];
    await Promise.all(servers.map((server) => search.prefetch(server.name)));
    for (const server of servers) await search.addresses(server.name, server.port, service.transport);
  }
  // RFC 3263 4.2: without SRV records the host itself is asked for.
  if (answers.every((servers) => servers?.length === 0)) {
    const first = services[0]?.transport ?? transport;
    await search.addresses(host, defaultPorts[first], first);
  }
  return search.found();
}

/** The place of a numeric host, with nobody asked. */
export function placeOf({ host, port, transport }: SipTarget): Place {
  return { transport, address: host, port: port === 0 ? defaultPorts[transport] : port };
}

function serviceOf(transport: SipTransport, domain: string): Service {
  return { transport, name: `${srvLabels[transport]}.${domain}` };
}

class Search {
  readonly #places: Place[] = [];
  readonly #hosts = new Map<string, ReturnType<NameService['addresses']>>();
  #keepMs = mostTtlMs;
  #fault: Error = transportError('the name has no address');

  constructor(
    private readonly names: NameService,
    private readonly order: SrvOrder,
  ) {}

  found(): Located {
    if (this.#places.length === 0) throw this.#fault;
    return { places: this.#places.slice(0, maxPlaces), keepMs: this.#keepMs };
  }

  /** RFC 3263 4.1: what NAPTR says, else all that a `sip:` URI may use. */
  async services(domain: string): Promise<readonly Service[]> {
    const offered = (await this.#recordsOf(this.names.naptr(domain))).filter(isOffer);
    // RFC 3403 4.1: what has a higher order is not looked at once one of a lower order fits.
    const lowest = Math.min(...offered.map(({ order }) => order));
    const chosen = offered
      .filter(({ order }) => order === lowest)
      .sort((a, b) => a.preference - b.preference)
      .slice(0, maxServices);
    const services = chosen.flatMap(({ service, replacement }) => {
      const transport = naptrServices.get(service.toUpperCase());
      return transport === undefined ? [] : [{ transport, name: replacement }];
    });
    return services.length > 0 ? services : (['udp', 'tcp', 'tls'] as const).map((transport) => serviceOf(transport, domain));
  }

  /** The servers of a service, in order: none when it has no SRV records, undefined when these say that it is not there. */
  async servers({ name, transport }: Service): Promise<readonly SrvRecord[] | undefined> {
    const records = await this.#recordsOf(this.names.srv(name));
    const servers = this.order.of(name, records).slice(0, maxServers);
    // RFC 2782: a target of "." says that the service is decidedly not there.
    const offered = servers.filter((server) => server.name !== '' && server.name !== '.');
    if (offered.length === servers.length || offered.length > 0) return offered;
    this.#fault = transportError(`its domain says that it takes no SIP over ${transport}`);
    return undefined;
  }

  /** Asks for an address that is soon wanted. */
  async prefetch(host: string): Promise<void> {
    await this.#addressesOf(host).catch(() => undefined);
  }

  async addresses(host: string, port: number, transport: SipTransport): Promise<void> {
    try {
      const { addresses, ttlMs } = await this.#addressesOf(host);
      this.#keepMs = Math.min(this.#keepMs, ttlMs === undefined ? addressesKeepMs : Math.max(ttlMs, leastTtlMs));
      for (const { address } of addresses) this.#places.push({ transport, address, port });
    } catch (thrown) {
      this.#keepMs = Math.min(this.#keepMs, brieflyMs);
      if (thrown instanceof Error) this.#fault = thrown;
    }
  }

  #addressesOf(host: string): ReturnType<NameService['addresses']> {
    let asked = this.#hosts.get(host);
    if (asked === undefined) {
      asked = isIP(host) === 0 ? this.names.addresses(host) : Promise.resolve({ addresses: [{ address: host, family: isIP(host) }], ttlMs: mostTtlMs });
      this.#hosts.set(host, asked);
    }
    return asked;
  }

  /** Whoever has no answer goes on as if there were none, and asks again soon. */
  async #recordsOf<T>(asked: Promise<readonly T[]>): Promise<readonly T[]> {
    try {
      const records = await asked;
      this.#keepMs = Math.min(this.#keepMs, recordsKeepMs);
      return records;
    } catch (thrown) {
      this.#keepMs = Math.min(this.#keepMs, saysNone(thrown) ? recordsKeepMs : brieflyMs);
      return [];
    }
  }
}

/** RFC 3263 4.1: flag `s`, a service of ours, and a replacement instead of a regular expression. */
function isOffer({ flags, service, regexp, replacement }: NaptrRecord): boolean {
  return flags.toLowerCase() === 's' && regexp === '' && replacement !== '' && naptrServices.has(service.toUpperCase());
}

/** The name server says for certain that there is nothing. */
export function saysNone(thrown: unknown): boolean {
  const code = codeOf(thrown);
  return code === 'ENOTFOUND' || code === 'ENODATA';
}
