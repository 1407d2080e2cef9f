/**
 * How much of what strangers send is looked at at all: some a second of each address, and some of all together, as addresses of
 * datagrams can be forged. Who turns out to be the far end of a call gets its token back, so calls are not limited by this.
 */
import type { Clock } from '../../base/clock.js';
import { TokenBucket, type Rate } from './token-bucket.js';

export interface StrangerRates {
  readonly each: Rate;
  readonly all: Rate;
  /** Addresses that are remembered; the one that was silent longest is forgotten. */
  readonly mostAddresses: number;
}

export const strangerRates: StrangerRates = {
  each: { perSecond: 20, burst: 40 },
  all: { perSecond: 2_000, burst: 4_000 },
  mostAddresses: 4_096,
};

export class StrangerLimit {
  readonly #all: TokenBucket;
  /** The one that was heard last stands last. */
  readonly #each = new Map<string, TokenBucket>();

  constructor(
    private readonly clock: Clock,
    private readonly rates: StrangerRates = strangerRates,
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
