/**
 * What can go wrong with a registration, one row a fault: what a person reads, when it is tried next, and that it heals. Real sockets
 * and the whole stack; the registrar is scripted, and the waits of our own are turned by hand.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TlsOptions } from 'node:tls';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import type { RegistrationState, RegistrationStatus } from '../../src/host/contract.js';
import { registrarKeyOf } from '../../src/registrar/ports.js';
import { Registrar } from '../../src/registrar/registrar.js';
import { openSipStack } from '../../src/sip/stack.js';
import { FlowTable } from '../../src/sip/transports/flow-table.js';
import type { SipAccount, SipStack } from '../../src/sip/types.js';
import { FakeLog } from '../registrar/fake-account.js';
import { FakeNames } from '../sip/locating/fake-names.js';
import { ManualClock } from '../support/manual-clock.js';
import type { Received } from '../support/scripted-peer.js';
import { challenge, grant, refuse, ScriptedRegistrar, type Answer } from './support/scripted-registrar.js';

const second = 1_000;
const minute = 60 * second;

const tlsFile = (name: string): string => fileURLToPath(new URL(`../../fixtures/tls/${name}`, import.meta.url));
const certificate = (name: string): TlsOptions => ({ cert: readFileSync(tlsFile(`${name}.pem`)), key: readFileSync(tlsFile(`${name}.key`)) });

/** One registrar, and a node with accounts at it. */
class World {
  readonly clock = new ManualClock();
  readonly log = new FakeLog();
  readonly names = new FakeNames();
  readonly registrar = new Registrar(
    { expiresMs: 30 * minute, intervalMs: 60 * minute, maxRate: 10_000, maxInFlight: 500 },
    { clock: this.clock, random: () => 0, log: this.log },
  );
  readonly #others: ScriptedRegistrar[] = [];
  readonly #ids = new Map<SipAccount, number>();

  private constructor(
    readonly pbx: ScriptedRegistrar,
    private readonly stack: { sip?: SipStack },
  ) {}

