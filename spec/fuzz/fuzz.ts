/**
 * Spoilt messages, by seed, into a whole stack with live calls both ways. What is demanded of it: nothing is thrown, not even past a
 * delivery that contains it; no message holds the loop; what it sends is SIP; and once the calls are over nothing of them is left,
 * neither in the stack nor on the heap.
 *
 * Time is virtual: a run is a row of rounds, and each ends with minutes in which nobody says anything.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { minute } from '../../src/base/units.js';
import { isParseFault } from '../../src/sip/parser/fault.js';
import { parseMessage } from '../../src/sip/parser/parse-message.js';
import { busyMs } from '../support/busy.js';
import { ManualClock, settle, settlePromises } from '../support/manual-clock.js';
import { withManualGlobals } from '../support/manual-globals.js';
import { FarSide } from './far-side.js';
import { chop, spoil } from './mutations.js';
import { NearSide } from './near-side.js';
import { Random } from './random.js';

const fixtureFolder = fileURLToPath(new URL('../../fixtures/sip/', import.meta.url));
const roundMessages = 2_000;
/** How long one message may keep the loop, CPU milliseconds. */
const mostBusyMs = 50;
/** What the heap may grow by from the third round on: caches of the engine, no more. */
const mostGrowthBytes = 24 * 1024 * 1024;

export interface FuzzReport {
  readonly seed: number;
  readonly messages: number;
  readonly rounds: number;
  /** CPU milliseconds of the message that took longest. */
  readonly longestMs: number;
  readonly grownBytes: number;
  /** What went wrong, each kind once, with the message that did it. */
  readonly faults: readonly FuzzFault[];
}

export interface FuzzFault {
  readonly what: string;
  /** What arrived last, or what was sent. */
  readonly message: string;
}

/** Runs until `seconds` are over and `messages` are through, and for one round at least. */
export async function fuzz(options: { seed: number; seconds: number; messages?: number }): Promise<FuzzReport> {
  const random = new Random(options.seed);
  const fixtures = readdirSync(fixtureFolder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(txt|dat)$/.test(name))
    .sort()
    .map((name) => readFileSync(`${fixtureFolder}${name}`));
  const faults = new Map<string, FuzzFault>();
  const endAt = performance.now() + options.seconds * 1_000;
  let current: Buffer = Buffer.alloc(0);
  let messages = 0;
  let rounds = 0;
  let longestMs = 0;
  let heapBefore = 0;

  const note = (what: string, message = current.toString('latin1')): void => {
    if (!faults.has(what)) faults.set(what, { what, message });
  };
  const rejected = (reason: unknown): void => {
    note(`a rejection that nobody handles: ${wordsOf(reason)}`);
  };
  process.on('unhandledRejection', rejected);

  const clock = new ManualClock(undefined, settlePromises);
  const pass = async (ms: number): Promise<void> => {
    const end = clock.now() + ms;
    while (clock.now() < end) {
      try {
        await clock.advance(end - clock.now());
      } catch (thrown) {
        note(`thrown from a timer: ${wordsOf(thrown)}`);
      }
    }
  };

  await withManualGlobals(clock, () => random.next(), async () => {
    const seen = { isContained: false, far: undefined as FarSide | undefined };
    const near = await NearSide.open(clock, random, {
      onSent: (text) => {
        if (!isSip(text)) note(`sent a ${text.slice(0, text.indexOf(' '))} that is no SIP`, text);
        seen.far?.hear(text);
      },
      onContained: (why) => {
        seen.isContained = true;
        note(`contained: ${why}`);
      },
    });
    const far = new FarSide(random, near.accounts.map(({ settings }) => settings));
    seen.far = far;

    while (rounds === 0 || performance.now() < endAt || messages < (options.messages ?? 0)) {
      for (let index = 0; index < roundMessages; index += 1) {
        const said = (): Buffer => (random.isLucky(0.25) ? random.pick(fixtures) : Buffer.from(far.say()));
        current = said();
        if (random.isLucky(0.7)) current = spoil(current, random, said);
        const chunks = random.isLucky(0.25) ? chop(random.isLucky(0.3) ? Buffer.concat([current, said()]) : current, random) : undefined;
        const deliver = (): void => {
          try {
            if (chunks === undefined) near.receiveDatagram(current);
            else for (const chunk of chunks) near.receiveChunk(chunk);
          } catch (thrown) {
            note(`thrown past the delivery: ${wordsOf(thrown)}`);
          }
        };
        const busy = busyMs(deliver);
        longestMs = Math.max(longestMs, busy);
        // Once may be the garbage collector; time and again is the message.
        if (busy > mostBusyMs && [1, 2, 3].every(() => busyMs(deliver) > mostBusyMs)) note('keeps the loop');
        messages += 1;

        if (random.isLucky(0.2)) near.act();
        if (index % 8 === 0) await settlePromises();
        if (index % 40 === 0) await pass(random.below(800));
        // Of what is contained, one line a minute is told: the next kind is wanted too.
        if (seen.isContained) await pass(minute + 1);
        seen.isContained = false;
      }
      near.hangUp();
      far.forget();
      await pass(20 * minute);
      await settle();
      const { cores, transactions, dialogs, retransmissions } = near.stack.usage();
      const left = Object.entries({ cores, transactions, dialogs, retransmissions }).filter(([, count]) => count > 0);
      if (left.length > 0) note(`left when all is over: ${left.map(([name]) => name).join(', ')}`);
      rounds += 1;
      if (rounds === 3) heapBefore = heapUsed();
    }
    current = Buffer.alloc(0);
    const grown = rounds > 3 ? heapUsed() - heapBefore : 0;
    if (grown > mostGrowthBytes) note(`the heap grew by ${grown} bytes in ${rounds - 3} rounds`);
    heapBefore = grown;
    await near.close();
    await pass(20 * minute);
    if (clock.pending > 0) note(`${clock.pending} timers wait after the stack was closed`);
  });
  await settle();
  process.off('unhandledRejection', rejected);
  return { seed: options.seed, messages, rounds, longestMs, grownBytes: heapBefore, faults: [...faults.values()] };
}

/**
 * Whether a request of ours is well-formed; a response may repeat what was not. A peer's address that is as long as a header may be, and
 * no URI, is longer when it is escaped: that is its own affair.
 */
function isSip(text: string): boolean {
  if (text.startsWith('SIP/')) return true;
  const read = parseMessage(Buffer.from(text));
  return !isParseFault(read) || read.fault === 'a header is too long';
}

function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

/** The error and where it came from: one kind of fault each. */
function wordsOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return `${thrown.message} (${thrown.stack?.split('\n').slice(1, 4).map((line) => line.trim().replace(/\(?file:.*\//, '(')).join(' < ') ?? ''})`;
}

export function printReport({ seed, messages, rounds, longestMs, grownBytes, faults }: FuzzReport): string {
  const summary = `seed ${seed}: ${messages} messages in ${rounds} rounds, the longest ${longestMs.toFixed(1)} ms of CPU, the heap grew by ${Math.round(grownBytes / 1024)} KB, ${faults.length} faults`;
  return [summary, ...faults.map(({ what, message }) => `\n${what}\n${JSON.stringify(message.slice(0, 3_000))}`)].join('\n');
}
