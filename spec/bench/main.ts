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
import { benchHeld, type HeldResult } from './held-bench.js';
import { benchExtensionMemory, benchStackMemory, type MemoryResult } from './memory-bench.js';
import { benchParsers, parserNames } from './parse-bench.js';

const help = `Usage: npm run bench -- [options]

Measures the compiled code against a SIP peer on 127.0.0.1.

  --only PART        one part alone, or several with commas (all):
    parse            messages a CPU-second, by kind and parser
    stack            registrations and calls through the SIP stack alone
    extension        the same through the whole extension
    memory           heap of an idle account and of a live call
    held             a rate of calls, half each way, through the whole extension:
                     failures, messages sent again, CPU, delay of the event loop
  --registrations N  users to register, each with a digest challenge (20000)
  --calls N          calls in each direction, INVITE to BYE (10000)
  --at-once N        calls open at one time, REGISTERs in flight (50)
  --accounts N       idle accounts of the memory part (100000)
  --rate N           calls a second of the held part (500)
  --seconds N        how long it holds that rate (10; the goals are for 60)
  --help             this text

All but parse and stack keep rows in PostgreSQL (TEST_DATABASE_URL, or a server
started for the bench). A tenth of each phase runs first, unmeasured, so that
code is compiled.
`;

const parts = ['parse', 'stack', 'extension', 'memory', 'held'] as const;
type Part = (typeof parts)[number];

/** Of the memory part. */
const liveCalls = 2_000;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: parts.join(',') },
    registrations: { type: 'string', default: '20000' },
    calls: { type: 'string', default: '10000' },
    'at-once': { type: 'string', default: '50' },
    accounts: { type: 'string', default: '100000' },
    rate: { type: 'string', default: '500' },
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

function printMemory(title: string, results: readonly MemoryResult[]): void {
  console.log(row(title, 'count', 'bytes each'));
  for (const { what, count, bytesEach } of results) console.log(row(what, count, Math.round(bytesEach)));
}

function printHeld(title: string, { calls, failed, repeated, from, to, loop }: HeldResult): void {
  const cpuS = (to.cpuMs - from.cpuMs) / 1_000;
  console.log(row(title, '', 'goal'));
  console.log(row('calls, half each way', calls, ''));
  console.log(row('calls a second that came about', Math.round((1_000 * (calls - failed)) / (to.wallMs - from.wallMs)), ''));
  console.log(row('failed', failed, 0));
  console.log(row('messages sent again', repeated, 0));
  console.log(row('calls per CPU s', Math.round(calls / cpuS), ''));
  console.log(row('event loop held up, ms: p99', loop.p99Ms, 15));
  console.log(row('  p50', loop.p50Ms, ''));
  console.log(row('  longest', loop.maxMs, ''));
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
      printMemory('heap of the SIP stack alone', await benchStackMemory(positive('accounts'), liveCalls));
      printMemory('heap of the whole extension', await benchExtensionMemory(liveCalls));
      break;
    case 'held': {
      const [rate, seconds] = [positive('rate'), positive('seconds')];
      printHeld(`${rate} calls a second, ${seconds} s`, await benchHeld(rate, seconds));
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
    if (wanted.has('extension') || wanted.has('memory') || wanted.has('held')) {
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
