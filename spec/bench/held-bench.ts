/**
 * A rate of calls, half of them each way, held through the whole extension for a while: whether all of them come about, whether one message
 * has to be sent again, what it costs, and how long the event loop of the host's process is held up meanwhile.
 */
import { patienceMs, registerAll, usageOf, withExtension, type Peer, type Subject } from './calls-bench.js';
import type { LoopDelay, Usage } from './protocol.js';

export interface HeldResult {
  readonly calls: number;
  readonly failed: number;
  /** Messages of the extension that the far end got again. */
  readonly repeated: number;
  readonly from: Usage;
  readonly to: Usage;
  readonly loop: LoopDelay;
}

const users = 1_000;
const warmUpSeconds = 4;

export async function benchHeld(callsPerSecond: number, seconds: number): Promise<HeldResult> {
  return withExtension(users, 50, [], async (subject, peer, settings, port) => {
    await registerAll(subject, peer, settings, 1, users);
    const hold = (heldSeconds: number): Promise<{ calls: number; failed: number }> => callBothWays(subject, peer, port, callsPerSecond, heldSeconds);
    await hold(warmUpSeconds);
    subject.send({ kind: 'watch' });
    peer.send({ kind: 'watch' });
    const from = await usageOf(subject);
    const { calls, failed } = await hold(seconds);
    const to = await usageOf(subject);
    subject.send({ kind: 'loop' });
    peer.send({ kind: 'repeats' });
    const { delay: loop } = await subject.next('loop', patienceMs);
    const { count: repeated } = await peer.next('repeats', patienceMs);
    return { calls, failed, repeated, from, to, loop };
  });
}

/** The far end calls without sending anything again: where one of its messages is lost, or not answered, this rejects. */
async function callBothWays(subject: Subject, peer: Peer, port: number, callsPerSecond: number, seconds: number): Promise<{ calls: number; failed: number }> {
  const order = { calls: Math.ceil((callsPerSecond * seconds) / 2), pace: { perSecond: callsPerSecond / 2 } };
  subject.send({ kind: 'call', ...order, users, address: `sip:600@127.0.0.1:${port}` });
  peer.send({ kind: 'call', ...order });
  const withinMs = seconds * 1_000 + patienceMs / 3;
  const ends = await Promise.all([subject.next('called', withinMs), peer.next('called', withinMs)]);
  return { calls: 2 * order.calls, failed: ends.reduce((sum, { failed }) => sum + failed, 0) };
}
