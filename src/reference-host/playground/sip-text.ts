/**
 * SIP as text: the little parsing that the playground needs, written on its own so that the playground and the
 * extension's stack never share a mistake. It keeps what it does not understand and forwards it unchanged.
 */

export interface SipHeader {
  /** In its long form, as first written or as RFC 3261 writes it when it came compact. */
  name: string;
  value: string;
}

interface SipParts {
  /** In order of appearance; Via, Route, Record-Route and Contact hold one value each. */
  headers: SipHeader[];
  body: Buffer;
}

export interface RequestText extends SipParts {
  kind: 'request';
  method: string;
  uri: string;
}

export interface ResponseText extends SipParts {
  kind: 'response';
  status: number;
  phrase: string;
}

export type SipText = RequestText | ResponseText;

/** RFC 3261 section 7.3.3 and the registry of compact forms. */
const longNames: Record<string, string> = {
  v: 'Via',
  f: 'From',
  t: 'To',
  i: 'Call-ID',
  m: 'Contact',
  l: 'Content-Length',
  c: 'Content-Type',
  e: 'Content-Encoding',
  k: 'Supported',
  s: 'Subject',
  r: 'Refer-To',
  b: 'Referred-By',
  x: 'Session-Expires',
  o: 'Event',
  u: 'Allow-Events',
};

