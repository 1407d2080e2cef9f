/**
 * Reading one Via value: RFC 3261 section 20.42, RFC 3581 for `rport`. Blanks may stand round every separator.
 */
import { indexWithin, readNumber, readParameters, semicolon, skipBlanks, trimmed } from './scan.js';
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

/** Undefined when it is not `SIP/<version>/<transport> <host>[:<port>]` with parameters. */
export function readVia(text: string, version = '2.0'): ViaValue | undefined {
  const length = text.length;
  const firstSlash = indexWithin(text, 0x2f, 0, length);
  const secondSlash = indexWithin(text, 0x2f, firstSlash + 1, length);
  if (secondSlash >= length || trimmed(text, firstSlash + 1, secondSlash) !== version) return undefined;
  const protocol = trimmed(text, 0, firstSlash);
  const transportFrom = skipBlanks(text, secondSlash + 1, length);
  let transportTo = transportFrom;
  while (transportTo < length && text.charCodeAt(transportTo) > 0x20) transportTo += 1;
  const sentByTo = indexWithin(text, semicolon, transportTo, length);
  const hostPort = readSentBy(text, transportTo, sentByTo);
  if (hostPort === undefined || protocol === '' || transportTo === transportFrom) return undefined;
  const via: ViaValue = {
    protocol,
    transport: text.substring(transportFrom, transportTo),
    host_type: typeOfHost(hostPort.host),
    host: hostPort.host,
  };
  if (hostPort.port !== undefined) via.port = hostPort.port;
  const parameters = readParameters(text, sentByTo);
  if (parameters === undefined) return undefined;
  takeParameters(via, parameters);
  return via;
}

/** `host : port`: without the blanks that only Via allows, else as in a URI. */
function readSentBy(text: string, from: number, to: number): ReturnType<typeof readHostPort> {
  const sentBy = trimmed(text, from, to);
  const colon = sentBy.lastIndexOf(':');
  const closing = sentBy.lastIndexOf(']');
  if (colon <= closing) return readHostPort(sentBy, 0, sentBy.length);
  const dense = `${trimmed(sentBy, 0, colon)}:${trimmed(sentBy, colon + 1, sentBy.length)}`;
  return readHostPort(dense, 0, dense.length);
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
    else if (name === 'rport' && readNumber(value ?? '', 65_535) !== undefined) via.rport = value ?? '';
    else if (name === 'ttl') via.ttl = readNumber(value ?? '', 255);
    else (via.params ??= {})[name] = value ?? null;
  }
}
