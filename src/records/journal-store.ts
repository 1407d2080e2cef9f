/** The tables `sip_dialogs` and `sip_runs` through knex: the only file that queries them. */
import type { Knex } from 'knex';
import { askDatabase } from '../base/database-errors.js';
import { recordId, toRecordColumns } from './call-record.js';
import type { JournaledCall, LeftCall } from './live-call.js';

/** How a call ends whose process is gone. */
const ending = { reason: 'error', class: 'server', message: 'The server was restarted during the call.' } as const;

/** One run of a node: a process, from its start to its end. */
export interface Run {
  readonly run: string;
  /** int8 is text. */
  readonly beat: string;
}

/** Names a row. */
export interface JournalKey {
  readonly id: string;
  readonly started_at: Date;
}

const keys = 'id text, started_at timestamptz';

const put = `insert into sip_dialogs (id, started_at, run, call, way)
  select id, started_at, ?, call, way from jsonb_to_recordset(?::jsonb) as live (${keys}, call jsonb, way jsonb)
  on conflict (id, started_at) do update set run = excluded.run, call = excluded.call, way = excluded.way`;

const remove = `delete from sip_dialogs using jsonb_to_recordset(?::jsonb) as over (${keys})
  where sip_dialogs.id = over.id and sip_dialogs.started_at = over.started_at and run = ?`;

const beat = `insert into sip_runs (run, node) values (?, ?) on conflict (run) do update set beat = sip_runs.beat + 1`;

/** All at once or nothing, and to one taker alone: the rows go, and their records are there. */
const take = `with gone as (delete from sip_runs where run = ?),
  taken as (delete from sip_dialogs where run = ? returning id, call, way),
  closed as (
    insert into sip_calls
    select ended.* from taken, jsonb_populate_record(null::sip_calls, taken.call || ?::jsonb) as ended
    where ? on conflict do nothing)
  select id, call->'mapping_id' as mapping_id, way from taken`;

export class JournalStore {
  /** @param hasRecords false: calls leave no records, these neither */
  constructor(
    private readonly knex: Knex,
    private readonly node: string,
    private readonly run: string,
    private readonly hasRecords: boolean,
  ) {}

  /** Puts rows in the place of those that are there. @throws ExtensionError DATABASE_FAILED, DATABASE_UNAVAILABLE, as every method here */
  async put(calls: readonly JournaledCall[]): Promise<void> {
    const rows = calls.map(({ facts, looseEnd }) => {
      const record = toRecordColumns({ ...facts, ...ending, endedAt: facts.startedAt }, this.node);
      return { id: record.id, started_at: record.started_at, call: record, way: isStorable(looseEnd) ? looseEnd : null };
    });
    await this.#ask('Noting live calls', put, [this.run, JSON.stringify(rows)]);
  }

  async remove(gone: readonly JournalKey[]): Promise<void> {
    await this.#ask('Noting ended calls', remove, [JSON.stringify(gone), this.run]);
  }

  /** This run is alive. */
  async beat(): Promise<void> {
    await this.#ask('Noting that this node lives', beat, [this.run, this.node]);
  }

  /** Runs of this node's name, but for this one. */
  otherRuns(): Promise<Run[]> {
    return this.#ask<Run>('Looking for runs before', 'select run, beat from sip_runs where node = ? and run <> ?', [this.node, this.run]);
  }

  /** Takes the calls of a run that is over, and closes their records. @param endedAt when they are taken to have ended */
  async take(run: string, endedAt: Date): Promise<LeftCall[]> {
    const rest = JSON.stringify({ ended_at: endedAt, ...ending });
    const rows = await this.#ask<{ id: string; mapping_id: unknown; way: unknown }>('Taking the calls of a run before', take, [run, run, rest, this.hasRecords]);
    return rows.map(({ id, mapping_id: mappingId, way }) => ({
      callId: id,
      looseEnd: way,
      ...(typeof mappingId === 'number' ? { mappingId } : {}),
    }));
  }

  /** This run is over, in good order: nothing is left of it. */
  async forget(): Promise<void> {
    await this.#ask('Forgetting this run', 'with gone as (delete from sip_dialogs where run = ?) delete from sip_runs where run = ?', [this.run, this.run]);
  }

  async #ask<Row>(action: string, sql: string, bindings: readonly (string | boolean)[]): Promise<Row[]> {
    const { rows } = await askDatabase(action, () => this.knex.raw<{ rows: Row[] }>(sql, bindings));
    return rows;
  }
}

export function keyOf({ callId, facts }: JournaledCall): JournalKey {
  return { id: recordId(callId), started_at: facts.startedAt };
}

/** What no jsonb holds: NULs and halves of surrogate pairs, as JSON writes them. */
const unstorable = /\\u(?:0000|d[89a-f][0-9a-f]{2})/i;

/** One call that cannot be ended must not keep the others from being noted. */
function isStorable(looseEnd: object | undefined): boolean {
  return looseEnd !== undefined && !unstorable.test(JSON.stringify(looseEnd));
}
