/** `dialog-sip autocreate backfill`: accounts for the users that a messaging server has already. */
import { backfill, type BackfillProgress } from '../autocreate/backfill.js';
import { parseUserList } from '../autocreate/user-list.js';
import { ExtensionError } from '../base/errors.js';
import { readServerConf } from '../config/read.js';
import { toSipConfig } from '../config/schema.js';
import { openDatabase } from '../mappings/database.js';
import { MappingWriter } from '../mappings/mapping-writer.js';
import { Secrets } from '../mappings/secrets.js';
import { databaseOf } from './mapping-operations.js';

export type { BackfillProgress };

export interface BackfillOperations {
  /** @param text the list of users, CSV or a JSON object on each line @throws MappingError MAPPING_INVALID when it is neither */
  backfill(text: string, options: { dryRun?: boolean }): { total: number; batches: AsyncIterable<BackfillProgress> };
  close(): Promise<void>;
}

/**
 * Opens the database of that server.conf. The caller closes what it gets. Whether `autocreate.on` is set does not matter: that is for new
 * users.
 * @throws ConfigError; ExtensionError: CONFIG_INVALID without `autocreate.host`, DATABASE_UNAVAILABLE
 */
export async function openBackfill(configFile: string): Promise<BackfillOperations> {
  const config = toSipConfig(await readServerConf(configFile));
  if (config.autocreate.host === undefined) {
    throw new ExtensionError('CONFIG_INVALID', `${configFile} does not say at which SIP server users are to have accounts: set modules.sip.autocreate.host.`);
  }
  const database = await openDatabase(databaseOf(config, configFile));
  const writer = new MappingWriter(database.knex, new Secrets(config.secrets));
  return {
    backfill: (text, options) => {
      const users = parseUserList(text);
      return { total: users.length, batches: backfill(config.autocreate, users, writer, options) };
    },
    close: () => database.close(),
  };
}
