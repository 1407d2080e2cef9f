/**
 * `npm run bench`: what the extension costs, in CPU-seconds, bytes and held-up time. Each part has a file of its own; this one reads the
 * command line and prints.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import install, { lacks } from '../interop/support/install.js';
import { webrtcOffer } from '../interop/support/sdp.js';
import { benchExtension, benchStack, type CallsResult, type Sizes } from './calls-bench.js';
import { benchLatency } from './latency-bench.js';
import { benchMemory } from './memory-bench.js';
import { benchParsers, parserNames } from './parse-bench.js';

const help = `Usage: npm run bench -- [options]

Measures the compiled code against a SIP peer on 127.0.0.1.

  --only PART        one part alone, or several with commas (all):
    parse            messages a CPU-second, by kind and parser
    stack            registrations and calls through the SIP stack alone
    extension        the same through the whole extension
    memory           heap of an idle account and of a live call
    latency          delay of the event loop while calls come in
  --registrations N  users to register, each with a digest challenge (20000)
  --calls N          calls in each direction, INVITE to BYE (10000)
  --at-once N        calls open at one time, REGISTERs in flight (50)
  --accounts N       idle accounts of the memory part (100000)
  --rate N           calls a second of the latency part (300)
  --seconds N        how long it holds that rate (10)
  --help             this text

Extension and latency keep rows in PostgreSQL (TEST_DATABASE_URL, or a server
started for the bench). A tenth of each phase runs first, unmeasured, so that
code is compiled.
`;

const parts = ['parse', 'stack', 'extension', 'memory', 'latency'] as const;
type Part = (typeof parts)[number];

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: parts.join(',') },
    registrations: { type: 'string', default: '20000' },
    calls: { type: 'string', default: '10000' },
    'at-once': { type: 'string', default: '50' },
    accounts: { type: 'string', default: '100000' },
    rate: { type: 'string', default: '300' },
    seconds: { type: 'string', default: '10' },
    help: { type: 'boolean', default: false },
  },
});

function positive(name: 'registrations' | 'calls' | 'at-once' | 'accounts' | 'rate' | 'seconds'): number {
  const value = Number(values[name]);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`--${name} wants a whole number above 0, not ${values[name]}`);
}

function partsWanted(): Set<Part> {
  const wanted = values.only.split(',');
  const unknown = wanted.find((name) => !parts.some((part) => part === name));
  if (unknown !== undefined) throw new Error(`--only knows ${parts.join(', ')}, not ${unknown}`);
  return new Set(parts.filter((part) => wanted.includes(part)));
}

function row(...cells: (string | number)[]): string {
  const [what, ...figures] = cells;
  return `${String(what).padEnd(42)}${figures.map((figure) => String(figure).padStart(11)).join('')}`;
}

function printCalls(title: string, results: readonly CallsResult[]): void {
  console.log(row(title, 'done', 'CPU s', 'per CPU s', 'wall s', 'RSS MB'));
  for (const { what, operations, from, to } of results) {
    const cpuS = (to.cpuMs - from.cpuMs) / 1_000;
    const wallS = (to.wallMs - from.wallMs) / 1_000;
    const perS = Math.round(operations / cpuS);
    console.log(row(what, operations, cpuS.toFixed(2), perS, wallS.toFixed(2), Math.round(to.rssBytes / 2 ** 20)));
  }
}

async function run(part: Part, sizes: Sizes): Promise<void> {
  switch (part) {
    case 'parse':
      console.log(row('messages parsed per CPU s', ...parserNames));
      for (const { kind, perCpuSecond } of await benchParsers()) console.log(row(kind, ...perCpuSecond.map((figure) => figure ?? '-')));
      break;
    case 'stack':
      printCalls('the SIP stack alone', await benchStack(sizes));
      break;
    case 'extension':
      printCalls('the whole extension', await benchExtension(sizes));
      break;
    case 'memory':
      console.log(row('heap of the SIP stack', 'count', 'bytes each'));
      for (const { what, count, bytesEach } of await benchMemory(positive('accounts'), 2_000)) console.log(row(what, count, Math.round(bytesEach)));
      break;
    case 'latency': {
      const { callsPerSecond, seconds, p50Ms, p99Ms, maxMs } = await benchLatency(positive('rate'), positive('seconds'));
      console.log(row('event loop held up, ms', 'p50', 'p99', 'longest'));
      console.log(row(`${callsPerSecond} calls a second in, ${seconds} s`, p50Ms, p99Ms, maxMs));
      break;
    }
  }
  console.log('');
}

if (values.help) {
  console.log(help);
} else {
  try {
    const sizes = { registrations: positive('registrations'), calls: positive('calls'), atOnce: positive('at-once') };
    const wanted = partsWanted();
    if (wanted.has('extension') || wanted.has('latency')) {
      install();
      if (lacks('postgresql') && process.env.TEST_DATABASE_URL === undefined) {
        throw new Error('The bench wants PostgreSQL: install it, or set TEST_DATABASE_URL.');
      }
    }
    execFileSync('npm', ['run', '--silent', 'build'], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    for (const part of wanted) await run(part, sizes);
    console.log(`CPU: user and system time of the measured process, host callbacks included.\nEvery call carries an offer and an answer of ${webrtcOffer.sdp.length} bytes, over UDP.`);
  } catch (thrown) {
    console.error(`bench: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    process.exitCode = 1;
  }
}
