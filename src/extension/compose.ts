/**
 * The composition root: the only place where things are wired. Everything that is opened registers its release; `stop` releases last-in
 * first-out: calls are drained, registrations removed, sockets closed, then the pool that is ours.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Knex } from 'knex';
import { openAdminServer } from '../admin/server.js';
import { createProvision, type Provision } from '../autocreate/provision.js';
import { createRename, type Rename } from '../autocreate/rename.js';
import { systemClock, type Clock } from '../base/clock.js';
import { ConfigError } from '../base/errors.js';
import { Listeners } from '../base/listeners.js';
import { Releasers } from '../base/releasers.js';
import { megabyte, second } from '../base/units.js';
import { toDialling } from '../calls/dialling.js';
import type { CallEnding, CallPorts } from '../calls/ports.js';
import { CallRouter } from '../calls/router.js';
import { writeEffectiveConf } from '../config/mask.js';
import { readServerConf } from '../config/read.js';
import { toSipConfig, type SipConfig } from '../config/schema.js';
import type { ExtensionHost, ExtensionStatus } from '../host/contract.js';
import { awaitDatabase, type WaitingPorts } from '../mappings/await-database.js';
import { MappingChanges } from '../mappings/changes.js';
import { openDatabase } from '../mappings/database.js';
import { MappingDirectory } from '../mappings/directory.js';
import { Recording } from '../ladder/recording.js';
import { Listener } from '../mappings/listener.js';
import { listeningOver } from '../mappings/listening.js';
import { MappingImport } from '../mappings/mapping-import.js';
import { migrate } from '../mappings/migrate.js';
import { MappingRepository } from '../mappings/repository.js';
import { Secrets } from '../mappings/secrets.js';
import { History } from '../observability/history.js';
import { keptIn, LogTail } from '../observability/log-tail.js';
import { Metrics } from '../observability/metrics.js';
import { messageTrace, type MessageTrace } from '../observability/trace.js';
import { CallJournal } from '../records/call-journal.js';
import type { CallRecord } from '../records/call-record.js';
import { CallRecords } from '../records/call-records.js';
import { JournalStore } from '../records/journal-store.js';
import { LeftRuns } from '../records/left-runs.js';
import type { LeftCall } from '../records/live-call.js';
import { RecordStore } from '../records/record-store.js';
import { Registrar } from '../registrar/registrar.js';
import { dropKinds } from '../sip/guards/drops.js';
import { openSipStack } from '../sip/stack.js';
import type { SipStack } from '../sip/types.js';
import { endLeftCalls } from './left-calls.js';
import { version } from './package-version.js';
import { LadderDesk } from './ladder-desk.js';
import { MappingDesk } from './mapping-desk.js';
import { RegistrationDesk } from './registration-desk.js';
import { Roster } from './roster.js';
import { SipAccounts } from './sip-accounts.js';

/** How long un-registering may take when the extension stops, milliseconds. */
const unregisterTimeoutMs = 2_500;
/** And for each registration; many thousands take longer. */
const unregisterTimeoutEachMs = 1;

/** What an initialised extension consists of. */
export interface Composition {
  readonly nodeId: string;
  readonly clock: Clock;
  readonly startedAt: number;
  readonly config: SipConfig;
  readonly repository: MappingRepository;
  readonly roster: Roster;
  readonly provision: Provision;
  readonly rename: Rename;
  readonly registrar: Registrar;
  readonly router: CallRouter;
  readonly stack: SipStack;
  readonly metrics: Metrics;
  readonly releasers: Releasers;
}

/**
 * Opens everything, and waits for the database as long as it takes. What was opened is closed again when a later step fails.
 * @param signal ends the wait
 * @param status what the extension says of itself, asked for at any time
 * @throws ConfigError, ExtensionError: DATABASE_*, SIP_TRANSPORT, ADMIN_UNAVAILABLE; NOT_READY when the signal ended it
 */
