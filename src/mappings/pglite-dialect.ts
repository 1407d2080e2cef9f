/**
 * knex over PGlite: knex's own PostgreSQL dialect with another way to send a query and to read what comes back. PGlite
 * is one session in this process, so the pool holds one connection, and queries and transactions take turns on it.
 */
import type { PGlite, QueryOptions, Results } from '@electric-sql/pglite';
import PostgresClient from 'knex/lib/dialects/postgres/index.js';

/** What knex hands to `_query`, as far as it is needed here. */
interface Query {
  sql: string;
  bindings?: readonly unknown[];
  response?: unknown;
}

/** int8 comes as text, as node-postgres gives it: a number would lose digits. OID 20 (pg_type). */
const readLikePg: QueryOptions = { parsers: { 20: (text) => text } };

/**
 * The class to give knex as `client`, bound to one open database. It never closes that database.
 */
export function pgliteDialect(database: PGlite): typeof PostgresClient {
  return class PgliteClient extends PostgresClient {
    /** There is no driver module: the database is open already. */
    override _driver(): unknown {
      return {};
    }

    override async acquireRawConnection(): Promise<unknown> {
      if (this.version === undefined) {
        const answer = await database.query<{ version: string }>('select version()');
        this.version = this._parseVersion(answer.rows[0]?.version ?? '');
      }
      // knex marks the object with an id of its own.
      return {};
    }

    override destroyRawConnection(): Promise<void> {
      return Promise.resolve();
    }

    /** Takes its turn on the one session: never inside somebody's transaction. @returns what ends the listening, in its turn */
    async listenTo(channel: string, heard: (payload: string) => void): Promise<() => Promise<void>> {
      const unlisten = await this.#inTurn(() => database.listen(channel, heard));
      return () => this.#inTurn(() => unlisten());
    }

    async #inTurn<T>(action: () => Promise<T>): Promise<T> {
      const connection: unknown = await this.acquireConnection();
      try {
        return await action();
      } finally {
        await this.releaseConnection(connection);
      }
    }

    override async _query(_connection: unknown, query: Query): Promise<Query> {
      const bindings = query.bindings ?? [];
      // Several statements in one text are possible without bindings alone, and only through `exec`.
      const result =
        bindings.length === 0
          ? (await database.exec(query.sql, readLikePg)).at(-1)
          : await database.query<Record<string, unknown>>(query.sql, [...bindings], readLikePg);
      query.response = likePg(result, query.sql);
      return query;
    }
  };
}

/** The result in node-postgres's shape: `command` and `rowCount` are what knex's dialect looks at. */
function likePg(result: Results | undefined, sql: string): unknown {
  const rows = result?.rows ?? [];
  const command = result?.command ?? (/^\s*(\w+)/.exec(sql)?.[1] ?? '').toUpperCase();
  return {
    command,
    rows,
    fields: result?.fields ?? [],
    rowCount: command === 'SELECT' ? rows.length : (result?.affectedRows ?? 0),
  };
}
