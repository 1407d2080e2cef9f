/**
 * The session timer of an answered call (RFC 4028 10) as a table, printed in docs/calls.md, and the clock that walks it. Whoever dies without
 * a BYE is found out: by the refresh that he does not answer, or by his own that does not come.
 */
import { randomInt } from 'node:crypto';
import type { Clock, Timer } from '../base/clock.js';
import { second } from '../base/units.js';
import type { SessionTerms } from './session-terms.js';

export type SessionTimerState =
  | 'off' // nobody keeps time
  | 'keeping' // we refresh, when half of the interval is over
  | 'asking' // our refresh is under way
  | 'pausing' // it was refused, and is tried again
  | 'watching' // the far end refreshes
  | 'over'; // the call has ended

export type SessionTimerEvent =
  | 'agreedOurs' // the session was refreshed, by whichever request, and the next time we do it
  | 'agreedTheirs'
  | 'agreedNone'
  | 'refused'
  | 'due'
  | 'expired' // a little before the end of the interval
  | 'ended';

export type SessionTimerAction = 'refresh' | 'giveUp';

/** What a state waits for; the end of the interval comes first in any of them. */
export type SessionTimerWait = 'half' | 'pause' | 'expiry' | 'none';

interface Step {
  readonly next: SessionTimerState;
  readonly actions: readonly SessionTimerAction[];
}

const agreed = {
  agreedOurs: { next: 'keeping', actions: [] },
  agreedTheirs: { next: 'watching', actions: [] },
  agreedNone: { next: 'off', actions: [] },
  ended: { next: 'over', actions: [] },
} as const satisfies Partial<Record<SessionTimerEvent, Step>>;

const expired = { expired: { next: 'over', actions: ['giveUp'] } } as const satisfies Partial<Record<SessionTimerEvent, Step>>;

export const sessionTimerTable: {
  readonly initial: SessionTimerState;
  readonly guards: Readonly<Record<SessionTimerState, SessionTimerWait>>;
  readonly steps: Readonly<Record<SessionTimerState, Readonly<Partial<Record<SessionTimerEvent, Step>>>>>;
} = {
  initial: 'off',
  guards: { off: 'none', keeping: 'half', asking: 'expiry', pausing: 'pause', watching: 'expiry', over: 'none' },
  steps: {
    off: { ...agreed },
    keeping: { ...agreed, due: { next: 'asking', actions: ['refresh'] }, ...expired },
    asking: { ...agreed, refused: { next: 'pausing', actions: [] }, ...expired },
    pausing: { ...agreed, due: { next: 'asking', actions: ['refresh'] }, ...expired },
    watching: { ...agreed, ...expired },
    over: {},
  },
};

/** RFC 4028 10: the BYE goes the smaller of 32 s and a third of the interval before its end. */
const mostMarginMs = 32 * second;
/** RFC 3261 14.1: the first pause, for a refresh that met an offer too, milliseconds; each next is twice as long. */
const firstPauseMs = { least: 2_100, most: 4_000 };

export interface SessionTimerOwner {
  /** Refreshes the session; what comes of it is told by `agree` or `refused`. */
  refresh(): void;
  /** The session was not refreshed in time. */
  giveUp(): void;
}

/** This class alone changes the state, along the table. */
export class SessionTimer {
  #state: SessionTimerState = sessionTimerTable.initial;
  #terms: SessionTerms | undefined;
  #expiresAt = 0;
  #pauseMs = 0;
  #timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly owner: SessionTimerOwner,
  ) {}

  /** What holds in the call. */
  get terms(): SessionTerms | undefined {
    return this.#terms;
  }

  /** The session begins, or was refreshed. */
  agree(terms: SessionTerms | undefined): void {
    this.#terms = terms;
    const intervalMs = (terms?.intervalS ?? 0) * second;
    this.#expiresAt = this.clock.now() + intervalMs - Math.min(mostMarginMs, intervalMs / 3);
    this.#pauseMs = randomInt(firstPauseMs.least, firstPauseMs.most);
    if (terms === undefined) this.#raise('agreedNone');
    else this.#raise(terms.refresher === 'us' ? 'agreedOurs' : 'agreedTheirs');
  }

  /**
   * Our refresh came to nothing, and the call goes on. The same requests say where we are: one that was none of the timer's means nothing here.
   * @param leastMs how long the far end wants to be left alone
   */
  refused(leastMs = 0): void {
    if (sessionTimerTable.steps[this.#state].refused === undefined) return;
    this.#pauseMs = Math.max(this.#pauseMs, leastMs);
    this.#raise('refused');
    this.#pauseMs *= 2;
  }

  /** The call has ended. */
  end(): void {
    this.#raise('ended');
  }

  #raise(event: SessionTimerEvent): void {
    const step = sessionTimerTable.steps[this.#state][event];
    if (step === undefined) return;
    this.#state = step.next;
    this.#wait();
    for (const action of step.actions) this.owner[action]();
  }

  #wait(): void {
    this.#timer?.cancel();
    const wait = sessionTimerTable.guards[this.#state];
    if (wait === 'none') return;
    const leftMs = this.#expiresAt - this.clock.now();
    const dueMs = this.#dueMs(wait);
    this.#timer = this.clock.after(Math.min(leftMs, dueMs), () => {
      this.#raise(dueMs < leftMs ? 'due' : 'expired');
    });
  }

  #dueMs(wait: SessionTimerWait): number {
    if (wait === 'half') return ((this.#terms?.intervalS ?? 0) * second) / 2;
    return wait === 'pause' ? this.#pauseMs : Infinity;
  }
}
