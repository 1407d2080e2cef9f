/**
 * Whether both sides of each call agree once all timers have run out, RFC 3261 in hand. A side may only be alone where the other side
 * did all that the RFC asks and the network ate every bit of it; what crossed is looked through to know.
 */
import type { LossyNetwork } from '../../support/lossy-network.js';
import type { RegistrarProxy } from './registrar-proxy.js';
import { refers, type RigCall, type RigUserAgent } from './user-agent.js';
import { WireMessage } from './wire-message.js';

/** 17.1.2.2, 17.2.1: so often a BYE or a refusal leaves over UDP in 64*T1 at least. */
const timesInVain = 10;

/** `fair`: nothing is lost. `lossy`: datagrams are, and connections are cut. `restarts`: for a while there is no proxy either. */
export type Weather = 'fair' | 'lossy' | 'restarts';

export function disagreements(agents: readonly [RigUserAgent, RigUserAgent], network: LossyNetwork, proxy: RegistrarProxy, weather: Weather): string[] {
  const [one, other] = agents;
  const faults: string[] = [];
  for (const agent of agents) {
    const peer = agent === one ? other : one;
    for (const call of agent.calls) {
      if (call.outgoing === undefined) continue;
      const incoming = peer.calls.find(({ name }) => name === call.name);
      const traffic = weather === 'fair' ? undefined : new Traffic(network, call.name, weather);
      const fault = traffic === undefined ? judgeStrictly(call, incoming) : judge(agent, call, peer, incoming, traffic);
      const inside = incoming?.state === 'talking' && call.state === 'talking' ? judgeTalk([agent, call], [peer, incoming], traffic) : undefined;
      if (inside !== undefined) faults.push(`${agent.user} ${call.name} (${call.story.join(', ')}; ${incoming?.story.join(', ') ?? ''}): ${inside}`);
      if (fault !== undefined) faults.push(`${agent.user} ${call.name} (${call.story.join(', ')}; ${incoming?.story.join(', ') ?? ''}): ${fault}`);
    }
    const fault = judgeRegistration(agent, proxy);
    if (fault !== undefined) faults.push(`${agent.user}: ${fault}`);
  }
  return faults;
}

/** Nothing was lost. */
function judgeStrictly(out: RigCall, incoming: RigCall | undefined): string | undefined {
  if (incoming === undefined) return out.state === 'ended' ? undefined : `it is ${out.state} with nobody`;
  return out.state === incoming.state ? undefined : `the caller is ${out.state}, the callee ${incoming.state}`;
}

function judge(caller: RigUserAgent, out: RigCall, callee: RigUserAgent, incoming: RigCall | undefined, traffic: Traffic): string | undefined {
  if (incoming === undefined) return out.state === 'talking' ? 'it talks with nobody' : undefined;
  if (out.state === incoming.state) return undefined;
  switch (out.state) {
    case 'talking':
      return incoming.state === 'ended' ? traffic.byeInVain(callee, caller) : 'the callee has not answered';
    case 'ended':
      if (incoming.state === 'talking') return traffic.byeInVain(caller, callee);
      // 9.1: the CANCEL was lost, or none was sent: the caller heard nothing of the callee and gave up (timer B).
      return traffic.reached(callee, ({ method }) => method === 'CANCEL') ? 'the callee rings after the CANCEL' : traffic.cancelInVain(caller, out.endedAtMs);
    case 'waiting':
      // 17.1.1.2: for ever, once a provisional response came, and only then.
      if (!traffic.reached(caller, isInviteResponse)) return 'the caller waits though nothing was heard';
      if (incoming.state === 'talking') return 'the callee talks with nobody';
      // 13.3.1.4, 15.1.2: it has answered, nobody acknowledged that, and so it has hung up; who never heard its tag has no dialog to end.
      if (incoming.story.includes('answered')) return traffic.reached(caller, makesDialog) ? traffic.byeInVain(callee, caller) : undefined;
      return traffic.refusalInVain(callee, caller);
  }
}

type Talker = readonly [agent: RigUserAgent, call: RigCall];

/** Both still talk, and all timers have run out. */
function judgeTalk(caller: Talker, callee: Talker, traffic: Traffic | undefined): string | undefined {
  for (const [[agent, one], [peer, other]] of [[caller, callee], [callee, caller]] as const) {
    const open = one.asked.find(({ outcomes }) => outcomes === 0);
    // RFC 6665 4.2.2: who does not answer a NOTIFY is told no more.
    if (open?.what === refers && traffic !== undefined) return traffic.notifyInVain(peer, agent);
    if (open !== undefined) return `nothing came of "${open.what}"`;
    // RFC 3261 17.2.2: a request that comes again is the same request.
    if (other.tones.heard > one.tones.sent) return `${other.tones.heard} tones were heard, ${one.tones.sent} sent`;
    if (other.tones.heard < one.tones.taken) return `${one.tones.taken} tones were taken, ${other.tones.heard} heard`;
  }
  const [out, incoming] = [caller[1], callee[1]];
  return out.agreed === incoming.agreed ? undefined : `the caller has agreed on "${out.agreed}", the callee on "${incoming.agreed}"`;
}

