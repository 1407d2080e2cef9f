/** What happened lately, as it crosses the administration interface: the log and the samples of an hour. Times are ISO 8601. */
import * as z from 'zod';
import { wholeNumber } from './query-shapes.js';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;

/** `n` counts up from 1, without a gap. */
export const shownLogLine = z.object({ n: z.int().positive(), at: z.string(), level: z.enum(logLevels), message: z.string() });
export type ShownLogLine = z.infer<typeof shownLogLine>;

/** Oldest first, a thousand at most. `last`: the number of the newest line there is, to ask `after` the next time. */
export const logTail = z.object({ items: z.array(shownLogLine), last: z.int() });
export type ShownLogTail = z.infer<typeof logTail>;

export const logQuery = z.strictObject({
  after: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(0),
  /** That, and worse. */
  level: z.enum(logLevels, { error: `want one of ${logLevels.join(', ')}` }).default('debug'),
});

const count = z.int().min(0);

export const shownSample = z.object({
  /** The end of its ten seconds. */
  at: z.string(),
  byState: z.object({ waiting: count, registering: count, registered: count, retrying: count, parked: count, unregistering: count }),
  /** Calls that went on. */
  live: count,
  /** Calls that began. */
  callsPerSecond: z.number(),
  /** Calls that ended, and how many of them had been answered. */
  ended: count,
  answered: count,
  /** Post-dial delay of the outgoing calls that ended, milliseconds; null: there were none. */
  pddMs: z.object({ p50: z.number(), p95: z.number(), p99: z.number() }).nullable(),
  registersPerSecond: z.number(),
  /** To each registrar. */
  registerLimit: z.number(),
});
export type ShownSample = z.infer<typeof shownSample>;

/** The oldest first, an hour at most. */
export const shownHistory = z.object({ everyMs: z.int(), samples: z.array(shownSample) });
export type ShownHistory = z.infer<typeof shownHistory>;
