/** How long a registration sleeps: pure arithmetic, milliseconds everywhere. `random` is a number in [0, 1). */
import { backoffMs, flowLossBackoff, registrationBackoff } from '../base/backoff.js';
import { hour, minute, second } from '../base/units.js';

/** A refresh has to be through, with one timeout of 64*T1 (32 s, RFC 3261 section 17.1.2.2) on the way, before the binding ends. */
const leastMarginMs = 32 * second;

/** A registrar that asks for more is asked again after this all the same: it may have recovered. */
const longestRetryAfterMs = 30 * minute;

/**
 * The wait from a 2xx to the refresh: min(interval, granted - max(10 %, 32 s + jitter)). When that margin would be more than half of what
 * was granted, up to half of it, jittered to the early side.
 * @param grantedMs how long the registrar keeps the binding, above 0
 */
export function refreshWaitMs(grantedMs: number, intervalMs: number, random: number): number {
  const tenth = grantedMs / 10;
  const longMs = grantedMs - Math.max(tenth, leastMarginMs + random * tenth);
  const half = grantedMs / 2;
  return Math.min(intervalMs, longMs >= half ? longMs : half - random * tenth);
}

/** The wait after a failure. @param failures that went before it since the last success */
export function retryWaitMs(failures: number, isAfterFlowLoss: boolean, random: number): number {
  return backoffMs(isAfterFlowLoss ? flowLossBackoff : registrationBackoff, failures, random);
}

/**
 * The wait after a refusal with Retry-After (RFC 3261 section 20.33): never shorter than asked, up to the cap, and up to a tenth longer. A
 * registrar that keeps saying "at once" is backed off from.
 */
export function retryAfterWaitMs(retryAfterMs: number, failures: number, random: number): number {
  const askedMs = Math.min(retryAfterMs, longestRetryAfterMs);
  return Math.max(askedMs + (random * askedMs) / 10, backoffMs(flowLossBackoff, failures, random));
}

/** The wait before a connection that worked is opened again. */
export function reconnectWaitMs(random: number): number {
  return backoffMs(flowLossBackoff, 0, random);
}

/** The wait of a parked registration: an hour, give or take a tenth. */
export function probeWaitMs(random: number): number {
  return hour * (0.9 + random / 5);
}
