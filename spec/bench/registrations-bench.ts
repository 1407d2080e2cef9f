/**
 * What it costs to keep many users registered: for the whole extension, and for Kamailio's `uac` beside it, one after the other at the same
 * registrar, another Kamailio that challenges every user. When all are registered the registrar says: by the users in its location table, not
 * by the requests that it accepted.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { migrate } from '../../src/mappings/migrate.js';
import { openDatabase, type Database } from '../../src/mappings/database.js';
import { Kamailio, passwordOf } from '../interop/support/kamailio.js';
import { startPostgres, type TestPostgres } from '../interop/support/postgres.js';
import { KamailioUac } from './kamailio-uac.js';
import { cpuSecondsOf, memoryOf } from './process-cost.js';
import type { LoopDelay, SubjectCommand, SubjectReport } from './protocol.js';
import { Worker } from './worker.js';

/** Until every user has a binding. */
export interface Arrival {
  /** Since the program was told to begin: rows are read, sockets opened. */
  readonly fromInitS: number;
  /** Since the registrar's first REGISTER, give or take a look at it. */
  readonly fromFirstS: number;
  readonly cpuS: number;
  /** REGISTERs that came, a user: two are needed, more were sent again. */
  readonly requestsEach: number;
}

/** One round in which every binding is refreshed. */
export interface Refresh {
  readonly cpuUsEach: number;
  readonly requestsEach: number;
}

export interface Registered {
  readonly users: number;
  readonly arrival: Arrival;
  /** Heap after a collection, or shared memory held, bytes a user more than with `fewUsers`. */
  readonly heapEach: number;
  /** Resident, bytes a user more than with `fewUsers`. */
  readonly residentEach: number;
  /** Undefined when the round was not over in time, or not waited for. */
  readonly refresh: Refresh | undefined;
  readonly loop?: LoopDelay;
}

/** A registrar killed and started empty, under users who are registered over one connection to it. */
export interface Restart {
  readonly ratePerS: number;
  /** From the kill until the registrar has all users again. */
  readonly backS: number;
  /** Lines of the log that tell of a registration in trouble: the one that tells of the lost connection is none. */
  readonly complaints: readonly string[];
}

/** What programs cost anyhow is known from a run with so many. */
const fewUsers = 1_000;
/** Until what is kept of answered requests is forgotten: Kamailio's transactions stay for 5 s. */
const restMs = 6_000;
const lookEveryMs = 25;
const patienceMs = 120_000;

type Subject = Worker<SubjectCommand, SubjectReport>;

interface Seen {
  readonly users: number;
  readonly requests: number;
  readonly accepted: number;
}

/**
 * The interval between refreshes: so short that a round of them is not waited for long. The first may come after a fifth of it, when all are
 * registered and have rested.
 */
function refreshAfterS(users: number): number {
  return Math.ceil(50 + users / 1_250);
}

const nameOf = (number: number): string => `user${number}`;

export class RegistrationsBench {
  private constructor(
    private readonly registrar: Kamailio,
    private readonly postgres: TestPostgres,
    private readonly database: Database,
  ) {}

  static async open(): Promise<RegistrationsBench> {
    const registrar = await Kamailio.start({ sharedMemoryMb: 1_024 });
    const postgres = await startPostgres();
    const database = await openDatabase(postgres.settings);
    await migrate(database.knex);
    return new RegistrationsBench(registrar, postgres, database);
  }

  async close(): Promise<void> {
    await this.database.close();
    await this.postgres.stop();
    await this.registrar.stop();
  }

  /** @param isRefreshed whether a round of refreshes is waited for: about two minutes of 100,000 */
  async extension(users: number, isRefreshed: boolean): Promise<Registered> {
    const few = await this.#extension(fewUsers, false);
    const many = await this.#extension(users, isRefreshed);
    const more = users - fewUsers;
    return {
      users,
      arrival: many.arrival,
      heapEach: (many.heapBytes - few.heapBytes) / more,
      residentEach: (many.residentBytes - few.residentBytes) / more,
      refresh: many.refresh,
      loop: many.loop,
    };
  }

  async uac(users: number, isRefreshed: boolean): Promise<Registered> {
    const few = await this.#uac(fewUsers, false);
    const many = await this.#uac(users, isRefreshed);
    const more = users - fewUsers;
    return {
      users,
      arrival: many.arrival,
      heapEach: (many.heldBytes - few.heldBytes) / more,
      residentEach: (many.residentBytes - few.residentBytes) / more,
      refresh: many.refresh,
    };
  }

