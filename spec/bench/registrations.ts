/** `npm run bench:registrations -- N...`: reads the command line, runs the bench for each N and prints a table, goals beside figures. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import install, { lacks } from '../interop/support/install.js';
import { RegistrationsBench, type Registered, type Restart } from './registrations-bench.js';

const help = `Usage: npm run bench:registrations -- [options] [USERS ...]

Registers so many users (10000 100000), over UDP with a digest challenge each, at
a Kamailio on 127.0.0.1: by the whole extension, from rows of PostgreSQL, and by
Kamailio's own module uac. Takes about 12 minutes for 10000 and 100000.

  --only PART   one part alone, or several with commas (all):
    extension   seconds, CPU, memory, event loop, a round of refreshes
    uac         the same of Kamailio's uac
    restart     the registrar killed and started empty, over tcp
  --no-refresh  without the round of refreshes, which takes two minutes of 100000
  --help        this text
`;

const parts = ['extension', 'uac', 'restart'] as const;
type Part = (typeof parts)[number];

/** What is aimed at, by number of users; the rest holds for any number. */
const goals = {
  arrivalS: new Map([[10_000, 2], [100_000, 20]]),
  cpuS: new Map([[10_000, 0.9]]),
  heapEach: 1_000,
  refreshPercent: new Map([[100_000, 1]]),
};

const refreshEveryS = 1_800;
/** The restart's max-rate lets all users back in within so many seconds. */
const restartS = 20;

interface Results {
  extension?: Registered;
  uac?: Registered;
  restart?: Restart;
}

type Cell = string | number | undefined;

function line(what: string, goal: Cell, extension: Cell, uac: Cell): string {
  const cells = [extension, goal, uac].map((cell) => String(cell ?? '-').padStart(12));
  return `${what.padEnd(44)}${cells.join('')}`;
}

function share({ users, refresh }: Registered): number | undefined {
  return refresh === undefined ? undefined : (users * refresh.cpuUsEach) / refreshEveryS / 1e4;
}

function print(users: number, { extension, uac, restart }: Results): void {
  const row = (what: string, goal: Cell, figure: (of: Registered) => number | undefined, digits: number): void => {
    const say = (of: Registered | undefined): Cell => (of === undefined ? undefined : figure(of)?.toFixed(digits));
    console.log(line(what, goal, say(extension), say(uac)));
  };
  console.log(line(`${users} users, udp`, "goal", "extension", "uac"));
  if (extension !== undefined || uac !== undefined) {
    row('all registered, s', goals.arrivalS.get(users), ({ arrival }) => arrival.fromInitS, 2);
    row('  from the first REGISTER', undefined, ({ arrival }) => arrival.fromFirstS, 2);
    row('  CPU s', goals.cpuS.get(users), ({ arrival }) => arrival.cpuS, 2);
    row('  REGISTERs sent for each', undefined, ({ arrival }) => arrival.requestsEach, 2);
    row('  event loop held up, p99 ms', undefined, ({ loop }) => loop?.p99Ms, 1);
    row('heap of one (uac: shared memory), bytes', goals.heapEach, ({ heapEach }) => heapEach, 0);
    row('resident memory of one, bytes', undefined, ({ residentEach }) => residentEach, 0);
    row('a refresh, CPU us', undefined, ({ refresh }) => refresh?.cpuUsEach, 0);
    row('  REGISTERs sent for each', undefined, ({ refresh }) => refresh?.requestsEach, 2);
    row('  all every 30 minutes, % of a core', goals.refreshPercent.get(users), share, 2);
  }
  if (restart !== undefined) {
    console.log(line(`registrar restarted, tcp, ${restart.ratePerS}/s: all back, s`, (users / restart.ratePerS + 2).toFixed(1), restart.backS.toFixed(1), undefined));
    console.log(line('  registrations in trouble meanwhile', 0, restart.complaints.length, undefined));
    for (const complaint of restart.complaints.slice(0, 3)) console.log(`    ${complaint}`);
  }
  console.log('');
}

async function measure(bench: RegistrationsBench, users: number, wanted: ReadonlySet<Part>, isRefreshed: boolean): Promise<Results> {
  const results: Results = {};
  if (wanted.has('extension')) results.extension = await bench.extension(users, isRefreshed);
  if (wanted.has('uac')) results.uac = await bench.uac(users, isRefreshed);
  if (wanted.has('restart')) results.restart = await bench.restart(users, Math.ceil(users / restartS));
  return results;
}

function partsWanted(only: string): Set<Part> {
  const names = only.split(',');
  const unknown = names.find((name) => !parts.some((part) => part === name));
  if (unknown !== undefined) throw new Error(`--only knows ${parts.join(', ')}, not ${unknown}`);
  return new Set(parts.filter((part) => names.includes(part)));
}

function sizesWanted(texts: readonly string[]): number[] {
  return (texts.length === 0 ? ['10000', '100000'] : texts).map((text) => {
    const size = Number(text);
    if (Number.isSafeInteger(size) && size > 1_000 && size <= 200_000) return size;
    throw new Error(`USERS wants whole numbers from 1001 to 200000, not ${text}`);
  });
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { only: { type: 'string', default: parts.join(',') }, 'no-refresh': { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    console.log(help);
  } else {
    const wanted = partsWanted(values.only);
    const sizes = sizesWanted(positionals);
    install();
    if (lacks('kamailio', 'openssl') || (lacks('postgresql') && process.env.TEST_DATABASE_URL === undefined)) {
      throw new Error('This bench wants Kamailio, openssl and PostgreSQL.');
    }
    const root = fileURLToPath(new URL('../..', import.meta.url));
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    const bench = await RegistrationsBench.open();
    try {
      for (const users of sizes) print(users, await measure(bench, users, wanted, !values['no-refresh']));
    } finally {
      await bench.close();
    }
  }
} catch (thrown) {
  console.error(`bench: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  process.exitCode = 1;
}
