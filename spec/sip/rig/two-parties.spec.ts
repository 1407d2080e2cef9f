/**
 * Two stacks call each other through a proxy, in good weather and in bad, and come to the same end of every call: 10,000 scenarios, a
 * project of their own beside `unit`. The seeds are the same each time, so that a green tree stays green; `RIG_SEED=random` looks for more, and
 * `RIG_SEED=<the seed in the name of the spec that failed>` runs it again.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { runScenario, scenarios } from './scenario.js';

/** For each transport and each seed; `RIG_SCENARIOS` wants more or fewer. */
const runs = Number(process.env.RIG_SCENARIOS ?? 10_000) / 4;
const wanted = process.env.RIG_SEED ?? '2';
const second = wanted === 'random' ? Math.floor(Math.random() * 2 ** 31) : Number(wanted);
const realImmediate = setImmediate;

for (const seed of [1, second]) {
  for (const transport of ['udp', 'tcp'] as const) {
    it(`two parties agree in any weather over ${transport} (seed ${seed})`, { timeout: 300_000 }, async () => {
      const property = fc.asyncProperty(scenarios(transport), async (scenario) => {
        // The runner wants to say now and then that it is alive.
        await new Promise((resolve) => realImmediate(resolve));
        const { faults, stories, ladder } = await runScenario(scenario);
        expect(faults, `${faults.join('\n')}\n\n${stories}\n\n${ladder()}\n`).toEqual([]);
      });
      await fc.assert(property, { seed, numRuns: runs });
    });
  }
}