export async function compose(host: ExtensionHost, signal: AbortSignal, status: () => ExtensionStatus): Promise<Composition> {
  const clock = systemClock;
  const config = toSipConfig('file' in host.config ? await readServerConf(host.config.file) : host.config);
  const tail = new LogTail(clock);
  const logger = host.logger.child({ component: 'sip' });
  const log = config.admin.on ? keptIn(tail, logger) : logger;
  const releasers = new Releasers((message) => log.error(message));
  try {
    const waiting: WaitingPorts = { clock, random: Math.random, log, signal };
    const { knex, applied } = await openPool(host, config, releasers, waiting);
    if (applied.length > 0) log.info(`The table sip_user_mappings was brought to this version: ${applied.join(', ')}`);
    const secrets = new Secrets(config.secrets);
    const repository = new MappingRepository(knex, secrets);
    const directory = new MappingDirectory();
    const nodeId = hostname();

    const records = config.calls.records.on
      ? new CallRecords({ node: nodeId, keepMs: config.calls.records.keepMs }, new RecordStore(knex), { clock, random: Math.random, log })
      : undefined;
    if (records !== undefined) releasers.add('the call records', () => records.close());
    const journalStore = new JournalStore(knex, nodeId, randomUUID(), config.calls.records.on);
    const journal = new CallJournal({ store: journalStore, clock, log });
    releasers.add('the journal of calls', () => journal.close());

    const { ladderMegabytes } = config.admin;
    const recording = config.admin.on && ladderMegabytes > 0 ? new Recording(ladderMegabytes * megabyte, Date.now) : undefined;

    const metrics = new Metrics();
    const dropped = metrics.counters('dialog_sip_dropped_total', 'What came from the wire and was not taken, by reason', 'kind', dropKinds);
    const stack = await openSipStack(
      {
        flows: { listen: config.listen, tls: config.listen.tls },
        advertisedHost: config.listen.advertisedHost,
        trusted: config.listen.trusted,
        ignoresContact: config.ignoreContact,
        sessionExpiresS: Math.floor(config.calls.sessionExpiresMs / second),
        statedIdentity: config.calls.statedIdentity,
        userAgent: `dialog-sip-extension/${version}`,
      },
      {
        clock,
        log,
        tap: bothOf(recording, messageTrace(config.traceLevel, log)),
        metrics: {
          dropped: (kind) => {
            dropped[kind].add();
          },
        },
        events: {
          onInvite: (call) => {
            router.onIncoming(call);
          },
          onFlowLost: (lost, why) => {
            registrar.onFlowLost(lost.map((account) => accounts.mappingIdOf(account)).filter((id) => id !== undefined), why);
          },
        },
      },
    );
    releasers.add('the SIP stack', () => stack.close());
    metrics.gauges('dialog_sip_stack', 'What the SIP stack holds', 'what', () => stack.usage());

    const accounts = new SipAccounts(stack, nodeId, secrets);
    const registrar = new Registrar(config.register, { clock, random: Math.random, log });
    releasers.add('the registrations', async () => {
      const left = await registrar.stop(unregisterTimeoutMs + registrar.total * unregisterTimeoutEachMs);
      if (left.length > 0) log.warn(`${left.length} registrations could not be removed in time; they end by themselves.`);
    });
    const counted = countCalls(metrics);
    const endings = new Listeners<CallRecord>();
    const onEnded = (ending: CallEnding): void => {
      counted.onEnded(ending);
      history?.onEnded(ending);
      endings.tell({ ...ending, node: nodeId });
      records?.add(ending);
    };
    const router = new CallRouter(
      { ...config.calls, ignoreContact: config.ignoreContact, webrtc: config.webrtc, dialling: toDialling(config.calls) },
      {
        mappings: directory,
        accounts,
        host: recording === undefined ? host.calls : recorded(host.calls, recording),
        users: host.users,
        clock,
        log,
        ...counted,
        onEnded,
        journal,
        recorder: recording,
      },
    );

    const history = config.admin.on
      ? new History({ byState: () => registrar.byState, live: () => router.live, registers: () => registrar.asked, registerLimit: config.register.maxRate }, clock)
      : undefined;
    if (history !== undefined) {
      releasers.add('the history', () => {
        history.close();
        return Promise.resolve();
      });
    }

    metrics.gauges('dialog_sip_registrations', 'Registrations, by state', 'state', () => registrar.byState);
    metrics.gauges('dialog_sip_calls', 'Calls', 'state', () => ({ live: router.live }));

    const roster = new Roster(directory, accounts, registrar, log);
    // Before the rows: a node that cannot be administered as it is told to must not have registered anybody.
    if (config.admin.on && history !== undefined) {
      const registrations = new RegistrationDesk(registrar, roster, directory);
      const configuration = writeEffectiveConf(config).trimEnd().split('\n');
      const admin = await openAdminServer(config.admin, {
        registrations,
        mappings: new MappingDesk(repository, roster, new MappingImport(knex, secrets)),
        calls: router,
        records: new RecordStore(knex),
        endings,
        ladders: new LadderDesk(recording, registrations),
        tail,
        history,
        configuration: () => configuration,
        status,
        metrics,
        clock,
        log,
      });
      releasers.add('the administration interface', () => admin.close());
      log.info(`Administration is at ${admin.url}.`);
    }
    const changes = new MappingChanges({ rows: repository, sink: roster, clock, random: Math.random, log });
    releasers.add('the changes of mappings', () => changes.close());
    const open = listeningOver(knex);
    if (open === undefined) {
      changes.onDeaf('the pool that the host hands over has no way to listen.');
    } else {
      const listener = new Listener(
        open,
        {
          onHeard: (payload) => {
            changes.onHeard(payload);
          },
          onUp: () => {
            changes.onListening();
          },
          onDown: (why) => {
            changes.onDeaf(why);
          },
        },
        clock,
        Math.random,
      );
      releasers.add('the listener', () => listener.close());
      // Before the rows are read: what changes meanwhile is heard.
      await listener.start();
    }
    await awaitDatabase(() => changes.load(), waiting);
    const onLeft = (calls: readonly LeftCall[]): void => {
      void endLeftCalls(calls, { accounts, clock, log });
    };
    const leftRuns = new LeftRuns({ store: journalStore, clock, log, onLeft });
    releasers.add('the look for runs before', () => leftRuns.close());
    leftRuns.start();
    log.info(`SIP is ready: ${directory.size} mappings, listening on ${stack.listening.join(', ')}`);
    return {
      nodeId,
      clock,
      startedAt: clock.now(),
      config,
      repository,
      roster,
      provision: createProvision(config.autocreate, repository),
      rename: createRename(config.autocreate, repository, directory),
      registrar,
      router,
      stack,
      metrics,
      releasers,
    };
  } catch (thrown) {
    await releasers.releaseAll();
    throw thrown;
  }
}

