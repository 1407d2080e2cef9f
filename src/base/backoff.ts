/** Capped exponential backoff with jitter, after RFC 5626 section 4.5. */
export interface BackoffLimits {
  /** The mean of the first wait, milliseconds. */
  baseMs: number;
  /** No wait is longer, milliseconds. */
  capMs: number;
}

/** RFC 5626 section 4.5: base 30 s, cap 30 min. */
export const registrationBackoff: BackoffLimits = { baseMs: 30_000, capMs: 30 * 60_000 };

/** After a connection that worked was lost: soon, but not all at once. */
export const flowLossBackoff: BackoffLimits = { baseMs: 1_000, capMs: 60_000 };

/**
 * The wait before the next try, milliseconds: a random point in the upper half of min(cap, base * 2^failures).
 * @param failures consecutive failures before this wait, 0 for the first
 * @param random a number in [0, 1)
 */
export function backoffMs(limits: BackoffLimits, failures: number, random: number): number {
  const upper = Math.min(limits.capMs, limits.baseMs * 2 ** Math.min(failures, 30));
  return Math.round(upper * (0.5 + random / 2));
}
