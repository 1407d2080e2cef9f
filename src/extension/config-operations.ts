/** What can be done with a server.conf without starting anything: the operations behind `dialog-sip check-config`. */
import { writeEffectiveConf } from '../config/mask.js';
import { readServerConf } from '../config/read.js';
import { toSipConfig } from '../config/schema.js';

/**
 * The settings that a server.conf comes to, as HOCON: defaults filled in, substitutions resolved, secrets masked.
 * @throws ConfigError with everything that is wrong in it
 */
export async function effectiveConf(file: string): Promise<string> {
  return writeEffectiveConf(toSipConfig(await readServerConf(file)));
}
