/**
 * What outgoing and incoming calls share: the state and its only writer (`raise`), the guard timer that follows the state, the queue of
 * updates to the host. `outgoing-session` and `incoming-session` turn commands and SIP events into the tables' events, and the
 * tables' actions into SIP and updates.
 */
import type { Timer } from '../base/clock.js';
import { ExtensionError, messageOf } from '../base/errors.js';
import { second } from '../base/units.js';
import type { CallUpdate, SessionDescription } from '../host/contract.js';
import type { CallStateTable, Guard } from './call-state.js';
import type { Call, CallTable } from './call-table.js';
import type { TakenCommand } from './command.js';
import { passDescription, type Origin, type Passage } from './media-passage.js';
import type { CallPorts, CallSettings } from './ports.js';
import { localTable, ringTimeoutTermination, setupTimeoutTermination, type Termination } from './termination.js';
import { UpdateQueue, type Deliveries } from './updates.js';
import { lookupTimeoutMs } from './user-lookup.js';

/** The stack gives up after 64*T1 = 32 s (RFC 3261 section 17.1.1.1) and says so; this is the net under it, milliseconds. */
const stackTimeoutMs = 40 * second;

export interface SessionContext {
  readonly settings: CallSettings;
  readonly ports: CallPorts;
  readonly table: CallTable;
  readonly deliveries: Deliveries;
}

export abstract class Session<State extends string, Event extends string, Action extends string> implements Call {
  #state: State;
  #guard: Timer | undefined;
  readonly #updates: UpdateQueue;

  constructor(
    readonly callId: string,
    protected readonly direction: 'outgoing' | 'incoming',
    protected readonly context: SessionContext,
    private readonly states: CallStateTable<State, Event | 'timeout', Action>,
  ) {
    this.#state = states.initial;
    this.#updates = new UpdateQueue(context.deliveries);
  }

  abstract take(command: TakenCommand): void;
  abstract stop(ending: Termination): void;
  /** Carries one action of the table out. `ending` says why the call ends; it means something only to actions that end it. */
  protected abstract perform(action: Action, ending: Termination): void;

  protected get state(): State {
    return this.#state;
  }

  /**
   * The only place where the state changes.
   * @returns false when the event means nothing in this state; nothing has happened then
   */
  protected raise(event: Event | 'timeout', ending: Termination = localTable.unexplained): boolean {
    const from = this.#state;
    const step = this.states.steps[from][event];
    if (step === undefined) return false;
    this.#state = step.next;
    this.#keepGuard(this.states.guards[from], this.states.guards[step.next]);
    for (const action of step.actions) {
      try {
        this.perform(action, ending);
      } catch (thrown) {
        // One action that fails must not keep the host from its `ended`; the guard of the new state runs already.
        const { callId, context } = this;
        context.ports.log.error(`A call could not do what it should (${action}): ${messageOf(thrown)}`, { callId });
      }
    }
    if (step.next === 'ended') this.context.table.remove(this);
    return true;
  }

  /** Starts the guard of the first state, for a session that has to wait there. */
  protected startGuard(): void {
    this.#keepGuard('none', this.states.guards[this.#state]);
  }

  /** Every offer and answer of the call goes through here before it is handed on. @param isWhole false: candidates are still to come */
  protected pass(description: SessionDescription, origin: Origin, isWhole = true): Passage {
    const { callId, context } = this;
    return passDescription(description, origin, context.settings.webrtc, context.ports.log, { callId }, isWhole);
  }

  protected tell(update: CallUpdate): void {
    this.#updates.tell(update);
  }

  /** The last update of the call. */
  protected tellEnded(ending: Termination): void {
    const { callId, direction, context } = this;
    // Before the host is told: from its `ended` on, the id is free.
    if (this.#state === 'ended') context.table.remove(this);
    else context.table.close(this);
    const { reason, message, sip } = ending;
    if (ending.class === 'upstream' || ending.class === 'server') {
      context.ports.log.warn(`A call failed: ${message}`, { callId, direction, reason });
    }
    this.tell(sip === undefined ? { type: 'ended', callId, reason, message } : { type: 'ended', callId, reason, sip, message });
    context.ports.onEnded?.({
      callId,
      direction,
      reason,
      class: ending.class,
      ...(sip === undefined ? {} : { status: sip.status }),
    });
  }

  /** For a command without a row in the table. */
  protected refuseCommand(command: TakenCommand): never {
    throw new ExtensionError(
      'CALL_STATE',
      `The command "${command.type}" does not fit the ${this.direction} call ${JSON.stringify(this.callId)}, which is ${this.#state}.`,
    );
  }

  /** States under the same limit share one timer: ringing and then early media last no longer than ringing alone. */
  #keepGuard(before: Guard, after: Guard): void {
    if (before === after) return;
    this.#guard?.cancel();
    this.#guard = undefined;
    const limitMs = this.#limitOf(after);
    if (limitMs === undefined) return;
    this.#guard = this.context.ports.clock.after(limitMs, () => {
      this.raise('timeout', this.#endingOf(after));
    });
  }

  #limitOf(guard: Guard): number | undefined {
    const { settings } = this.context;
    switch (guard) {
      case 'lookup':
        return lookupTimeoutMs;
      case 'candidates':
        return settings.candidateTimeoutMs;
      case 'setup':
        return settings.setupTimeoutMs;
      case 'ring':
        return settings.ringTimeoutMs;
      case 'confirm':
      case 'close':
        return stackTimeoutMs;
      case 'none':
        return undefined;
    }
  }

  /** Why the call ends, where the end of that limit ends it. */
  #endingOf(guard: Guard): Termination | undefined {
    const { settings } = this.context;
    switch (guard) {
      case 'setup':
        return setupTimeoutTermination(settings.setupTimeoutMs);
      case 'ring':
        return ringTimeoutTermination(settings.ringTimeoutMs);
      case 'confirm':
        return localTable.notAcknowledged;
      case 'lookup':
      case 'candidates':
      case 'close':
      case 'none':
        return undefined;
    }
  }
}
