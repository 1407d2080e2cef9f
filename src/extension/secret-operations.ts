/** What an operator does to the passwords in the table from a command line: `dialog-sip secrets`. */
import { ExtensionError } from '../base/errors.js';
import { readServerConf } from '../config/read.js';
import { toSipConfig } from '../config/schema.js';
import { openDatabase } from '../mappings/database.js';
import { Secrets } from '../mappings/secrets.js';
import { StoredPasswords, type PasswordScope, type RewriteProgress } from '../mappings/stored-passwords.js';
import { databaseOf } from './mapping-operations.js';

export type { PasswordScope, RewriteProgress };

export interface SecretOperations {
  /** How many passwords are of that scope. */
  count(scope: PasswordScope): Promise<number>;
  /** Encrypts those with the key of now, and tells of each page when it is written. */
  rewrite(scope: PasswordScope): AsyncIterable<RewriteProgress>;
  close(): Promise<void>;
}

/**
 * Opens the database of that server.conf. The caller closes what it gets.
 * @throws ConfigError; ExtensionError: CONFIG_INVALID without a key, DATABASE_UNAVAILABLE
 */
export async function openSecretOperations(configFile: string): Promise<SecretOperations> {
  const config = toSipConfig(await readServerConf(configFile));
  if (config.secrets.key === undefined) {
    throw new ExtensionError('CONFIG_INVALID', `${configFile} has no key: set modules.sip.secrets.key; this makes one: openssl rand -base64 32.`);
  }
  const database = await openDatabase(databaseOf(config, configFile));
  const passwords = new StoredPasswords(database.knex, new Secrets(config.secrets));
  return {
    count: (scope) => passwords.count(scope),
    rewrite: (scope) => passwords.rewrite(scope),
    close: () => database.close(),
  };
}
