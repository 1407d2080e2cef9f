/**
 * What outgoing and incoming calls share: the state, the guard timer that follows it, the queue of updates to the host, and what goes on
 * while people talk. `outgoing-session` and `incoming-session` turn commands and SIP events into the tables' events, and the
 * tables' actions into SIP and updates.
 */
import { ExtensionError, messageOf } from '../base/errors.js';
import { second } from '../base/units.js';
import type { CallUpdate, RemoteParty, SessionDescription } from '../host/contract.js';
import type { CallDialog, CallRefusal, DialogEvents, IncomingCall, LooseEnd, ReasonValue, ReceivedReferral, RemoteOffer } from '../sip/types.js';
import { CallTimes } from './call-facts.js';
import type { CallStateTable, Guard, IncomingState, OutgoingState } from './call-state.js';
import type { CallLimits } from './call-limits.js';
import type { Call, CallTable } from './call-table.js';
import type { TakenCommand } from './command.js';
import type { ConversationParts, TalkCommand } from './conversation.js';
import { passDescription, type Origin, type Passage } from './media-passage.js';
import type { CallParties, CallPorts, CallSettings, LiveCall } from './ports.js';
import { StateMachine, type StateMachineOwner } from './state-machine.js';
import { Talk } from './talk.js';
import { byeTermination, localTable, lostTermination, ringTimeoutTermination, setupTimeoutTermination, type Termination } from './termination.js';
import { UpdateQueue, type Deliveries } from './updates.js';
import { lookupTimeoutMs } from './user-lookup.js';

/** The stack gives up after 64*T1 = 32 s (RFC 3261 section 17.1.1.1) and says so; this is the net under it, milliseconds. */
const stackTimeoutMs = 40 * second;

export interface SessionContext {
  readonly settings: CallSettings;
  readonly ports: CallPorts;
  readonly table: CallTable;
  readonly limits: CallLimits;
  readonly deliveries: Deliveries;
}

/** What a far end that offers while the call is not up is told to do: 500 has it try again (RFC 3261 14.2). */
const tooEarly = 500;

