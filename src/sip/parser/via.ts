/**
 * Reading one Via value: RFC 3261 section 20.42, RFC 3581 for `rport`. Blanks may stand round every separator.
 */
import { indexWithin, isBlank, readNumber, readParameters, skipBlanks, trimmed } from './scan.js';
import { readHostPort } from './uri.js';

/** In the shape SIP.js's grammar gives it. */
export interface ViaValue {
  protocol: string;
  transport: string;
  host_type: 'domain' | 'IPv4' | 'IPv6';
  host: string;
  port?: number;
  branch?: string;
  received?: string;
  /** Only with a value: a request's bare `rport` is in `params`. */
  rport?: string;
  ttl?: number;
  maddr?: string;
  /** All others. */
  params?: Record<string, string | null>;
}

const usualStart = 'SIP/2.0/';

/** Undefined when it is not `SIP/<version>/<transport> <host>[:<port>]` with parameters. */
export function readVia(text: string, version = '2.0'): ViaValue | undefined {
  const length = text.length;
  const isUsual = version === '2.0' && text.startsWith(usualStart);
  const firstSlash = isUsual ? 3 : indexWithin(text, 0x2f, 0, length);
  const secondSlash = isUsual ? 7 : indexWithin(text, 0x2f, firstSlash + 1, length);
  if (secondSlash >= length || (!isUsual && trimmed(text, firstSlash + 1, secondSlash) !== version)) return undefined;
  const protocol = isUsual ? 'SIP' : trimmed(text, 0, firstSlash);
  const transportFrom = skipBlanks(text, secondSlash + 1, length);
  let transportTo = transportFrom;
  while (transportTo < length && text.charCodeAt(transportTo) > 0x20) transportTo += 1;
  const firstSemicolon = text.indexOf(';', transportTo);
  const sentByTo = firstSemicolon === -1 ? length : firstSemicolon;
  const hostPort = readSentBy(text, transportTo, sentByTo);
  if (hostPort === undefined || protocol === '' || transportTo === transportFrom) return undefined;
  const via: ViaValue = {
    protocol,
    transport: text.substring(transportFrom, transportTo),
    host_type: typeOfHost(hostPort.host),
    host: hostPort.host,
  };
  if (hostPort.port !== undefined) via.port = hostPort.port;
  if (readUsualParameters(via, text, sentByTo)) return via;
  const parameters = readParameters(text, sentByTo);
  if (parameters === undefined) return undefined;
  takeParameters(via, parameters);
  return via;
}

/** `host : port`: as in a URI, but that blanks may stand round the colon. */
function readSentBy(text: string, from: number, to: number): ReturnType<typeof readHostPort> {
  let end = to;
  const start = skipBlanks(text, from, to);
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  const dense = readHostPort(text, start, end);
  if (dense !== undefined) return dense;
  const colon = text.lastIndexOf(':', end - 1);
  const closing = text.lastIndexOf(']', end - 1);
  if (colon < start || colon <= closing) return undefined;
  const joined = `${trimmed(text, start, colon)}:${trimmed(text, colon + 1, end)}`;
  return readHostPort(joined, 0, joined.length);
}

/**
 * The parameters that nearly every Via has and no others, each once, in lower case and without blanks: read in place, without a table.
 * @returns false when it is otherwise, and nothing of them has been written to `via`
 */
function readUsualParameters(via: ViaValue, text: string, from: number): boolean {
  let branch: string | undefined;
  let received: string | undefined;
  let rport: string | null | undefined;
  if (text.includes('"', from) || text.includes(' ', from) || text.includes('\t', from)) return false;
  for (let at = from; at < text.length; ) {
    const nameFrom = at + 1;
    const next = text.indexOf(';', nameFrom);
    at = next === -1 ? text.length : next;
    if (branch === undefined && text.startsWith('branch=', nameFrom)) branch = text.substring(nameFrom + 7, at);
    else if (received === undefined && text.startsWith('received=', nameFrom)) received = text.substring(nameFrom + 9, at);
    else if (rport === undefined && text.startsWith('rport=', nameFrom)) rport = text.substring(nameFrom + 6, at);
    else if (rport === undefined && at === nameFrom + 5 && text.startsWith('rport', nameFrom)) rport = null;
    else return false;
  }
  if (branch !== undefined) via.branch = branch;
  if (received !== undefined) via.received = received;
  if (rport !== undefined) takePort(via, rport);
  return true;
}

function typeOfHost(host: string): ViaValue['host_type'] {
  if (host.startsWith('[')) return 'IPv6';
  const last = host.charCodeAt(host.length - 1);
  return last >= 0x30 && last <= 0x39 && isDottedQuad(host) ? 'IPv4' : 'domain';
}

function isDottedQuad(host: string): boolean {
  let dots = 0;
  for (let at = 0; at < host.length; at += 1) {
    const code = host.charCodeAt(at);
    if (code === 0x2e) dots += 1;
    else if (code < 0x30 || code > 0x39) return false;
  }
  return dots === 3;
}

function takeParameters(via: ViaValue, parameters: Record<string, string | null>): void {
  for (const name of Object.keys(parameters)) {
    const value = parameters[name];
    if (name === 'branch' && typeof value === 'string') via.branch = value;
    else if (name === 'received' && typeof value === 'string') via.received = value;
    else if (name === 'maddr' && typeof value === 'string') via.maddr = value;
    else if (name === 'rport') takePort(via, value ?? null);
    else if (name === 'ttl') via.ttl = readNumber(value ?? '', 255);
    else (via.params ??= {})[name] = value ?? null;
  }
}

/** With a number it is where the request came from, else what the client asks with. */
function takePort(via: ViaValue, value: string | null): void {
  if (value !== null && readNumber(value, 65_535) !== undefined) via.rport = value;
  else (via.params ??= {}).rport = value;
}
