/** Records of calls that are over, as they cross the administration interface. Times are ISO 8601. */
import * as z from 'zod';
import { pageSize, partOfText, time, wholeNumber } from './query-shapes.js';

export const shownRecord = z.object({
  callId: z.string(),
  direction: z.enum(['outgoing', 'incoming']),
  mappingId: z.int().optional(),
  /** The messenger user whose call it was; absent for a group or a SIP peer. */
  userId: z.int().optional(),
  from: z.string(),
  to: z.string(),
  startedAt: z.string(),
  rangAt: z.string().optional(),
  answeredAt: z.string().optional(),
  endedAt: z.string(),
  /** From the answer to the end; absent when nobody answered. */
  durationMs: z.int().optional(),
  reason: z.string(),
  /** Whose affair the end was: success, client, upstream, server. */
  class: z.string(),
  status: z.int().optional(),
  /** For a person. */
  message: z.string(),
  codecs: z.array(z.string()),
  node: z.string(),
});
export type ShownRecord = z.infer<typeof shownRecord>;

/** Newest end first. `next`: what to ask `before` for the following page; absent on the last. */
export const recordsPage = z.object({ items: z.array(shownRecord), next: z.string().optional() });
export type RecordsPage = z.infer<typeof recordsPage>;

const placeParts = /^([^,]+)(?:,([^,]+),(.{1,512}))?$/s;

/** A time; or, as `next` gives it, the end, the start and the id of the last call of a page: many may end at one moment. */
const place = z.string({ error: 'want one place' }).transform((text, context) => {
  const [, endedAt, startedAt, callId] = placeParts.exec(text) ?? [];
  const ended = time.safeParse(endedAt);
  const started = time.safeParse(startedAt ?? endedAt);
  if (ended.success && started.success) return callId === undefined ? { endedAt: ended.data } : { endedAt: ended.data, startedAt: started.data, callId };
  context.addIssue({ code: 'custom', message: 'want a time of ISO 8601 with a zone, or what `next` said' });
  return z.NEVER;
});

export const recordsQuery = z.strictObject({
  since: time.optional(),
  before: place.optional(),
  user: wholeNumber(1, Number.MAX_SAFE_INTEGER).optional(),
  /** A part of either address, in any case, or the number of the user. */
  q: partOfText,
  limit: pageSize,
});

/** What `before` takes. */
export function writePlace({ endedAt, startedAt, callId }: { readonly endedAt: Date; readonly startedAt: Date; readonly callId: string }): string {
  return `${endedAt.toISOString()},${startedAt.toISOString()},${callId}`;
}