export abstract class Session<State extends OutgoingState | IncomingState, Event extends string, Action extends string>
  implements Call, DialogEvents, StateMachineOwner<Action, Guard, Termination>
{
  readonly #machine: StateMachine<State, Event | 'timeout' | 'lost' | 'bye', Action, Guard, Termination>;
  readonly #updates: UpdateQueue;
  protected readonly times: CallTimes;
  /** Once the call is answered. */
  #answeredAs: CallDialog | undefined;
  /** Once there is something to say in it. */
  #talk: Talk | undefined;

  constructor(
    readonly callId: string,
    protected readonly direction: 'outgoing' | 'incoming',
    protected readonly context: SessionContext,
    states: CallStateTable<State, Event | 'timeout' | 'lost' | 'bye', Action>,
  ) {
    this.#machine = new StateMachine(states, context.ports.clock, this);
    this.#updates = new UpdateQueue(context.deliveries);
    this.times = new CallTimes(context.ports.clock);
  }

  protected abstract get parties(): CallParties;
  abstract take(command: TakenCommand): void;
  abstract stop(ending: Termination): void;
  /** Carries one action of the table out. `ending` says why the call ends; it means something only to actions that end it. */
  abstract perform(action: Action, ending: Termination): void;

  /** One action that fails must not keep the host from its `ended`; the guard of the new state runs already. */
  failed(action: Action, thrown: unknown): void {
    const { callId, context } = this;
    context.ports.log.error(`A call could not do what it should (${action}): ${messageOf(thrown)}`, { callId });
  }

  protected get state(): State {
    return this.#machine.state;
  }

  get facts(): LiveCall {
    const { callId, direction, state, parties } = this;
    return { ...this.times.facts(callId, direction, parties), state };
  }

  get looseEnd(): LooseEnd | undefined {
    return (this.#talk ?? this.#answeredAs)?.looseEnd ?? this.earlyEnd;
  }

  /** The far end's; undefined before it has answered. */
  protected get dialog(): CallDialog | undefined {
    return this.#talk === undefined ? this.#answeredAs : this.#talk.dialog;
  }

  /** What ends it before the answer. */
  protected abstract get earlyEnd(): LooseEnd | undefined;

  /** What has to be known of it to end it is new. */
  protected noteDown(): void {
    this.context.ports.journal?.changed(this);
  }

  /** The 2xx came or went. */
  protected answered(dialog: CallDialog, sdp: string | undefined): void {
    this.#answeredAs = dialog;
    this.times.answered(sdp);
    this.noteDown();
  }

  /** @returns false when the event means nothing in this state; nothing has happened then */
  protected raise(event: Event | 'timeout' | 'lost' | 'bye', ending: Termination = localTable.unexplained): boolean {
    const isTaken = this.#machine.raise(event, ending);
    if (isTaken && this.state === 'ended') {
      this.#talk?.end();
      this.context.table.remove(this);
      this.context.ports.journal?.over(this);
    }
    return isTaken;
  }

  /** Starts the guard of the first state, for a session that has to wait there. */
  protected startGuard(): void {
    this.#machine.startGuard();
  }

  /** Every offer and answer of the call goes through here before it is handed on. @param isWhole false: candidates are still to come */
  protected pass(description: SessionDescription, origin: Origin, isWhole = true): Passage {
    const { callId, context } = this;
    return passDescription(description, origin, context.settings.webrtc, context.ports.log, { callId }, isWhole);
  }

  // ---- while people talk ----------------------------------------------------------------------

  get replacement(): string | undefined {
    return this.state === 'talking' ? (this.#talk ?? this.#answeredAs)?.replacement : undefined;
  }

  /** Whose call it is: the new party of a transfer is looked for as if they called. */
  protected abstract get caller(): ConversationParts['caller'];
  /** Who is at the other end, for the host. */
  protected abstract get farEnd(): RemoteParty;
  /** What the user's INVITEs call it; the account's own name when undefined. */
  protected abstract get displayName(): string | undefined;

  /** Undefined unless the call talks. */
  get #talking(): Talk | undefined {
    const { callId, farEnd, displayName, caller } = this;
    const dialog = this.#answeredAs;
    if (this.state !== 'talking' || dialog === undefined) return undefined;
    if (this.#talk !== undefined) return this.#talk;
    const { settings, ports, table, limits } = this.context;
    this.#talk = new Talk({
      callId,
      dialog,
      isOwner: this.direction === 'outgoing',
      farEnd,
      displayName,
      caller,
      settings,
      ports,
      limits,
      events: this,
      tell: (update) => {
        this.tell(update);
      },
      otherCall: (other) => table.get(other),
      pass: (...described) => this.pass(...described),
      end: (ending) => {
        this.raise('lost', ending);
      },
      onChanged: () => {
        this.noteDown();
      },
    });
    return this.#talk;
  }

  /** A command for a call that talks. */
  protected takeTalking(command: TalkCommand): void {
    if (this.#talking?.take(command) !== true) this.refuseCommand(command);
  }

  onOffer(offer: RemoteOffer): void {
    const talk = this.#talking;
    if (talk === undefined) {
      offer.reject(tooEarly);
      return;
    }
    // RFC 3261 12.2.2: it may come from elsewhere than the call was answered.
    this.noteDown();
    talk.receiveOffer(offer);
  }

  onAnswer(sdp: string): void {
    this.#talking?.receiveAnswer(sdp);
  }

  onTone(tone: string): void {
    this.#talking?.receiveTone(tone);
  }

  onReferral(referral: ReceivedReferral): void {
    const talk = this.#talking;
    if (talk === undefined) referral.reject(tooEarly);
    else talk.receiveReferral(referral);
  }

  isWith(dialog: CallDialog): boolean {
    return this.dialog === dialog;
  }

  replaceFarEnd(call: IncomingCall, party: RemoteParty, sdp: string): void {
    const talk = this.#talking;
    if (talk === undefined) call.reject(tooEarly);
    else talk.receiveReplacement(call, party, sdp);
  }

  onBye(reason?: ReasonValue): void {
    this.#left('bye', byeTermination(reason));
  }

  onLost(refusal?: CallRefusal): void {
    this.#left('lost', refusal === undefined ? localTable.notAcknowledged : lostTermination(refusal));
  }

  /** The far end has hung up, or is gone. */
  #left(how: 'bye' | 'lost', ending: Termination): void {
    const left = this.#talk?.left(how);
    if (left !== 'handedOver') this.raise(how, left === 'transferred' ? localTable.transferred : ending);
  }

  // ---- what the host is told ------------------------------------------------------------------

  protected tell(update: CallUpdate): void {
    this.#updates.tell(update);
  }

  /** The last update of the call. */
  protected tellEnded(ending: Termination): void {
    const { callId, direction, context } = this;
    // Before the host is told: from its `ended` on, the id is free.
    if (this.state === 'ended') context.table.remove(this);
    else context.table.close(this);
    const { reason, message, sip } = ending;
    if (ending.class === 'upstream' || ending.class === 'server') {
      context.ports.log.warn(`A call failed: ${message}`, { callId, direction, reason });
    }
    this.tell(sip === undefined ? { type: 'ended', callId, reason, message } : { type: 'ended', callId, reason, sip, message });
    const { onEnded, clock } = context.ports;
    if (onEnded === undefined) return;
    const facts = this.times.facts(callId, direction, this.parties);
    onEnded({ ...facts, endedAt: clock.date(), reason, class: ending.class, message, status: sip?.status });
  }

  /** For a command without a row in the table. */
  protected refuseCommand(command: TakenCommand): never {
    throw new ExtensionError(
      'CALL_STATE',
      `The command "${command.type}" does not fit the ${this.direction} call ${JSON.stringify(this.callId)}, which is ${this.state}.`,
    );
  }

  limitOf(guard: Guard): number {
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
    }
  }

  ranOut(guard: Guard): void {
    this.raise('timeout', this.#endingOf(guard));
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
        return undefined;
    }
  }
}
