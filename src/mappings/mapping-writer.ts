/**
 * What is written to the table `sip_user_mappings`, but for `mapping-import` and `stored-passwords`: judged first, and the password encrypted
 * when there is a key. Every method throws ExtensionError DATABASE_FAILED or DATABASE_UNAVAILABLE, and MappingError MAPPING_CONFLICT when a key
 * that the table itself has refuses a row.
 *
 * No unique index stands behind it, for tables that exist may hold one SIP user several times, for several peers. What
 * may not be there twice is kept apart by advisory locks of the writing transaction (one per account, one per peer at a
 * host; a bulk insert takes the one that all share), so it holds for any number of nodes. Plain SQL by hand goes past them.
 */
import type { Knex } from 'knex';
import { isUniqueViolation } from '../base/database-errors.js';
import { MappingError } from '../base/errors.js';
import type { Peer } from '../host/contract.js';
import { askTable, atHost, claim, claimAll, columns, insertRow, isPeer, rowsOf, rowsOfAccount, rowsOfPeer, table, type Row } from './mapping-table.js';
import { toColumns, type Mapping, type MappingColumn, type MappingDraft } from './mapping.js';
import { parseMappingColumns, parseMappingRows, usableMapping } from './parse-mapping.js';
import type { Secrets } from './secrets.js';
import { sayHeld, sayTwin, siftAbsent, siftTwins, type DraftConflict, type FreshDraft } from './sifting.js';

/** The columns by which a mapping is the same as another. */
const identity: readonly MappingColumn[] = ['sip_user', 'sip_host', 'peer_type', 'peer_id', 'peer_str_id'];

/** Rows in one statement, where there are many. */
const atOnce = 500;

/** What came of many accounts made by rule. */
export interface ProvisionReport {
  created: number;
  /** Peers that have a mapping at that host already. */
  present: number;
  /** A draft whose SIP user belongs to another peer, or whose peer has a row there that cannot be used. */
  conflicts: DraftConflict[];
}

export class MappingWriter {
  constructor(
    private readonly knex: Knex,
    private readonly secrets: Pick<Secrets, 'seal'>,
  ) {}

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
      if (present !== undefined) return { mapping: usableMapping(present), created: false };
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
   * Changes those columns and no other; JSON columns as text, and whole. A row that cannot be used as it stands can be set right so.
   * @throws MappingError MAPPING_NOT_FOUND; MAPPING_INVALID when the row would not be usable; MAPPING_CONFLICT
   */
  async update(id: number, changes: Partial<Record<MappingColumn, unknown>>): Promise<Mapping> {
    return this.#write(`Changing mapping ${id}`, async (transaction) => {
      const row = await rowsOf(transaction).where('id', id).forUpdate().first();
      if (row === undefined) throw new MappingError('MAPPING_NOT_FOUND', `There is no mapping ${id}.`);
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

  /**
   * Gives the mappings of that peer with that SIP user at that host another display name, where they have not got it.
   * @returns those that were changed and can be used
   */
  async rename({ peer, sipUser, sipHost }: Pick<MappingDraft, 'peer' | 'sipUser' | 'sipHost'>, displayName: string): Promise<Mapping[]> {
    const rows = await askTable('Changing a display name', () =>
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
    return askTable(`Removing mapping ${id}`, async () => (await this.knex(table).where('id', id).delete()) > 0);
  }

  /** @returns how many there were */
  async removeByPeer(peer: Peer): Promise<number> {
    return askTable('Removing the mappings of a peer', () => this.knex(table).where(isPeer(peer)).delete());
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

  #check(draft: MappingDraft): MappingDraft {
    return this.#sealed(parseMappingColumns(toColumns(draft)));
  }

  #sealed(draft: MappingDraft): MappingDraft {
    return { ...draft, sipPassword: this.secrets.seal(draft.sipPassword) };
  }

  /** The same peer twice at one account would register the same binding twice. */
  async #refuseTwin(transaction: Knex.Transaction, draft: MappingDraft, but?: number): Promise<void> {
    const twins = await rowsOfAccount(transaction, draft.sipUser, draft.sipHost).andWhere(isPeer(draft.peer));
    const twin = twins.find((row) => Number(row.id) !== but);
    if (twin === undefined) return;
    throw new MappingError('MAPPING_CONFLICT', sayTwin(draft, `mapping ${twin.id}`), { fields: ['sip_user', 'sip_host', 'peer_id'] });
  }

  async #write<T>(action: string, work: (transaction: Knex.Transaction) => Promise<T>): Promise<T> {
    return askTable(action, () => this.knex.transaction(work));
  }
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
