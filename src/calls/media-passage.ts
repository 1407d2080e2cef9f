/**
 * The way of every offer and answer of a call, from either side, in the first INVITE or in a dialog: through the WebRTC profile. What
 * it lacks ends or refuses whatever it came for; with `webrtc.enforce` off it goes through as it is, and the log says what it lacks.
 */
import type { SessionDescription } from '../host/contract.js';
import { adviseSettings, cautionTable, sayLacks } from '../sdp/preflight.js';
import { applyProfile, type Lack } from '../sdp/profile.js';
import type { ReasonValue } from '../sip/types.js';
import type { CallLog, MediaSettings } from './ports.js';
import type { Termination } from './termination.js';

/** Who made the description. */
export type Origin = 'host' | 'sip';

export interface Unfit {
  /** For the host, whose call this ends. */
  readonly ending: Termination;
  /** For the SIP side: of the 488, or of the BYE. */
  readonly reason: ReasonValue;
}

/** The description as it is to be handed on, or why it is not. */
export type Passage = { readonly description: SessionDescription } | { readonly unfit: Unfit };

/** RFC 3261 section 21.4.26. */
export const notAcceptable = { status: 488, phrase: 'Not Acceptable Here' } as const;

/**
 * @param isWhole false: candidates are still to come, so nothing is said of those that are there
 * @param meta which call it is, for the log
 */
export function passDescription(
  description: SessionDescription,
  origin: Origin,
  settings: MediaSettings,
  log: Pick<CallLog, 'warn'>,
  meta: Record<string, unknown>,
  isWhole = true,
): Passage {
  const { type } = description;
  const verdict = applyProfile(description.sdp, settings);
  const owner = origin === 'host' ? 'The messenger' : 'The other side';
  if (verdict.lacks.length === 0) {
    for (const caution of isWhole ? verdict.cautions : []) log.warn(`${owner}'s ${type}: ${cautionTable[caution].sentence}`, meta);
    return { description: settings.enforce ? { type, sdp: verdict.sdp } : description };
  }
  const lacking = `${owner}'s ${type} lacks ${sayLacks(verdict.lacks, settings)}`;
  if (settings.enforce) return { unfit: unfit(lacking, origin, verdict.lacks) };
  if (isWhole) log.warn(`${lacking}; it goes through as it is, since webrtc.enforce is off.`, meta);
  return { description };
}

function unfit(lacking: string, origin: Origin, lacks: readonly Lack[]): Unfit {
  const message = `${lacking}. ${origin === 'host' ? clientAdvice : `${adviseSettings(lacks)}.`}`;
  return {
    ending: { reason: 'media', class: origin === 'host' ? 'server' : 'upstream', message },
    reason: { protocol: 'SIP', cause: notAcceptable.status, text: message },
  };
}

const clientAdvice = 'Its client has to use WebRTC with rtcpMuxPolicy "require" and one of these codecs.';
