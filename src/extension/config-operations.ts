/** What can be done with a server.conf without starting anything: the operations behind `dialog-sip check-config`. */
import { writeEffectiveConf } from '../config/mask.js';
import { readServerConf } from '../config/read.js';
import { toSipConfig, type SipConfig } from '../config/schema.js';

/**
 * The settings that a server.conf comes to.
 * @returns text: as HOCON, defaults filled in, substitutions resolved, secrets masked; warnings: what can be used and is not advisable, a
 *   sentence each
 * @throws ConfigError with everything that is wrong in it
 */
export async function effectiveConf(file: string): Promise<{ text: string; warnings: string[] }> {
  const config = toSipConfig(await readServerConf(file));
  return { text: writeEffectiveConf(config), warnings: warningsOf(config) };
}

function warningsOf({ secrets, autocreate }: SipConfig): string[] {
  if (secrets.key !== undefined) return [];
  const isWritten = autocreate.on && autocreate.password.mode !== 'none';
  const whose = isWritten ? 'those of autocreate among them' : 'whoever adds them';
  return [`modules.sip.secrets.key is not set: SIP passwords are stored unencrypted, ${whose}.`];
}
