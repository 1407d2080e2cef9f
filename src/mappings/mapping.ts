/**
 * A mapping: one row of `sip_user_mappings`, which makes a peer of the messenger an account at a SIP registrar. What the
 * columns hold is judged here, row by row, by one zod schema, whether it comes from the table, a CSV file, the command
 * line or autocreate. A row that cannot be used is told in words and harms no other. Passwords never stand in those words.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { MappingError } from '../base/errors.js';
import { sipTransports, type SipTransport } from '../base/sip-transport.js';
import type { Peer, PeerType } from '../host/contract.js';
import { whyNoPassword } from './secrets.js';

/** How a WebSocket flow is opened: `sip_parameters.method`, `sip_headers.host` and `sip_headers.location`. */
export interface WebSocketHandshake {
  /** The HTTP verb, `GET` when the row names none. */
  method: string;
  /** The Host header, `example.com:8443`; absent: sip_host and sip_port. */
  host?: string;
  /** The request target, starts with "/". */
  location: string;
}

export interface Mapping {
  id: number;
  sipUser: string;
  /** As it stands in the row, encrypted perhaps (`Secrets`); empty for a registrar that asks for none. */
  sipPassword: string;
  /** A host name, an IPv4 address, or an IPv6 address without brackets. */
  sipHost: string;
  /** 0: none is given, the registrar is located by DNS (RFC 3263). */
  sipPort: number;
  transport: SipTransport;
  /** With port 0: the row names no transport either, so NAPTR decides; `transport` is what holds when it does not. */
  isTransportOpen?: true;
  /** Present for ws and wss, and only for them. */
  webSocket?: WebSocketHandshake;
  peer: Peer;
  /** Whether this mapping is registered at the SIP server. */
  register: boolean;
  /** Whether it may make calls, messenger -> SIP. */
  canCall: boolean;
  /** Whether it may be called, SIP -> messenger. */
  canBeCalled: boolean;
  /** The digest username, where it is not sipUser. */
  authUser?: string;
  displayName?: string;
}

export type MappingDraft = Omit<Mapping, 'id'>;

/** A row that cannot be used, and why: "row 7: sip_port 70000 is not a port (0 to 65535)". */
export interface RejectedRow {
  /** Absent when even the id cannot be read. */
  id?: number;
  problem: string;
}

/** The columns of `sip_user_mappings` that a mapping is made of, in the order of the guide. */
export const mappingColumns = [
  'sip_user',
  'sip_password',
  'sip_host',
  'sip_port',
  'sip_parameters',
  'sip_headers',
  'peer_type',
  'peer_id',
  'peer_str_id',
  'register',
  'can_call',
  'can_be_called',
  'auth_user',
  'display_name',
] as const;
export type MappingColumn = (typeof mappingColumns)[number];

/** What a column is written as: JSON as text, which both drivers take for jsonb. */
export type ColumnValue = string | number | boolean | null;

// ---- what a column may hold -------------------------------------------------------------------

/** The sentence of a column that does not hold what it should. */
function wanted(what: string): { error: (issue: { input?: unknown }) => string } {
  return {
    error: ({ input }) => (isBlank(input) ? `is empty, want ${what}` : `${show(input)} is not ${what}`),
  };
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

function show(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) return typeof value;
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

const longest = 255;
const controlCharacter = /\p{Cc}/u;
const hostLabel = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;
/** RFC 9110 section 5.6.2. */
const httpToken = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;
const httpHost = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i;
const httpTarget = /^\/[!-~]*$/;

/** A host name (RFC 1123, and the underscores that container networks use), an IPv4 or a bare IPv6 address. */
function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true;
  const labels = text.replace(/\.$/, '').split('.');
  // A last label of digits alone is an address that is not one: 300.1.1.1 (RFC 1123 section 2.1).
  return text.length <= 253 && labels.every((label) => hostLabel.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '');
}

function toText(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
}

function toNumber(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'string' && /^\s*-?\d+\s*$/.test(value) ? Number(value) : value;
}

const words = new Map([
  ['true', true],
  ['t', true],
  ['yes', true],
  ['on', true],
  ['1', true],
  ['false', false],
  ['f', false],
  ['no', false],
  ['off', false],
  ['0', false],
]);

function toBoolean(value: unknown): unknown {
  return typeof value === 'string' ? (words.get(value.trim().toLowerCase()) ?? value) : value;
}

/** jsonb comes as a value; a table that the original made may hold the JSON as text, even as text inside jsonb. */
function toJson(value: unknown): unknown {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'string') return value;
  if (value.trim() === '') return {};
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function withoutBrackets(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/^\[(.*)\]$/, '$1') : value;
}

