/**
 * The table `sip_user_mappings` as SQL has it: its rows as the driver gives them, how a peer and an account are found in it, how it
 * says no, and the locks that keep two writers from adding the same.
 */
import { createHash } from 'node:crypto';
import type { Knex } from 'knex';
import { askDatabase, bareCause, isUniqueViolation } from '../base/database-errors.js';
import { MappingError } from '../base/errors.js';
import type { Peer } from '../host/contract.js';
import { mappingColumns, toColumns, type Mapping, type MappingColumn, type MappingDraft } from './mapping.js';

export const table = 'sip_user_mappings';
export const columns: string[] = ['id', ...mappingColumns];

/** A row as the driver gives it; int8 is text. */
export type Row = { id: string | number } & Record<MappingColumn, unknown>;

export function rowsOf(knex: Knex): Knex.QueryBuilder<Row, Row[]> {
  return knex<Row, Row[]>(table).select<Row[]>(columns);
}

export function rowsOfPeer(knex: Knex, peer: Peer): Knex.QueryBuilder<Row, Row[]> {
  return rowsOf(knex).where(isPeer(peer)).orderBy('id');
}

export function rowsOfAccount(knex: Knex, user: string, host: string): Knex.QueryBuilder<Row, Row[]> {
  return rowsOf(knex).where('sip_user', user).andWhere(atHost(knex, host)).orderBy('id');
}

/** A SIP peer (type 4) is told by its address as well as by its number. */
export function isPeer(peer: Peer): Record<string, string | number> {
  const key = { peer_type: peer.type, peer_id: peer.id };
  return peer.type === 4 && peer.strId !== undefined ? { ...key, peer_str_id: peer.strId } : key;
}

/** Host names know no case; an IPv6 address may stand in brackets in a row made by hand. */
export function atHost(knex: Knex, host: string): Knex.Raw {
  const lowered = host.toLowerCase();
  return knex.raw('lower(sip_host) in (?, ?)', [lowered, `[${lowered}]`]);
}

/**
 * @param action what is done, as a sentence about its failure begins: "Adding a mapping"
 * @throws MappingError MAPPING_CONFLICT when a key of the table refuses a row; ExtensionError, MappingError of `work`; else ExtensionError DATABASE_*
 */
export async function askTable<T>(action: string, work: () => PromiseLike<T>): Promise<T> {
  return askDatabase(action, async () => {
    try {
      return await work();
    } catch (thrown) {
      // An original table may carry a key of its own, on sip_user say.
      if (!isUniqueViolation(thrown)) throw thrown;
      throw new MappingError('MAPPING_CONFLICT', `${action} failed: a key of the table refuses it, there is a row like it.`, { cause: bareCause(thrown) });
    }
  });
}

export async function insertRow(transaction: Knex.Transaction, draft: MappingDraft): Promise<Mapping> {
  const rows = await transaction<Row>(table).insert(toColumns(draft)).returning('id');
  return { id: Number(rows[0]?.id), ...draft };
}

/** Until the end of the transaction nobody else adds that account, or another one for that peer at that host. */
export async function claim(transaction: Knex.Transaction, draft: MappingDraft): Promise<void> {
  const host = draft.sipHost.toLowerCase();
  const account = lockKey(`account ${draft.sipUser} ${host}`);
  const peer = lockKey(`peer ${draft.peer.type} ${draft.peer.id} ${host}`);
  // In one order everywhere, or two writers could wait for each other.
  const [first, second] = account < peer ? [account, peer] : [peer, account];
  await transaction.raw(
    'select pg_advisory_xact_lock_shared(?::bigint), pg_advisory_xact_lock(?::bigint), pg_advisory_xact_lock(?::bigint)',
    [lockKey('all'), first, second],
  );
}

/** Until the end of the transaction nobody else adds anything. */
export async function claimAll(transaction: Knex.Transaction): Promise<void> {
  await transaction.raw('select pg_advisory_xact_lock(?::bigint)', [lockKey('all')]);
}

/** The number of an advisory lock, as text: 64 bits. */
function lockKey(name: string): string {
  return createHash('sha256').update(`${table} ${name}`).digest().readBigInt64BE().toString();
}
