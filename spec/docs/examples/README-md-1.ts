/** Printed from README.md by `npx vitest run --config spec/vitest.config.ts --project unit spec/docs -u`. */
import type { Logger } from 'winston';
import type { HostUser } from '../../../src/index.js';
import type { CallUpdate } from '../../../src/index.js';
import type { SessionDescription } from '../../../src/index.js';
declare const logger: Logger;
declare const users: { get: (id: number) => Promise<HostUser | undefined> };
declare const tellTheDevices: (update: CallUpdate) => Promise<void>;
declare const offer: SessionDescription;
declare const callId: string;

import { loadExtension, readServerConf } from '../../../src/index.js';

const { tree } = await readServerConf('server.conf');
const extension = await loadExtension(tree); // the class that modules.sip.extension names

await extension.init({
  config: { file: 'server.conf' },
  logger,                                    // winston
  users: { find: (id) => users.get(id) },    // optional: is the account disabled?
  calls: { update: (update) => tellTheDevices(update) },
});

await extension.onUserCreated({ id: 434, name: 'Ann' });          // -> sip:434@pbx.example.com, registered
await extension.onCall({ type: 'create', callId, from: { type: 1, id: 434 }, to: { address: '600' }, description: offer });
