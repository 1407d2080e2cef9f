/**
 * Brings a database to this version: the numbered SQL files of `schema/`, in order, each once. All that is pending runs in
 * one transaction together with the rows that note it, under an advisory lock of that transaction, so a step is done and
 * noted or neither, and any number of processes may start at once. The lock is polled, not waited for: a session that
 * waits inside PostgreSQL would hold up CREATE INDEX CONCURRENTLY of others.
 */
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Knex } from 'knex';
import { delay, systemClock, type Clock } from '../base/clock.js';
import { ExtensionError, messageOf } from '../base/errors.js';
import { minute, sayDuration } from '../base/units.js';
import { databaseError } from '../base/database-errors.js';

export interface MigrationReport {
  /** The steps that ran now, `001_sip_user_mappings`; empty when the database was up to date. */
  applied: string[];
}

/** The package's own folder, two floors up both from src/mappings and from dist/mappings. */
const schemaDirectory = fileURLToPath(new URL('../../schema/', import.meta.url));

/** Not `knex_migrations`: that one is the host's, in a database we share with it. */
const versionTable = 'sip_migrations';

/** Any number that nobody else uses: the first eight bytes of "dialogsi". */
const lockKey = '7235421394700825449';
const pollMs = 100;
const patienceMs = 10 * minute;

const sqlFiles: Knex.MigrationSource<string> = {
  getMigrations: async () => {
    const files = await readdir(schemaDirectory);
    return files.filter((file) => /^\d{3}_\w+\.sql$/.test(file)).sort();
  },
  getMigrationName: (file) => file.replace(/\.sql$/, ''),
  getMigration: (file) =>
    Promise.resolve({
      up: async (transaction) => {
        const sql = await readFile(`${schemaDirectory}${file}`, 'utf8');
        // knex takes a bare question mark for a binding.
        await transaction.raw(sql.replaceAll('?', '\\?'));
      },
      down: () => Promise.reject(new ExtensionError('DATABASE_FAILED', `The step ${file} cannot be taken back.`)),
    }),
};

/**
 * Idempotent; safe when several processes do it at once.
 * @throws ExtensionError DATABASE_FAILED when a step fails (nothing of it remains), when the database is of a newer
 *   version, or when another process holds the lock for more than ten minutes; DATABASE_UNAVAILABLE when it is lost
 */
export async function migrate(knex: Knex, clock: Clock = systemClock): Promise<MigrationReport> {
  const start = clock.now();
  for (;;) {
    const report = await tryToMigrate(knex);
    if (report !== undefined) return report;
    if (clock.now() - start > patienceMs) {
      throw new ExtensionError(
        'DATABASE_FAILED',
        `Migrating the database failed: another process has been at it for ${sayDuration(patienceMs)}.`,
      );
    }
    await delay(clock, pollMs);
  }
}

/** @returns undefined when another process holds the lock */
async function tryToMigrate(knex: Knex): Promise<MigrationReport | undefined> {
  try {
    return await knex.transaction(async (transaction) => {
      const answer = await transaction.raw<{ rows: { taken: boolean }[] }>('select pg_try_advisory_xact_lock(?::bigint) as taken', [
        lockKey,
      ]);
      if (answer.rows[0]?.taken !== true) return undefined;
      // An index over a large table takes longer than a statement of every day may.
      await transaction.raw('set local statement_timeout = 0');
      const [, applied] = (await transaction.migrate.latest({ migrationSource: sqlFiles, tableName: versionTable })) as [number, string[]];
      return { applied };
    });
  } catch (thrown) {
    const missing = /following files are missing: (.*)$/.exec(messageOf(thrown))?.[1];
    if (missing !== undefined) {
      throw new ExtensionError(
        'DATABASE_FAILED',
        `The database was migrated by a newer version of dialog-sip-extension (${missing} is unknown here): install that version or a later one.`,
        { cause: thrown },
      );
    }
    throw databaseError(thrown, 'Migrating the database');
  }
}
