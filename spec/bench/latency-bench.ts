/** How long the event loop of the host's process is held up while calls come in at a steady pace through the whole extension. */
import { registerAll, patienceMs, withExtension } from './calls-bench.js';
import type { LoopDelay } from './protocol.js';

export interface LatencyResult extends LoopDelay {
  readonly callsPerSecond: number;
  readonly seconds: number;
}

const users = 1_000;

export async function benchLatency(callsPerSecond: number, seconds: number): Promise<LatencyResult> {
  return withExtension(users, 50, async (subject, peer, settings) => {
    await registerAll(subject, peer, settings, 1, users);
    const receive = async (calls: number): Promise<void> => {
      peer.send({ kind: 'call', calls, pace: { perSecond: callsPerSecond } });
      const { failed } = await peer.next('called', patienceMs);
      if (failed > 0) throw new Error(`${failed} of ${calls} calls failed`);
    };
    await receive(callsPerSecond);
    subject.send({ kind: 'watch' });
    await receive(callsPerSecond * seconds);
    subject.send({ kind: 'loop' });
    const { delay } = await subject.next('loop', patienceMs);
    return { callsPerSecond, seconds, ...delay };
  });
}