const line = (what: string) =>
  z
    .string(wanted(what))
    .max(longest, { error: `is longer than ${longest} characters` })
    .refine((text) => !controlCharacter.test(text), { error: 'contains a control character or a line break' });

const optionalLine = (what: string) => z.preprocess((value) => (isBlank(value) ? undefined : toText(value)), line(what).optional());
const flag = z.preprocess(toBoolean, z.boolean(wanted('true or false')).default(true));
const jsonObject = z.preprocess(toJson, z.record(z.string(), z.unknown(), wanted('a JSON object')));
const transport = z.preprocess(
  (value) => (typeof value === 'string' ? value.toLowerCase() : (value ?? 'udp')),
  z.enum(sipTransports, wanted(`one of ${sipTransports.join(', ')}`)),
);
const port = wanted('a port (0 to 65535)');
const peerTypes: ReadonlySet<unknown> = new Set<PeerType>([1, 2, 4]);

const columns = z.object({
  sip_user: z.preprocess(toText, line('a SIP user').min(1, wanted('a SIP user'))),
  sip_password: z.preprocess(
    (value) => toText(value ?? ''),
    z
      .string({ error: 'is not text' })
      .refine((text) => !controlCharacter.test(text), { error: 'contains a control character or a line break' })
      .refine((text) => whyNoPassword(text) === undefined, { error: ({ input }) => whyNoPassword(String(input)) }),
  ),
  sip_host: z.preprocess(
    withoutBrackets,
    z
      .string(wanted('a host name or an IP address'))
      .refine(isHost, wanted('a host name or an IP address (the port has a column of its own, sip_port)')),
  ),
  sip_port: z.preprocess(toNumber, z.number(port).int(port).min(0, port).max(65_535, port).default(5060)),
  sip_parameters: jsonObject,
  sip_headers: jsonObject,
  peer_type: z.preprocess(
    toNumber,
    z.custom<PeerType>((value) => peerTypes.has(value), wanted('a peer type (1 user, 2 group, 4 SIP address)')).default(1),
  ),
  peer_id: z.preprocess(toNumber, z.number(wanted('a whole number')).int(wanted('a whole number within 2^53'))),
  peer_str_id: optionalLine('text'),
  register: flag,
  can_call: flag,
  can_be_called: flag,
  auth_user: optionalLine('a user name'),
  display_name: optionalLine('a name'),
});

/** Judged for ws and wss alone: what stands there for another transport does no harm. */
const handshake = z.object({
  sip_parameters: z.object({
    method: z.string(wanted('an HTTP verb')).regex(httpToken, wanted('an HTTP verb')).default('GET'),
  }),
  sip_headers: z.object({
    host: z.preprocess(
      (value) => (isBlank(value) ? undefined : value),
      z.string(wanted('text')).regex(httpHost, wanted('an HTTP host (example.com or example.com:8443)')).optional(),
    ),
    location: z.preprocess(
      (value) => (isBlank(value) ? undefined : value),
      z.string(wanted('text')).regex(httpTarget, wanted('an HTTP path that starts with "/"')).default('/'),
    ),
  }),
});

const draft = columns.transform((row, context): MappingDraft => {
  const chosen = transport.safeParse(row.sip_parameters.transport);
  if (!chosen.success) {
    report(context, ['sip_parameters', 'transport'], chosen.error);
    return z.NEVER;
  }
  const mapping: MappingDraft = {
    sipUser: row.sip_user,
    sipPassword: row.sip_password,
    sipHost: row.sip_host,
    sipPort: row.sip_port,
    transport: chosen.data,
    peer: { type: row.peer_type, id: row.peer_id, ...(row.peer_str_id === undefined ? {} : { strId: row.peer_str_id }) },
    register: row.register,
    canCall: row.can_call,
    canBeCalled: row.can_be_called,
    ...(row.auth_user === undefined ? {} : { authUser: row.auth_user }),
    ...(row.display_name === undefined ? {} : { displayName: row.display_name }),
  };
  if (row.sip_port === 0 && isBlank(row.sip_parameters.transport)) mapping.isTransportOpen = true;
  if (chosen.data !== 'ws' && chosen.data !== 'wss') return mapping;
  const opening = handshake.safeParse(row);
  if (!opening.success) {
    report(context, [], opening.error);
    return z.NEVER;
  }
  const { host, location } = opening.data.sip_headers;
  const { method } = opening.data.sip_parameters;
  return { ...mapping, webSocket: { method, ...(host === undefined ? {} : { host }), location } };
});

