/**
 * INVITEs that we answered with 2xx and whose ACK has come. RFC 6026 7.1 wants their transactions kept until timer L, 64*T1 after the 2xx, and
 * RFC 3261 8.2.2.2 the same request by another way known for as long; all that takes is two keys, where a transaction holds its messages.
 */
import type { IncomingRequestMessage } from 'sip.js/lib/core/index.js';
import type { Clock } from '../base/clock.js';
import { DelayQueue } from './delay-queue.js';

/** RFC 6026 7.1: timer L, milliseconds; counted from the ACK here, which is later. */
const timerL = 32_000;

/** 3,000 answered calls a second; the transactions of those above stay as they are. */
const mostKept = 100_000;

/** What RFC 3261 17.2.3 and 8.2.2.2 tell requests by; `viaBranch` is the whole transaction key. */
type Invite = Pick<IncomingRequestMessage, 'viaBranch' | 'callId' | 'fromTag' | 'cseq'>;

export class AcceptedInvites {
  readonly #transactions = new Set<string>();
  readonly #requests = new Set<string>();
  readonly #expiries: DelayQueue<{ readonly transaction: string; readonly request: string }>;

  constructor(
    clock: Clock,
    private readonly most = mostKept,
  ) {
    this.#expiries = new DelayQueue(clock, 1_000, ({ transaction, request }) => {
      this.#transactions.delete(transaction);
      this.#requests.delete(request);
    });
  }

  /**
   * @param account tells accounts apart: a fork to two of ours is no loop
   * @returns whether it is kept
   */
  add(account: string, invite: Invite): boolean {
    if (this.#transactions.size >= this.most) return false;
    const entry = { transaction: invite.viaBranch, request: requestKey(account, invite) };
    this.#transactions.add(entry.transaction);
    this.#requests.add(entry.request);
    this.#expiries.add(timerL, entry);
    return true;
  }

  /** It has come before, and is answered: an INVITE that comes again is absorbed. */
  has(transaction: string): boolean {
    return this.#transactions.has(transaction);
  }

  /** RFC 3261 8.2.2.2: the same request has come by another way. */
  isMerged(account: string, invite: Invite): boolean {
    return this.#requests.size > 0 && this.#requests.has(requestKey(account, invite));
  }

  get size(): number {
    return this.#transactions.size;
  }

  close(): void {
    this.#expiries.clear();
    this.#transactions.clear();
    this.#requests.clear();
  }
}

function requestKey(account: string, { callId, fromTag, cseq }: Invite): string {
  return `${account} ${callId} ${fromTag} ${String(cseq)}`;
}
