/**
 * What a registration and a call cost the subject's process in CPU-seconds. The far end is in another process, the database in others
 * again, so that only the extension and the smallest host round it are measured, or only the stack.
 */
import { MappingsTable } from '../interop/support/mappings-table.js';
import { benchPassword, type PeerCommand, type PeerReport, type SubjectCommand, type SubjectReport, type SubjectSettings, type Usage } from './protocol.js';
import { Worker } from './worker.js';

export interface Sizes {
  /** Users to register, and a tenth before them unmeasured, so that code is compiled. */
  readonly registrations: number;
  /** In each direction, and a tenth before them. */
  readonly calls: number;
  readonly atOnce: number;
}

export interface CallsResult {
  readonly what: string;
  readonly operations: number;
  readonly from: Usage;
  readonly to: Usage;
}

export type Subject = Worker<SubjectCommand, SubjectReport>;
export type Peer = Worker<PeerCommand, PeerReport>;

export const patienceMs = 180_000;

/** Through the whole depth: database rows, registrar, stack, UDP socket, host contract. */
export async function benchExtension(sizes: Sizes): Promise<CallsResult[]> {
  return withExtension(usersOf(sizes), sizes.atOnce, [], (subject, peer, settings, port) => measureAll(subject, peer, port, sizes, settings));
}

/** The extension with that many rows in its database. @param options Node's own, such as `--expose-gc` */
export async function withExtension<T>(
  users: number,
  atOnce: number,
  options: readonly string[],
  work: (subject: Subject, peer: Peer, settings: SubjectSettings, port: number) => Promise<T>,
): Promise<T> {
  const table = await MappingsTable.start();
  try {
    return await withBoth('./extension-subject.ts', options, async (subject, peer, port) => {
      await table.replace(
        Array.from({ length: users }, (_, index) => ({
          user: `user${index + 1}`,
          password: benchPassword(`user${index + 1}`),
          port,
          peerId: index + 1,
        })),
      );
      return work(subject, peer, { tree: treeOf(table, atOnce), atOnce }, port);
    });
  } finally {
    await table.stop();
  }
}

/** The stack alone. */
export async function benchStack(sizes: Sizes): Promise<CallsResult[]> {
  return withBoth('./stack-subject.ts', [], (subject, peer, port) =>
    measureAll(subject, peer, port, sizes, { accounts: { port, count: usersOf(sizes) }, atOnce: sizes.atOnce }),
  );
}

/** Runs both processes, and fails when either complained. */
export async function withBoth<T>(file: string, options: readonly string[], work: (subject: Subject, peer: Peer, port: number) => Promise<T>): Promise<T> {
  const peer: Peer = new Worker('./peer.ts');
  const subject: Subject = new Worker(file, { node: options });
  try {
    const { port } = await peer.next('listening', patienceMs);
    await subject.next('ready', patienceMs);
    const result = await work(subject, peer, port);
    subject.send({ kind: 'stop' });
    await subject.next('stopped', patienceMs);
    const faults = [...subject.faults, ...peer.faults];
    if (faults.length > 0) throw new Error(`not a clean run:\n${faults.slice(0, 10).join('\n')}`);
    return result;
  } finally {
    await subject.end();
    await peer.end();
  }
}

function usersOf({ registrations }: Sizes): number {
  return Math.ceil(registrations / 10) + registrations;
}

function treeOf(table: MappingsTable, inFlight: number): Record<string, unknown> {
  return {
    modules: {
      sip: {
        extension: 'im.dlg.sip.extension.SipExtension',
        register: { 'max-rate': 100_000, 'max-in-flight': inFlight },
        listen: { host: '127.0.0.1', 'udp-port': 0, 'tcp-port': 0 },
      },
    },
    services: { postgresql: table.settings },
  };
}

async function measureAll(subject: Subject, peer: Peer, port: number, sizes: Sizes, settings: SubjectSettings): Promise<CallsResult[]> {
  const { calls, atOnce } = sizes;
  const registrations = await registerAll(subject, peer, settings, usersOf(sizes) - sizes.registrations, usersOf(sizes));
  const users = Math.min(1_000, usersOf(sizes));
  const outgoing = await measure(subject, 'calls out: INVITE 100 180 200 ACK BYE 200', calls, async (count) => {
    subject.send({ kind: 'call', calls: count, pace: { atOnce }, users, address: `sip:600@127.0.0.1:${port}` });
    return subject.next('called', patienceMs);
  });
  const incoming = await measure(subject, 'calls in:  INVITE 180 200 ACK BYE 200', calls, async (count) => {
    peer.send({ kind: 'call', calls: count, pace: { atOnce } });
    return peer.next('called', patienceMs);
  });
  return [registrations, outgoing, incoming];
}

/** From the moment the peer has accepted `warmUp` users until it has accepted all. It answers none before all rows are read. */
export async function registerAll(subject: Subject, peer: Peer, settings: SubjectSettings, warmUp: number, users: number): Promise<CallsResult> {
  peer.send({ kind: 'tellAt', registered: warmUp });
  peer.send({ kind: 'tellAt', registered: users });
  subject.send({ kind: 'start', settings });
  const usageWhenAccepted = async (): Promise<Usage> => {
    await peer.next('registered', patienceMs);
    return usageOf(subject);
  };
  await subject.next('started', patienceMs);
  peer.send({ kind: 'open' });
  const [from, to] = await Promise.all([usageWhenAccepted(), usageWhenAccepted()]);
  return { what: 'registrations: REGISTER 401 REGISTER 200', operations: users - warmUp, from, to };
}

async function measure(
  subject: Subject,
  what: string,
  operations: number,
  run: (count: number) => Promise<{ completed: number; failed: number; firstFailure?: string }>,
): Promise<CallsResult> {
  await run(Math.ceil(operations / 10));
  const from = await usageOf(subject);
  const { failed, firstFailure } = await run(operations);
  const to = await usageOf(subject);
  if (failed > 0) throw new Error(`${what}: ${failed} of ${operations} failed. ${firstFailure ?? ''}`);
  return { what, operations, from, to };
}

export async function usageOf(subject: Subject): Promise<Usage> {
  subject.send({ kind: 'usage' });
  return (await subject.next('usage', patienceMs)).usage;
}
