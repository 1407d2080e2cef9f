/**
 * 2xx to INVITEs of ours that we have acknowledged. RFC 6026 7.2 wants the transaction kept until timer M, 64*T1 after the first of them, for two
 * things alone: the ACK goes again with each 2xx that comes again, and a branch of a fork that was not heard of before may answer too, and is
 * acknowledged and ended (RFC 3261 13.2.2.4). The text of the ACK says enough for both, where a transaction holds all its messages.
 */
import type { URI } from 'sip.js/lib/core/index.js';
import type { Clock } from '../base/clock.js';
import { mostBranches, type AccountCore, type CoreOwner } from './account-core.js';
import { credentialLines } from './challenges.js';
import { DelayQueue } from './delay-queue.js';
import type { SentRequest } from './internals.js';
import { ParsedRequest, type ParsedResponse } from './parser/message.js';
import { parseMessage } from './parser/parse-message.js';
import type { Flow } from './transports/flow.js';
import { acknowledgeAndEnd } from './unwanted-answer.js';

/** RFC 6026 7.2: timer M, milliseconds. */
const timerM = 32_000;

/** 3,000 answered calls a second; the transactions of those above stay as they are. */
const mostKept = 100_000;

const nobodyListens = (): void => undefined;

export interface AnsweredAccount extends CoreOwner {
  readonly core: AccountCore;
  flow: Flow | undefined;
}

/** What is asked of an ACK that was sent. */
type WrittenAck = Pick<SentRequest, 'nextHop' | 'toString'>;

interface Ack {
  readonly text: string;
  readonly nextHop: URI | undefined;
}

interface Answered {
  readonly account: AnsweredAccount;
  /** One for each branch of the fork that answered. */
  readonly acks: Ack[];
}

export class AcknowledgedAnswers {
  /** By the branch of the INVITE. */
  readonly #answered = new Map<string, Answered>();
  readonly #expiries: DelayQueue<string>;

  constructor(
    clock: Clock,
    private readonly most = mostKept,
  ) {
    this.#expiries = new DelayQueue(clock, 1_000, (branch) => {
      this.#answered.delete(branch);
    });
  }

  /** @returns whether it is kept */
  add(account: AnsweredAccount, branch: string, ack: WrittenAck): boolean {
    if (this.#answered.size >= this.most) return false;
    this.#answered.set(branch, { account, acks: [keptOf(ack)] });
    this.#expiries.add(timerM, branch);
    return true;
  }

  /**
   * @param flow the one that it came by
   * @returns whether it is to one of these INVITEs
   */
  receive(message: ParsedResponse, flow: Flow): boolean {
    const { method, viaBranch, toTag, statusCode: status = 0 } = message;
    const answered = method === 'INVITE' ? this.#answered.get(viaBranch) : undefined;
    if (answered === undefined) return false;
    // After the first 2xx nothing but another is of interest.
    if (status < 200 || status >= 300 || !toTag) return true;
    const { account, acks } = answered;
    // A removed account whose calls are over has none any more.
    account.flow ??= flow;
    const before = acks.find(({ text }) => text.includes(`;tag=${toTag}\r\n`));
    if (before !== undefined) repeat(account.core, before);
    else if (acks.length < mostBranches) acks.push(...endBranch(account.core, acks[0], message));
    return true;
  }

  get size(): number {
    return this.#answered.size;
  }

  close(): void {
    this.#expiries.clear();
    this.#answered.clear();
  }
}

function keptOf(ack: WrittenAck): Ack {
  return { text: ack.toString(), nextHop: ack.nextHop };
}

/** RFC 3261 13.2.2.4: the same ACK; its way is found anew, as the connection that it went by may be gone. */
function repeat(core: AccountCore, { text, nextHop }: Ack): void {
  const ack = parseMessage(Buffer.from(text));
  if (ack instanceof ParsedRequest) core.wireFor(Object.assign(ack, { nextHop })).sendAck(text, undefined, nobodyListens);
}

/** What stands in an ACK of the same INVITE stands in this one too, the credentials as well. */
function endBranch(core: AccountCore, first: Ack | undefined, answer: ParsedResponse): Ack[] {
  const like = first && parseMessage(Buffer.from(first.text));
  if (!(like instanceof ParsedRequest)) return [];
  const invite = { from: like.getHeader('from') ?? '', to: like.getHeader('to') ?? '', callId: like.callId, cseq: like.cseq };
  const ack = acknowledgeAndEnd(core, invite, answer, credentialLines(like));
  return ack === undefined ? [] : [keptOf(ack)];
}
