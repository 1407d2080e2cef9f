/**
 * Linear scans over the text of a header: blanks, tokens, quoted strings, parameters, comma lists (RFC 3261 section 25.1).
 *
 * Everything here walks forward once and never throws. There are no regular expressions: a message may be 64 KB of anything.
 */

const tokenFlag = 1;
const hostFlag = 2;
const unsafeFlag = 4;
const specialFlag = 8;

const classes = new Uint8Array(128);
for (let code = 0; code < 128; code += 1) {
  const char = String.fromCharCode(code);
  const isAlphanumeric = (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
  classes[code] =
    (isAlphanumeric || "-.!%*_+`'~".includes(char) ? tokenFlag : 0) |
    (isAlphanumeric || '-._'.includes(char) ? hostFlag : 0) |
    (code <= 0x20 || code === 0x7f || '<>"'.includes(char) ? unsafeFlag | specialFlag : 0) |
    ('@;?'.includes(char) ? specialFlag : 0);
}

/** A parameter's value as it stands in the text, quotes included; null for a parameter without `=`. */
export type ParameterTable = Record<string, string | null>;

export const quote = 0x22;
export const semicolon = 0x3b;

export function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Whether `text[from, to)` is a token: not empty, and of token characters alone. */
export function isToken(text: string, from = 0, to = text.length): boolean {
  return to > from && allOf(text, from, to, tokenFlag);
}

/** Whether `text[from, to)` could be a host name or an IPv4 address. Underscores pass: they are met in private networks. */
export function isHostName(text: string, from: number, to: number): boolean {
  return to > from && allOf(text, from, to, hostFlag);
}

function allOf(text: string, from: number, to: number, flag: number): boolean {
  for (let at = from; at < to; at += 1) {
    const code = text.charCodeAt(at);
    if (code > 127 || ((classes[code] ?? 0) & flag) === 0) return false;
  }
  return true;
}

/** Blanks, controls, `<`, `>` and `"` end or break a URI wherever it is written. */
export function isUnsafeInUri(code: number): boolean {
  return code <= 127 && ((classes[code] ?? 0) & unsafeFlag) !== 0;
}

/** What is unsafe in a URI, and what its parts are told apart by: `@`, `;`, `?`. */
export function isSpecialInUri(code: number): boolean {
  return code <= 127 && ((classes[code] ?? 0) & specialFlag) !== 0;
}

export function skipBlanks(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && isBlank(text.charCodeAt(at))) at += 1;
  return at;
}

/** `text[from, to)` without the blanks round it. */
export function trimmed(text: string, from: number, to: number): string {
  let end = to;
  const start = skipBlanks(text, from, to);
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

/** The index after the quote that closes the one at `from`, or -1. */
export function endOfQuoted(text: string, from: number, to: number): number {
  for (let at = from + 1; at < to; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) return at + 1;
    if (code === 0x5c) at += 1;
  }
  return -1;
}

/** What a quoted string says: without its quotes, quoted pairs resolved. Text that is not quoted comes back as it is. */
export function unquoted(text: string): string {
  if (text.length < 2 || text.charCodeAt(0) !== quote) return text;
  const inner = text.substring(1, text.length - 1);
  if (!inner.includes('\\')) return inner;
  let plain = '';
  for (let at = 0; at < inner.length; at += 1) {
    if (inner.charCodeAt(at) === 0x5c && at + 1 < inner.length) at += 1;
    plain += inner.charAt(at);
  }
  return plain;
}

/** Decimal digits alone, as a number of at most `max`; undefined for anything else. */
export function readNumber(text: string, max: number, from = 0, to = text.length): number | undefined {
  if (to <= from) return undefined;
  let value = 0;
  for (let at = from; at < to; at += 1) {
    const code = text.charCodeAt(at);
    if (!isDigit(code)) return undefined;
    value = value * 10 + code - 0x30;
    if (value > max) return undefined;
  }
  return value;
}

/** The end of the parameter that starts at `from`: its `;` or `to`; -1 when a quoted string in it does not end. */
function endOfParameter(text: string, from: number, to: number): number {
  for (let at = from; at < to; at += 1) {
    const code = text.charCodeAt(at);
    if (code === semicolon) return at;
    if (code === quote) {
      const end = endOfQuoted(text, at, to);
      if (end === -1) return -1;
      at = end - 1;
    }
  }
  return to;
}

