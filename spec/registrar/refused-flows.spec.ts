import { expect, it } from 'vitest';
import { noFlow } from './fake-account.js';
import { minute, startRegistrar } from './setup.js';

it('a connection that was lost and is refused a thousand times is tried less and less often, down to once in half a minute or more', async () => {
  const { clock, registrar, account, add } = startRegistrar();
  const refused = account();
  add(1, refused);
  await clock.advance(1_000);
  refused.usual = noFlow;
  registrar.onFlowLost([1], 'The peer closed the connection');
  while (refused.asked.length < 1_001) await clock.advance(10 * minute);
  const times = refused.asked.slice(1).map(({ atMs }) => atMs);
  const rests = times.slice(1).map((at, index) => at - times[index]!);
  expect(Math.min(...rests)).toBeGreaterThanOrEqual(500);
  expect(Math.min(...rests.slice(10))).toBeGreaterThanOrEqual(30_000);
  expect(clock.pending).toBeLessThanOrEqual(2);
});
