/** Mappings as they cross the administration interface: shown without their password, taken with it. */
import * as z from 'zod';
import { pageSize, partOfText, wholeNumber } from './query-shapes.js';

/** One row of sip_user_mappings. */
export const shownMapping = z.object({
  id: z.int().positive(),
  sipUser: z.string(),
  hasPassword: z.boolean(),
  sipHost: z.string(),
  /** 0: DNS says. */
  sipPort: z.int(),
  transport: z.string(),
  /** The WebSocket handshake: for ws and wss alone. */
  method: z.string().optional(),
  hostHeader: z.string().optional(),
  location: z.string().optional(),
  /** 1 user, 2 group, 4 SIP address. */
  peerType: z.int(),
  peerId: z.int(),
  peerStrId: z.string().optional(),
  register: z.boolean(),
  canCall: z.boolean(),
  canBeCalled: z.boolean(),
  authUser: z.string().optional(),
  displayName: z.string().optional(),
  /** Why the row cannot be used; the other fields are then as far as they can be read. */
  problem: z.string().optional(),
});
export type ShownMapping = z.infer<typeof shownMapping>;

/** `next`: what to ask `after` for the following page; absent on the last. */
export const mappingsPage = z.object({ items: z.array(shownMapping), next: z.int().optional() });
export type MappingsPage = z.infer<typeof mappingsPage>;

export const mappingsQuery = z.strictObject({
  /** A part of the SIP user, the host or the display name, in any case, or the number of the peer. */
  q: partOfText,
  after: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(0),
  limit: pageSize,
});

const text = z.string().max(1_024);
/** An empty text clears it, as null does. */
const clearable = text.nullable().transform((value) => value ?? '');
const number = z.union([z.int(), text], { error: 'want a whole number' });

/** What may be said of a mapping; whether it can be used so is judged where all rows are. Absent: the table's default, or as it was. */
export const mappingBody = z.strictObject({
  sipUser: text.optional(),
  /** Kept encrypted when there is a key, and shown to nobody. */
  sipPassword: clearable.optional(),
  sipHost: text.optional(),
  sipPort: number.optional(),
  transport: text.optional(),
  method: text.optional(),
  hostHeader: clearable.optional(),
  location: text.optional(),
  peerType: number.optional(),
  peerId: number.optional(),
  peerStrId: clearable.optional(),
  register: z.boolean().optional(),
  canCall: z.boolean().optional(),
  canBeCalled: z.boolean().optional(),
  authUser: clearable.optional(),
  displayName: clearable.optional(),
});
export type MappingBody = z.infer<typeof mappingBody>;

export const mappingChange = mappingBody.refine((fields) => Object.keys(fields).length > 0, { error: 'want at least one field to change' });

/** The field of a form at which a column's fault is shown. Transport and handshake share two columns. */
export function fieldOf(column: string): string {
  if (column === 'sip_parameters') return 'transport';
  if (column === 'sip_headers') return 'location';
  return column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export const importQuery = z.strictObject({
  /** Everything is checked and nothing is written. */
  dryRun: z.enum(['true', 'false'], { error: 'want true or false' }).default('false').transform((said) => said === 'true'),
});

/** What an import did; with `dryRun`, or with errors, what it would have done, and nothing is written. */
export const importReport = z.object({
  rows: z.int(),
  inserted: z.int(),
  updated: z.int(),
  unchanged: z.int(),
  errorCount: z.int(),
  /** The first thousand. */
  errors: z.array(z.object({ line: z.int(), field: z.string().optional(), problem: z.string() })),
  dryRun: z.boolean(),
});
export type ImportReport = z.infer<typeof importReport>;
