/** What both sides of a call agree of its session timer: RFC 4028 7, 9. Headers in, headers out; nothing here keeps time. */
import type { IncomingMessage, IncomingRequestMessage } from 'sip.js/lib/core/index.js';

/** The least session interval there is, seconds (RFC 4028 5). */
export const leastIntervalS = 90;
/** Longer than any timer of Node.js lasts, seconds. */
const mostIntervalS = 2_000_000;

/** What our side asks for. */
export interface SessionWish {
  /** The session interval, seconds; 0: none is asked for. */
  readonly expiresS: number;
  /** The least that somebody on the way takes, as a 422 said, seconds. */
  readonly minSeS: number;
}

export interface SessionTerms {
  /** The session is over when nobody has refreshed it for so long, seconds. */
  readonly intervalS: number;
  readonly refresher: 'us' | 'them';
  /** The far end, or a proxy on the way, keeps the time too; false: it knows nothing of session timers, and we alone look after it. */
  readonly isAgreed: boolean;
}

interface SessionExpires {
  readonly deltaSeconds: number;
  readonly refresher?: string;
}

/** Whole lines of an INVITE or UPDATE of ours (RFC 4028 7.1, 7.4). @param current what holds in the call, if it is up */
export function sessionRequestLines(wish: SessionWish, current?: SessionTerms): string[] {
  const intervalS = current?.intervalS ?? wish.expiresS;
  if (intervalS === 0) return ['Supported: timer'];
  const refresher = current === undefined ? '' : `;refresher=${current.refresher === 'us' ? 'uac' : 'uas'}`;
  const lines = ['Supported: timer', `Session-Expires: ${String(Math.max(intervalS, wish.minSeS))}${refresher}`];
  if (wish.minSeS > leastIntervalS) lines.push(`Min-SE: ${String(wish.minSeS)}`);
  return lines;
}

/** What the 2xx to a request of ours makes of it (RFC 4028 7.2). */
export function termsOfResponse(response: IncomingMessage, wish: SessionWish): SessionTerms | undefined {
  const header = sessionExpiresOf(response);
  if (header !== undefined) {
    return { intervalS: bounded(header.deltaSeconds), refresher: header.refresher === 'uas' ? 'them' : 'us', isAgreed: true };
  }
  // Nobody answers for the far end: it is asked by us whether it still is there.
  return wish.expiresS === 0 ? undefined : { intervalS: bounded(Math.max(wish.expiresS, wish.minSeS)), refresher: 'us', isAgreed: false };
}

/** What we make of a request of the far end, and the whole lines of our 2xx (RFC 4028 9). */
export function answerSession(
  request: IncomingRequestMessage,
  wish: SessionWish,
  current?: SessionTerms,
): { readonly terms: SessionTerms | undefined; readonly lines: readonly string[] } {
  const asked = sessionExpiresOf(request);
  const isSupported = supportsTimer(request);
  const intervalS = intervalFor(asked?.deltaSeconds, wish.expiresS, Math.max(wish.minSeS, minSeOf(request) ?? 0));
  if (intervalS === 0) return { terms: undefined, lines: [] };
  const chosen = asked?.refresher === undefined ? (current?.refresher ?? 'them') : asked.refresher === 'uas' ? 'us' : 'them';
  // RFC 4028 9, table 2: who does not know of it cannot refresh.
  const refresher = isSupported ? chosen : 'us';
  const line = `Session-Expires: ${String(intervalS)};refresher=${refresher === 'us' ? 'uas' : 'uac'}`;
  return {
    terms: { intervalS, refresher, isAgreed: isSupported || asked !== undefined },
    lines: refresher === 'us' ? [line] : ['Require: timer', line],
  };
}

/** RFC 4028 9: a session interval below the least is refused 422; one that a proxy put in, of whom a 422 would mean nothing to the caller, is not. */
export function isIntervalTooSmall(request: IncomingRequestMessage): boolean {
  const asked = sessionExpiresOf(request);
  return asked !== undefined && asked.deltaSeconds < leastIntervalS && supportsTimer(request);
}

/** Min-SE, seconds (RFC 4028 5). */
export function minSeOf(message: IncomingMessage): number | undefined {
  if (!message.hasHeader('min-se')) return undefined;
  const seconds = message.parseHeader('min-se') as number | undefined;
  return seconds === undefined ? undefined : Math.min(seconds, mostIntervalS);
}

/** RFC 3311 5.1: who lists UPDATE in Allow takes one; undefined when nothing is said. */
export function allowsUpdate(message: IncomingMessage): boolean | undefined {
  return message.hasHeader('allow') ? lists(message, 'allow', 'update') : undefined;
}

/** RFC 4028 9: what was asked for may be made less, but for what its Min-SE says; what was not asked for is ours to say. */
function intervalFor(askedS: number | undefined, oursS: number, minSeS: number): number {
  if (askedS === undefined) return oursS === 0 ? 0 : bounded(Math.max(oursS, minSeS));
  return bounded(oursS === 0 ? askedS : Math.min(askedS, Math.max(oursS, minSeS)));
}

function bounded(intervalS: number): number {
  return Math.min(Math.max(intervalS, leastIntervalS), mostIntervalS);
}

function supportsTimer(message: IncomingMessage): boolean {
  return lists(message, 'supported', 'timer') || lists(message, 'require', 'timer');
}

function lists(message: IncomingMessage, header: string, token: string): boolean {
  return message.getHeaders(header).some((value) => value.toLowerCase().split(',').some((item) => item.trim() === token));
}

function sessionExpiresOf(message: IncomingMessage): SessionExpires | undefined {
  if (!message.hasHeader('session-expires')) return undefined;
  const header = message.parseHeader('session-expires') as SessionExpires | undefined;
  return header?.refresher === undefined ? header : { ...header, refresher: header.refresher.toLowerCase() };
}
