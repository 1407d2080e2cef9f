/**
 * Messages that were received: SIP.js's own classes, so that its core takes them, with headers that are parsed when somebody asks.
 *
 * SIP.js's methods spell a name anew at each look-up and delete a header that does not parse, so that a later reader finds nothing;
 * these do neither.
 */
import { IncomingRequestMessage, IncomingResponseMessage } from 'sip.js/lib/core/index.js';
import { shownContentType } from './body.js';
import { headerNamed } from './header-names.js';
import { headerRules } from './header-rules.js';
import { readAddress } from './uri.js';

/** One header value. `parsed` is made at the first `parseHeader`. */
export interface RawHeader {
  readonly raw: string;
  parsed?: unknown;
}

/** By SIP.js's spelling of the name. A header that is not in the message is undefined, or no member at all. */
export type HeaderTable = Record<string, RawHeader[] | undefined>;

/** The members that most messages have are there from the start, in one order: V8 then keeps one shape for all tables. */
export function emptyTable(): HeaderTable {
  return {
    Via: undefined,
    From: undefined,
    To: undefined,
    'Call-ID': undefined,
    CSeq: undefined,
    Contact: undefined,
    'Max-Forwards': undefined,
    'Content-Length': undefined,
    'Content-Type': undefined,
    'Record-Route': undefined,
    Route: undefined,
    Supported: undefined,
    Allow: undefined,
    'User-Agent': undefined,
    Server: undefined,
    Require: undefined,
    'WWW-Authenticate': undefined,
    'P-Asserted-Identity': undefined,
    'Session-Expires': undefined,
    Expires: undefined,
  };
}

/** A request that can be handed to SIP.js's core. `from`, `to` and `referTo` are parsed when they are read. */
export class ParsedRequest extends IncomingRequestMessage {}

/** A response that can be handed to SIP.js's core. */
export class ParsedResponse extends IncomingResponseMessage {}

type ParsedMessage = ParsedRequest | ParsedResponse;

/** Headers whose every value is an address, readable or not: it has to be echoed, and SIP.js's rules for some of them give a list. */
const addresses: ReadonlySet<string> = new Set(['From', 'To', 'Contact', 'Route', 'Record-Route', 'Path', 'Service-Route', 'P-Asserted-Identity', 'P-Preferred-Identity']);

function rawHeaders(message: ParsedMessage, name: string): readonly RawHeader[] | undefined {
  const table: HeaderTable = message.headers;
  return table[headerNamed(name).name];
}

function getHeader(this: ParsedMessage, name: string): string | undefined {
  return rawHeaders(this, name)?.[0]?.raw;
}

function getHeaders(this: ParsedMessage, name: string): string[] {
  return rawHeaders(this, name)?.map((header) => header.raw) ?? [];
}

function hasHeader(this: ParsedMessage, name: string): boolean {
  return rawHeaders(this, name) !== undefined;
}

function parseHeader(this: ParsedMessage, name: string, index = 0): unknown {
  const { name: spelling, rule } = headerNamed(name);
  if (spelling === 'Content-Type') return shownContentType(this);
  const table: HeaderTable = this.headers;
  const header = table[spelling]?.[index];
  if (header === undefined) return undefined;
  return (header.parsed ??= addresses.has(spelling) ? readAddress(header.raw) : headerRules.get(rule)?.(header.raw));
}

function addHeader(this: ParsedMessage, name: string, value: string): void {
  const table: HeaderTable = this.headers;
  (table[headerNamed(name).name] ??= []).push({ raw: value });
}

function setHeader(this: ParsedMessage, name: string, value: string): void {
  const table: HeaderTable = this.headers;
  table[headerNamed(name).name] = [{ raw: value }];
}

function lazily(name: string): PropertyDescriptor {
  return {
    configurable: true,
    get(this: ParsedMessage) {
      return parseHeader.call(this, name);
    },
    set(this: ParsedMessage, value: { toString(): string }) {
      const table: HeaderTable = this.headers;
      table[name] = [{ raw: value.toString(), parsed: value }];
    },
  };
}

// Properties of SIP.js's classes cannot be overridden by accessors in a TypeScript class (TS2610), so they are put on the prototypes.
for (const { prototype } of [ParsedRequest, ParsedResponse]) {
  Object.assign(prototype, { getHeader, getHeaders, hasHeader, parseHeader, s: parseHeader, addHeader, setHeader });
  Object.defineProperties(prototype, { from: lazily('From'), to: lazily('To'), referTo: lazily('Refer-To') });
}
