/**
 * `npm run bench`: what a registration and a call cost the extension's process, in CPU-seconds, through its whole
 * depth: database rows, registrar, stack, UDP socket, host contract. The far end is in another process, the database in
 * others again, so that only the extension and the smallest host around it are measured.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import install, { lacks } from '../interop/support/install.js';
import { MappingsTable } from '../interop/support/mappings-table.js';
import { webrtcOffer } from '../interop/support/sdp.js';
import { benchPassword, type PeerCommand, type PeerReport, type SubjectCommand, type SubjectReport, type Usage } from './protocol.js';
import { Worker } from './worker.js';

const help = `Usage: npm run bench -- [options]

Measures the extension's process, compiled, against a SIP peer on 127.0.0.1.

  --registrations N  users to register, each with a digest challenge (20000)
  --calls N          calls in each direction, INVITE to BYE (10000)
  --at-once N        calls open at one time, REGISTERs in flight (50)
  --help             this text

Rows are in PostgreSQL (TEST_DATABASE_URL, or a server started for the bench).
A tenth of each phase runs first, unmeasured, so that code is compiled.
`;

interface Result {
  what: string;
  operations: number;
  from: Usage;
  to: Usage;
}

type Subject = Worker<SubjectCommand, SubjectReport>;
type Peer = Worker<PeerCommand, PeerReport>;

const patienceMs = 180_000;

async function bench(registrations: number, calls: number, atOnce: number): Promise<Result[]> {
  const table = await MappingsTable.start();
  const peer: Peer = new Worker('./peer.ts');
  const subject: Subject = new Worker('./subject.ts');
  try {
    const { port } = await peer.next('listening', patienceMs);
    await subject.next('ready', patienceMs);
    const warmUp = Math.ceil(registrations / 10);
    const users = warmUp + registrations;
    await table.replace(
      Array.from({ length: users }, (_, index) => ({
        user: `user${index + 1}`,
        password: benchPassword(`user${index + 1}`),
        port,
        peerId: index + 1,
      })),
    );
    const results = [await registerAll(subject, peer, treeOf(table, atOnce), warmUp, users)];
    results.push(
      await measure(subject, 'calls out: INVITE 100 180 200 ACK BYE 200', calls, async (count) => {
        subject.send({ kind: 'call', calls: count, atOnce, users: 1_000, address: `sip:600@127.0.0.1:${port}` });
        return subject.next('called', patienceMs);
      }),
    );
    results.push(
      await measure(subject, 'calls in:  INVITE 100 180 200 ACK BYE 200', calls, async (count) => {
        peer.send({ kind: 'call', calls: count, atOnce });
        return peer.next('called', patienceMs);
      }),
    );
    subject.send({ kind: 'stop' });
    await subject.next('stopped', patienceMs);
    const faults = [...subject.faults, ...peer.faults];
    if (faults.length > 0) throw new Error(`not a clean run:\n${faults.slice(0, 10).join('\n')}`);
    return results;
  } finally {
    await subject.end();
    await peer.end();
    await table.stop();
  }
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

/** From the moment the peer has accepted `warmUp` users until it has accepted all. It answers none before all rows are read. */
async function registerAll(subject: Subject, peer: Peer, tree: Record<string, unknown>, warmUp: number, users: number): Promise<Result> {
  peer.send({ kind: 'tellAt', registered: warmUp });
  peer.send({ kind: 'tellAt', registered: users });
  subject.send({ kind: 'start', tree });
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
): Promise<Result> {
  await run(Math.ceil(operations / 10));
  const from = await usageOf(subject);
  const { failed, firstFailure } = await run(operations);
  const to = await usageOf(subject);
  if (failed > 0) throw new Error(`${what}: ${failed} of ${operations} failed. ${firstFailure ?? ''}`);
  return { what, operations, from, to };
}

async function usageOf(subject: Subject): Promise<Usage> {
  subject.send({ kind: 'usage' });
  return (await subject.next('usage', patienceMs)).usage;
}

function print(results: readonly Result[]): void {
  const row = (...cells: (string | number)[]): string => {
    const [what, ...figures] = cells;
    return `${String(what).padEnd(42)}${figures.map((figure) => String(figure).padStart(11)).join('')}`;
  };
  console.log(row('', 'done', 'CPU s', 'per CPU s', 'wall s', 'RSS MB'));
  for (const { what, operations, from, to } of results) {
    const cpuS = (to.cpuMs - from.cpuMs) / 1_000;
    const wallS = (to.wallMs - from.wallMs) / 1_000;
    const perS = Math.round(operations / cpuS);
    console.log(row(what, operations, cpuS.toFixed(2), perS, wallS.toFixed(2), Math.round(to.rssBytes / 2 ** 20)));
  }
  console.log(
    `\nCPU: user and system time of the extension's process, host callbacks included.\nEvery call carries an offer and an answer of ${webrtcOffer.sdp.length} bytes, over UDP.`,
  );
}

const { values } = parseArgs({
  options: {
    registrations: { type: 'string', default: '20000' },
    calls: { type: 'string', default: '10000' },
    'at-once': { type: 'string', default: '50' },
    help: { type: 'boolean', default: false },
  },
});

function positive(name: 'registrations' | 'calls' | 'at-once'): number {
  const value = Number(values[name]);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`--${name} wants a whole number above 0, not ${values[name]}`);
}

if (values.help) {
  console.log(help);
} else {
  try {
    const sizes = [positive('registrations'), positive('calls'), positive('at-once')] as const;
    install();
    if (lacks('postgresql') && process.env.TEST_DATABASE_URL === undefined) {
      throw new Error('The bench wants PostgreSQL: install it, or set TEST_DATABASE_URL.');
    }
    execFileSync('npm', ['run', '--silent', 'build'], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    print(await bench(...sizes));
  } catch (thrown) {
    console.error(`bench: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    process.exitCode = 1;
  }
}