function report(context: z.RefinementCtx, path: string[], error: z.ZodError): void {
  for (const issue of error.issues) {
    context.addIssue({ code: 'custom', message: issue.message, path: [...path, ...issue.path] });
  }
}

const rowId = z.looseObject({ id: z.preprocess(toNumber, z.int()) });

// ---- the judgement ------------------------------------------------------------------------------

type Judged = { draft: MappingDraft } | { problem: string; fields: string[] };

function judge(row: unknown): Judged {
  const parsed = draft.safeParse(row);
  if (parsed.success) return { draft: parsed.data };
  return {
    problem: parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`.trim()).join('; '),
    fields: [...new Set(parsed.error.issues.map((issue) => String(issue.path[0])))],
  };
}

/** One row of the table. Never throws. */
export function parseMappingRow(row: unknown): { mapping: Mapping } | { rejected: RejectedRow } {
  const numbered = rowId.safeParse(row);
  if (!numbered.success) return { rejected: { problem: 'a row without a usable id' } };
  const { id } = numbered.data;
  const judged = judge(row);
  if ('draft' in judged) return { mapping: { id, ...judged.draft } };
  return { rejected: { id, problem: `row ${id}: ${judged.problem}` } };
}

/** Many rows, each judged alone. Never throws. */
export function parseMappingRows(rows: readonly unknown[]): { mappings: Mapping[]; rejected: RejectedRow[] } {
  const mappings: Mapping[] = [];
  const rejected: RejectedRow[] = [];
  for (const row of rows) {
    const parsed = parseMappingRow(row);
    if ('mapping' in parsed) mappings.push(parsed.mapping);
    else rejected.push(parsed.rejected);
  }
  return { mappings, rejected };
}

/**
 * A mapping that is not in the table yet, by the names of its columns; what is absent takes the table's default.
 * @throws MappingError MAPPING_INVALID that names every column at fault
 */
export function parseMappingColumns(row: Partial<Record<MappingColumn, unknown>>): MappingDraft {
  const judged = judge(row);
  if ('draft' in judged) return judged.draft;
  throw new MappingError('MAPPING_INVALID', judged.problem, { fields: judged.fields });
}

/** The two JSON columns that say how a mapping is reached, as the guide writes them. */
export function reachColumns(reach: Pick<MappingDraft, 'transport' | 'isTransportOpen' | 'webSocket'>): {
  sip_parameters: string;
  sip_headers: string;
} {
  const { transport: name, isTransportOpen, webSocket } = reach;
  if (isTransportOpen === true) return { sip_parameters: '{}', sip_headers: '{}' };
  const isWebSocket = name === 'ws' || name === 'wss';
  const parameters = isWebSocket ? { transport: name, method: webSocket?.method ?? 'GET' } : { transport: name };
  const headers = isWebSocket && webSocket !== undefined ? { host: webSocket.host, location: webSocket.location } : {};
  return { sip_parameters: JSON.stringify(parameters), sip_headers: JSON.stringify(headers) };
}

/** A draft as the table holds it: the inverse of {@link parseMappingColumns}. */
export function toColumns(mapping: MappingDraft): Record<MappingColumn, ColumnValue> {
  return {
    sip_user: mapping.sipUser,
    sip_password: mapping.sipPassword,
    sip_host: mapping.sipHost,
    sip_port: mapping.sipPort,
    ...reachColumns(mapping),
    peer_type: mapping.peer.type,
    peer_id: mapping.peer.id,
    peer_str_id: mapping.peer.strId ?? null,
    register: mapping.register,
    can_call: mapping.canCall,
    can_be_called: mapping.canBeCalled,
    auth_user: mapping.authUser ?? null,
    display_name: mapping.displayName ?? null,
  };
}

/** Whether both rows say the same. */
export function isSameMapping(one: Mapping, other: Mapping): boolean {
  const columns = toColumns(other);
  return one.id === other.id && Object.entries(toColumns(one)).every(([column, value]) => columns[column as MappingColumn] === value);
}

/** `434@example.com:5060`, as people and messages name a mapping; an IPv6 address in brackets. */
export function sayAccount(mapping: Pick<Mapping, 'sipUser' | 'sipHost' | 'sipPort'>): string {
  const host = mapping.sipHost.includes(':') ? `[${mapping.sipHost}]` : mapping.sipHost;
  return `${mapping.sipUser}@${host}:${mapping.sipPort}`;
}