  static async open(transport: ScriptedRegistrar['transport']): Promise<World> {
    const world = new World(await ScriptedRegistrar.start(transport, grant(1800), certificate('server')), {});
    world.stack.sip = await openSipStack(
      {
        flows: { listen: { host: '127.0.0.1', udpPort: 0, tcpPort: 0 }, tls: { verify: true, ca: tlsFile('ca.pem') } },
        trusted: [],
        ignoresContact: false,
        userAgent: 'dialog-sip/spec',
      },
      {
        // What the stack remembers of names and servers ages as the manual clock is turned.
        clock: { ...systemClock, now: () => systemClock.now() + world.clock.now() },
        events: {
          onInvite: () => undefined,
          onFlowLost: (lost, why) => {
            world.registrar.onFlowLost(lost.flatMap((account) => world.#ids.get(account) ?? []), why);
          },
        },
        log: { debug: () => undefined, warn: () => undefined },
        openFlows: (settings, events, clock) => FlowTable.open(settings, events, clock, world.names),
      },
    );
    return world;
  }

  async another(answer: Answer): Promise<ScriptedRegistrar> {
    const other = await ScriptedRegistrar.start(this.pbx.transport, answer);
    this.#others.push(other);
    return other;
  }

  register(host = this.pbx.host, count = 1): void {
    const target = { transport: this.pbx.transport, host, port: this.pbx.port };
    for (let mappingId = 1; mappingId <= count; mappingId += 1) {
      const account = this.stack.sip?.addAccount({ token: `token${mappingId}`, user: `user${mappingId}`, domain: host, password: 'right', target });
      if (account === undefined) throw new Error('The stack is not open.');
      this.#ids.set(account, mappingId);
      this.registrar.add({ mappingId, registrarKey: registrarKeyOf(target), account });
    }
  }

  /** The first registration, once it is in that state for that time. */
  async until(state: RegistrationState, isIt: (status: RegistrationStatus) => boolean = () => true): Promise<RegistrationStatus> {
    return vi.waitFor(
      () => {
        const status = this.registrar.find(1);
        if (status?.state !== state || !isIt(status)) throw new Error(JSON.stringify(status));
        return status;
      },
      { timeout: 15_000, interval: 10 },
    );
  }

  /** How long it waits until the next try, milliseconds. */
  waitOf({ nextTryAt }: RegistrationStatus): number {
    return Date.parse(nextTryAt ?? '') - this.clock.date().getTime();
  }

  /** Turns the clock until the next refresh is through. */
  async refresh(): Promise<RegistrationStatus> {
    const before = await this.until('registered', ({ nextTryAt }) => nextTryAt !== undefined);
    await this.clock.advance(this.waitOf(before));
    return this.until('registered', ({ nextTryAt }) => nextTryAt !== undefined && nextTryAt !== before.nextTryAt);
  }

  async close(): Promise<void> {
    this.pbx.answer = grant(0);
    for (const other of this.#others) other.answer = grant(0);
    await this.stack.sip?.close();
    const stopped = this.registrar.stop(0);
    await this.clock.advance(1);
    await stopped;
    await Promise.all([this.pbx, ...this.#others].map((one) => one.stop()));
  }
}

interface Fault {
  readonly fault: string;
  readonly over?: ScriptedRegistrar['transport'];
  /** Brings it about, and registers. */
  readonly happens: (world: World) => void | Promise<void>;
  /** What a person then reads. */
  readonly state: RegistrationState;
  readonly lastCode?: number;
  readonly lastError?: (world: World) => string;
  readonly waitMs: number;
  /** Sets it right: registered at the next try. Absent: it is registered already. */
  readonly mended?: (world: World) => void | Promise<void>;
  /** What the registrar has to show for it, once all is well. */
  readonly shows?: (registers: readonly Received[], world: World) => void;
}

const answers =
  (answer: Answer) =>
  (world: World): void => {
    world.pbx.answer = answer;
    world.register();
  };

const grants = ({ pbx }: World): void => {
  pbx.answer = grant(1800);
};

const refreshMs = 27 * minute;
const probeMs = 54 * minute;
const firstRetryMs = 15 * second;
const reconnectMs = 500;

const placeOf = ({ pbx }: World): string => `127.0.0.1:${pbx.port} over ${pbx.transport}`;

const faults: readonly Fault[] = [
  {
    fault: 'wrong password',
    happens: answers(challenge({ password: 'another', nonce: 'n1' })),
    state: 'parked',
    lastCode: 401,
    lastError: () => 'The registrar refused the password (401 Spec).',
    waitMs: probeMs,
    mended: ({ pbx }) => {
      pbx.answer = challenge({ password: 'right', nonce: 'n1' });
    },
  },
  {
    fault: '403',
    happens: answers(refuse(403)),
    state: 'parked',
    lastCode: 403,
    lastError: () => 'The registrar forbids this user to register (403 Spec).',
    waitMs: probeMs,
    mended: grants,
  },
  {
    fault: '404',
    happens: answers(refuse(404)),
    state: 'parked',
    lastCode: 404,
    lastError: () => 'The registrar does not know this user (404 Spec).',
    waitMs: probeMs,
    mended: grants,
  },
  {
    fault: '423',
    happens: answers((register) => {
      const asked = Number(register.header('expires'));
      (asked < 3_600 ? refuse(423, 'Min-Expires: 3600') : grant(asked))(register);
    }),
    state: 'registered',
    lastCode: 200,
    waitMs: 54 * minute,
    shows: (registers) => {
      expect(registers.map((register) => register.header('expires'))).toEqual(['1800', '3600']);
    },
  },
  {
    fault: '500',
    happens: answers(refuse(500)),
    state: 'retrying',
    lastCode: 500,
    lastError: () => 'The registrar failed (500 Spec).',
    waitMs: firstRetryMs,
    mended: grants,
  },
  {
    fault: '503 with Retry-After',
    happens: answers(refuse(503, 'Retry-After: 120')),
    state: 'retrying',
    lastCode: 503,
    lastError: () => 'The registrar is overloaded or under maintenance (503 Spec).',
    waitMs: 2 * minute,
    mended: grants,
  },
  {
    fault: '302',
    happens: async (world) => {
      const other = await world.another(grant(1800));
      world.pbx.answer = refuse(302, `Contact: <sip:user1@127.0.0.1:${other.port}>`);
      world.register();
      const { flow } = await world.until('registered');
      expect(flow).toBe(`udp 127.0.0.1:${other.port}`);
    },
    state: 'registered',
    lastCode: 200,
    waitMs: refreshMs,
  },
  {
    fault: '302 to nowhere that we may go',
    happens: answers(refuse(302, 'Contact: <tel:+4930123456>')),
    state: 'retrying',
    lastCode: 302,
    lastError: () => 'The registrar sent us to another address (302 Spec).',
    waitMs: firstRetryMs,
    mended: grants,
  },
  {
    fault: 'stale nonce',
    happens: async (world) => {
      world.pbx.answer = challenge({ password: 'right', nonce: 'old' });
      world.register();
      await world.until('registered');
      world.pbx.answer = challenge({ password: 'right', nonce: 'new', isStale: true });
      await world.refresh();
    },
    state: 'registered',
    lastCode: 200,
    waitMs: refreshMs,
    shows: (registers, { log }) => {
      expect(registers.map((register) => /nonce="(\w+)".*nc=(\w+)/.exec(register.header('authorization') ?? '')?.slice(1).join(' '))).toEqual([
        undefined,
        'old 00000001',
        'old 00000002',
        'new 00000001',
      ]);
      expect(log.lines.filter((line) => !line.startsWith('info'))).toEqual([]);
    },
  },
  {
    fault: 'MD5 and SHA-256 offered together',
    happens: answers(challenge({ password: 'right', nonce: 'n1', algorithms: ['MD5', 'SHA-256'] })),
    state: 'registered',
    lastCode: 200,
    waitMs: refreshMs,
    shows: (registers) => {
      expect(registers.at(-1)?.header('authorization')).toContain('algorithm=SHA-256');
    },
  },
  {
    fault: 'registrar down',
    over: 'tcp',
    happens: async (world) => {
      await world.pbx.stop();
      world.register();
    },
    state: 'retrying',
    lastError: (world) =>
      `Cannot reach ${placeOf(world)}: the connection was refused: nothing listens there, or a firewall says no (ECONNREFUSED).`,
    waitMs: firstRetryMs,
    mended: ({ pbx }) => pbx.startAgain(),
  },
  {
    fault: 'registrar restarted, empty',
    over: 'tcp',
    happens: async (world) => {
      world.pbx.answer = challenge({ password: 'right', nonce: 'before' });
      world.register();
      await world.until('registered');
      await world.pbx.stop();
      world.pbx.registers.length = 0;
    },
    state: 'retrying',
    lastCode: 200,
    lastError: (world) => `The connection to ${placeOf(world)} was lost (tcp:127.0.0.1:${world.pbx.port}: The peer closed the connection).`,
    waitMs: reconnectMs,
    mended: async ({ pbx }) => {
      pbx.answer = challenge({ password: 'right', nonce: 'after' });
      await pbx.startAgain();
    },
    shows: (registers) => {
      expect(registers.length).toBeGreaterThan(1);
    },
  },
  {
    fault: 'WebSocket closed by the server',
    over: 'ws',
    happens: async (world) => {
      world.register();
      await world.until('registered');
      world.pbx.dropConnections();
    },
    state: 'retrying',
    lastCode: 200,
    lastError: (world) => `The connection to ${placeOf(world)} was lost (ws:127.0.0.1:${world.pbx.port}: The peer closed the connection (1001)).`,
    waitMs: reconnectMs,
    mended: () => undefined,
  },
  {
    fault: 'TLS certificate expired',
    over: 'tls',
    happens: async (world) => {
      await world.pbx.stop();
      await world.pbx.startAgain(certificate('expired'));
      world.register();
    },
    state: 'retrying',
    lastError: (world) => `Cannot reach ${placeOf(world)}: its certificate has expired (CERT_HAS_EXPIRED).`,
    waitMs: firstRetryMs,
    mended: async ({ pbx }) => {
      await pbx.stop();
      await pbx.startAgain(certificate('server'));
    },
  },
  {
    fault: 'DNS gone',
    happens: (world) => {
      world.names.says.set('A pbx.example.com', 'EAI_AGAIN');
      world.register('pbx.example.com');
    },
    state: 'retrying',
    lastError: ({ pbx }) =>
      `Cannot reach pbx.example.com:${pbx.port} over udp: the name could not be looked up: the name server did not answer (EAI_AGAIN).`,
    waitMs: firstRetryMs,
    mended: ({ names }) => {
      names.says.set('A pbx.example.com', ['127.0.0.1']);
    },
  },
  {
    fault: 'DNS gone after it had answered: what it said is used on',
    happens: async (world) => {
      world.names.says.set('A pbx.example.com', ['127.0.0.1']);
      world.register('pbx.example.com');
      await world.until('registered');
      world.names.says.set('A pbx.example.com', 'EAI_AGAIN');
      await world.refresh();
    },
    state: 'registered',
    lastCode: 200,
    waitMs: refreshMs,
    shows: (registers) => {
      expect(registers).toHaveLength(2);
    },
  },
  {
    fault: 'Contact rewritten by NAT',
    happens: answers((register) => {
      const via = (register.header('via') ?? '').replace(/;rport\b/, ';received=203.0.113.9;rport=40000');
      register.replyVia(200, via, [`Contact: ${register.header('contact') ?? ''}`]);
    }),
    state: 'registered',
    lastCode: 200,
    waitMs: refreshMs,
    shows: (registers) => {
      const hosts = registers.map((register) => /@([^;]+);/.exec(register.header('contact') ?? '')?.[1]);
      expect(hosts).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+$/), '203.0.113.9:40000']);
    },
  },
  {
    fault: 'granted expiry shorter than asked',
    happens: answers(grant(120)),
    state: 'registered',
    lastCode: 200,
    waitMs: 88 * second,
  },
  {
    fault: 'other Contacts of the same AOR in the 200',
    happens: answers(grant(120, '<sip:other@192.0.2.9>;expires=3600', '"Desk" <sip:434@192.0.2.8:5070;transport=tcp>;expires=7')),
    state: 'registered',
    lastCode: 200,
    waitMs: 88 * second,
  },
];

describe('a fault of a registration', () => {
  let world: World;

  afterEach(() => world.close());

  test.each(faults.map((fault) => [fault.fault, fault] as const))('%s', async (_name, fault) => {
    world = await World.open(fault.over ?? 'udp');
    await fault.happens(world);
    const status = await world.until(fault.state, ({ nextTryAt }) => nextTryAt !== undefined);
    expect({ code: status.lastCode, error: status.lastError }).toEqual({ code: fault.lastCode, error: fault.lastError?.(world) });
    expect(world.waitOf(status)).toBe(fault.waitMs);
    expect(world.log.lines.join('\n')).not.toContain('right');

    if (fault.mended !== undefined) {
      await fault.mended(world);
      await world.clock.advance(fault.waitMs);
      const healed = await world.until('registered', ({ nextTryAt }) => nextTryAt !== undefined);
      expect(healed.lastError).toBeUndefined();
      expect(healed.flow).toBe(`${world.pbx.transport} 127.0.0.1:${world.pbx.port}`);
    }
    fault.shows?.(world.pbx.registers, world);
  });

  test('one datagram in ten lost, both ways: all are registered, and no REGISTER changes anything twice', async () => {
    world = await World.open('udp');
    const count = 60;
    let crossings = 0;
    /** Every tenth, whichever way it goes. */
    const isLost = (): boolean => (crossings += 1) % 10 === 0;
    const bindings = new Map<string, number>();
    world.pbx.answer = (register) => {
      if (isLost()) return;
      bindings.set(register.header('call-id') ?? '', register.cseq);
      if (!isLost()) grant(1800)(register);
    };
    world.register('127.0.0.1', count);
    await vi.waitFor(
      () => {
        expect(world.registrar.status().byState.registered).toBe(count);
      },
      { timeout: 15_000, interval: 20 },
    );
    expect(world.pbx.registers.length).toBeGreaterThan(count);
    expect([...bindings.values()]).toEqual(Array.from({ length: count }, () => 1));
    expect(world.log.lines.filter((line) => !line.startsWith('info'))).toEqual([]);
  });
});
