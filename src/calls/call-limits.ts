/**
 * How many calls there may be (`calls.max-per-user`, `max-per-minute`, `max-total`), against toll fraud and floods. Those that live are counted by
 * the table of calls alone, so that a call cannot be counted twice or stay counted; here stands how often a user placed one lately.
 */
import type { Clock } from '../base/clock.js';
import { minute } from '../base/units.js';
import type { Peer } from '../host/contract.js';
import { writePeer } from './call-facts.js';
import type { CallTable } from './call-table.js';
import type { IncomingRefusal } from './routes.js';
import { localTable, type Termination } from './termination.js';

/** 0: no limit. */
export interface LimitSettings {
  /** Calls of one user at once, whoever placed them. */
  readonly maxPerUser: number;
  /** Calls and transfers that one user places within any minute. */
  readonly maxPerMinute: number;
  /** Calls at once. */
  readonly maxTotal: number;
}

/** When a caller may try again, seconds: calls end by themselves. */
const retryAfterS = 30;

export class CallLimits {
  /** When each user placed a call in the last minute. Who placed one last stands last. */
  readonly #placed = new Map<string, number[]>();

  constructor(
    private readonly settings: LimitSettings,
    private readonly table: Pick<CallTable, 'live' | 'liveOf'>,
    private readonly clock: Clock,
  ) {}

  /** Why the user cannot place another call. Undefined: it may, and is counted for this minute. */
  place(user: Peer): Termination | undefined {
    if (this.#isFull) return localTable.tooManyHere;
    if (this.#isBusy(user)) return localTable.tooManyOfUser;
    return this.transfer(user);
  }

  /** Why the user cannot have somebody else call on its account. Undefined as for `place`. */
  transfer(user: Peer): Termination | undefined {
    const { maxPerMinute } = this.settings;
    if (maxPerMinute === 0) return undefined;
    const nowMs = this.clock.now();
    this.#forgetIdle(nowMs);
    const key = writePeer(user);
    const lately = (this.#placed.get(key) ?? []).filter((atMs) => nowMs - atMs < minute);
    if (lately.length >= maxPerMinute) return localTable.tooManyPerMinute;
    lately.push(nowMs);
    this.#placed.delete(key);
    this.#placed.set(key, lately);
    return undefined;
  }

  /** Why an INVITE for the user cannot be taken. */
  receive(user: Peer): IncomingRefusal | undefined {
    // RFC 3261 21.4.21, 21.5.4: the user has no line left, or nobody has.
    if (this.#isFull) return { status: 503, phrase: 'Service Unavailable', retryAfterS, ending: localTable.tooManyHere };
    if (this.#isBusy(user)) return { status: 486, phrase: 'Busy Here', retryAfterS, ending: localTable.tooManyOfUser };
    return undefined;
  }

  /** Users that are remembered. */
  get remembered(): number {
    return this.#placed.size;
  }

  get #isFull(): boolean {
    const { maxTotal } = this.settings;
    return maxTotal > 0 && this.table.live >= maxTotal;
  }

  #isBusy(user: Peer): boolean {
    const { maxPerUser } = this.settings;
    return maxPerUser > 0 && this.table.liveOf(user) >= maxPerUser;
  }

  #forgetIdle(nowMs: number): void {
    for (const [key, times] of this.#placed) {
      if (nowMs - (times.at(-1) ?? 0) < minute) return;
      this.#placed.delete(key);
    }
  }
}
