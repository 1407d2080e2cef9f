/** Printed from docs/install.md by `npx vitest run --config spec/vitest.config.ts --project unit spec/docs -u`. */
import type { Logger } from 'winston';
import type { Knex } from 'knex';
import type { HostUser } from '../../../src/index.js';
import type { CallUpdate } from '../../../src/index.js';
declare const logger: Logger;
declare const knex: Knex;
declare const users: { get: (id: number) => Promise<HostUser | undefined> };
declare const tellTheDevices: (update: CallUpdate) => Promise<void>;

import { loadExtension, readServerConf } from '../../../src/index.js';

const { tree } = await readServerConf('server.conf');
const sip = await loadExtension(tree);

await sip.init({
  config: { file: 'server.conf' },
  logger,                                   // winston
  database: knex,                           // optional: the host's own pool
  users: { find: (id) => users.get(id) },   // optional: is the account disabled?
  calls: { update: (update) => tellTheDevices(update) },
});
process.once('SIGTERM', () => void sip.stop());
