/**
 * How much of what strangers send is looked at at all: some a second of each address, and some of all together, as there may be many
 * addresses or forged ones. Who turns out to be welcome gets its token back, and so is not limited by this.
 */
import type { Clock } from './clock.js';
import { TokenBucket, type Rate } from './token-bucket.js';

export interface AddressRates {
  readonly each: Rate;
  readonly all: Rate;
  /** Addresses that are remembered; the one that was silent longest is forgotten. */
  readonly mostAddresses: number;
}

export class AddressLimit {
  readonly #all: TokenBucket;
  /** The one that was heard last stands last. */
  readonly #each = new Map<string, TokenBucket>();

  constructor(
    private readonly clock: Clock,
    private readonly rates: AddressRates,
  ) {
    this.#all = new TokenBucket(rates.all, clock.now());
  }

  /** Whether the next message of that address is to be looked at. */
  admits(address: string): boolean {
    const nowMs = this.clock.now();
    if (!this.#all.hasToken(nowMs)) return false;
    let bucket = this.#each.get(address);
    if (bucket === undefined) {
      if (this.#each.size >= this.rates.mostAddresses) this.#forgetOldest();
      bucket = new TokenBucket(this.rates.each, nowMs);
    } else {
      this.#each.delete(address);
    }
    this.#each.set(address, bucket);
    if (!bucket.hasToken(nowMs)) return false;
    bucket.take();
    this.#all.take();
    return true;
  }

  /** What was admitted was worth it. */
  giveBack(address: string): void {
    this.#each.get(address)?.giveBack();
    this.#all.giveBack();
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#each.size;
  }

  #forgetOldest(): void {
    const [oldest] = this.#each.keys();
    if (oldest !== undefined) this.#each.delete(oldest);
  }
}
