/**
 * The composition root: what the extension consists of, in the order in which it is opened. The files beside it wire one thing each, and
 * nothing else wires. Everything that is opened registers its release; `stop` releases last-in first-out: calls are drained,
 * registrations removed, sockets closed, then the pool that is ours.
 */
import { createProvision, type Provision } from '../../autocreate/provision.js';
import { createRename, type Rename } from '../../autocreate/rename.js';
import type { Clock } from '../../base/clock.js';
import { Listeners } from '../../base/listeners.js';
import type { Releasers } from '../../base/releasers.js';
import type { CallRouter } from '../../calls/router.js';
import { readServerConf } from '../../config/read.js';
import { toSipConfig, type SipConfig } from '../../config/schema.js';
import type { ExtensionHost, ExtensionStatus } from '../../host/contract.js';
import { awaitDatabase } from '../../mappings/await-database.js';
import { MappingDirectory } from '../../mappings/directory.js';
import { MappingImport } from '../../mappings/mapping-import.js';
import { MappingReader } from '../../mappings/mapping-reader.js';
import { MappingWriter } from '../../mappings/mapping-writer.js';
import { Secrets } from '../../mappings/secrets.js';
import type { CallRecord } from '../../records/call-record.js';
import { RecordStore } from '../../records/record-store.js';
import type { Registrar } from '../../registrar/registrar.js';
import type { SipStack } from '../../sip/types.js';
import { LadderDesk } from '../ladder-desk.js';
import { MappingDesk } from '../mapping-desk.js';
import { RegistrationDesk } from '../registration-desk.js';
import { Roster } from '../roster.js';
import { SipAccounts } from '../sip-accounts.js';
import { openAdministration, recordingFor } from './admin.js';
import { routeCalls } from './calls.js';
import { followChanges } from './changes.js';
import { openPool } from './database.js';
import { groundOf } from './ground.js';
import { endWhatWasLeft, keepRecords, openJournal } from './records.js';
import { keepRegistrations } from './registrations.js';
import { openStack } from './stack.js';

/** What an initialised extension consists of. */
export interface Composition {
  readonly nodeId: string;
  readonly clock: Clock;
  readonly startedAt: number;
  readonly config: SipConfig;
  readonly writer: MappingWriter;
  readonly roster: Roster;
  readonly provision: Provision;
  readonly rename: Rename;
  readonly registrar: Registrar;
  readonly router: CallRouter;
  readonly stack: SipStack;
  readonly releasers: Releasers;
}

/**
 * Opens everything, and waits for the database as long as it takes. What was opened is closed again when a later step fails.
 * @param signal ends the wait
 * @param status what the extension says of itself, asked for at any time
 * @throws ConfigError, ExtensionError: DATABASE_*, SIP_TRANSPORT, ADMIN_UNAVAILABLE; NOT_READY when the signal ended it
 */
export async function compose(host: ExtensionHost, signal: AbortSignal, status: () => ExtensionStatus): Promise<Composition> {
  const config = toSipConfig('file' in host.config ? await readServerConf(host.config.file) : host.config);
  const ground = groundOf(config, host.logger);
  const { nodeId, clock, log, releasers } = ground;
  try {
    const knex = await openPool(host.database, ground, signal);
    const secrets = new Secrets(config.secrets);
    const reader = new MappingReader(knex);
    const writer = new MappingWriter(knex, secrets);
    const directory = new MappingDirectory();

    const endings = new Listeners<CallRecord>();
    keepRecords(knex, endings, ground);
    const { journal, store: journalStore } = openJournal(knex, ground);
    const recording = recordingFor(config);

    const stack = await openStack(
      recording,
      {
        onInvite: (call) => {
          router.onIncoming(call);
        },
        onFlowLost: (lost, why) => {
          registrar.onFlowLost(lost.map((account) => accounts.mappingIdOf(account)).filter((id) => id !== undefined), why);
        },
      },
      ground,
    );
    const accounts = new SipAccounts(stack, nodeId, secrets);
    const registrar = keepRegistrations(ground);
    const router = routeCalls({ mappings: directory, accounts, journal, host, endings, recording }, ground);
    const roster = new Roster(directory, accounts, registrar, log);

    // Before the rows: a node that cannot be administered as it is told to must not have registered anybody.
    if (config.admin.on) {
      const registrations = new RegistrationDesk(registrar, roster, directory);
      const mappings = new MappingDesk(reader, writer, roster, new MappingImport(knex, secrets));
      const ladders = new LadderDesk(recording, registrations);
      const records = new RecordStore(knex);
      await openAdministration(config.admin, { registrations, mappings, records, ladders, router, registrar, endings, status }, ground);
    }
    const changes = await followChanges(knex, reader, roster, ground);
    await awaitDatabase(() => changes.load(), { ...ground, signal });
    endWhatWasLeft(journalStore, accounts, ground);
    log.info(`SIP is ready: ${directory.size} mappings, listening on ${stack.listening.join(', ')}`);
    return {
      nodeId,
      clock,
      startedAt: clock.now(),
      config,
      writer,
      roster,
      provision: createProvision(config.autocreate, writer),
      rename: createRename(config.autocreate, writer, directory),
      registrar,
      router,
      stack,
      releasers,
    };
  } catch (thrown) {
    await releasers.releaseAll();
    throw thrown;
  }
}
