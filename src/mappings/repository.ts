/**
 * What is read from the table `sip_user_mappings` and written to it, but for `stored-passwords`. Whatever is read is judged row by row;
 * whatever is written is judged first, and its password encrypted when there is a key.
 *
 * No unique index stands behind it, for tables that exist may hold one SIP user several times, for several peers. What
 * may not be there twice is kept apart by advisory locks of the writing transaction (one per account, one per peer at a
 * host; a bulk insert takes the one that all share), so it holds for any number of nodes. Plain SQL by hand goes past them.
 */
import type { Knex } from 'knex';
import { databaseError, isUniqueViolation } from '../base/database-errors.js';
import { ExtensionError, MappingError } from '../base/errors.js';
import type { Peer } from '../host/contract.js';
import { atHost, claim, claimAll, columns, insertRow, isPeer, rowsOf, rowsOfAccount, rowsOfPeer, table, type Row } from './mapping-table.js';
import {
  mappingColumns,
  parseMappingColumns,
  parseMappingRow,
  parseMappingRows,
  reachColumns,
  toColumns,
  type ColumnValue,
  type Mapping,
  type MappingColumn,
  type MappingDraft,
  type RejectedRow,
} from './mapping.js';
import { Secrets } from './secrets.js';
import { sayHeld, sayTwin, sayUnusable, siftAbsent, siftTwins, type DraftConflict, type FreshDraft } from './sifting.js';

/** The columns by which a mapping is the same as another. */
const identity: readonly MappingColumn[] = ['sip_user', 'sip_host', 'peer_type', 'peer_id', 'peer_str_id'];

type RawStamp = { id: string | number; hash: number };

/** The server hashes: a comparison of all rows carries numbers alone, and no password. */
const stampOfRow = `hashtext(row(${mappingColumns.join(', ')})::text) as hash`;

const rowHasText = 'sip_user ilike :part or sip_host ilike :part or display_name ilike :part or cast(peer_id as text) = :text';

/** Rows in one statement, where there are many. */
const atOnce = 500;

export interface MappingPage {
  mappings: Mapping[];
  rejected: RejectedRow[];
}

export interface RowSearch {
  readonly text?: string;
  readonly afterId: number;
  readonly limit: number;
}

/** Which row, and a 32-bit hash of the columns that are judged: as long as it is the same, so is the mapping. */
export interface RowStamp {
  /** NaN for an id that is no number here (2^53 and more). */
  id: number;
  hash: number;
}

/** A row with its stamp, judged. */
export interface StampedRow extends RowStamp {
  judged: { mapping: Mapping } | { rejected: RejectedRow };
}

/** What came of many accounts made by rule. */
export interface ProvisionReport {
  created: number;
  /** Peers that have a mapping at that host already. */
  present: number;
  /** A draft whose SIP user belongs to another peer, or whose peer has a row there that cannot be used. */
  conflicts: DraftConflict[];
}

export class MappingRepository {
  constructor(
    private readonly knex: Knex,
    private readonly secrets: Pick<Secrets, 'seal'> = new Secrets({ previous: [] }),
  ) {}

