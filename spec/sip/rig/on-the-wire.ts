/** What RFC 3261 says of every message, whatever becomes of the calls: held against all that crossed. */
import type { LossyNetwork } from '../../support/lossy-network.js';
import { ghost } from './registrar-proxy.js';
import type { RigUserAgent } from './user-agent.js';

interface Line {
  /** `BYE sip:b@example.test SIP/2.0`, `SIP/2.0 200 OK` */
  readonly first: string;
  /** Undefined for a request. */
  readonly status: number | undefined;
  /** Of a response: that of its request. */
  readonly method: string;
  readonly transaction: string;
  /** Call-ID and CSeq. */
  readonly request: string;
  readonly callId: string;
  readonly isUdp: boolean;
  readonly from: RigUserAgent | undefined;
  readonly to: RigUserAgent | undefined;
  readonly sentAtMs: number;
  /** Infinity when it never came. */
  readonly arrivedAtMs: number;
}

/** RFC 3261 table 4: 64*T1. */
const transactionMs = 32_000;

export function wireFaults(agents: readonly RigUserAgent[], network: LossyNetwork, isFair: boolean): string[] {
  const lines = read(agents, network);
  return [...(isFair ? unanswered(lines) : []), ...answeredTwoWays(lines), ...refusedAfterAck(lines), ...unacknowledged(lines)];
}

function read(agents: readonly RigUserAgent[], network: LossyNetwork): Line[] {
  const agentAt = (place: string): RigUserAgent | undefined => agents.find(({ address }) => place.startsWith(`${address}:`));
  return network.crossings.map(({ text, from, to, sentAtMs, arrivedAtMs, fate }) => {
    const first = text.slice(0, text.indexOf('\r\n'));
    const [, cseq = '', method = ''] = /^CSeq: (\d+) (\w+)/m.exec(text) ?? [];
    const callId = /^Call-ID: (.*)$/m.exec(text)?.[1] ?? '';
    return {
      first,
      status: first.startsWith('SIP/2.0 ') ? Number(first.slice(8, 11)) : undefined,
      method,
      transaction: `${/branch=([^;\r]+)/.exec(text)?.[1] ?? ''} ${method}`,
      request: `${callId} ${cseq}`,
      callId,
      isUdp: text.includes('Via: SIP/2.0/UDP'),
      from: agentAt(from),
      to: agentAt(to),
      sentAtMs,
      arrivedAtMs: fate === 'delivered' ? (arrivedAtMs ?? Infinity) : Infinity,
    };
  });
}

/**
 * 8.2, 17: where nothing is lost every request has a final response, but an INVITE to nobody, and a question to the registrar that was on
 * its way at the end. A BYE that comes straight from the other side once our own has been answered finds no dialog and no registrar: it
 * is a stranger's.
 */
function unanswered(lines: readonly Line[]): string[] {
  const answered = new Set(lines.filter(({ status = 0, to }) => status >= 200 && to !== undefined).map(({ transaction }) => transaction));
  const hungUp = new Set(lines.filter(({ first }) => first.startsWith('BYE ')).map(({ callId, from }) => `${callId} ${from?.user ?? ''}`));
  const faults = new Set<string>();
  for (const { first, method, status, transaction, callId, from, to } of lines) {
    if (status !== undefined || from === undefined || method === 'ACK' || method === 'OPTIONS' || first.includes(`sip:${ghost}@`)) continue;
    if (method === 'BYE' && to !== undefined && hungUp.has(`${callId} ${to.user}`)) continue;
    if (!answered.has(transaction)) faults.add(`${first} of ${from.user} was never answered`);
  }
  return [...faults];
}

/** 17.2: a request that comes again has the answer that it had, until timers I and J have run out. */
function answeredTwoWays(lines: readonly Line[]): string[] {
  const answers = new Map<string, { status: number; sentAtMs: number }>();
  const faults: string[] = [];
  for (const { status = 0, transaction, first, from, method, sentAtMs } of lines) {
    if (status < 200 || from === undefined) continue;
    const before = answers.get(transaction) ?? { status, sentAtMs };
    const isKnown = sentAtMs < before.sentAtMs + transactionMs;
    if (isKnown && before.status !== status) faults.push(`${from.user} answered one ${method} with ${before.status} and ${first}`);
    answers.set(transaction, before);
  }
  return faults;
}

/** 17.2.1: the ACK ends the repeats of a refusal. */
function refusedAfterAck(lines: readonly Line[]): string[] {
  const acknowledged = new Map<string, number>();
  for (const { method, transaction, to, arrivedAtMs } of lines) {
    if (method !== 'ACK' || to === undefined) continue;
    const invite = transaction.replace(/ACK$/, 'INVITE');
    acknowledged.set(invite, Math.min(arrivedAtMs, acknowledged.get(invite) ?? Infinity));
  }
  return lines
    .filter(({ status = 0, method, transaction, from, sentAtMs }) => {
      return status >= 300 && method === 'INVITE' && from !== undefined && sentAtMs > (acknowledged.get(transaction) ?? Infinity);
    })
    .map(({ first, from }) => `${from?.user ?? ''} sent ${first} after its ACK`);
}

/** 13.2.2.4, 17.1.1.2: a final response to INVITE that comes again is acknowledged again, for 64*T1. */
function unacknowledged(lines: readonly Line[]): string[] {
  const finals = new Map<string, { to: RigUserAgent; firstAtMs: number; count: number }>();
  const arrivals = lines.filter(({ status = 0, method, to, isUdp, arrivedAtMs }) => {
    return isUdp && status >= 200 && method === 'INVITE' && to !== undefined && arrivedAtMs < Infinity;
  });
  for (const { request, to, arrivedAtMs } of arrivals.sort((one, other) => one.arrivedAtMs - other.arrivedAtMs)) {
    if (to === undefined) continue;
    const known = finals.get(request) ?? { to, firstAtMs: arrivedAtMs, count: 0 };
    if (arrivedAtMs < known.firstAtMs + transactionMs) known.count += 1;
    finals.set(request, known);
  }
  const acks = new Map<string, number>();
  for (const { method, request, from } of lines) if (method === 'ACK' && from !== undefined) acks.set(request, (acks.get(request) ?? 0) + 1);
  return [...finals]
    // Who has given up has no transaction any more.
    .filter(([request, { count }]) => (acks.get(request) ?? 0) > 0 && (acks.get(request) ?? 0) < count)
    .map(([request, { to, count }]) => `${to.user} had ${count} final responses to INVITE ${request}, and sent ${acks.get(request) ?? 0} ACKs`);
}
