/** A name service in memory: what is asked, and what it says. */
import type { Addresses, NameService, NaptrRecord, SrvRecord } from '../../../src/sip/locating/name-service.js';

export class FakeNames implements NameService {
  readonly asked: string[] = [];
  /** `A host` -> addresses, `SRV name` and `NAPTR domain` -> records, or an error's code. */
  readonly says = new Map<string, unknown>();
  ttlMs: number | undefined;

  addresses(host: string): Promise<Addresses> {
    return this.#ask<string[]>(`A ${host}`).then((found) => ({
      addresses: found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      ...(this.ttlMs === undefined ? {} : { ttlMs: this.ttlMs }),
    }));
  }

  srv(name: string): Promise<SrvRecord[]> {
    return this.#ask(`SRV ${name}`);
  }

  naptr(domain: string): Promise<NaptrRecord[]> {
    return this.#ask(`NAPTR ${domain}`);
  }

  close(): void {
    this.asked.push('close');
  }

  #ask<T>(what: string): Promise<T> {
    this.asked.push(what);
    const said = this.says.get(what) ?? 'ENOTFOUND';
    if (typeof said === 'string') return Promise.reject(Object.assign(new Error(said), { code: said }));
    return Promise.resolve(said as T);
  }
}

export function srvRecord(name: string, port: number, priority = 1, weight = 0): SrvRecord {
  return { name, port, priority, weight };
}

export function naptrRecord(service: string, replacement: string, order = 1, preference = 1): NaptrRecord {
  return { flags: 's', service, regexp: '', replacement, order, preference };
}
