/**
 * One registration: its state and what is known of its binding. There may be a hundred thousand: a plain record with no timer, listener,
 * promise or text of its own, and only small whole numbers, which cost no memory beside it. Its state has one writer, `take`, which reads
 * the table; the rest is written by `course.ts` and `registrar.ts` alone.
 *
 * Where it is, beside its state, is always exactly one of: asleep (scheduled), in the queue, on the wire (then scheduled too, as a guard),
 * behind (its predecessor with the same mapping is still being un-registered), or gone. That is rule 1: no state without a timer.
 */
import { aorOf, type RegisteringAccount, type Urgency } from './ports.js';
import type { Slot } from './schedule.js';
import { transitions, type Action, type RegistrationEvent, type State } from './transitions.js';
import { noTrouble, type Trouble } from './trouble.js';

/** `wire`: a REGISTER for a binding is on its way; `leaving wire`: one that removes it. */
export type Place = 'behind' | 'asleep' | 'queued' | 'wire' | 'leaving wire' | 'nowhere';

const nothing: readonly Action[] = [];

export class Registration implements Slot {
  // Written by the schedule.
  heapIndex = -1;

  #state: State = 'waiting';
  place: Place = 'nowhere';
  /** When it came to its state, a try that changed nothing left out: whole seconds on the clock's scale. */
  sinceS = 0;
  /** It has been refreshed, or is about to be, since it came to that: its refreshes have found their place among the others'. */
  isSpread = false;
  /** Somebody waits for its next turn; back to `ordinary` when it sleeps. */
  urgency: Urgency = 'ordinary';
  /** Counts REGISTERs: an answer to an earlier one than the last is stale. */
  attempt = 0;
  /** Until when a binding may exist at the registrar, whole seconds on the clock's scale; 0: none. */
  bindingUntilS = 0;
  wasRegistered = false;
  #trouble: Trouble | undefined;

  /** @param registrarKey one text for all at that registrar */
  constructor(
    readonly mappingId: number,
    readonly registrarKey: string,
    public account: RegisteringAccount,
  ) {}

  get state(): State {
    return this.#state;
  }

  get aor(): string {
    return aorOf(this.account);
  }

  get isOnWire(): boolean {
    return this.place === 'wire' || this.place === 'leaving wire';
  }

  /** There is something in `trouble`. */
  get isTroubled(): boolean {
    return this.#trouble !== undefined;
  }

  get trouble(): Readonly<Trouble> {
    return this.#trouble ?? noTrouble;
  }

  note(change: Partial<Trouble>): void {
    this.#trouble = { ...this.trouble, ...change };
  }

  /** All is well: nothing is worth a note any more. */
  forgetTrouble(): void {
    this.#trouble = undefined;
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