  /** Over tcp, where the whole node sees at once that the registrar is gone, so that everybody queues for it. */
  async restart(users: number, ratePerS: number): Promise<Restart> {
    await this.#emptyRegistrar();
    await this.#fill(users, 'tcp', this.registrar.ports.tcp);
    return this.#withSubject(async (subject) => {
      subject.send({ kind: 'start', settings: { tree: this.#tree(3_600, ratePerS), atOnce: 0 } });
      await this.#untilUsers(users);
      await pause(restMs);
      const from = performance.now();
      await this.#emptyRegistrar();
      await this.#untilUsers(users);
      return { ratePerS, backS: (performance.now() - from) / 1_000, complaints: subject.faults.filter((line) => line.includes(' is not registered: ')) };
    });
  }

  async #extension(users: number, isRefreshed: boolean) {
    await this.#emptyRegistrar();
    await this.#fill(users, 'udp', this.registrar.ports.udp);
    const intervalS = refreshAfterS(users);
    return this.#withSubject(async (subject) => {
      const processes = [subject.pid];
      subject.send({ kind: 'watch' });
      const arrival = await this.#arrive(users, () => cpuSecondsOf(processes), () => {
        subject.send({ kind: 'start', settings: { tree: this.#tree(intervalS, 100_000), atOnce: 0 } });
      });
      subject.send({ kind: 'loop' });
      const { delay } = await subject.next('loop', patienceMs);
      await pause(restMs);
      subject.send({ kind: 'heap' });
      const { usedBytes: heapBytes } = await subject.next('heap', patienceMs);
      const residentBytes = memoryOf(processes);
      const refresh = isRefreshed ? await this.#refreshAll(users, () => cpuSecondsOf(processes)) : undefined;
      if (subject.faults.length > 0) throw new Error(`not a clean run:\n${subject.faults.slice(0, 10).join('\n')}`);
      return { arrival, heapBytes, residentBytes, refresh, loop: delay };
    });
  }

  async #uac(users: number, isRefreshed: boolean) {
    await this.#emptyRegistrar();
    const expiresS = refreshAfterS(users);
    let uac: KamailioUac | undefined;
    try {
      const begun = await KamailioUac.prepare({ count: users, registrarPort: this.registrar.ports.udp, expiresS, nameOf, passwordOf });
      uac = begun;
      const arrival = await this.#arrive(users, () => begun.cpuSeconds, () => {
        begun.start();
      });
      await pause(restMs);
      const [heldBytes, residentBytes] = [await begun.heldBytes(), begun.memoryBytes];
      const refresh = isRefreshed ? await this.#refreshAll(users, () => begun.cpuSeconds) : undefined;
      return { arrival, heldBytes, residentBytes, refresh };
    } finally {
      await uac?.stop();
    }
  }

  async #arrive(users: number, cpu: () => number, begin: () => void): Promise<Arrival> {
    const cpuFrom = cpu();
    const from = performance.now();
    begin();
    const { firstAt, requests } = await this.#untilUsers(users);
    const to = performance.now();
    return { fromInitS: (to - from) / 1_000, fromFirstS: (to - firstAt) / 1_000, cpuS: cpu() - cpuFrom, requestsEach: requests / users };
  }

  /** Waits for a round of refreshes that has not begun yet. */
  async #refreshAll(users: number, cpu: () => number): Promise<Refresh | undefined> {
    const [before, cpuFrom] = [await this.#seen(), cpu()];
    const deadline = performance.now() + patienceMs + refreshAfterS(users) * 1_000;
    for (;;) {
      const now = await this.#seen();
      if (now.accepted >= before.accepted + users) {
        return { cpuUsEach: ((cpu() - cpuFrom) / users) * 1e6, requestsEach: (now.requests - before.requests) / users };
      }
      if (performance.now() > deadline) return undefined;
      await pause(100);
    }
  }

  async #untilUsers(users: number): Promise<{ firstAt: number; requests: number }> {
    const deadline = performance.now() + patienceMs;
    let firstAt: number | undefined;
    for (;;) {
      const seen = await this.#seen();
      if (seen.requests > 0) firstAt ??= performance.now();
      if (seen.users >= users && firstAt !== undefined) return { firstAt, requests: seen.requests };
      if (performance.now() > deadline) throw new Error(`after ${patienceMs / 1_000} s the registrar has ${seen.users} of ${users} users`);
      await pause(lookEveryMs);
    }
  }

  async #seen(): Promise<Seen> {
    const told = (await this.registrar.rpc('stats.fetch', ['usrloc:registered_users', 'core:rcv_requests_register', 'registrar:accepted_regs'])) as Record<string, string>;
    const count = (name: string): number => Number(told[name] ?? Number.NaN);
    return { users: count('usrloc.registered_users'), requests: count('core.rcv_requests_register'), accepted: count('registrar.accepted_regs') };
  }

  async #emptyRegistrar(): Promise<void> {
    await this.registrar.crash();
    await this.registrar.startAgain();
  }

  async #fill(users: number, transport: 'udp' | 'tcp', port: number): Promise<void> {
    const { knex } = this.database;
    await knex.raw('truncate sip_user_mappings');
    await knex.raw(
      `insert into sip_user_mappings
         (sip_user, sip_password, sip_host, sip_port, sip_parameters, sip_headers, peer_type, peer_id, register, can_call, can_be_called)
       select 'user' || n, 'secret-user' || n, '127.0.0.1', ?, ?, '{}', 1, n, true, true, true from generate_series(1, ?) n`,
      [port, JSON.stringify({ transport }), users],
    );
  }

  async #withSubject<T>(work: (subject: Subject) => Promise<T>): Promise<T> {
    const subject: Subject = new Worker('./extension-subject.ts', { node: ['--expose-gc'] });
    try {
      await subject.next('ready', patienceMs);
      return await work(subject);
    } finally {
      await subject.end();
    }
  }

  #tree(intervalS: number, ratePerS: number): Record<string, unknown> {
    const { host, port, db, user, password } = this.postgres.settings;
    return {
      modules: {
        sip: {
          extension: 'im.dlg.sip.extension.SipExtension',
          register: { expires: '1 hour', interval: `${intervalS} seconds`, 'max-rate': ratePerS, 'max-in-flight': 500 },
          listen: { host: '127.0.0.1', 'udp-port': 0, 'tcp-port': 0 },
        },
      },
      services: { postgresql: { host, port, db, user, password } },
    };
  }
}