/** The first `code` in `text[from, to)`, else `to`. `indexOf` is faster from six characters on, but searches to the end of the text each time. */
export function indexWithin(text: string, code: number, from: number, to: number): number {
  let at = from;
  while (at < to && text.charCodeAt(at) !== code) at += 1;
  return at;
}

/**
 * Reads `;name=value;flag` into a table with names in lower case; the last of one name wins. Undefined when the text at `from` is
 * neither the end nor a `;`, or a quoted string does not end. `__proto__` is dropped: no table of SIP.js may hold it.
 */
export function readParameters(text: string, from: number, to = text.length): ParameterTable | undefined {
  const table: ParameterTable = {};
  let at = skipBlanks(text, from, to);
  while (at < to) {
    if (text.charCodeAt(at) !== semicolon) return undefined;
    const end = endOfParameter(text, at + 1, to);
    if (end === -1) return undefined;
    const equals = indexWithin(text, 0x3d, at + 1, end);
    const name = trimmed(text, at + 1, equals).toLowerCase();
    if (name !== '' && name !== '__proto__') table[name] = equals < end ? trimmed(text, equals + 1, end) : null;
    at = end;
  }
  return table;
}

/**
 * The value of one parameter of `;name=value;...` that starts at `from`; `name` in lower case. The last one wins, as in the table.
 * Undefined when it is not there, null when a quoted string does not end.
 */
export function findParameter(text: string, name: string, from: number, to = text.length): string | null | undefined {
  let value: string | undefined;
  let at = skipBlanks(text, from, to);
  while (at < to) {
    const end = endOfParameter(text, at + 1, to);
    if (end === -1) return null;
    const start = skipBlanks(text, at + 1, end);
    const nameEnd = start + name.length;
    if (nameEnd < end && startsWithIgnoringCase(text, name, start)) {
      const equals = skipBlanks(text, nameEnd, end);
      if (text.charCodeAt(equals) === 0x3d) value = trimmed(text, equals + 1, end);
    }
    at = end;
  }
  return value;
}

/** Whether `name`, in lower case, stands at `from`. */
export function startsWithIgnoringCase(text: string, name: string, from: number): boolean {
  for (let at = 0; at < name.length; at += 1) {
    const code = text.charCodeAt(from + at);
    const lower = code >= 65 && code <= 90 ? code + 32 : code;
    if (lower !== name.charCodeAt(at)) return false;
  }
  return true;
}

/** Where a value of a comma list stands in the header's text, blanks round it left out. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * Cuts at the commas that are neither in a quoted string nor between `<` and `>`. Empty values (`a,,b`) are left out. Undefined when
 * a quote or a `<` is not closed.
 */
export function splitList(text: string, limit = Number.MAX_SAFE_INTEGER): Span[] | undefined {
  const spans: Span[] = [];
  let start = 0;
  // What comes next of each kind; the text is searched once for each, however many there are.
  let comma = indexOrEnd(text, ',', 0);
  let quoted = indexOrEnd(text, '"', 0);
  let bracket = indexOrEnd(text, '<', 0);
  while (spans.length <= limit) {
    let at: number;
    if (comma < quoted && comma < bracket) {
      addSpan(spans, text, start, comma);
      start = at = comma + 1;
    } else if (quoted < bracket) {
      at = endOfQuoted(text, quoted, text.length);
      if (at === -1) return undefined;
    } else if (bracket < text.length) {
      at = text.indexOf('>', bracket);
      if (at === -1) return undefined;
    } else {
      addSpan(spans, text, start, text.length);
      break;
    }
    if (comma < at) comma = indexOrEnd(text, ',', at);
    if (quoted < at) quoted = indexOrEnd(text, '"', at);
    if (bracket < at) bracket = indexOrEnd(text, '<', at);
  }
  return spans;
}

function indexOrEnd(text: string, char: string, from: number): number {
  const found = text.indexOf(char, from);
  return found === -1 ? text.length : found;
}

function addSpan(spans: Span[], text: string, from: number, to: number): void {
  let end = to;
  const start = skipBlanks(text, from, to);
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  if (end > start) spans.push({ from: start, to: end });
}
