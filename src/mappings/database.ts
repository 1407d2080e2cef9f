/**
 * Opens the database that `services.postgresql` names: a PostgreSQL server through knex and pg, or PGlite in a directory of
 * this machine (for the demo and specs). What comes back speaks PostgreSQL either way.
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import knex, { type Knex } from 'knex';
import { ExtensionError, messageOf } from '../base/errors.js';
import { second } from '../base/units.js';
import type { DatabaseConfig } from '../config/schema.js';
import { bareCause, describeDatabaseError } from '../base/database-errors.js';
import { lockDirectory } from './directory-lock.js';
import { pgliteDialect } from './pglite-dialect.js';

/** `services.postgresql`; a directory of ":memory:" keeps nothing. */
export type DatabaseSettings = DatabaseConfig;
type EmbeddedSettings = Extract<DatabaseConfig, { kind: 'embedded' }>;
export type PostgresqlSettings = Extract<DatabaseConfig, { kind: 'postgresql' }>;

export interface Database {
  readonly knex: Knex;
  /** Waits for running queries. Idempotent. */
  close(): Promise<void>;
}

/** How long one connection may take to be made, and a query to wait for one. */
const connectTimeoutMs = 10 * second;
/** A connection that nobody used for so long is closed: what stands between us and the server forgets idle ones. */
const idleTimeoutMs = 30 * second;

/** knex's own notes go nowhere: what matters comes as an error, and its texts quote statements. */
const silence = { warn: ignore, error: ignore, debug: ignore, deprecate: ignore };

function ignore(): void {
  // Nothing to do: see `silence`.
}

/** @throws ExtensionError DATABASE_UNAVAILABLE that says which database, and why in words; never the password */
export function openDatabase(settings: DatabaseSettings): Promise<Database> {
  return settings.kind === 'embedded' ? openEmbedded(settings) : openPostgresql(settings);
}

/** "PostgreSQL at db.example:5432, database dialog", for people. */
export function sayDatabase(settings: DatabaseSettings): string {
  return settings.kind === 'embedded'
    ? `the embedded database in ${settings.directory}`
    : `PostgreSQL at ${settings.host}:${settings.port}, database ${settings.db}`;
}

async function openPostgresql(settings: PostgresqlSettings): Promise<Database> {
  const pool = knex({
    client: 'pg',
    connection: {
      host: settings.host,
      port: settings.port,
      database: settings.db,
      user: settings.user,
      password: settings.password,
      ssl: settings.ssl,
      connectionTimeoutMillis: connectTimeoutMs,
      statement_timeout: settings.statementTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: idleTimeoutMs,
      application_name: 'dialog-sip-extension',
    },
    pool: { min: 0, max: settings.poolMax, idleTimeoutMillis: idleTimeoutMs },
    acquireConnectionTimeout: connectTimeoutMs,
    compileSqlOnError: false,
    log: silence,
  });
  try {
    await pool.raw('select 1');
  } catch (thrown) {
    await pool.destroy();
    throw new ExtensionError(
      'DATABASE_UNAVAILABLE',
      `PostgreSQL at ${settings.host}:${settings.port} (database ${settings.db}, user ${settings.user}) cannot be used: ${describeDatabaseError(thrown)}.`,
      { cause: bareCause(thrown) },
    );
  }
  return { knex: pool, close: () => pool.destroy() };
}

async function openEmbedded(settings: EmbeddedSettings): Promise<Database> {
  const inMemory = settings.directory === ':memory:';
  const directory = inMemory ? settings.directory : resolve(settings.directory);
  const load = await loadPglite();
  const unlock = inMemory ? undefined : await prepare(directory);
  let database: PGlite;
  try {
    database = await load(inMemory ? 'memory://' : join(directory, 'pgdata'));
  } catch (thrown) {
    await unlock?.();
    throw new ExtensionError('DATABASE_UNAVAILABLE', `The embedded database in ${directory} cannot be opened: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
  const session = knex({
    client: pgliteDialect(database),
    connection: {},
    pool: { min: 1, max: 1 },
    compileSqlOnError: false,
    log: silence,
  });
  return {
    knex: session,
    close: async () => {
      await session.destroy();
      if (!database.closed) await database.close();
      await unlock?.();
    },
  };
}

async function prepare(directory: string): Promise<() => Promise<void>> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return await lockDirectory(directory);
  } catch (thrown) {
    if (thrown instanceof ExtensionError) throw thrown;
    throw new ExtensionError('DATABASE_UNAVAILABLE', `The directory ${directory} of the embedded database cannot be used: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
}

/** PGlite is an optional dependency: a server with PostgreSQL does without its 25 MB. */
async function loadPglite(): Promise<(dataDirectory: string) => Promise<PGlite>> {
  try {
    const { PGlite } = await import('@electric-sql/pglite');
    return (dataDirectory) => PGlite.create(dataDirectory);
  } catch (thrown) {
    throw new ExtensionError(
      'DATABASE_UNAVAILABLE',
      'The embedded database needs the optional package @electric-sql/pglite, which is not installed: add it with `npm install @electric-sql/pglite`, or name a PostgreSQL server in services.postgresql.host.',
      { cause: thrown },
    );
  }
}
