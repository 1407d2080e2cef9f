/**
 * The kinds of value that server.conf holds, as zod schemas. Each reads what HOCON lets stand for it (a quoted number is a
 * number, `yes` is true, `null` is not set) and says, when it is wrong, what was found and what is accepted.
 */
import { isIP } from 'node:net';
import * as z from 'zod';
import { readAddressPattern } from '../base/address-pattern.js';
import { readBoundedRegex } from '../base/bounded-regex.js';
import { isCountry } from '../base/phone-numbers.js';
import { readDurationMs, writeDuration } from './durations.js';
import { showText } from './lexer.js';

/** How the JSON Schema marks a duration. */
export const durationFormat = 'hocon-duration';

type Wants = (issue: { input?: unknown }) => string;

/** `found "loud", want ...`; what was found is described by its kind alone where it may be a secret. */
export function wants(accepted: string, isSecret = false): Wants {
  return ({ input }) => (input === undefined ? `is missing, want ${accepted}` : `found ${isSecret ? kindOf(input) : show(input)}, want ${accepted}`);
}

/** `true`, `yes`, `on` and their opposites. */
export function flag() {
  const words: Readonly<Record<string, boolean>> = { true: true, yes: true, on: true, false: false, no: false, off: false };
  return z.preprocess(
    (value) => (typeof value === 'string' && Object.hasOwn(words, value) ? words[value] : value),
    z.boolean({ error: wants('true or false') }),
  );
}

/** A whole number from `min` to `max`. */
export function whole(min: number, max: number, accepted = `a whole number from ${min} to ${max}`) {
  const error = wants(accepted);
  return z.preprocess(readNumber, z.int({ error }).min(min, { error }).max(max, { error }));
}

/** A number above 0, up to `max`. */
export function rate(max: number) {
  const error = wants(`a number above 0, at most ${max}`);
  return z.preprocess(readNumber, z.number({ error }).gt(0, { error }).max(max, { error }));
}

/** One of a few words, in any case of letters. */
export function oneWordOf<const W extends readonly [string, ...string[]]>(words: W) {
  return z.preprocess(
    (value) => (typeof value === 'string' ? value.trim().toLowerCase() : value),
    z.enum(words, { error: wants(`one of ${words.join(', ')}`) }),
  );
}

/** A duration, read to whole milliseconds. */
export function duration(minMs: number, maxMs: number) {
  const error = wants(`a duration from ${sayRange(minMs, maxMs)}, like "30 seconds" or PT30S (a bare number is milliseconds)`);
  return milliseconds(z.number({ error }).min(minMs, { error }).max(maxMs, { error }));
}

/** A duration, or 0 for none at all; read to whole milliseconds. */
export function durationOrNone(minMs: number, maxMs: number) {
  const error = wants(`0, or a duration from ${sayRange(minMs, maxMs)}, like "30 minutes" or PT30M (a bare number is milliseconds)`);
  return milliseconds(z.number({ error }).min(0, { error }).max(maxMs, { error }).refine((ms) => ms === 0 || ms >= minMs, { error }));
}

function milliseconds(within: z.ZodNumber) {
  return z
    .preprocess((value) => {
      const ms = readDurationMs(value);
      return ms === undefined ? value : Math.round(ms);
    }, within)
    .meta({ format: durationFormat });
}

function sayRange(minMs: number, maxMs: number): string {
  return `${writeDuration(minMs)} to ${writeDuration(maxMs)}`;
}

/** A text that `pattern` matches; numbers and flags written without quotes are texts too. */
export function text(accepted = 'a text', pattern = /^[^\0]*$/) {
  const error = wants(accepted);
  return z.preprocess(readText, z.string({ error }).regex(pattern, { error }));
}

/** A text that is never shown, of so many characters at least. */
export function secret(min = 1) {
  const error = wants('a text', true);
  const short = min === 1 ? 'want a text that is not empty' : `want a text of at least ${min} characters`;
  return z.preprocess(readText, z.string({ error }).min(min, { error: short }).regex(/^[^\0]*$/, { error: 'want a text without NUL' }));
}

/** A key of 32 bytes as text, never shown: base64 (either alphabet) or hex. */
export function secretKey() {
  const accepted = 'a key of 32 bytes in base64 or hex; this makes one: openssl rand -base64 32';
  return z.preprocess(readText, z.string({ error: wants(accepted, true) }).refine((value) => readSecretKey(value) !== undefined, { error: wants(accepted, true) }));
}

