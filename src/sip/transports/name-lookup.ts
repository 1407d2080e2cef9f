/**
 * Names to addresses through the system's resolver (hosts file included), remembered for 30 s; lookups of one name that happen
 * at once are one. An address is its own answer.
 */

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Clock } from '../../base/clock.js';
import { second } from '../../base/units.js';

export interface Address {
  readonly address: string;
  /** 4 or 6. */
  readonly family: number;
}

/** Rejects with the resolver's own error; never resolves to none. */
export type AddressLookup = (host: string) => Promise<readonly Address[]>;

export const systemLookup: AddressLookup = (host) => lookup(host, { all: true });

const keepMs = 30 * second;
const maxNames = 4_096;

export class NameLookup {
  readonly #known = new Map<string, { addresses: readonly Address[]; until: number }>();
  readonly #running = new Map<string, Promise<readonly Address[]>>();

  constructor(
    private readonly clock: Clock,
    private readonly lookup: AddressLookup,
  ) {}

  /** The addresses when no lookup is needed. */
  known(host: string): readonly Address[] | undefined {
    const entry = this.#known.get(host);
    if (entry !== undefined) {
      if (entry.until > this.clock.now()) return entry.addresses;
      this.#known.delete(host);
    }
    const family = isIP(host);
    return family === 0 ? undefined : this.#remember(host, [{ address: host, family }], Infinity);
  }

  resolve(host: string): Promise<readonly Address[]> {
    const known = this.known(host);
    if (known !== undefined) return Promise.resolve(known);
    let running = this.#running.get(host);
    if (running === undefined) {
      running = this.#ask(host);
      this.#running.set(host, running);
    }
    return running;
  }

  async #ask(host: string): Promise<readonly Address[]> {
    try {
      return this.#remember(host, await this.lookup(host), this.clock.now() + keepMs);
    } finally {
      this.#running.delete(host);
    }
  }

  #remember(host: string, addresses: readonly Address[], until: number): readonly Address[] {
    if (this.#known.size >= maxNames) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    this.#known.set(host, { addresses, until });
    return addresses;
  }
}