  /**
   * Every row, by ascending id, `size` at a time. Rows that come or go meanwhile may be seen or not.
   * @throws ExtensionError DATABASE_FAILED, DATABASE_UNAVAILABLE, as every method here
   */
  async *pages(size = 1000): AsyncGenerator<MappingPage, void, undefined> {
    for await (const rows of this.#walk(() => rowsOf(this.knex), size)) yield parseMappingRows(rows);
  }

  /** As `pages`, each row with its stamp. */
  async *stampedPages(size = 200): AsyncGenerator<StampedRow[], void, undefined> {
    for await (const rows of this.#walk(() => this.#stampedRows(), size)) yield rows.map(judgeStamped);
  }

  /** The stamps of all rows, by ascending id. */
  async *stampPages(size = 2000): AsyncGenerator<RowStamp[], void, undefined> {
    const select = (): Knex.QueryBuilder<RawStamp, RawStamp[]> =>
      this.knex<RawStamp, RawStamp[]>(table).select<RawStamp[]>('id', this.knex.raw(stampOfRow));
    for await (const rows of this.#walk(select, size)) yield rows.map(({ id, hash }) => ({ id: toId(id), hash }));
  }

  /** Those of these rows that there are; some hundreds at most. */
  async stampedRows(ids: readonly number[]): Promise<StampedRow[]> {
    const rows = await this.#ask('Reading changed mappings', () => this.#stampedRows().whereIn('id', [...ids]));
    return rows.map(judgeStamped);
  }

  /**
   * At most `limit` rows as they stand, judged by nobody, by ascending id from the first above `afterId`.
   * @param query text: only those whose SIP user, host or display name it is a part of, in any case, or whose peer has that number
   */
  async search({ text, afterId, limit }: RowSearch): Promise<Row[]> {
    return this.#ask('Searching the mappings', async () => {
      const query = rowsOf(this.knex).where('id', '>', afterId).orderBy('id').limit(limit);
      return text === undefined ? query : query.andWhereRaw(`(${rowHasText})`, { part: `%${text.replace(/[\\%_]/g, '\\$&')}%`, text });
    });
  }

  /** One row as it stands, judged by nobody. */
  async row(id: number): Promise<Row | undefined> {
    return this.#ask(`Reading mapping ${id}`, () => rowsOf(this.knex).where('id', id).first());
  }

  /** @throws MappingError MAPPING_INVALID when the row is there but cannot be used */
  async find(id: number): Promise<Mapping | undefined> {
    const row = await this.row(id);
    return row === undefined ? undefined : usable(row);
  }

  /** The usable mappings of that peer, ascending id. */
  async findByPeer(peer: Peer): Promise<Mapping[]> {
    const rows = await this.#ask('Reading the mappings of a peer', () => rowsOfPeer(this.knex, peer));
    return parseMappingRows(rows).mappings;
  }

  /** The usable mappings with that SIP user at that host (any case), ascending id. */
  async findBySipUser(user: string, host: string): Promise<Mapping[]> {
    const rows = await this.#ask('Reading the mappings of a SIP user', () => rowsOfAccount(this.knex, user, host));
    return parseMappingRows(rows).mappings;
  }

  /**
   * @throws MappingError MAPPING_INVALID for a draft that cannot be used; MAPPING_CONFLICT when that peer has that SIP user
   *   at that host already
   */
  async insert(draft: MappingDraft): Promise<Mapping> {
    const checked = this.#check(draft);
    return this.#write('Adding a mapping', async (transaction) => {
      await claim(transaction, checked);
      await this.#refuseTwin(transaction, checked);
      return insertRow(transaction, checked);
    });
  }

  /**
   * For accounts made by rule: one per peer and host, whoever and however many ask for it at once.
   * @throws MappingError MAPPING_CONFLICT when another peer holds that SIP user at that host; MAPPING_INVALID for a draft
   *   that cannot be used, or when the peer has a row there that cannot
   */
  async insertIfAbsent(draft: MappingDraft): Promise<{ mapping: Mapping; created: boolean }> {
    const checked = this.#check(draft);
    return this.#write('Adding a mapping', async (transaction) => {
      await claim(transaction, checked);
      const present = await rowsOfPeer(transaction, checked.peer).andWhere(atHost(transaction, checked.sipHost)).first();
      if (present !== undefined) return { mapping: usable(present), created: false };
      const holder = await rowsOfAccount(transaction, checked.sipUser, checked.sipHost).first();
      if (holder !== undefined) throw new MappingError('MAPPING_CONFLICT', `${sayHeld(checked, holder)}.`, { fields: ['sip_user', 'sip_host'] });
      return { mapping: await insertRow(transaction, checked), created: true };
    });
  }

  /**
   * `insertIfAbsent` for some hundreds at once, in one transaction: a draft in conflict is left out and harms no other, and so is one that a
   * key of the table's own refuses.
   * @param options dryRun: everything is checked but such keys, and nothing is written; `created` is what would be
   */
  async insertAllIfAbsent(drafts: readonly MappingDraft[], options: { dryRun?: boolean } = {}): Promise<ProvisionReport> {
    const checked = drafts.map((draft) => this.#check(draft));
    if (options.dryRun === true) return this.#insertAbsent(checked, () => Promise.resolve([]));
    try {
      return await this.#insertAbsent(checked, insertTogether);
    } catch (thrown) {
      if (!(thrown instanceof MappingError) || thrown.code !== 'MAPPING_CONFLICT') throw thrown;
      return this.#insertAbsent(checked, insertOneByOne);
    }
  }

  /**
   * Many at once, in one transaction. A draft that is there already (the same peer, SIP user and host) is a conflict; with
   * any conflict nothing is inserted, unless those are to be skipped.
   */
  async insertAll(
    drafts: readonly MappingDraft[],
    options: { skipConflicts?: boolean; dryRun?: boolean } = {},
  ): Promise<{ inserted: number; conflicts: DraftConflict[] }> {
    const checked = drafts.map((draft) => this.#check(draft));
    return this.#write('Adding mappings', async (transaction) => {
      await claimAll(transaction);
      const { fresh, conflicts } = siftTwins(checked, await rowsOfUsers(transaction, checked));
      if (options.dryRun === true || (conflicts.length > 0 && options.skipConflicts !== true)) return { inserted: 0, conflicts };
      await insertTogether(transaction, fresh);
      return { inserted: fresh.length, conflicts };
    });
  }

  /**
   * Changes the fields that are given; an optional field given as undefined is cleared. A row that cannot be used as it
   * stands can be set right so.
   * @throws MappingError MAPPING_NOT_FOUND; MAPPING_INVALID when the row would not be usable; MAPPING_CONFLICT
   */
  async update(id: number, patch: Partial<MappingDraft>): Promise<Mapping> {
    return this.#change(id, (row) => changedColumns(patch, row));
  }

  /** As `update`, by the names of columns; JSON columns as text, and whole. */
  async updateColumns(id: number, changes: Partial<Record<MappingColumn, unknown>>): Promise<Mapping> {
    return this.#change(id, () => changes);
  }

  /**
   * Gives the mappings of that peer with that SIP user at that host another display name, where they have not got it.
   * @returns those that were changed and can be used
   */
  async rename({ peer, sipUser, sipHost }: Pick<MappingDraft, 'peer' | 'sipUser' | 'sipHost'>, displayName: string): Promise<Mapping[]> {
    const rows = await this.#ask('Changing a display name', () =>
      this.knex<Row, Row[]>(table)
        .where(isPeer(peer))
        .andWhere('sip_user', sipUser)
        .andWhere(atHost(this.knex, sipHost))
        .andWhereRaw('display_name is distinct from ?', [displayName])
        .update({ display_name: displayName })
        .returning<Row[]>(columns),
    );
    return parseMappingRows(rows).mappings;
  }

  /** @returns whether there was one */
  async remove(id: number): Promise<boolean> {
    return this.#ask(`Removing mapping ${id}`, async () => (await this.knex(table).where('id', id).delete()) > 0);
  }

  /** @returns how many there were */
  async removeByPeer(peer: Peer): Promise<number> {
    return this.#ask('Removing the mappings of a peer', () => this.knex(table).where(isPeer(peer)).delete());
  }

  /** @param insert writes those that are new, and returns those that it could not */
  async #insertAbsent(
    drafts: readonly MappingDraft[],
    insert: (transaction: Knex.Transaction, fresh: readonly FreshDraft[]) => Promise<DraftConflict[]>,
  ): Promise<ProvisionReport> {
    return this.#write('Adding mappings', async (transaction) => {
      await claimAll(transaction);
      const peers = drafts.map(({ peer }) => peer.id);
      const users = drafts.map(({ sipUser }) => sipUser);
      const rows = await rowsOf(transaction).whereIn('peer_id', peers).orWhereIn('sip_user', users).orderBy('id');
      const { fresh, present, conflicts } = siftAbsent(drafts, rows);
      const refused = await insert(transaction, fresh);
      return { created: fresh.length - refused.length, present, conflicts: [...conflicts, ...refused].sort((one, other) => one.index - other.index) };
    });
  }

  async #change(id: number, changesOf: (row: Row) => Partial<Record<MappingColumn, unknown>>): Promise<Mapping> {
    return this.#write(`Changing mapping ${id}`, async (transaction) => {
      const row = await rowsOf(transaction).where('id', id).forUpdate().first();
      if (row === undefined) throw new MappingError('MAPPING_NOT_FOUND', `There is no mapping ${id}.`);
      const changes = changesOf(row);
      const judged = parseMappingColumns({ ...row, ...changes });
      const draft = 'sip_password' in changes ? this.#sealed(judged) : judged;
      if (identity.some((column) => column in changes)) {
        await claim(transaction, draft);
        await this.#refuseTwin(transaction, draft, id);
      }
      const written = Object.fromEntries(Object.entries(toColumns(draft)).filter(([column]) => column in changes));
      if (Object.keys(written).length > 0) await transaction(table).where('id', id).update(written);
      return { id, ...draft };
    });
  }

  #check(draft: MappingDraft): MappingDraft {
    return this.#sealed(parseMappingColumns(toColumns(draft)));
  }

  #sealed(draft: MappingDraft): MappingDraft {
    return { ...draft, sipPassword: this.secrets.seal(draft.sipPassword) };
  }

  /** All rows of that query, by ascending id, `size` at a time. */
  async *#walk<R extends { id: string | number }>(select: () => Knex.QueryBuilder<R, R[]>, size: number): AsyncGenerator<R[], void, undefined> {
    let after: string | number | undefined;
    for (;;) {
      const start = after;
      const rows = await this.#ask('Reading the mappings', async (): Promise<R[]> => {
        const query = select().orderBy('id').limit(size);
        return (await (start === undefined ? query : query.where('id', '>', start))) as R[];
      });
      if (rows.length > 0) yield rows;
      if (rows.length < size) return;
      after = rows.at(-1)?.id;
    }
  }

  #stampedRows(): Knex.QueryBuilder<Row & RawStamp, (Row & RawStamp)[]> {
    return this.knex<Row & RawStamp, (Row & RawStamp)[]>(table).select<(Row & RawStamp)[]>([...columns, this.knex.raw(stampOfRow)]);
  }

  /** The same peer twice at one account would register the same binding twice. */
  async #refuseTwin(transaction: Knex.Transaction, draft: MappingDraft, but?: number): Promise<void> {
    const twins = await rowsOfAccount(transaction, draft.sipUser, draft.sipHost).andWhere(isPeer(draft.peer));
    const twin = twins.find((row) => Number(row.id) !== but);
    if (twin === undefined) return;
    throw new MappingError('MAPPING_CONFLICT', sayTwin(draft, `mapping ${twin.id}`), { fields: ['sip_user', 'sip_host', 'peer_id'] });
  }

  async #write<T>(action: string, work: (transaction: Knex.Transaction) => Promise<T>): Promise<T> {
    return this.#ask(action, () => this.knex.transaction(work));
  }

  async #ask<T>(action: string, work: () => PromiseLike<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      if (thrown instanceof ExtensionError) throw thrown;
      const failure = databaseError(thrown, action);
      // An original table may carry a key of its own, on sip_user say.
      if (!isUniqueViolation(thrown)) throw failure;
      throw new MappingError('MAPPING_CONFLICT', `${action} failed: a key of the table refuses it, there is a row like it.`, {
        cause: failure.cause,
      });
    }
  }
}

