/**
 * One scenario: a network, a proxy and two user agents on one manual clock; a program of steps; then quiet, in which every timer of RFC
 * 3261 runs out, and a judgement; then everybody hangs up and nothing may be left.
 */
import fc from 'fast-check';
import { ManualClock, settlePromises } from '../../support/manual-clock.js';
import { withManualGlobals } from '../../support/manual-globals.js';
import { longestHoldUpMs, LossyNetwork, type Crossing, type NetworkFaults } from '../../support/lossy-network.js';
import { disagreements, type Weather } from './agreement.js';
import { wireFaults } from './on-the-wire.js';
import { ghost, proxyAt, RegistrarProxy, type ProxySettings } from './registrar-proxy.js';
import { RigUserAgent } from './user-agent.js';

export const actions = [
  'register', 'register briefly', 'unregister', 'invite', 'invite ghost', 'invite nobody', 'ring', 'answer', 'answer and hang up',
  'reject', 'offer', 'ask for an offer', 'both offer', 'press a key', 'refer', 'hang up', 'both hang up', 'restart proxy', 'cut connections', 'wait',
] as const;

export interface Step {
  readonly afterMs: number;
  readonly who: 'a' | 'b';
  readonly does: (typeof actions)[number];
  /** Which of the calls that it may be done to. */
  readonly pick: number;
}

export interface Scenario {
  readonly network: NetworkFaults;
  readonly proxy: ProxySettings;
  readonly seed: number;
  readonly steps: readonly Step[];
  /** Before all is hung up the accounts may be removed; or the stacks are closed in the midst of everything. */
  readonly ending: 'hang up' | 'remove' | 'close';
}

/** 64*T1, in which transactions end. */
const transactionMs = 32_000;
/** A transaction, another one that it gave rise to, and messages that were held up. */
const quietMs = 2 * transactionMs + 10_000;
/** What comes too late is dropped, and what was dropped is told a minute later. */
const reportMs = 70_000;
/** How long the proxy is down. */
const restartMs = 3_000;

const addresses = { a: '10.0.0.2', b: '10.0.0.3' } as const;
const names = new Map([[proxyAt.address, 'proxy'], [addresses.a, 'a'], [addresses.b, 'b'], ['10.0.0.99', 'ghost']]);

export interface Verdict {
  readonly faults: readonly string[];
  readonly stories: string;
  readonly crossings: readonly Crossing[];
  /** What crossed, in lines. */
  ladder(): string;
}

export function runScenario(scenario: Scenario): Promise<Verdict> {
  const clock = new ManualClock(undefined, settlePromises);
  return withManualGlobals(clock, seeded(-scenario.seed), () => run(scenario, clock));
}

async function run({ network: faultRates, proxy: proxySettings, seed, steps, ending }: Scenario, clock: ManualClock): Promise<Verdict> {
  const random = seeded(seed);
  const network = new LossyNetwork(clock, random, proxySettings.transport === 'udp' ? faultRates : { loss: 0, duplicate: 0, reorder: 0 });
  const proxy = new RegistrarProxy(network, random, proxySettings, ['a', 'b']);
  const agents = {
    a: await RigUserAgent.open('a', addresses.a, network, proxySettings),
    b: await RigUserAgent.open('b', addresses.b, network, proxySettings),
  };
  const both = [agents.a, agents.b] as const;
  const weather = weatherOf(network.faults, steps);
  const faults: string[] = [];
  try {
    for (const agent of both) agent.register(3_600);
    await clock.advance(5_000);
    let calls = 0;
    for (const step of steps) {
      await clock.advance(step.afterMs);
      calls += 1;
      take(step, agents, `call-${calls}`, proxy, network);
    }
    if (ending !== 'close') {
      await clock.advance(quietMs);
      faults.push(...disagreements(both, network, proxy, weather));
    }
    if (ending === 'remove') {
      for (const agent of both) agent.account.remove();
      agents.a.hangUpAll();
      await clock.advance(quietMs);
      faults.push(...disagreements(both, network, proxy, weather));
    }
    if (ending === 'close') {
      await Promise.all(both.map(({ stack }) => stack.close()));
      // To the proxy, and from there.
      await clock.advance(2 * longestHoldUpMs + 1_000);
    } else {
      for (const agent of both) agent.hangUpAll();
      for (const agent of both) if (ending === 'hang up') agent.register(0);
      await clock.advance(quietMs);
      faults.push(...wireFaults(both, network, weather === 'fair'), ...both.flatMap((agent) => agent.unended()));
    }
    for (const agent of both) {
      agent.account.remove();
      const left = Object.entries(agent.stack.usage()).filter(([, count]) => count !== 0);
      if (left.length > 0) faults.push(`${agent.user}: left over: ${JSON.stringify(Object.fromEntries(left))}`);
      faults.push(...agent.problems);
    }
    if (ending !== 'close') await clock.advance(reportMs);
    if (clock.pending > 0) faults.push(`${clock.pending} timers left over`);
  } catch (thrown) {
    faults.push(`thrown: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`);
  }
  await Promise.all(both.map(({ stack }) => stack.close()));
  const stories = both.flatMap(({ user, calls }) => calls.map(({ name, story }) => `${user} ${name}: ${story.join(', ')}`)).join('\n');
  return { faults, stories, crossings: network.crossings, ladder: () => network.ladder(names) };
}

