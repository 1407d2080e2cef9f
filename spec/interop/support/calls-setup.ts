/**
 * What every spec of calls stands on: users who are registered at a Kamailio, a far end that sipp plays where it relays numbers to, and what
 * a messenger does with a call, in one line each.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { CallCommand, CallTarget, CallUpdate, ExtensionStatus, HostExtension } from '../../../src/host/contract.js';
import type { FakeHost, FakeHostOptions, UpdateOf } from '../../support/fake-host.js';
import { freePort } from '../../support/ports.js';
import { Kamailio, passwordOf, type Transport } from './kamailio.js';
import { MappingsTable, type MappingRow } from './mappings-table.js';
import { webrtcAnswer, webrtcOffer } from './sdp.js';
import { Sipp, type SippCallerOptions, type SippLine, type SippOptions } from './sipp.js';
import { allRegistered, startSubject, type Subject } from './subject.js';

/** How a user is registered, by default over udp, and what they may. */
export type CallsUser = Pick<MappingRow, 'transport' | 'canCall' | 'canBeCalled'>;

export interface CallsSetupOptions {
  /** user-1 is peer 1, and so on. */
  users: readonly CallsUser[];
  /** Kamailio wants a password of who calls. Default false. */
  authInvite?: boolean;
  /** There is a second far end. Default false. */
  withSecond?: boolean;
  /** `modules.sip`. */
  sip?: Record<string, unknown>;
  /** What the messenger does by itself with an update. */
  onUpdate?: FakeHostOptions['onUpdate'];
}

export const everyTransport = ['udp', 'tcp', 'tls', 'ws', 'wss'] as const satisfies readonly Transport[];

/** A user over each. */
export function over(...transports: readonly Transport[]): CallsUser[] {
  return transports.map((transport) => ({ transport }));
}

/** Numbers that begin with 9 are at the first; if there is a second, those with 97 are there and those with 98 at both. */
type Place = 'first' | 'second';

export class CallsSetup {
  /** Of `lacks`. */
  static readonly needs = ['kamailio', 'postgresql', 'sipp', 'openssl'] as const;

  readonly #running: Sipp[] = [];

  private constructor(
    private readonly options: CallsSetupOptions,
    private readonly table: MappingsTable,
    readonly kamailio: Kamailio,
    private readonly ports: Readonly<Record<Place, number>>,
    private subject: Subject,
  ) {}

  /** Resolves when every user is registered. */
  static async start(options: CallsSetupOptions): Promise<CallsSetup> {
    const { users, authInvite = false, withSecond = false } = options;
    const table = await MappingsTable.start();
    const ports = { first: await freePort(), second: await freePort() };
    const secondUas = withSecond ? { secondUas: { port: ports.second } } : {};
    const kamailio = await Kamailio.start({ authInvite, uas: { port: ports.first }, ...secondUas });
    await table.replace(
      users.map((user, index) => ({
        ...user,
        user: `user-${index + 1}`,
        password: passwordOf(`user-${index + 1}`),
        port: kamailio.ports[user.transport ?? 'udp'],
        peerId: index + 1,
      })),
    );
    const setup = new CallsSetup(options, table, kamailio, ports, await startExtension(options, table, kamailio));
    await setup.untilRegistered();
    return setup;
  }

  get host(): FakeHost {
    return this.subject.host;
  }

  get extension(): HostExtension {
    return this.subject.extension;
  }

  untilStatus(test: (status: ExtensionStatus) => boolean, withinMs?: number): Promise<ExtensionStatus> {
    return this.subject.untilStatus(test, withinMs);
  }

  async untilRegistered(withinMs?: number): Promise<void> {
    await this.untilStatus(allRegistered(this.options.users.length), withinMs);
  }

  /** The extension anew, with another `modules.sip`. */
  async startAnew(sip: Record<string, unknown>): Promise<void> {
    await this.subject.stop();
    expect(this.host.problems).toEqual([]);
    this.subject = await startExtension({ ...this.options, sip }, this.table, this.kamailio);
    await this.untilRegistered();
  }

  // ---- the far end ------------------------------------------------------------------------------

  /** Somebody is there who takes calls. */
  async farEnd(scenario: string, options: Pick<SippOptions, 'calls' | 'words'> & { place?: Place } = {}): Promise<Sipp> {
    const { place = 'first', ...rest } = options;
    return this.#keep(await Sipp.answer({ scenario, port: this.ports[place], ...rest }));
  }

  /** Somebody calls. */
  async caller(scenario: string, lines: readonly SippLine[], options: Pick<SippCallerOptions, 'calls' | 'words'> = {}): Promise<Sipp> {
    return this.#keep(await Sipp.call({ scenario, lines, proxyPort: this.kamailio.ports.udp, ...options }));
  }

  #keep(sipp: Sipp): Sipp {
    this.#running.push(sipp);
    return sipp;
  }

  // ---- the messenger ----------------------------------------------------------------------------

  /** @param from who calls @returns the call id */
  async call(from = 1, to: CallTarget = { address: '9001' }): Promise<string> {
    const callId = randomUUID();
    await this.command({ type: 'create', callId, from: { type: 1, id: from }, to, description: webrtcOffer });
    return callId;
  }

  /** Takes the call that comes in next. @returns the call id */
  async answered(): Promise<string> {
    const { callId } = await this.host.nextIncoming();
    await this.command({ type: 'answer', callId, description: webrtcAnswer });
    await this.host.state(callId, 'talking');
    return callId;
  }

  command(command: CallCommand): Promise<void> {
    return this.extension.onCall(command);
  }

  next<T extends CallUpdate['type']>(callId: string, type: T): Promise<UpdateOf<T>> {
    return this.host.next(callId, (update): update is UpdateOf<T> => update.type === type);
  }

  async hangUp(callId: string): Promise<void> {
    await this.command({ type: 'hangup', callId });
    await this.host.ended(callId, 'normal');
  }

  // ---- afterwards -------------------------------------------------------------------------------

  /** After each spec: no call is left. */
  async clear(): Promise<void> {
    for (const sipp of this.#running.splice(0)) await sipp.stop();
    expect(this.extension.status().calls.live).toBe(0);
  }

  async stop(): Promise<void> {
    await this.subject.stop();
    await this.kamailio.stop();
    await this.table.stop();
    expect(this.host.problems).toEqual([]);
  }
}

function startExtension({ sip, onUpdate }: CallsSetupOptions, table: MappingsTable, kamailio: Kamailio): Promise<Subject> {
  return startSubject(table.settings, { ...sip, listen: { tls: { ca: kamailio.caFile } } }, { onUpdate });
}
