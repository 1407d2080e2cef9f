/**
 * Finds registrars over UDP that are dead, and keeps the NATs on the way to them open: a flow that brought nothing for a while is asked
 * with OPTIONS (RFC 3261 11), one question a flow however many accounts use it. RFC 5626 3.5.2 has STUN for this, which registrars
 * seldom speak; two CRLFs would tell nothing, as nobody answers them over UDP. Over TCP and TLS they do (4.4.1), but not all: a connection
 * whose peer has never answered one is asked the same way.
 *
 *   resting --(20 s at most without a message)--> asking --(any message)--> resting
 *                                                        --(10 s)--> lost, told once; resting
 *
 * So a registrar that falls silent is found within 30 s. One that never answers OPTIONS is suspected once: when REGISTER is answered
 * and OPTIONS still is not, its silence means nothing until it has answered one. Over a connection it means nothing before that either: to
 * suspect it is to cut it, and the next would be suspected again.
 */
import type { Clock, Timer } from '../../base/clock.js';
import { second } from '../../base/units.js';
import { makeSipUri } from '../parser/uri.js';
import { randomToken } from '../random-token.js';
import type { Flow } from '../transports/flow.js';
import type { SipTransport } from '../types.js';

/** No account has the id 0. */
const branchPrefix = 'z9hG4bK0.';
/** How long a registrar has to answer, milliseconds: repeats at T1, 2*T1, ... (timer E) included. */
const probeTimeoutMs = 10 * second;
/** RFC 3261 table 4, milliseconds. */
const t1 = second / 2;

export interface Question {
  readonly domain: string;
  readonly branch: string;
  readonly callId: string;
  readonly cseq: number;
}

export interface ProbeOptions {
  /** The longest rest of a flow before it is asked, milliseconds; each rest is a random one between 80 and 100 % of it. 0: none is asked. */
  readonly intervalMs: number;
  ask(flow: Flow, question: Question): void;
  /** The registrar at the far end does not answer any more. */
  lost(flow: Flow, why: string): void;
}

interface Probe {
  readonly flow: Flow;
  readonly domain: string;
  readonly callId: string;
  cseq: number;
  isAsking: boolean;
  askedAt: number;
  heardAt: number;
  uses: number;
  /** Silence means something: true until it was told as a loss, and again from the next answer on. */
  isSilenceNews: boolean;
  timer: Timer;
}

export class FlowProbes {
  readonly #probes = new Map<Flow | string, Probe>();

  constructor(
    private readonly clock: Clock,
    private readonly options: ProbeOptions,
  ) {}

  /** An account goes over to that flow. @param domain what its registrar calls itself */
  use(flow: Flow, domain: string): void {
    // RFC 6455 5.5.2: who speaks WebSocket answers its pings.
    if (flow.transport === 'ws' || flow.transport === 'wss' || this.options.intervalMs === 0) return;
    const known = this.#probes.get(keyOf(flow));
    if (known !== undefined) {
      known.uses += 1;
      return;
    }
    const now = this.clock.now();
    const probe: Probe = {
      flow,
      domain,
      callId: randomToken(12),
      cseq: 0,
      isAsking: false,
      askedAt: now,
      heardAt: now,
      uses: 1,
      isSilenceNews: !flow.isReliable,
      timer: this.clock.after(this.#restMs(), () => {
        this.#rested(probe);
      }),
    };
    this.#probes.set(keyOf(flow), probe);
  }

  /** An account leaves it. */
  leave(flow: Flow): void {
    const probe = this.#probes.get(keyOf(flow));
    if (probe === undefined) return;
    probe.uses -= 1;
    if (probe.uses > 0) return;
    probe.timer.cancel();
    this.#probes.delete(keyOf(flow));
  }

  /** A message came in. */
  heard(flow: Flow): void {
    const probe = this.#probes.get(keyOf(flow));
    if (probe === undefined) return;
    probe.heardAt = this.clock.now();
    if (probe.isAsking) this.#rest(probe);
  }

  /** Whether that is the branch of the last question to that registrar: it answers OPTIONS. */
  isAnswer(flow: Flow, branch: string): boolean {
    if (!branch.startsWith(branchPrefix)) return false;
    const probe = this.#probes.get(keyOf(flow));
    if (probe === undefined || branch !== branchOf(probe)) return false;
    probe.isSilenceNews = true;
    return true;
  }

  close(): void {
    for (const probe of this.#probes.values()) probe.timer.cancel();
    this.#probes.clear();
  }

  #restMs(): number {
    return this.options.intervalMs * (0.8 + 0.2 * Math.random());
  }

  #rest(probe: Probe): void {
    probe.isAsking = false;
    this.#wait(probe, this.#restMs(), this.#rested);
  }

  #wait(probe: Probe, delayMs: number, then: (probe: Probe) => void): void {
    probe.timer.cancel();
    probe.timer = this.clock.after(delayMs, () => {
      then(probe);
    });
  }

  /** What came in during the rest makes it longer: the time of each message is noted, no timer moved. */
  readonly #rested = (probe: Probe): void => {
    if (!probe.flow.isOpen) return;
    const leftMs = probe.flow.answersPings === true ? this.#restMs() : probe.heardAt + this.#restMs() - this.clock.now();
    if (leftMs > 0) {
      this.#wait(probe, leftMs, this.#rested);
      return;
    }
    probe.askedAt = this.clock.now();
    probe.cseq += 1;
    probe.isAsking = true;
    this.#ask(probe, t1);
  };

  /** Over UDP a question may be lost: it is repeated, but not to who never answered one. */
  #ask(probe: Probe, repeatMs: number): void {
    const { flow, domain, callId, cseq } = probe;
    this.options.ask(flow, { domain, branch: branchOf(probe), callId, cseq });
    const leftMs = probe.askedAt + probeTimeoutMs - this.clock.now();
    if (repeatMs < leftMs && probe.isSilenceNews && !flow.isReliable) {
      this.#wait(probe, repeatMs, () => {
        this.#ask(probe, repeatMs * 2);
      });
    } else {
      this.#wait(probe, leftMs, this.#silent);
    }
  }

  readonly #silent = (probe: Probe): void => {
    this.#rest(probe);
    if (!probe.isSilenceNews) return;
    probe.isSilenceNews = false;
    this.options.lost(probe.flow, 'The registrar does not answer any more');
  };
}

/**
 * RFC 3261 11.1: OPTIONS outside a dialog, addressed as REGISTER is: to the registrar's own name.
 * @param hostPort where we are on that flow
 */
export function writeQuestion({ domain, branch, callId, cseq }: Question, transport: SipTransport, hostPort: string, userAgent: string): string {
  const registrar = makeSipUri({ host: domain }).toRaw();
  return [
    `OPTIONS ${registrar} SIP/2.0`,
    `Via: SIP/2.0/${transport.toUpperCase()} ${hostPort};branch=${branch};rport`,
    'Max-Forwards: 70',
    `From: <${registrar}>;tag=${callId}`,
    `To: <${registrar}>`,
    `Call-ID: ${callId}`,
    `CSeq: ${String(cseq)} OPTIONS`,
    `Contact: <sip:${hostPort};transport=${transport}>`,
    `User-Agent: ${userAgent}`,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

/** Over UDP a far end has many flows in turn, and is one all the same. */
function keyOf(flow: Flow): Flow | string {
  const { isReliable, remote } = flow;
  return isReliable ? flow : `${remote.address} ${remote.port}`;
}

function branchOf({ callId, cseq }: Probe): string {
  return `${branchPrefix}${callId}${cseq}`;
}
