/**
 * How many messages of each kind a parser takes in a CPU-second: ours, SIP.js's as it comes, and those of the npm packages `sip` and
 * `jssip`. They take turns, and the best turn of each counts: what disturbs the machine disturbs all.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { patienceMs } from './calls-bench.js';
import type { ParseCommand, ParseReport } from './protocol.js';
import { Worker } from './worker.js';

export interface ParseResult {
  readonly kind: string;
  /** In the order of `parserNames`; null for one that cannot read this kind. */
  readonly perCpuSecond: readonly (number | null)[];
}

export const parserNames = ['ours', 'sip', 'jssip', 'SIP.js'] as const;

const turns = 5;

function fixture(name: string): string {
  return readFileSync(fileURLToPath(new URL(`../../fixtures/sip/${name}`, import.meta.url)), 'utf8');
}

function kinds(): readonly (readonly [string, string])[] {
  const invite = fixture('invite-webrtc.txt');
  return [
    ['423 to REGISTER', fixture('register-423.txt')],
    ['401 to REGISTER', fixture('register-401.txt')],
    ['REGISTER', fixture('register-first.txt')],
    ['INVITE', invite.replace('Müller', 'Mueller')],
    ['INVITE, not ASCII', invite],
  ];
}

export async function benchParsers(): Promise<ParseResult[]> {
  const subjects = parserNames.map((name) => new Worker<ParseCommand, ParseReport>('./parse-subject.ts', { args: [name] }));
  try {
    for (const subject of subjects) await subject.next('ready', patienceMs);
    const results: ParseResult[] = [];
    for (const [name, text] of kinds()) {
      const best: (number | null)[] = parserNames.map(() => null);
      for (let round = 0; round < turns; round += 1) {
        for (const [index, subject] of subjects.entries()) {
          subject.send({ kind: 'parse', text });
          const { perCpuSecond } = await subject.next('parsed', patienceMs);
          if (perCpuSecond !== null) best[index] = Math.max(best[index] ?? 0, perCpuSecond);
        }
      }
      results.push({ kind: `${name}, ${Buffer.byteLength(text)} bytes`, perCpuSecond: best });
    }
    return results;
  } finally {
    for (const subject of subjects) await subject.end();
  }
}
