/**
 * How many messages the parser takes per CPU-second of its process, beside SIP.js's own parser: small responses, REGISTERs, and INVITEs
 * of 3.4 KB as browsers make them.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LoggerFactory, Parser } from 'sip.js/lib/core/index.js';
import { isParseFault } from '../../src/sip/parser/fault.js';
import { parseMessage } from '../../src/sip/parser/parse-message.js';

export interface BenchFigure {
  readonly name: string;
  readonly perCpuSecond: number;
}

/** CPU time each measurement takes, microseconds. */
const spell = 700_000;

function fixture(name: string): Buffer {
  return readFileSync(fileURLToPath(new URL(`../../fixtures/sip/${name}`, import.meta.url)));
}

/** What could make a careless scan go back over itself: 50 a CPU-second is 20 ms each. */
const hostileUnits = ['\n', '\r\n ', 'Via: ,', ';a', 'a: b\r\n', '"', '<'];
const hostileStart = 'INVITE sip:a@b SIP/2.0\r\nFrom: <sip:a@b>;tag=1\r\nVia: SIP/2.0/UDP h;branch=1';

function measure(name: string, parse: () => void, batch = 200): BenchFigure {
  for (let round = 0; round < batch * 10; round += 1) parse();
  const start = process.cpuUsage();
  let count = 0;
  let spent = 0;
  while (spent < spell) {
    for (let round = 0; round < batch; round += 1) parse();
    count += batch;
    const used = process.cpuUsage(start);
    spent = used.user + used.system;
  }
  return { name, perCpuSecond: Math.round((count / spent) * 1_000_000) };
}

function parseOrThrow(bytes: Buffer): void {
  const outcome = parseMessage(bytes);
  if (isParseFault(outcome)) throw new Error(outcome.fault);
}

/** Each figure is of one kind of message; `SIP.js` in the name means its own parser. */
export function benchParser(): BenchFigure[] {
  const kinds: readonly [string, Buffer][] = [
    ['200 to REGISTER', fixture('register-423.txt')],
    ['REGISTER', fixture('register-first.txt')],
    ['INVITE', Buffer.from(fixture('invite-webrtc.txt').toString('utf8').replace('Müller', 'Mueller'))],
    ['INVITE, not ASCII', fixture('invite-webrtc.txt')],
  ];
  const loggers = new LoggerFactory();
  loggers.builtinEnabled = false;
  const logger = loggers.getLogger('bench');
  const figures: BenchFigure[] = [];
  for (const [name, bytes] of kinds) {
    const label = `parse ${name}, ${bytes.length} bytes`;
    figures.push(measure(label, () => { parseOrThrow(bytes); }));
    figures.push(measure(`${label}, SIP.js`, () => { Parser.parseMessage(bytes.toString('utf8'), logger); }));
  }
  for (const unit of hostileUnits) {
    const bytes = Buffer.from((hostileStart + unit.repeat(64_000)).slice(0, 64_000));
    figures.push(measure(`parse 64 KB of ${JSON.stringify(unit)}`, () => { parseMessage(bytes); }, 5));
  }
  return figures;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { name, perCpuSecond } of benchParser()) console.log(`${name}: ${perCpuSecond} per CPU-second`);
}
