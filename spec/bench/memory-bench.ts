/** What an account costs that is registered and idle, and a call that is being talked, in bytes of heap after a collection. */
import { setTimeout as pause } from 'node:timers/promises';
import { patienceMs, registerAll, withBoth, withExtension, type Peer, type Subject } from './calls-bench.js';

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
const options = ['--expose-gc'];

/** Of the stack alone. */
export async function benchStackMemory(accounts: number, calls: number): Promise<MemoryResult[]> {
  return withBoth('./stack-subject.ts', options, async (subject, peer, port) => {
    const addUpTo = async (count: number): Promise<number> => {
      await registerAll(subject, peer, { accounts: { port, count }, atOnce: 50 }, Math.max(1, count - 1), count);
      await pause(registrationRestMs);
      return heapOf(subject);
    };
    const few = await addUpTo(warmUp);
    const many = await addUpTo(warmUp + accounts);
    return [
      { what: 'an idle account, registered', count: accounts, bytesEach: (many - few) / accounts },
      ...(await callsMemory(subject, peer, port, calls)),
    ];
  });
}

/** Of the whole extension. */
export async function benchExtensionMemory(calls: number): Promise<MemoryResult[]> {
  return withExtension(warmUp, 50, options, async (subject, peer, settings, port) => {
    await registerAll(subject, peer, settings, 1, warmUp);
    await pause(registrationRestMs);
    return callsMemory(subject, peer, port, calls);
  });
}

/** Of calls that stay, half of them each way. */
async function callsMemory(subject: Subject, peer: Peer, port: number, calls: number): Promise<MemoryResult[]> {
  const half = Math.ceil(calls / 2);
  const pace = { atOnce: 50 };
  const before = await heapOf(subject);
  subject.send({ kind: 'call', calls: half, pace, users: warmUp, address: `sip:600@127.0.0.1:${port}`, stay: true });
  await subject.next('called', patienceMs);
  peer.send({ kind: 'call', calls: half, pace, stay: true });
  await peer.next('called', patienceMs);
  const answered = await heapOf(subject);
  await pause(callRestMs);
  const talking = await heapOf(subject);
  return [
    { what: 'a call, just answered', count: 2 * half, bytesEach: (answered - before) / (2 * half) },
    { what: 'a call, talking', count: 2 * half, bytesEach: (talking - before) / (2 * half) },
  ];
}

async function heapOf(subject: Subject): Promise<number> {
  subject.send({ kind: 'heap' });
  return (await subject.next('heap', patienceMs)).usedBytes;
}