/** int8 is text. */
function toId(id: string | number): number {
  const number = Number(id);
  return Number.isSafeInteger(number) ? number : Number.NaN;
}

function judgeStamped(row: Row & RawStamp): StampedRow {
  return { id: toId(row.id), hash: row.hash, judged: parseMappingRow(row) };
}

/** All rows with a SIP user of these drafts. */
async function rowsOfUsers(transaction: Knex.Transaction, drafts: readonly MappingDraft[]): Promise<Row[]> {
  const users = [...new Set(drafts.map((draft) => draft.sipUser))];
  const rows: Row[] = [];
  for (let start = 0; start < users.length; start += atOnce) {
    for (const row of await rowsOf(transaction).whereIn('sip_user', users.slice(start, start + atOnce))) rows.push(row);
  }
  return rows;
}

async function insertTogether(transaction: Knex.Transaction, fresh: readonly FreshDraft[]): Promise<DraftConflict[]> {
  await transaction.batchInsert(table, fresh.map(({ draft }) => toColumns(draft)), atOnce);
  return [];
}

/** Each with a way back of its own (a savepoint): one that a key of the table refuses harms no other. */
async function insertOneByOne(transaction: Knex.Transaction, fresh: readonly FreshDraft[]): Promise<DraftConflict[]> {
  const refused: DraftConflict[] = [];
  for (const { index, draft } of fresh) {
    try {
      await transaction.transaction((attempt) => insertRow(attempt, draft));
    } catch (thrown) {
      if (!isUniqueViolation(thrown)) throw thrown;
      refused.push({ index, problem: `${draft.sipUser}@${draft.sipHost} is refused by a key of the table: there is a row like it` });
    }
  }
  return refused;
}

