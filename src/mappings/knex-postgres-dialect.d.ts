/** knex ships no types for its dialects; this is what `pglite-dialect.ts` takes of the one for PostgreSQL. */
declare module 'knex/lib/dialects/postgres/index.js' {
  import type { Knex } from 'knex';

  export default class PostgresClient extends Knex.Client {
    _driver(): unknown;
    _query(connection: unknown, query: unknown): Promise<unknown>;
    checkVersion(connection: unknown): Promise<string>;
    _parseVersion(text: string): string;
  }
}