/** Every end of a call that the host was told of, and every INVITE that it never heard of. */
function countCalls(metrics: Metrics): Required<Pick<CallPorts, 'onEnded' | 'onRefused'>> {
  const ended = metrics.counter('dialog_sip_calls_ended_total', 'Calls that ended, by reason and by whose affair it was', ['direction', 'reason', 'class']);
  const refused = metrics.counter('dialog_sip_invites_refused_total', 'INVITEs that the messenger did not hear of, by status', ['status']);
  return {
    onEnded: ({ direction, reason, class: owner }) => {
      ended({ direction, reason, class: owner });
    },
    onRefused: (status) => {
      refused({ status: String(status) });
    },
  };
}

/** The same sink, with each update kept before it is told. */
function recorded(host: ExtensionHost['calls'], recording: Recording): ExtensionHost['calls'] {
  return {
    update: (update) => {
      recording.onUpdate(update);
      return host.update(update);
    },
  };
}

/** Undefined when neither wants to hear, so that the hot path does not ask. */
function bothOf(...taps: (MessageTrace | undefined)[]): MessageTrace | undefined {
  const [first, second] = taps.filter((tap) => tap !== undefined);
  if (first === undefined || second === undefined) return first;
  return {
    onMessage: (direction, transport, peer, text) => {
      first.onMessage(direction, transport, peer, text);
      second.onMessage(direction, transport, peer, text);
    },
  };
}

interface OpenPool {
  readonly knex: Knex;
  /** The steps of migration that ran now. */
  readonly applied: string[];
}

/** The host's pool, else the one of `services.postgresql`; brought to this version. */
async function openPool(host: ExtensionHost, config: SipConfig, releasers: Releasers, waiting: WaitingPorts): Promise<OpenPool> {
  const { database: settings } = config;
  const pool = host.database;
  if (pool !== undefined) return awaitDatabase(() => migrated(pool), waiting);
  if (settings === undefined) {
    throw new ConfigError([
      {
        key: 'services.postgresql',
        message: 'there is no database: the host gave no pool, so set host, port, db, user and password, or embedded = "./data"',
      },
    ]);
  }
  const openOwn = async (): Promise<OpenPool> => {
    const database = await openDatabase(settings);
    const opened = await migrated(database.knex).catch(async (thrown: unknown) => {
      await database.close();
      throw thrown;
    });
    releasers.add('the database', () => database.close());
    return opened;
  };
  // A directory that cannot be opened will not be there in a minute either.
  return settings.kind === 'embedded' ? openOwn() : awaitDatabase(openOwn, waiting);
}

async function migrated(knex: Knex): Promise<OpenPool> {
  const { applied } = await migrate(knex);
  return { knex, applied };
}
