/**
 * Walks a table of states: the state and its only writer (`raise`), the timer that guards it, actions one after another. What an action
 * does, and how long a guard lasts, its owner knows.
 */
import type { Clock, Timer } from '../base/clock.js';

export interface Step<State extends string, Action extends string> {
  readonly next: State;
  /** In this order: SIP before the host, which may answer an update with a command while it is told. */
  readonly actions: readonly Action[];
}

/** `Guard` names the limits of time; `none` is none. */
export interface StateTable<State extends string, Event extends string, Action extends string, Guard extends string> {
  readonly initial: State;
  readonly guards: Readonly<Record<State, Guard | 'none'>>;
  readonly steps: Readonly<Record<State, Readonly<Partial<Record<Event, Step<State, Action>>>>>>;
}

export interface StateMachineOwner<Action extends string, Guard extends string, Context> {
  /** Carries one action out. */
  perform(action: Action, context: Context): void;
  /** An action threw; those after it are carried out all the same. */
  failed(action: Action, thrown: unknown): void;
  /** Milliseconds. */
  limitOf(guard: Guard): number;
  /** The guard ran out: the owner raises what that means. */
  ranOut(guard: Guard): void;
}

export class StateMachine<State extends string, Event extends string, Action extends string, Guard extends string, Context> {
  #state: State;
  #guard: Timer | undefined;

  constructor(
    private readonly table: StateTable<State, Event, Action, Guard>,
    private readonly clock: Clock,
    private readonly owner: StateMachineOwner<Action, Guard, Context>,
  ) {
    this.#state = table.initial;
  }

  get state(): State {
    return this.#state;
  }

  /**
   * The only place where the state changes.
   * @returns false when the event means nothing in this state; nothing has happened then
   */
  raise(event: Event, context: Context): boolean {
    const from = this.#state;
    const step = this.table.steps[from][event];
    if (step === undefined) return false;
    this.#state = step.next;
    this.#keepGuard(this.table.guards[from], this.table.guards[step.next]);
    for (const action of step.actions) {
      try {
        this.owner.perform(action, context);
      } catch (thrown) {
        this.owner.failed(action, thrown);
      }
    }
    return true;
  }

  /** Starts the guard of the first state, for an owner that has to wait there. */
  startGuard(): void {
    this.#keepGuard('none', this.table.guards[this.#state]);
  }

  /** States under the same limit share one timer: ringing and then early media last no longer than ringing alone. */
  #keepGuard(before: Guard | 'none', after: Guard | 'none'): void {
    if (before === after) return;
    this.#guard?.cancel();
    this.#guard = undefined;
    if (after === 'none') return;
    const guard = after;
    this.#guard = this.clock.after(this.owner.limitOf(guard), () => {
      this.owner.ranOut(guard);
    });
  }
}
