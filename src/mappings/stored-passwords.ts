/**
 * Encrypts the passwords that are in the table already, a page and a transaction at a time. Which rows are left is told by the form of
 * their password, so it may be interrupted anywhere and run again, and on several machines at once.
 */
import type { Knex } from 'knex';
import { MappingError } from '../base/errors.js';
import { askDatabase } from '../base/database-errors.js';
import { table } from './mapping-table.js';
import { sealedPrefix, whyNoPassword, type Secrets } from './secrets.js';

/** `unencrypted`: passwords and MD5 hashes in the clear. `outdated`: those encrypted with another key than that of now. */
export type PasswordScope = 'unencrypted' | 'outdated';

export interface RewriteProgress {
  /** Rows looked at so far, those with problems among them. */
  done: number;
  encrypted: number;
  /** Of this page: "row 7: sip_password was changed after it was encrypted". */
  problems: string[];
}

const pageSize = 500;

type PasswordRow = { id: string | number; sip_password: string };

export class StoredPasswords {
  constructor(
    private readonly knex: Knex,
    private readonly secrets: Secrets,
  ) {}

  /** @throws ExtensionError DATABASE_*, as `rewrite` */
  async count(scope: PasswordScope): Promise<number> {
    const rows = await this.#ask(() => this.#left(this.knex, scope).count<{ count: string | number }[]>('id as count'));
    return Number(rows[0]?.count);
  }

  /** Encrypts what is of that scope, and tells of each page when it is written. A row whose password cannot be read stays as it is. */
  async *rewrite(scope: PasswordScope): AsyncGenerator<RewriteProgress, void, undefined> {
    let after: string | number | undefined;
    let done = 0;
    let encrypted = 0;
    for (;;) {
      const start = after;
      const page = await this.#ask(() => this.knex.transaction((transaction) => this.#rewritePage(transaction, scope, start)));
      if (page.rows === 0) return;
      done += page.rows;
      encrypted += page.encrypted;
      after = page.last;
      yield { done, encrypted, problems: page.problems };
    }
  }

  async #rewritePage(transaction: Knex.Transaction, scope: PasswordScope, after: string | number | undefined) {
    const query = this.#left(transaction, scope).select<PasswordRow[]>('id', 'sip_password').orderBy('id').limit(pageSize).forUpdate();
    const rows: PasswordRow[] = await (after === undefined ? query : query.where('id', '>', after));
    const problems: string[] = [];
    const fresh: PasswordRow[] = [];
    for (const { id, sip_password } of rows) {
      try {
        fresh.push({ id: String(id), sip_password: this.#sealedAnew(sip_password) });
      } catch (thrown) {
        if (!(thrown instanceof MappingError)) throw thrown;
        problems.push(`row ${id}: ${thrown.message}`);
      }
    }
    await transaction.raw(
      `update ${table} set sip_password = fresh.sip_password
       from jsonb_to_recordset(?::jsonb) as fresh (id bigint, sip_password text) where ${table}.id = fresh.id`,
      [JSON.stringify(fresh)],
    );
    return { rows: rows.length, encrypted: fresh.length, problems, last: rows.at(-1)?.id };
  }

  #sealedAnew(stored: string): string {
    const problem = whyNoPassword(stored);
    if (problem !== undefined) throw new MappingError('MAPPING_INVALID', `sip_password ${problem}`);
    return this.secrets.reseal(stored);
  }

  #left(knex: Knex, scope: PasswordScope): Knex.QueryBuilder {
    const rows = knex(table);
    return scope === 'unencrypted'
      ? rows.whereNot('sip_password', '').whereNot('sip_password', 'like', `${sealedPrefix}%`)
      : rows.where('sip_password', 'like', `${sealedPrefix}%`).whereNot('sip_password', 'like', `${sealedPrefix}${this.secrets.currentId ?? ''}:%`);
  }

  async #ask<T>(work: () => PromiseLike<T>): Promise<T> {
    return askDatabase('Encrypting the passwords', work);
  }
}