/** The bytes of such a key. 43 characters of base64 hold two bits more than 32 bytes, which are 0. */
export function readSecretKey(value: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(value)) return Buffer.from(value, 'hex');
  return /^[\w+/-]{42}[AEIMQUYcgkosw048]=?$/.test(value) ? Buffer.from(value, 'base64') : undefined;
}

/** A secret that travels in an HTTP header (RFC 9110 section 5.5), long enough not to be guessed. Never shown. */
export function token(shortest: number, longest: number) {
  const accepted = `${shortest} to ${longest} visible ASCII characters without blanks`;
  const pattern = new RegExp(`^[!-~]{${shortest},${longest}}$`);
  return z.preprocess(readText, z.string({ error: wants(accepted, true) }).regex(pattern, { error: `want ${accepted}` }));
}

/** A host name or an IP address, with no port and no scheme. */
export function host() {
  const error = wants('a host name or an IP address, without a port');
  return z.preprocess(readText, z.string({ error }).refine(isHost, { error }));
}

/** An address or a block of addresses, `10.0.0.0/8`. */
export function addressBlock() {
  const error = wants('an IP address or a block like 10.0.0.0/8');
  return z.preprocess(readText, z.string({ error }).refine(isAddressBlock, { error }));
}

/** A pattern of addresses, `+49*` or `/^0?900/`. */
export function addressPattern() {
  const accepted = 'a number, +49*, user@host, or a regular expression between slashes';
  return explained(accepted, (value) => {
    const read = readAddressPattern(value);
    return 'problem' in read ? read.problem : undefined;
  });
}

/** A regular expression that cannot take long. */
export function regex() {
  return explained('a regular expression', (value) => {
    const read = readBoundedRegex(value);
    return 'problem' in read ? read.problem : undefined;
  });
}

/** How many groups a regular expression has; none for what is no such thing. */
export function groupsOf(source: string): number {
  const read = readBoundedRegex(source);
  return 'groups' in read ? read.groups : 0;
}

/** ISO 3166-1 alpha-2, in any case of letters. */
export function country() {
  const error = wants('a country by its two letters, like DE');
  return z.preprocess((value) => (typeof value === 'string' ? value.trim().toUpperCase() : value), z.string({ error }).refine(isCountry, { error }));
}

/** A text of which `problemOf` says what is wrong, in words that follow it. */
function explained(accepted: string, problemOf: (value: string) => string | undefined) {
  return z.preprocess(
    readText,
    z.string({ error: wants(accepted) }).superRefine((value, context) => {
      const problem = problemOf(value);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: `found ${show(value)}, which ${problem}; want ${accepted}` });
    }),
  );
}

/** A list of such values. */
export function list<T extends z.ZodType>(element: T) {
  return z.array(element, { error: wants('a list, [ ... ]', true) });
}

/**
 * An object of known keys alone. An unknown one is an issue of zod's code `unrecognized_keys`, which names them.
 * What was found in its place is never shown: it may be a secret under the wrong key.
 */
export function section<S extends z.ZodRawShape>(shape: S) {
  return z.strictObject(shape, { error: wants('an object, { ... }', true) });
}

/** Such an object as the guide's table has it: `{...}`, or the same as JSON in a text. Null entries are not set. */
export function readObject(value: unknown): unknown {
  let object = value;
  if (typeof value === 'string') {
    try {
      object = JSON.parse(value) as unknown;
    } catch {
      return value;
    }
  }
  return dropNulls(object);
}

/** HOCON: a key set to `null` is as if it were not set. */
export function dropNulls(value: unknown): unknown {
  return isRecord(value) ? Object.fromEntries(Object.entries(value).filter(([, child]) => child !== null)) : value;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A number in quotes, or one that came through a substitution, is a number. */
export function readNumber(value: unknown): unknown {
  return typeof value === 'string' && /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(value.trim()) ? Number(value) : value;
}

function readText(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
}

function isHost(value: string): boolean {
  if (isIP(value) !== 0) return true;
  if (value.length > 253 || !/^(?!-)[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?$/.test(value)) return false;
  // All digits and dots, and yet no address: a mistyped one, which no DNS server knows.
  return !/^[\d.]+$/.test(value);
}

function isAddressBlock(value: string): boolean {
  const [address = '', bits, ...rest] = value.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

function show(value: unknown): string {
  if (typeof value === 'string') return showText(value);
  return typeof value === 'number' || typeof value === 'boolean' || value === null ? String(value) : kindOf(value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? 'a text' : typeof value === 'number' ? 'a number' : 'a value of another kind';
}
