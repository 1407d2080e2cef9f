/**
 * Reading and making URIs and addresses, as SIP.js's `URI` and `NameAddrHeader`.
 *
 * A `user` is plain text everywhere; it is escaped when it is written. Reading is linear and never throws.
 */
import { NameAddrHeader, URI } from 'sip.js/lib/core/index.js';
import type { NameAddress } from '../types.js';
import { OpaqueUri, ReceivedSipUri } from './received-uri.js';
import type { ParameterTable } from './scan.js';
import {
  endOfQuoted, findParameter, indexWithin, isHostName, isToken, isSpecialInUri, isUnsafeInUri, quote, readNumber, readParameters, semicolon, skipBlanks, startsWithIgnoringCase, trimmed, unquoted,
} from './scan.js';
import { escapeUser, unescapeUser } from './user-part.js';
import { bracketed } from './write-uri.js';

export { quoteDisplayName, withoutControls } from './write-uri.js';
export { escapeUser, unescapeUser } from './user-part.js';
export { OpaqueUri } from './received-uri.js';

/**
 * Any URI: `sip:` and `sips:` by their parts, every other scheme as an `OpaqueUri`. Undefined for text that is not a URI: no scheme,
 * a blank or a control in it, a SIP URI without a usable host.
 */
export function parseUri(text: string): URI | undefined {
  if (text.length < 4) return undefined;
  const afterScheme = startsWithIgnoringCase(text, 'sip:', 0) ? 4 : startsWithIgnoringCase(text, 'sips:', 0) ? 5 : 0;
  if (afterScheme > 0) return parseSipUri(text, afterScheme);
  const colon = text.indexOf(':');
  if (!isToken(text, 0, colon) || colon + 1 === text.length || isUnsafeText(text)) return undefined;
  return new OpaqueUri(text, true);
}

function parseSipUri(text: string, afterScheme: number): URI | undefined {
  // One walk finds the first `@` and the first `;` and `?` after it: a user may hold `;` and `?`, a host may not (RFC 3261 25.1).
  let at = -1;
  let parametersFrom = -1;
  let headersFrom = -1;
  for (let index = afterScheme; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (!isSpecialInUri(code)) continue;
    if (code === 0x40 && at === -1) {
      at = index;
      parametersFrom = headersFrom = -1;
    } else if (code === semicolon) {
      if (parametersFrom === -1 && headersFrom === -1) parametersFrom = index;
    } else if (code === 0x3f) {
      if (headersFrom === -1) headersFrom = index;
    } else if (isUnsafeInUri(code)) return undefined;
  }
  if (at === afterScheme) return undefined;
  const parametersTo = headersFrom === -1 ? text.length : headersFrom;
  const hostPort = readHostPort(text, at === -1 ? afterScheme : at + 1, parametersFrom === -1 ? parametersTo : parametersFrom);
  if (hostPort === undefined) return undefined;
  const scheme = text.substring(0, afterScheme - 1);
  const uri = at === -1 ? withoutUser(scheme, hostPort) : withUser(scheme, text.substring(afterScheme, at), hostPort);
  if (parametersFrom !== -1) {
    const parameters = readParameters(text, parametersFrom, parametersTo);
    if (parameters === undefined) return undefined;
    uri.parameters = normalised(parameters);
  }
  if (headersFrom !== -1) readUriHeaders(uri, text, headersFrom + 1);
  return uri;
}

export interface HostPort {
  readonly host: string;
  readonly port: number | undefined;
}

/** `host`, `host:port` or `[2001:db8::1]:port`; a colon without a port is tolerated. */
export function readHostPort(text: string, from: number, to: number): HostPort | undefined {
  const isReference = text.charCodeAt(from) === 0x5b;
  const hostTo = isReference ? indexWithin(text, 0x5d, from, to) + 1 : indexWithin(text, 0x3a, from, to);
  if (hostTo > to || !(isReference ? isIpv6Reference(text, from, hostTo) : isHostName(text, from, hostTo))) return undefined;
  const host = text.substring(from, hostTo);
  if (hostTo === to) return { host, port: undefined };
  if (text.charCodeAt(hostTo) !== 0x3a) return undefined;
  if (hostTo + 1 === to) return { host, port: undefined };
  const port = readNumber(text, 65_535, hostTo + 1, to);
  return port === undefined ? undefined : { host, port };
}

function isIpv6Reference(text: string, from: number, to: number): boolean {
  if (to - from < 4) return false;
  for (let at = from + 1; at < to - 1; at += 1) {
    const code = text.charCodeAt(at) | 0x20;
    const isHexadecimal = (code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66);
    if (!isHexadecimal && code !== 0x3a && code !== 0x2e) return false;
  }
  return true;
}

function withoutUser(scheme: string, { host, port }: HostPort): URI {
  const uri = new URI(scheme, '', host, port);
  uri.user = undefined;
  return uri;
}

function withUser(scheme: string, wireUser: string, { host, port }: HostPort): URI {
  const plain = unescapeUser(wireUser);
  return escapeUser(plain) === wireUser ? new URI(scheme, plain, host, port) : new ReceivedSipUri(scheme, plain, wireUser, host, port);
}

/** RFC 3261 19.1.4: these two are compared without regard to case, and SIP.js compares text. */
function normalised(parameters: ParameterTable): ParameterTable {
  const { transport, user } = parameters;
  if (typeof transport === 'string') parameters.transport = transport.toLowerCase();
  if (typeof user === 'string') parameters.user = user.toLowerCase();
  return parameters;
}

