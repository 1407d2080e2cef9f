/** How long a registration sleeps: pure arithmetic, milliseconds everywhere. `random` is a number in [0, 1). */
import { backoffMs, flowLossBackoff, registrationBackoff } from '../base/backoff.js';
import { hour, minute, second } from '../base/units.js';

/** A refresh has to be through, with one timeout of 64*T1 (32 s, RFC 3261 section 17.1.2.2) on the way, before the binding ends. */
const leastMarginMs = 32 * second;

/** A registrar that asks for more is asked again after this all the same: it may have recovered. */
const longestRetryAfterMs = 30 * minute;

/** From a 2xx on, milliseconds; the sooner end is left out, the later one is not. */
export interface RefreshWindow {
  readonly earliestMs: number;
  readonly latestMs: number;
}

/**
 * When the refresh may come: at the latest after min(interval, granted - max(10 %, 32 s)), or half of what was granted where that margin
 * would be more than half of it. A tenth of that sooner as it likes; the first one after a start, a restart or a change up to four
 * fifths sooner: those that were registered together are not refreshed together.
 * @param grantedMs how long the registrar keeps the binding, above 0
 */
export function refreshWindow(grantedMs: number, intervalMs: number, isFirst: boolean): RefreshWindow {
  const withMarginMs = grantedMs - Math.max(grantedMs / 10, leastMarginMs);
  const latestMs = Math.min(intervalMs, Math.max(withMarginMs, grantedMs / 2));
  return { earliestMs: latestMs * (isFirst ? 0.2 : 0.9), latestMs };
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