function weatherOf({ loss, loses }: NetworkFaults, steps: readonly Step[]): Weather {
  if (steps.some(({ does }) => does === 'restart proxy')) return 'restarts';
  const isLossy = loss > 0 || loses !== undefined || steps.some(({ does }) => does === 'cut connections');
  return isLossy ? 'lossy' : 'fair';
}

function take(
  { who, does, pick }: Step,
  agents: Readonly<Record<'a' | 'b', RigUserAgent>>,
  name: string,
  proxy: RegistrarProxy,
  network: LossyNetwork,
): void {
  const agent = agents[who];
  const other = who === 'a' ? agents.b : agents.a;
  const choose = (user: RigUserAgent, fits: (call: RigUserAgent['calls'][number]) => boolean): RigUserAgent['calls'][number] | undefined => {
    const fitting = user.calls.filter(fits);
    return fitting[pick % Math.max(1, fitting.length)];
  };
  const incoming = choose(agent, (call) => call.incoming !== undefined && call.state === 'waiting');
  const talking = choose(agent, (call) => call.state === 'talking');
  const live = choose(agent, (call) => call.state !== 'ended');
  switch (does) {
    case 'register': agent.register(3_600); break;
    case 'register briefly': agent.register(pick % 2 === 0 ? 30 : 70); break;
    case 'unregister': agent.register(0); break;
    case 'invite': agent.invite(other.user, name); break;
    case 'invite ghost': agent.invite(ghost, name); break;
    case 'invite nobody': agent.invite('nobody', name); break;
    case 'ring': incoming?.incoming?.ring(); break;
    case 'answer': if (incoming !== undefined) agent.answer(incoming); break;
    case 'answer and hang up':
      if (incoming === undefined) break;
      agent.answer(incoming);
      agent.hangUp(incoming);
      break;
    case 'reject': if (incoming !== undefined) agent.hangUp(incoming); break;
    case 'offer': if (talking !== undefined) agent.offer(talking); break;
    case 'ask for an offer': if (talking !== undefined) agent.seek(talking, pick < 3); break;
    case 'both offer': {
      const same = other.calls.find((call) => call.name === talking?.name);
      if (talking !== undefined) agent.offer(talking);
      if (same !== undefined) other.offer(same);
      break;
    }
    case 'press a key': if (talking !== undefined) agent.press(talking); break;
    case 'refer': if (talking !== undefined) agent.refer(talking); break;
    case 'hang up': if (live !== undefined) agent.hangUp(live); break;
    case 'both hang up': {
      const same = other.calls.find((call) => call.name === live?.name);
      if (live !== undefined) agent.hangUp(live);
      if (same !== undefined) other.hangUp(same);
      break;
    }
    case 'restart proxy':
      proxy.stop();
      network.clock.after(restartMs, () => { proxy.start(); });
      break;
    case 'cut connections': network.cut(agent.address); break;
    case 'wait':
  }
}

/** What a scenario may be. The rates favour a network that works: there the judgement is the strictest. */
export function scenarios(transport: 'udp' | 'tcp'): fc.Arbitrary<Scenario> {
  const rate = (most: number): fc.Arbitrary<number> => fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 100 }).map((percent) => (percent * most) / 100));
  // Calls are made often, and what ends them as often; the rest is weather.
  const does = fc.oneof(
    { weight: 5, arbitrary: fc.constant<Step['does']>('invite') },
    { weight: 9, arbitrary: fc.constantFrom<Step['does'][]>('ring', 'answer', 'answer and hang up', 'reject', 'hang up', 'both hang up') },
    { weight: 9, arbitrary: fc.constantFrom<Step['does'][]>('offer', 'offer', 'ask for an offer', 'both offer', 'press a key', 'press a key', 'refer') },
    { weight: 4, arbitrary: fc.constantFrom(...actions) },
  );
  const afterMs = fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 60 }) },
    { weight: 3, arbitrary: fc.integer({ min: 60, max: 3_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 3_000, max: 40_000 }) },
  );
  return fc.record({
    network: fc.record({ loss: rate(0.3), duplicate: rate(0.3), reorder: rate(0.3) }),
    proxy: fc.record({
      transport: fc.constant(transport),
      recordsRoute: fc.boolean(),
      challengesCalls: fc.boolean(),
      staleRate: rate(0.3),
      knowsOldNonces: fc.boolean(),
    }),
    seed: fc.integer({ min: 1, max: 0x7fff_ffff }),
    ending: fc.constantFrom('hang up', 'hang up', 'remove', 'close'),
    steps: fc.array(fc.record({ afterMs, who: fc.constantFrom<('a' | 'b')[]>('a', 'b'), does, pick: fc.nat(3) }), { minLength: 1, maxLength: 14 }),
  });
}

/** mulberry32: small, and good enough for weather. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