const isInviteResponse = (message: WireMessage): boolean => message.method === undefined && message.cseqMethod === 'INVITE';
const makesDialog = (message: WireMessage): boolean => isInviteResponse(message) && message.status > 100 && message.get('To').includes(';tag=');
const isProxys = (message: WireMessage): boolean => message.get('To').includes(';tag=proxy');

function judgeRegistration({ user, registration, askedS, isRegistering }: RigUserAgent, proxy: RegistrarProxy): string | undefined {
  if (isRegistering) return 'a REGISTER has no outcome';
  if (registration === undefined) return 'it was never registered nor refused';
  if (registration.kind === 'refused' && registration.wrongPassword) return `the password is not wrong: ${JSON.stringify(registration)}`;
  // Without an outcome the REGISTER may have come through or not.
  if (registration.kind !== 'registered') return undefined;
  const binding = proxy.bindings.get(user);
  const isThere = binding !== undefined && binding.uri.includes(`token${user}@`) && binding.expiresAtMs > binding.boundAtMs;
  return isThere === askedS > 0 ? undefined : `it was told ${JSON.stringify(registration)}, but the registrar has ${JSON.stringify(binding)}`;
}

/** The messages of one call. */
class Traffic {
  readonly #messages: { readonly message: WireMessage; readonly from: string; readonly to: string; readonly arrivedAtMs: number }[] = [];

  constructor(network: LossyNetwork, name: string, private readonly weather: Weather) {
    const callIds = new Set<string>();
    for (const { text, from, to, fate, arrivedAtMs = Infinity } of network.crossings) {
      const message = WireMessage.parse(text);
      const callId = message.get('Call-ID');
      if (message.body.trim() === `v=0 ${name}`) callIds.add(callId);
      if (callIds.has(callId)) this.#messages.push({ message, from, to, arrivedAtMs: fate === 'delivered' ? arrivedAtMs : Infinity });
    }
  }

  reached({ address }: RigUserAgent, wants: (message: WireMessage) => boolean, beforeMs = Infinity): boolean {
    return this.#messages.some(({ message, to, arrivedAtMs }) => arrivedAtMs < beforeMs && to.startsWith(`${address}:`) && wants(message));
  }

  /** A side hung up and the other has not noticed: every BYE of 64*T1 must have been lost. */
  byeInVain(from: RigUserAgent, to: RigUserAgent): string | undefined {
    if (this.reached(to, ({ method }) => method === 'BYE')) return `${to.user} goes on after the BYE of ${from.user}`;
    return this.#inVain(from, ({ method }) => method === 'BYE', 'BYE');
  }

  /** A caller that was told that it rings sends a CANCEL before it is through. */
  cancelInVain(from: RigUserAgent, endedAtMs: number): string | undefined {
    if (!this.reached(from, (message) => isInviteResponse(message) && message.status < 200, endedAtMs)) return undefined;
    return this.#inVain(from, ({ method }) => method === 'CANCEL', 'CANCEL');
  }

  /** It was referred, and its subscriber has not heard of the end. */
  notifyInVain(from: RigUserAgent, to: RigUserAgent): string | undefined {
    const isNotify = (message: WireMessage): boolean => message.method === 'NOTIFY';
    if (this.reached(to, (message) => isNotify(message) && message.get('Subscription-State').startsWith('terminated'))) return `${to.user} waits after the last NOTIFY of ${from.user}`;
    return this.#inVain(from, isNotify, 'NOTIFY');
  }

  refusalInVain(from: RigUserAgent, to: RigUserAgent): string | undefined {
    const isRefusal = (message: WireMessage): boolean => isInviteResponse(message) && message.status >= 300 && !isProxys(message);
    if (this.reached(to, isRefusal)) return `${to.user} waits after the refusal of ${from.user}`;
    return this.#inVain(from, isRefusal, 'refusal');
  }

  /** 17.1.2.2, 17.2.1: over UDP it leaves so often in 64*T1; over a connection once, which may be cut or not be had. */
  #inVain({ user, address }: RigUserAgent, wants: (message: WireMessage) => boolean, what: string): string | undefined {
    const sent = this.#messages.filter(({ message, from }) => from.startsWith(`${address}:`) && wants(message));
    const isReliable = this.#messages.some(({ message }) => message.headers.some(([, value]) => value.startsWith('SIP/2.0/TCP')));
    if (isReliable && this.weather === 'restarts') return undefined;
    if (sent.length === 0) return `${user} sent no ${what}`;
    return isReliable || sent.length >= timesInVain ? undefined : `${user} gave its ${what} up after ${sent.length}`;
  }
}
