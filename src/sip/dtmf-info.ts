/**
 * DTMF in the body of an INFO, as PBXes have it: `application/dtmf-relay` with `Signal=5` and `Duration=160` (milliseconds), and on the way in
 * `application/dtmf` with the bare digit too. There is no RFC; RFC 6086 calls it legacy INFO usage.
 */
import type { Body } from 'sip.js/lib/core/index.js';
import type { BodyCarrier } from './parser/body.js';
import { mediaTypeOf } from './parser/header-rules.js';

/** What an INFO may bring. */
export const dtmfTypes = ['application/dtmf-relay', 'application/dtmf'] as const;

/** RFC 4733 3.2: the events that have no character of their own on a keypad, by number. */
const byNumber: Readonly<Record<string, string>> = { '10': '*', '11': '#', '12': 'A', '13': 'B', '14': 'C', '15': 'D' };

export function toneBody(tone: string, durationMs: number): Body {
  return { contentDisposition: 'render', contentType: dtmfTypes[0], content: `Signal=${tone}\r\nDuration=${String(Math.trunc(durationMs))}\r\n` };
}

/** The tone that an INFO brings, `0` to `9`, `*`, `#`, `A` to `D`; undefined when it brings none. */
export function toneOf(message: BodyCarrier): string | undefined {
  const type = mediaTypeOf(message.getHeader('Content-Type') ?? '');
  const body = message.body.slice(0, 200);
  const signal = type === dtmfTypes[0] ? /^\s*Signal\s*=\s*(\S{1,2})\s*$/im.exec(body)?.[1] : type === dtmfTypes[1] ? body.trim() : undefined;
  if (signal === undefined) return undefined;
  if (/^[0-9A-D*#]$/i.test(signal)) return signal.toUpperCase();
  return Object.hasOwn(byNumber, signal) ? byNumber[signal] : undefined;
}
