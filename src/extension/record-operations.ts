/** The records of calls as an operator asks for them from a command line: read straight from the database that a server.conf names. */
import { readDurationMs } from '../config/durations.js';
import { readServerConf } from '../config/read.js';
import { toSipConfig } from '../config/schema.js';
import { openDatabase } from '../mappings/database.js';
import type { CallRecord } from '../records/call-record.js';
import { RecordStore, type RecordQuery } from '../records/record-store.js';
import { databaseOf } from './mapping-operations.js';

export type { CallRecord } from '../records/call-record.js';

/** Newest end first, page by page. @throws ConfigError; ExtensionError DATABASE_* */
export async function* readCallRecords(configFile: string, query: RecordQuery): AsyncGenerator<CallRecord[], void, undefined> {
  const database = await openDatabase(databaseOf(toSipConfig(await readServerConf(configFile)), configFile));
  try {
    yield* new RecordStore(database.knex).pages(query);
  } finally {
    await database.close();
  }
}

/** A date of ISO 8601, with or without the time of day and a zone. */
const isoDate = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/;

/** `1h`, `30 minutes`, `7d` before `now`, or a date: `2026-01-31`, `2026-01-31T12:00`, in UTC if it names no zone. Undefined for anything else. */
export function readSince(text: string, now: Date): Date | undefined {
  const date = isoDate.exec(text);
  const ms = date === null && /[A-Za-z]$/.test(text) ? (readDurationMs(text) ?? 0) : 0;
  const isZoned = date?.[1] !== undefined || !text.includes('T');
  const at = date !== null ? Date.parse(isZoned ? text : `${text}Z`) : ms > 0 ? now.getTime() - ms : Number.NaN;
  const since = new Date(at);
  return Number.isNaN(since.getTime()) ? undefined : since;
}
