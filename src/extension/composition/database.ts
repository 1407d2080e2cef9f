/** The host's pool, else one of our own from `services.postgresql`: waited for, and brought to this version. */
import type { Knex } from 'knex';
import { ConfigError } from '../../base/errors.js';
import type { ExtensionHost } from '../../host/contract.js';
import { awaitDatabase } from '../../mappings/await-database.js';
import { openDatabase } from '../../mappings/database.js';
import { migrate } from '../../mappings/migrate.js';
import type { Ground } from './ground.js';

/**
 * @param signal ends the wait
 * @throws ConfigError when there is neither; ExtensionError DATABASE_*, NOT_READY when the signal ended it
 */
export async function openPool(pool: ExtensionHost['database'], ground: Ground, signal: AbortSignal): Promise<Knex> {
  const { config, log, releasers } = ground;
  const waiting = { ...ground, signal };
  const migrated = async (knex: Knex): Promise<Knex> => {
    const { applied } = await migrate(knex);
    if (applied.length > 0) log.info(`The table sip_user_mappings was brought to this version: ${applied.join(', ')}`);
    return knex;
  };
  if (pool !== undefined) return awaitDatabase(() => migrated(pool), waiting);

  const { database: settings } = config;
  if (settings === undefined) {
    throw new ConfigError([
      {
        key: 'services.postgresql',
        message: 'there is no database: the host gave no pool, so set host, port, db, user and password, or embedded = "./data"',
      },
    ]);
  }
  const openOwn = async (): Promise<Knex> => {
    const database = await openDatabase(settings);
    try {
      await migrated(database.knex);
    } catch (thrown) {
      await database.close();
      throw thrown;
    }
    releasers.add('the database', () => database.close());
    return database.knex;
  };
  // A directory that cannot be opened will not be there in a minute either.
  return settings.kind === 'embedded' ? openOwn() : awaitDatabase(openOwn, waiting);
}