function usable(row: Row): Mapping {
  const parsed = parseMappingRow(row);
  if ('mapping' in parsed) return parsed.mapping;
  throw new MappingError('MAPPING_INVALID', `${sayUnusable(parsed.rejected)}.`);
}

const simpleColumns = [
  ['sipUser', 'sip_user'],
  ['sipPassword', 'sip_password'],
  ['sipHost', 'sip_host'],
  ['sipPort', 'sip_port'],
  ['register', 'register'],
  ['canCall', 'can_call'],
  ['canBeCalled', 'can_be_called'],
  ['authUser', 'auth_user'],
  ['displayName', 'display_name'],
] as const satisfies readonly (readonly [keyof MappingDraft, MappingColumn])[];

/** The columns that a patch changes. Transport and handshake share two columns: those are written whole. */
function changedColumns(patch: Partial<MappingDraft>, row: Row): Partial<Record<MappingColumn, ColumnValue>> {
  const changes: Partial<Record<MappingColumn, ColumnValue>> = {};
  for (const [field, column] of simpleColumns) {
    if (field in patch) changes[column] = patch[field] ?? null;
  }
  if (patch.peer !== undefined) {
    changes.peer_type = patch.peer.type;
    changes.peer_id = patch.peer.id;
    changes.peer_str_id = patch.peer.strId ?? null;
  }
  if (patch.transport !== undefined || patch.webSocket !== undefined) {
    const parsed = parseMappingRow(row);
    const present: Partial<Mapping> = 'mapping' in parsed ? parsed.mapping : {};
    const transport = patch.transport ?? present.transport ?? 'udp';
    Object.assign(changes, reachColumns({ transport, webSocket: patch.webSocket ?? present.webSocket }));
  }
  return changes;
}
