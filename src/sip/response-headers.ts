/** Small header values that outcomes are made of. */
import { randomInt } from 'node:crypto';
import type { IncomingMessage, IncomingResponseMessage } from 'sip.js/lib/core/index.js';
import { second } from '../base/units.js';
import { quoteDisplayName } from './parser/uri.js';
import type { ReasonValue } from './types.js';

/** RFC 3261 25.1 delta-seconds: at most 2^32-1; undefined for anything else. */
export function readDeltaSeconds(text: string | undefined): number | undefined {
  if (text === undefined || !/^\s*\d{1,10}\s*$/.test(text)) return undefined;
  return Math.min(Number(text), 2 ** 32 - 1);
}

/** RFC 3261 20.33: `Retry-After: 120 (in a meeting);duration=60`, milliseconds. */
export function retryAfterMs(response: IncomingResponseMessage): number | undefined {
  const seconds = readDeltaSeconds(/^\s*(\d{1,10})/.exec(response.getHeader('retry-after') ?? '')?.[1]);
  return seconds === undefined ? undefined : seconds * second;
}

/** RFC 3326 2: one of each protocol; there are SIP, Q.850 and what nobody knows. */
const mostReasons = 4;

/** RFC 3326: what SIP says, `SIP;cause=200;text="Call completed elsewhere"`, with what a telephone network says beside it; else either of them, or the first. */
export function reasonOf(message: IncomingMessage): ReasonValue | undefined {
  const lines = Math.min(message.getHeaders('reason').length, mostReasons);
  const reasons = Array.from({ length: lines }, (_, line) => (message.parseHeader('reason', line) ?? []) as ReasonValue[]).flat();
  const of = (wanted: string): ReasonValue | undefined => reasons.find(({ protocol }) => protocol.toUpperCase() === wanted);
  const sip = of('SIP');
  const network = of('Q.850');
  return sip !== undefined && network !== undefined ? { ...sip, beside: network } : (sip ?? network ?? reasons[0]);
}

/** RFC 3261 14.2, 20.43: says why an offer in a dialog is refused. */
export const sessionStays = 'Warning: 399 dialog-sip "The session stays as it was agreed"';

/** RFC 3261 14.2, RFC 3311 5.2: 0 to 10 seconds by chance, for an offer that came while another was under way. */
export function retrySoon(): string {
  return `Retry-After: ${String(randomInt(0, 11))}`;
}

/** `SIP;cause=200;text="Call completed elsewhere"` */
export function writeReason(reason: ReasonValue): string {
  const protocol = reason.protocol.replace(/[^A-Za-z0-9.]/g, '');
  const cause = reason.cause === undefined ? '' : `;cause=${String(Math.trunc(reason.cause))}`;
  return `${protocol}${cause}${reason.text === undefined ? '' : `;text=${quoteDisplayName(reason.text)}`}`;
}

/** RFC 3262 3, 4: provisional responses to this request are reliable, or this response is one. */
export function requires100rel(message: IncomingMessage): boolean {
  return requiredExtensions(message).some((tag) => tag.toLowerCase() === '100rel');
}

/** The extensions that the receiver of a message has to understand (RFC 3261 8.2.2.3). */
export function requiredExtensions(message: IncomingMessage): string[] {
  return message
    .getHeaders('require')
    .flatMap((header) => header.split(','))
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
}
