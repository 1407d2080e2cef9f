import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RegistrationState } from '../../src/host/contract.js';
import type { RegisterOutcome } from '../../src/sip/types.js';
import type { RegisteringAccount } from '../../src/registrar/ports.js';
import { Registrar } from '../../src/registrar/registrar.js';
import { ManualClock } from '../support/manual-clock.js';
import { FakeLog, granted, noFlow, refused, timeout, wrongPassword } from './fake-account.js';
import { hour, minute } from './setup.js';

const outcomes: readonly (RegisterOutcome | 'throws')[] = [
  granted(1800),
  granted(40),
  granted(1800, true),
  granted(0),
  refused(423, 'Interval Too Brief', { minExpiresS: 3600 }),
  refused(500, 'Oops'),
  refused(503, 'Busy', { retryAfterMs: 90_000 }),
  refused(403, 'Forbidden'),
  wrongPassword,
  timeout,
  noFlow,
  'throws',
];

const mappings = 3;
const registrars = ['a.example.com:5060:udp', 'b.example.com:5061:tls'];

/** Registrars that answer late and as fast-check wishes; they keep bindings as real ones do. */
class World {
  readonly clock = new ManualClock();
  readonly registrar: Registrar;
  /** When each mapping's binding ends, by mapping and registrar. */
  readonly bindings = new Map<string, number>();
  /** REGISTERs on the wire, by mapping. */
  readonly onWire = new Map<number, number>();
  mostOnWire = 0;
  isCalm = false;
  #turn = 0;

  constructor(private readonly choices: readonly { outcome: number; delayMs: number }[]) {
    this.registrar = new Registrar(
      { expiresMs: 30 * minute, intervalMs: 30 * minute, maxRate: 50, maxInFlight: 2 },
      { clock: this.clock, random: () => 0.5, log: new FakeLog() },
    );
  }

  entry(mappingId: number, registrarKey: string) {
    const account: RegisteringAccount = {
      settings: { user: String(mappingId), domain: 'example.com' },
      register: (expiresS) => this.#register(mappingId, registrarKey, expiresS),
    };
    return { mappingId, registrarKey, account };
  }

  hasBinding(mappingId: number, registrarKey: string): boolean {
    return (this.bindings.get(`${mappingId} ${registrarKey}`) ?? 0) > this.clock.now();
  }

  async #register(mappingId: number, registrarKey: string, expiresS: number): Promise<RegisterOutcome> {
    const choice = this.choices[this.#turn++ % this.choices.length]!;
    const count = (this.onWire.get(mappingId) ?? 0) + 1;
    this.onWire.set(mappingId, count);
    this.mostOnWire = Math.max(this.mostOnWire, count);
    if (!this.isCalm) await new Promise<void>((resolve) => this.clock.after(choice.delayMs, resolve));
    this.onWire.set(mappingId, (this.onWire.get(mappingId) ?? 1) - 1);
    const outcome = this.isCalm ? granted(expiresS) : outcomes[choice.outcome]!;
    if (outcome === 'throws') throw new Error('boom');
    const key = `${mappingId} ${registrarKey}`;
    if (outcome.kind === 'registered') {
      const heldS = expiresS === 0 ? 0 : outcome.expiresS;
      this.bindings.set(key, this.clock.now() + heldS * 1_000);
      return { ...outcome, expiresS: heldS };
    }
    return outcome;
  }
}

/** The counts by state as a walk over all has them. One whose successor waits behind it is not in the list: it is being un-registered. */
function countedByWalk(registrar: Registrar): Record<RegistrationState, number> {
  const counts = { waiting: 0, registering: 0, registered: 0, retrying: 0, parked: 0, unregistering: 0 };
  const listed = registrar.list({ limit: 100 });
  for (const { state } of listed) counts[state] += 1;
  counts.unregistering += registrar.total - listed.length;
  return counts;
}

const step = fc.record({
  do: fc.constantFrom('add', 'remove', 'change', 'flow lost', 'advance', 'advance', 'advance'),
  mapping: fc.nat(mappings - 1),
  registrar: fc.nat(registrars.length - 1),
  ms: fc.oneof(fc.nat(2_000), fc.nat(20 * minute)),
});
const choice = fc.record({ outcome: fc.nat(outcomes.length - 1), delayMs: fc.nat(40_000) });

describe('whatever happens, in whatever order', () => {
  it('never two REGISTERs of a mapping are on their way, each wanted mapping ends up registered, and no other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.array(choice, { minLength: 1, maxLength: 15 }), async (steps, choices) => {
        const world = new World(choices);
        const { clock, registrar } = world;
        const wanted = new Map<number, string>();
        for (const { do: verb, mapping, registrar: at, ms } of steps) {
          const key = registrars[at]!;
          if (verb === 'add' || verb === 'change') {
            wanted.set(mapping, key);
            if (verb === 'add') registrar.add(world.entry(mapping, key));
            else void registrar.change(world.entry(mapping, key));
          } else if (verb === 'remove') {
            wanted.delete(mapping);
            void registrar.remove(mapping);
          } else if (verb === 'flow lost') {
            registrar.onFlowLost([0, 1, 2], 'it closed the connection');
          } else {
            await clock.advance(ms);
          }
          const { total, byState, troubled } = registrar.status();
          expect(Object.values(byState).every((count) => count >= 0)).toBe(true);
          // Nothing that is not registered sleeps without a time.
          for (const { mappingId, state, nextTryAt } of troubled) {
            const isMoving = (world.onWire.get(mappingId) ?? 0) > 0 || state === 'waiting' || clock.pending > 0;
            expect(nextTryAt !== undefined || isMoving).toBe(true);
          }
          expect(total - byState.unregistering).toBe(wanted.size);
          expect(byState).toEqual(countedByWalk(registrar));
          expect(troubled).toHaveLength(total - byState.registered);
        }

        // All turns out well from here: the longest that anything sleeps is a probe of an hour.
        world.isCalm = true;
        await clock.advance(3 * hour);
        expect(registrar.status().byState).toMatchObject({ registered: wanted.size, unregistering: 0 });
        for (let mapping = 0; mapping < mappings; mapping += 1) {
          for (const key of registrars) expect(world.hasBinding(mapping, key)).toBe(wanted.get(mapping) === key);
        }
        expect(world.mostOnWire).toBeLessThanOrEqual(1);

        const stopped = registrar.stop(10_000);
        await clock.advance(10_000);
        expect(await stopped).toEqual([]);
        expect([...wanted].some(([mapping, key]) => world.hasBinding(mapping, key))).toBe(false);
        await clock.advance(minute);
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 150 },
    );
  });
});