function readUriHeaders(uri: URI, text: string, from: number): void {
  for (let start = from; start < text.length; ) {
    const end = indexWithin(text, 0x26, start, text.length);
    const equals = indexWithin(text, 0x3d, start, end);
    const name = text.substring(start, equals);
    const value = text.substring(Math.min(equals + 1, end), end);
    start = end + 1;
    // RFC 3261 25.1: a name is ASCII. SIP.js writes names in its own case, which would make "ss" of "ß".
    if (!isAsciiText(name)) continue;
    const before = uri.getHeader(name);
    if (before === undefined) uri.setHeader(name, value);
    else before.push(value);
  }
}

function isAsciiText(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

function isUnsafeText(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (isUnsafeInUri(text.charCodeAt(at))) return true;
  return false;
}

/** Where the parts of a `name-addr` or `addr-spec` with its parameters stand (RFC 3261 20.10). */
export interface AddressSpans {
  /** The display name, blanks round it and quotes included; empty when `isBare`. */
  readonly nameFrom: number;
  readonly nameTo: number;
  readonly uriFrom: number;
  readonly uriTo: number;
  readonly parametersFrom: number;
  /** Without `<` and `>`: what follows the first `;` belongs to the header, not to the URI. */
  readonly isBare: boolean;
}

/** Undefined when quotes or brackets do not pair, or nothing is there. */
function findAddress(text: string): AddressSpans | undefined {
  const nameFrom = skipBlanks(text, 0, text.length);
  let searchFrom = nameFrom;
  if (text.charCodeAt(nameFrom) === quote) {
    searchFrom = skipBlanks(text, Math.max(0, endOfQuoted(text, nameFrom, text.length)), text.length);
    if (text.charCodeAt(searchFrom) !== 0x3c) return undefined;
  }
  const bracket = text.indexOf('<', searchFrom);
  const firstSemicolon = text.indexOf(';', searchFrom);
  if (bracket === -1 || (firstSemicolon !== -1 && firstSemicolon < bracket)) {
    const parametersFrom = firstSemicolon === -1 ? text.length : firstSemicolon;
    const uriTo = nameFrom + trimmed(text, nameFrom, parametersFrom).length;
    return uriTo === nameFrom ? undefined : { nameFrom, nameTo: nameFrom, uriFrom: nameFrom, uriTo, parametersFrom, isBare: true };
  }
  const closing = text.indexOf('>', bracket);
  if (closing === -1) return undefined;
  const parametersFrom = skipBlanks(text, closing + 1, text.length);
  if (parametersFrom < text.length && text.charCodeAt(parametersFrom) !== semicolon) return undefined;
  // RFC 4475 3.1.2.14: blanks inside the brackets are wrong, and harmless.
  const uriFrom = skipBlanks(text, bracket + 1, closing);
  return { nameFrom, nameTo: bracket, uriFrom, uriTo: uriFrom + trimmed(text, uriFrom, closing).length, parametersFrom, isBare: false };
}

/**
 * A From, To, Contact, Route and the like, one value of a list. A URI that cannot be read becomes an `OpaqueUri`, so that the header
 * can be echoed. Undefined when quotes or brackets do not pair.
 */
export function readAddress(text: string): NameAddrHeader | undefined {
  const spans = findAddress(text);
  if (spans === undefined) return undefined;
  const parameters = readParameters(text, spans.parametersFrom);
  if (parameters === undefined) return undefined;
  const uriText = text.substring(spans.uriFrom, spans.uriTo);
  const name = trimmed(text, spans.nameFrom, spans.nameTo);
  const header = new NameAddrHeader(parseUri(uriText) ?? new OpaqueUri(uriText, false), unquoted(name), {});
  header.parameters = parameters;
  return header;
}

/** The `tag` of a From or To; undefined when it has none, null when it cannot be read. */
export function tagOf(text: string): string | null | undefined {
  const spans = findAddress(text);
  return spans === undefined ? null : findParameter(text, 'tag', spans.parametersFrom);
}

/** As `readAddress`, but undefined also when the URI cannot be read. */
export function readUsableAddress(text: string): NameAddrHeader | undefined {
  const header = readAddress(text);
  return header?.uri instanceof OpaqueUri && !header.uri.isUri ? undefined : header;
}

/** An address in the terms of the rest of the program; undefined when it or its URI cannot be read. */
export function parseNameAddress(text: string): NameAddress | undefined {
  const header = readUsableAddress(text);
  return header === undefined ? undefined : toNameAddress(header);
}

export function toNameAddress(header: Pick<NameAddrHeader, 'uri' | 'displayName'>): NameAddress {
  const { uri, displayName } = header;
  const user = uri.user;
  return {
    uri: uri.toString(),
    host: uri.host,
    ...(user === undefined || user === '' ? {} : { user }),
    ...(displayName === '' ? {} : { displayName }),
  };
}

/**
 * A SIP URI of our own making.
 * @param parts.user plain text, escaped when written
 * @param parts.host a name or an address; a bare IPv6 address gets its brackets
 */
export function makeSipUri(parts: { user?: string; host: string; port?: number; scheme?: 'sip' | 'sips'; parameters?: Readonly<Record<string, string | null>> }): URI {
  const uri = new URI(parts.scheme ?? 'sip', parts.user ?? '', bracketed(parts.host), parts.port, { ...parts.parameters });
  if (parts.user === undefined || parts.user === '') uri.user = undefined;
  return uri;
}
