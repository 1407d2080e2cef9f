/**
 * What is asked of name servers. SRV and NAPTR come from DNS. Addresses come from the system, so that its hosts file and search list
 * hold, and DNS is asked beside it how long they are good for.
 *
 * Node.js tells the TTL of addresses alone: other records are kept for a time that is set in steps.ts.
 */
import { type LookupAddress, type NaptrRecord, type SrvRecord } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';
import { second } from '../../base/units.js';

export type { NaptrRecord, SrvRecord };

export interface Address {
  readonly address: string;
  /** 4 or 6. */
  readonly family: number;
}

export interface Addresses {
  /** At least one. */
  readonly addresses: readonly Address[];
  /** How long they may be kept; absent when nobody says. */
  readonly ttlMs?: number;
}

/** Rejects with the resolver's own error, none found included (`ENOTFOUND`, `ENODATA`). */
export interface NameService {
  addresses(host: string): Promise<Addresses>;
  srv(name: string): Promise<readonly SrvRecord[]>;
  naptr(domain: string): Promise<readonly NaptrRecord[]>;
  /** Gives up what is being asked. */
  close(): void;
}

/** How long one name server is waited for, and how often it is asked, when records depend on it. */
const patience = { timeout: 2 * second, tries: 2 };
/** The same when only a TTL does. */
const impatience = { timeout: second / 2, tries: 1 };

/** DNS alone. */
export class DnsNames implements NameService {
  readonly #resolver: Resolver;

  /** @param servers `127.0.0.1:5353`; the system's when absent */
  constructor(servers?: readonly string[], limits: { timeout: number; tries: number } = patience) {
    this.#resolver = new Resolver(limits);
    if (servers !== undefined) this.#resolver.setServers(servers);
  }

  async addresses(host: string): Promise<Addresses> {
    const [v4, v6] = await Promise.allSettled([
      this.#resolver.resolve4(host, { ttl: true }),
      this.#resolver.resolve6(host, { ttl: true }),
    ]);
    const found = [
      ...(v4.status === 'fulfilled' ? v4.value.map((record) => ({ ...record, family: 4 })) : []),
      ...(v6.status === 'fulfilled' ? v6.value.map((record) => ({ ...record, family: 6 })) : []),
    ];
    if (found.length === 0 && v4.status === 'rejected') throw v4.reason;
    return {
      addresses: found.map(({ address, family }) => ({ address, family })),
      ttlMs: Math.min(...found.map(({ ttl }) => ttl)) * second,
    };
  }

  srv(name: string): Promise<SrvRecord[]> {
    return this.#resolver.resolveSrv(name);
  }

  naptr(domain: string): Promise<NaptrRecord[]> {
    return this.#resolver.resolveNaptr(domain);
  }

  close(): void {
    this.#resolver.cancel();
  }
}

/** The system's resolver, and DNS for what that cannot be asked. */
export class SystemNames implements NameService {
  readonly #dns = new DnsNames();
  readonly #ttls = new DnsNames(undefined, impatience);

  async addresses(host: string): Promise<Addresses> {
    const told = this.#ttls.addresses(host).catch(() => undefined);
    const addresses: LookupAddress[] = await lookup(host, { all: true });
    const dns = await told;
    // The hosts file may say otherwise than DNS, whose TTL is then of something else.
    const isSame = dns?.addresses.some(({ address }) => addresses.some((other) => other.address === address));
    return { addresses, ...(isSame === true ? { ttlMs: dns?.ttlMs } : {}) };
  }

  srv(name: string): Promise<readonly SrvRecord[]> {
    return this.#dns.srv(name);
  }

  naptr(domain: string): Promise<readonly NaptrRecord[]> {
    return this.#dns.naptr(domain);
  }

  close(): void {
    this.#dns.close();
    this.#ttls.close();
  }
}
