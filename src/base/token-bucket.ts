/** How much of something may happen: so many a second, and so many at once after a rest. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** A token bucket: full at first, filled again as time passes. */
export class TokenBucket {
  #tokens: number;
  #at: number;

  constructor(
    private readonly rate: Rate,
    nowMs: number,
  ) {
    this.#tokens = rate.burst;
    this.#at = nowMs;
  }

  hasToken(nowMs: number): boolean {
    this.#tokens = Math.min(this.rate.burst, this.#tokens + ((nowMs - this.#at) / 1_000) * this.rate.perSecond);
    this.#at = nowMs;
    return this.#tokens >= 1;
  }

  /** After `hasToken` said so. */
  take(): void {
    this.#tokens -= 1;
  }

  giveBack(): void {
    this.#tokens = Math.min(this.rate.burst, this.#tokens + 1);
  }
}
