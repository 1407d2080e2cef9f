/**
 * Starts Debian's Kamailio as registrar and proxy on 127.0.0.1 over udp, tcp, tls, ws and wss, and asks it what it
 * knows over its own RPC. It runs in the foreground in a process group of its own; `stop` leaves no process.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from './certificates.js';
import { kamailioConfig, type KamailioOptions, type Transport } from './kamailio-config.js';
import { askKamailio, kamailioAnswers, withSbin } from './kamailio-rpc.js';
import { freePort } from '../../support/ports.js';
import { Program } from './program.js';

export { passwordOf, type KamailioOptions, type Transport } from './kamailio-config.js';

/** A binding as `ul.dump` tells it. */
export interface Binding {
  /** The user of the address of record. */
  user: string;
  /** The Contact URI as registered. */
  contact: string;
  /** Where it came from when it came over a connection, `sip:127.0.0.1:40000;transport=tls`. */
  received: string | undefined;
  /** Seconds until it expires. */
  expires: number;
  callId: string;
  cseq: number;
}

export class Kamailio {
  readonly host = '127.0.0.1';
  #program: Program;

  private constructor(
    private readonly folder: string,
    readonly ports: Readonly<Record<Transport, number>>,
    /** PEM file of the authority that signed its certificate. */
    readonly caFile: string,
    private readonly options: KamailioOptions,
  ) {
    this.#program = this.#spawn();
  }

  /** Resolves when it answers. Rejects with its log when it does not. */
  static async start(options: KamailioOptions = {}): Promise<Kamailio> {
    const folder = mkdtempSync(join(tmpdir(), 'kamailio-'));
    const certificates = makeCertificates(folder);
    const ports = {
      udp: await freePort(),
      tcp: await freePort(),
      tls: await freePort(),
      ws: await freePort(),
      wss: await freePort(),
    };
    writeFileSync(join(folder, 'kamailio.cfg'), kamailioConfig(ports, certificates, options));
    const kamailio = new Kamailio(folder, ports, certificates.ca, options);
    await kamailioAnswers(kamailio.#program, ports.tcp);
    return kamailio;
  }

  /** Its log so far. */
  get log(): string {
    return this.#program.output;
  }

  /** All bindings, or those of one user. */
  async contacts(user?: string): Promise<Binding[]> {
    const dump = (await this.rpc('ul.dump')) as {
      Domains: { Domain: { AoRs: { Info: { AoR: string; Contacts: { Contact: DumpedContact }[] } }[] } }[];
    };
    const bindings = dump.Domains.flatMap(({ Domain }) =>
      Domain.AoRs.flatMap(({ Info }) =>
        Info.Contacts.map(({ Contact }) => ({
          user: Info.AoR,
          contact: Contact.Address,
          received: Contact.Received === '[not set]' ? undefined : Contact.Received,
          expires: typeof Contact.Expires === 'number' ? Contact.Expires : 0,
          callId: Contact['Call-ID'],
          cseq: Contact.CSeq,
        })),
      ),
    );
    return user === undefined ? bindings : bindings.filter((binding) => binding.user === user);
  }

  /** The users that have a binding, sorted. */
  async users(): Promise<string[]> {
    return [...new Set((await this.contacts()).map((binding) => binding.user))].sort();
  }

  /** Asks until `test` holds for its users. Rejects after `withinMs` with the users it has and the end of its log. */
  async untilUsers(test: (users: string[]) => boolean, withinMs = 20_000): Promise<void> {
    await this.untilContacts((contacts) => test([...new Set(contacts.map(({ user }) => user))]), withinMs);
  }

  /** Asks until `test` holds for its bindings; a `test` that throws ends it. */
  async untilContacts(test: (contacts: Binding[]) => boolean, withinMs = 20_000): Promise<void> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const contacts = await this.contacts();
      if (test(contacts)) return;
      if (Date.now() > deadline) {
        const users = contacts.map(({ user }) => user).slice(0, 20);
        throw new Error(`after ${withinMs} ms Kamailio has ${contacts.length} contacts: ${users.join(', ')}\n${this.#program.describe()}`);
      }
      await pause(50);
    }
  }

  /** A number of its statistics: `registrar.accepted_regs`, `core.rcv_requests_register`. */
  async statistic(name: string): Promise<number> {
    const [line] = (await this.rpc('stats.fetch', [name.replace('.', ':')]).then((found) =>
      Object.values(found as Record<string, string>),
    )) as (string | undefined)[];
    if (line === undefined) throw new Error(`Kamailio has no statistic ${name}`);
    return Number(line);
  }

  /** One JSON-RPC call. Rejects with Kamailio's own error. */
  rpc(method: string, params: readonly (string | number)[] = []): Promise<unknown> {
    return askKamailio(this.ports.tcp, method, params);
  }

  /** Closes every WebSocket that clients have with it. */
  async closeWebSockets(): Promise<void> {
    // `3: ws:127.0.0.1:55252 -> ws:127.0.0.1:21792 (state: OPEN, ...)`
    const { connections } = (await this.rpc('ws.dump')) as { connections: string[] };
    for (const connection of connections) await this.rpc('ws.close', [Number.parseInt(connection, 10)]);
  }

  /** As a power cut does it: no connection is closed properly and every binding is forgotten. */
  async crash(): Promise<void> {
    await this.#program.kill();
  }

  /** Starts again, empty, on the same ports. */
  async startAgain(): Promise<void> {
    this.#program = this.#spawn();
    await kamailioAnswers(this.#program, this.ports.tcp);
  }

  async stop(): Promise<void> {
    await this.#program.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #spawn(): Program {
    const config = join(this.folder, 'kamailio.cfg');
    const { sharedMemoryMb } = this.options;
    const memory = sharedMemoryMb === undefined ? [] : ['-m', String(sharedMemoryMb), '-b', String(4 << 20)];
    return new Program(
      'kamailio',
      ['-DD', '-E', '-f', config, '-P', join(this.folder, 'kamailio.pid'), '-Y', this.folder, '-w', this.folder, ...memory],
      { env: withSbin() },
    );
  }
}

interface DumpedContact {
  Address: string;
  Expires: number | string;
  'Call-ID': string;
  CSeq: number;
  Received: string;
}

/** Between two questions to another process, which has no other way to tell. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
