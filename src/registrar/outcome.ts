/** Which event of the table the answer to a REGISTER is. Pure. */
import type { RegisterOutcome } from '../sip/types.js';
import type { RegistrationEvent } from './transitions.js';

/** What has been repeated at once since the last wait: there is an end to it, whatever the registrar says. */
export interface Repeats {
  /** 423s that were answered with another REGISTER. */
  readonly briefRepeats: number;
  /** A corrected Contact was registered. */
  readonly isCorrected: boolean;
}

const mostBriefRepeats = 2;

/** A Min-Expires above a week is a registrar's mistake: it is not asked for. */
const longestExpiresS = 7 * 24 * 3600;

/** RFC 3261 sections 21.4.4 and 21.4.5: the request must not be repeated as it is. */
const lasting: ReadonlySet<number> = new Set([403, 404]);

/** @param askedS the expiry that the REGISTER asked for, seconds, above 0 */
export function eventOf(outcome: RegisterOutcome, askedS: number, repeats: Repeats): RegistrationEvent {
  switch (outcome.kind) {
    case 'registered':
      if (outcome.expiresS <= 0) return 'refused';
      return outcome.contactChanged && !repeats.isCorrected ? 'corrected' : 'accepted';
    case 'unreachable':
      return 'unanswered';
    case 'refused':
      if (outcome.wrongPassword || lasting.has(outcome.status)) return 'denied';
      return leastExpiryS(outcome, askedS) !== undefined && repeats.briefRepeats < mostBriefRepeats ? 'too brief' : 'refused';
  }
}

/** The Min-Expires of a 423, seconds, when we can ask for it and did not; RFC 3261 section 10.3. */
export function leastExpiryS(outcome: RegisterOutcome, askedS: number): number | undefined {
  if (outcome.kind !== 'refused' || outcome.status !== 423) return undefined;
  const { minExpiresS = 0 } = outcome;
  return minExpiresS > askedS && minExpiresS <= longestExpiresS ? minExpiresS : undefined;
}