const listHeaders = new Set(['via', 'route', 'record-route', 'contact']);
const headerLine = /^([!%'*+\-.0-9A-Z_`a-z~]+)[ \t]*:[ \t]*(.*)$/;

/**
 * Reads one whole message. Undefined for anything that is not SIP with Via, From, To, Call-ID and a CSeq of its own
 * method (RFC 3261 section 8.1.1): there is nobody who could be answered.
 */
export function parseSip(bytes: Buffer): SipText | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const lines = bytes
    .toString('utf8', 0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const headers = parseHeaders(lines.slice(1));
  const start = parseStart(lines[0] ?? '');
  if (headers === undefined || start === undefined) return undefined;

  const rest = bytes.subarray(end + 4);
  const declared = headers.find((header) => header.name.toLowerCase() === 'content-length')?.value;
  if (declared !== undefined && !/^\d{1,9}$/.test(declared.trim())) return undefined;
  const length = declared === undefined ? rest.length : Number(declared);
  if (length > rest.length) return undefined;

  const message: SipText = { ...start, headers, body: rest.subarray(0, length) };
  return isAddressed(message) ? message : undefined;
}

function parseStart(
  line: string,
): { kind: 'request'; method: string; uri: string } | { kind: 'response'; status: number; phrase: string } | undefined {
  const response = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/.exec(line);
  if (response !== null) return { kind: 'response', status: Number(response[1]), phrase: response[2] ?? '' };
  const request = /^([A-Z][A-Z0-9._-]*) (\S+) SIP\/2\.0$/.exec(line);
  if (request?.[1] === undefined || request[2] === undefined) return undefined;
  return { kind: 'request', method: request[1], uri: request[2] };
}

function parseHeaders(lines: string[]): SipHeader[] | undefined {
  const headers: SipHeader[] = [];
  for (const line of lines) {
    const match = headerLine.exec(line);
    if (match?.[1] === undefined) return undefined;
    const name = longNames[match[1].toLowerCase()] ?? match[1];
    const value = (match[2] ?? '').trim();
    const values = listHeaders.has(name.toLowerCase()) ? splitOutsideQuotes(value, ',') : [value];
    for (const one of values) headers.push({ name, value: one });
  }
  return headers;
}

function isAddressed(message: SipText): boolean {
  if (['via', 'from', 'to', 'call-id'].some((name) => headerOf(message, name) === undefined)) return false;
  const sequence = cseqOf(message);
  if (sequence === undefined) return false;
  return message.kind === 'response' || sequence.method === message.method;
}

/** The message as bytes, with a Content-Length that is true. */
export function formatSip(message: SipText): Buffer {
  const start =
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0`
      : `SIP/2.0 ${message.status} ${message.phrase}`;
  const lines = message.headers
    .filter((header) => header.name.toLowerCase() !== 'content-length')
    .map((header) => `${header.name}: ${header.value}`);
  const head = [start, ...lines, `Content-Length: ${message.body.length}`, '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head, 'utf8'), message.body]);
}

/** The first value of that header (lower case). */
export function headerOf(message: SipText, name: string): string | undefined {
  return message.headers.find((header) => header.name.toLowerCase() === name)?.value;
}

export function headersOf(message: SipText, name: string): string[] {
  return message.headers.filter((header) => header.name.toLowerCase() === name).map((header) => header.value);
}

export function cseqOf(message: SipText): { number: number; method: string } | undefined {
  const match = /^(\d{1,10})[ \t]+([A-Z][A-Z0-9._-]*)$/.exec(headerOf(message, 'cseq') ?? '');
  return match?.[2] === undefined ? undefined : { number: Number(match[1]), method: match[2] };
}

/** Splits at `separator` outside of quoted strings and angle brackets. */
function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let quoted = false;
  let angled = false;
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (quoted) {
      if (char === '\\') at += 1;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '<') angled = true;
    else if (char === '>') angled = false;
    else if (char === separator && !angled) {
      parts.push(text.slice(from, at).trim());
      from = at + 1;
    }
  }
  parts.push(text.slice(from).trim());
  return parts;
}

/** `;name=value` parameters in order; a value is kept as it was written, quotes and all. */
export type Parameters = [name: string, value: string | undefined][];

function parseParameters(parts: string[]): Parameters {
  return parts
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=');
      return equals < 0 ? [part, undefined] : [part.slice(0, equals).trim(), part.slice(equals + 1).trim()];
    });
}

export function formatParameters(parameters: Parameters): string {
  return parameters.map(([name, value]) => (value === undefined ? `;${name}` : `;${name}=${value}`)).join('');
}

export function parameterOf(parameters: Parameters, name: string): string | undefined {
  return parameters.find(([key]) => key.toLowerCase() === name)?.[1];
}

export interface Via {
  /** `UDP`, `TCP`, `WS`. */
  transport: string;
  host: string;
  port: number | undefined;
  parameters: Parameters;
}

export function parseVia(value: string): Via | undefined {
  const [sentBy = '', ...parameters] = splitOutsideQuotes(value, ';');
  const match = /^SIP\s*\/\s*2\.0\s*\/\s*([A-Za-z]+)\s+(\[[0-9A-Fa-f:.]+\]|[^\s:]+)(?:\s*:\s*(\d{1,5}))?$/.exec(sentBy);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return {
    transport: match[1].toUpperCase(),
    host: match[2],
    port: match[3] === undefined ? undefined : Number(match[3]),
    parameters: parseParameters(parameters),
  };
}

export function formatVia(via: Via): string {
  const port = via.port === undefined ? '' : `:${via.port}`;
  return `SIP/2.0/${via.transport} ${via.host}${port}${formatParameters(via.parameters)}`;
}

export interface SipAddress {
  uri: string;
  parameters: Parameters;
}

/** A From, To, Contact or Route value: `"Bob" <sip:bob@host>;tag=1` or `sip:bob@host;tag=1`. */
export function parseAddress(value: string): SipAddress | undefined {
  const bracketed = /^(?:"(?:[^"\\]|\\.)*"|[^"<]*)\s*<([^<>]+)>(.*)$/.exec(value);
  if (bracketed?.[1] !== undefined) {
    return { uri: bracketed[1].trim(), parameters: parseParameters(splitOutsideQuotes(bracketed[2] ?? '', ';')) };
  }
  if (/[<>"]/.test(value)) return undefined;
  const [uri = '', ...parameters] = splitOutsideQuotes(value, ';');
  return uri === '' ? undefined : { uri, parameters: parseParameters(parameters) };
}

export interface SipUri {
  scheme: string;
  user: string | undefined;
  /** Lower case, brackets kept for IPv6. */
  host: string;
  port: number | undefined;
  parameters: Parameters;
}

export function parseUri(text: string): SipUri | undefined {
  const match =
    /^(sips?):(?:([^@\s:]*)(?::[^@\s]*)?@)?(\[[0-9A-Fa-f:.]+\]|[^\s:;?@[\]]+)(?::(\d{1,5}))?(;[^?\s]*)?(?:\?\S*)?$/i.exec(text);
  if (match?.[1] === undefined || match[3] === undefined) return undefined;
  return {
    scheme: match[1].toLowerCase(),
    user: match[2],
    host: match[3].toLowerCase(),
    port: match[4] === undefined ? undefined : Number(match[4]),
    parameters: parseParameters((match[5] ?? '').split(';')),
  };
}

/** What makes two Contact URIs the same place: user, host and port (parameters often change on the way). */
export function placeOf(uri: SipUri): string {
  return `${uri.user ?? ''}@${uri.host}:${uri.port ?? 5060}`;
}

/** A reply of our own, with the request's Via, From, To, Call-ID and CSeq (RFC 3261 section 8.2.6). */
export function replyTo(
  request: RequestText,
  status: number,
  phrase: string,
  options: { toTag?: string; headers?: SipHeader[] } = {},
): ResponseText {
  const copied = request.headers
    .filter((header) => ['via', 'from', 'to', 'call-id', 'cseq'].includes(header.name.toLowerCase()))
    .map((header) => {
      const needsTag = header.name.toLowerCase() === 'to' && options.toTag !== undefined && tagOf(header.value) === undefined;
      return needsTag ? { name: header.name, value: `${header.value};tag=${options.toTag ?? ''}` } : { ...header };
    });
  return { kind: 'response', status, phrase, headers: [...copied, ...(options.headers ?? [])], body: Buffer.alloc(0) };
}

/** The tag of a From or To value. */
export function tagOf(value: string | undefined): string | undefined {
  const address = value === undefined ? undefined : parseAddress(value);
  return address === undefined ? undefined : parameterOf(address.parameters, 'tag');
}
