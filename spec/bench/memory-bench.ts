/** What an account costs that is registered and idle, and a call that is being talked, in bytes of the stack's heap after a collection. */
import { setTimeout as pause } from 'node:timers/promises';
import { patienceMs, registerAll, withBoth, type Subject } from './calls-bench.js';

export interface MemoryResult {
  readonly what: string;
  readonly count: number;
  readonly bytesEach: number;
}

/** Accounts that are there before the first look, so that what is made once is made. */
const warmUp = 2_000;
/** Until the transactions of the last registrations are forgotten. */
const registrationRestMs = 3_000;
/** RFC 3261, 6026: until the last timer of an answered INVITE has run out, 64*T1, and some. */
const callRestMs = 36_000;

export async function benchMemory(accounts: number, calls: number): Promise<MemoryResult[]> {
  return withBoth('./stack-subject.ts', ['--expose-gc'], async (subject, peer, port) => {
    const addUpTo = async (count: number): Promise<number> => {
      await registerAll(subject, peer, { accounts: { port, count }, atOnce: 50 }, Math.max(1, count - 1), count);
      await pause(registrationRestMs);
      return heapOf(subject);
    };
    const few = await addUpTo(warmUp);
    const many = await addUpTo(warmUp + accounts);
    const half = Math.ceil(calls / 2);
    const placeCalls = async (count: number): Promise<void> => {
      subject.send({ kind: 'call', calls: count, atOnce: 50, users: warmUp, address: `sip:600@127.0.0.1:${port}`, stay: true });
      await subject.next('called', patienceMs);
      peer.send({ kind: 'call', calls: count, pace: { atOnce: 50 }, stay: true });
      await peer.next('called', patienceMs);
    };
    await placeCalls(half);
    const atOnce = await heapOf(subject);
    await pause(callRestMs);
    const talking = await heapOf(subject);
    return [
      { what: 'an idle account, registered', count: accounts, bytesEach: (many - few) / accounts },
      { what: 'a call, just answered', count: 2 * half, bytesEach: (atOnce - many) / (2 * half) },
      { what: 'a call, talking', count: 2 * half, bytesEach: (talking - many) / (2 * half) },
    ];
  });
}

async function heapOf(subject: Subject): Promise<number> {
  subject.send({ kind: 'heap' });
  return (await subject.next('heap', patienceMs)).usedBytes;
}
