/**
 * What the columns of `sip_user_mappings` may hold, and the mapping that they come to: one zod schema, which judges every row, wherever it
 * comes from. Its sentences are for whoever wrote the row; a password stands in none.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { sipTransports } from '../base/sip-transport.js';
import type { PeerType } from '../host/contract.js';
import type { MappingDraft } from './mapping.js';
import { whyNoPassword } from './secrets.js';

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

export const longest = 255;
export const controlCharacter = /\p{Cc}/u;
const hostLabel = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;
/** RFC 9110 section 5.6.2. */
const httpToken = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;
const httpHost = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i;
const httpTarget = /^\/[!-~]*$/;

/** A host name (RFC 1123, and the underscores that container networks use), an IPv4 or a bare IPv6 address. */
export function isHost(text: string): boolean {
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

export const mappingSchema = columns.transform((row, context): MappingDraft => {
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

export const rowId = z.looseObject({ id: z.preprocess(toNumber, z.int()) });
