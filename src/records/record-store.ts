/** The table `sip_calls` through knex: the only file that queries it. */
import type { Knex } from 'knex';
import { askDatabase } from '../base/database-errors.js';
import { toRecordColumns, type CallRecord, type EndedCall } from './call-record.js';

/** Which records: all, or those that each given part fits. */
export interface RecordQuery {
  /** Calls that ended then or later. */
  readonly since?: Date;
  /** A messenger user. */
  readonly user?: number;
  /** Calls that ended earlier, or that come after that one in this order. */
  readonly before?: { readonly endedAt: Date } | RecordPlace;
}

export interface RecordSearch extends RecordQuery {
  /** A part of either address, in any case, or the number of the user. */
  readonly text?: string;
  readonly limit: number;
}

export interface FoundRecords {
  readonly records: CallRecord[];
  /** After which call to go on, whether or not anything was found; absent when there is no more. */
  readonly next?: RecordPlace;
}

/** Where a call stands among all: the newest end first, then by its id and start. */
export type RecordPlace = Pick<CallRecord, 'endedAt' | 'startedAt' | 'callId'>;

/** A column and its type, in the order of schema/005. */
const columns = `id text, started_at timestamptz, rang_at timestamptz, answered_at timestamptz, ended_at timestamptz, direction text,
  mapping_id bigint, peer_type integer, peer_id bigint, peer_str_id text, from_address text, to_address text, reason text, class text,
  status integer, message text, codecs text, node text`;
const names = columns.replace(/(\w+) \w+(,|$)/g, '$1$2');

/** One text for any number of rows; a row that is there already, from a write whose answer was lost, stays as it is. */
const insert = `insert into sip_calls (${names}) select ${names} from jsonb_to_recordset(?::jsonb) as ended (${columns}) on conflict do nothing`;

/** How many one search for a text looks at: no index helps it, and there may be millions. */
const mostLookedAt = 50_000;

/** By which they are ordered. */
const place = '(ended_at, id, started_at)';

const holdsText = '(from_address ilike :part or to_address ilike :part or (peer_type = 1 and cast(peer_id as text) = :text))';

/** A row as the driver gives it; int8 is text. */
interface Row {
  id: string;
  started_at: Date;
  rang_at: Date | null;
  answered_at: Date | null;
  ended_at: Date;
  direction: 'outgoing' | 'incoming';
  mapping_id: string | null;
  peer_type: number;
  peer_id: string;
  peer_str_id: string | null;
  from_address: string;
  to_address: string;
  reason: string;
  class: string;
  status: number | null;
  message: string;
  codecs: string;
  node: string;
}

export class RecordStore {
  constructor(private readonly knex: Knex) {}

  /** All or none. @throws ExtensionError DATABASE_FAILED, DATABASE_UNAVAILABLE, as every method here */
  async write(calls: readonly EndedCall[], node: string): Promise<void> {
    const rows = calls.map((call) => toRecordColumns(call, node));
    await askDatabase('Writing call records', () => this.knex.raw(insert, [JSON.stringify(rows)]));
  }

  /** Newest end first, `size` at a time. Calls that end meanwhile are not seen. */
  async *pages(query: RecordQuery, size = 500): AsyncGenerator<CallRecord[], void, undefined> {
    for (let before = query.before; ; ) {
      const records = await this.page({ ...query, before, limit: size });
      if (records.length > 0) yield records;
      if (records.length < size) return;
      before = records.at(-1);
    }
  }

  /** Newest end first, at most `limit`. */
  async page({ limit, ...query }: RecordQuery & { readonly limit: number }): Promise<CallRecord[]> {
    return (await askDatabase('Reading call records', () => this.#select(query).limit(limit))).map(toRecord);
  }

  /** Newest end first, at most `limit`; with a text, of the next `mostLookedAt`. */
  async find({ text, limit, ...query }: RecordSearch): Promise<FoundRecords> {
    const found = await askDatabase('Reading call records', async () => {
      if (text === undefined) return { rows: await this.#select(query).limit(limit + 1) };
      const [last] = await this.#select(query).offset(mostLookedAt - 1).limit(1);
      const select = this.#select(query).whereRaw(holdsText, { part: `%${text.replace(/[\\%_]/g, '\\$&')}%`, text });
      if (last !== undefined) void select.whereRaw(`${place} >= (?, ?, ?)`, [last.ended_at, last.id, last.started_at]);
      return { rows: await select.limit(limit + 1), last };
    });
    const records = found.rows.slice(0, limit).map(toRecord);
    // One more than asked for tells whether there is another page.
    const next = found.rows.length > limit ? records.at(-1) : found.last && toRecord(found.last);
    return { records, ...(next === undefined ? {} : { next }) };
  }

  #select({ since, user, before }: RecordQuery): Knex.QueryBuilder<Row, Row[]> {
    const query = this.knex<Row, Row[]>('sip_calls').select<Row[]>('*').orderBy([
      { column: 'ended_at', order: 'desc' },
      { column: 'id', order: 'desc' },
      { column: 'started_at', order: 'desc' },
    ]);
    if (since !== undefined) void query.where('ended_at', '>=', since);
    if (user !== undefined) void query.where({ peer_type: 1, peer_id: String(user) });
    if (before !== undefined && 'callId' in before) void query.whereRaw(`${place} < (?, ?, ?)`, [before.endedAt, before.callId, before.startedAt]);
    else if (before !== undefined) void query.where('ended_at', '<', before.endedAt);
    return query;
  }

  /** Removes at most `most` of the calls that ended before. @returns how many */
  removeBefore(end: Date, most: number): Promise<number> {
    return askDatabase('Removing old call records', () =>
      this.knex('sip_calls')
        .whereRaw('ctid = any(array(select ctid from sip_calls where ended_at < ? limit ?))', [end, most])
        .delete(),
    );
  }
}

function toRecord(row: Row): CallRecord {
  return {
    callId: row.id,
    direction: row.direction,
    ...(row.mapping_id === null ? {} : { mappingId: Number(row.mapping_id) }),
    peer: { type: row.peer_type, id: Number(row.peer_id), ...(row.peer_str_id === null ? {} : { strId: row.peer_str_id }) },
    from: row.from_address,
    to: row.to_address,
    startedAt: row.started_at,
    ...(row.rang_at === null ? {} : { rangAt: row.rang_at }),
    ...(row.answered_at === null ? {} : { answeredAt: row.answered_at }),
    endedAt: row.ended_at,
    reason: row.reason,
    class: row.class,
    ...(row.status === null ? {} : { status: row.status }),
    message: row.message,
    codecs: row.codecs === '' ? [] : row.codecs.split(','),
    node: row.node,
  };
}
