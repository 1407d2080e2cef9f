/**
 * One registration: its state and what is known of its binding. There may be tens of thousands: a plain record with no timer, listener
 * or promise of its own. Its state has one writer, `take`, which reads the table; the rest is written by `registrar.ts` alone.
 *
 * Where it is, beside its state, is always exactly one of: asleep (scheduled), in the queue, on the wire (then scheduled too, as a guard),
 * behind (its predecessor with the same mapping is still being un-registered), or gone. That is rule 1: no state without a timer.
 */
import { standalone } from '../sip/standalone.js';
import type { RegistrationEntry, RegisteringAccount, Urgency } from './ports.js';
import type { Slot } from './schedule.js';
import { transitions, type Action, type RegistrationEvent, type State } from './transitions.js';

export type Place = 'behind' | 'asleep' | 'queued' | 'wire' | 'nowhere';

const nothing: readonly Action[] = [];

export class Registration implements Slot {
  readonly mappingId: number;
  readonly aor: string;
  readonly registrarKey: string;
  account: RegisteringAccount;

  // Written by the schedule.
  dueMs = 0;
  heapIndex = -1;

  #state: State = 'waiting';
  place: Place = 'nowhere';
  /** The last state but `registering`, which is a try and no change by itself. */
  settled: State = 'waiting';
  /** When it came to that, whole seconds on the clock's scale: small whole numbers cost no memory of their own. */
  sinceS = 0;
  /** It has been refreshed, or is about to be, since it came to that: its refreshes have found their place among the others'. */
  isSpread = false;
  /** Somebody waits for its next turn; back to `ordinary` when it sleeps. */
  urgency: Urgency = 'ordinary';
  /** Counts REGISTERs: an answer to an earlier one than the last is stale. */
  attempt = 0;
  /** The expiry that the last REGISTER asked for, seconds; 0: it was to remove the binding. */
  askedS = 0;
  /** What came while a REGISTER was on its way and waits for its answer. */
  deferred: 'flow lost' | 'row changed' | undefined;

  /** Until when a binding may exist at the registrar, on the clock's scale; 0: none. */
  bindingUntilMs = 0;
  /** REGISTERs that failed since the last success. */
  failures = 0;
  /** A connection that worked was lost and it has not been registered since: tried again sooner. */
  isAfterFlowLoss = false;
  /** 423s answered at once since the last wait. */
  briefRepeats = 0;
  /** Our corrected Contact has been registered since the last wait. */
  isCorrected = false;

  lastCode: number | undefined;
  lastError: string | undefined;
  /** The trouble in `lastError` has been logged. */
  isTroubleTold = false;
  wasRegistered = false;
  #departure: Departure | undefined;

  /** @param registrarKey that of the entry, one text for all at that registrar */
  constructor(entry: RegistrationEntry, registrarKey = entry.registrarKey) {
    this.mappingId = entry.mappingId;
    // A text that was put together keeps its parts: a copy is a third of it.
    this.aor = standalone(entry.aor);
    this.registrarKey = registrarKey;
    this.account = entry.account;
  }

  get state(): State {
    return this.#state;
  }

  /** Made when first asked for. */
  get departure(): Departure {
    this.#departure ??= departure();
    return this.#departure;
  }

  /** Moves on as the table says. @returns what is to be done now, in order */
  take(event: RegistrationEvent): readonly Action[] {
    if (this.#state === 'gone') return nothing;
    const transition = transitions[this.#state][event];
    if (transition === undefined) return nothing;
    this.#state = transition.next;
    return transition.actions;
  }
}

/** Resolves when a registration is gone. */
export interface Departure {
  readonly done: Promise<void>;
  readonly resolve: () => void;
}

export function departure(): Departure {
  let resolve = (): void => undefined;
  const done = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { done, resolve };
}
