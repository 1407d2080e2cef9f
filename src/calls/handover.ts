/**
 * One REFER of the far end: the new party is called on the same account, with what the host's client said last; when it answers, the host is
 * told who it is now, and client and new party agree on their media anew, by an offer of the host or, as it makes none, of the new party.
 * States and events: `handoverTable`. Until they have agreed, the call can go back to what it was.
 */
import { messageOf } from '../base/errors.js';
import { second } from '../base/units.js';
import type { RemoteParty } from '../host/contract.js';
import type {
  CallDialog,
  CallRefusal,
  DialogEvents,
  LooseEnd,
  NameAddress,
  OutgoingCall,
  OutgoingCallEvents,
  ReasonValue,
  ReceivedReferral,
  RemoteOffer,
} from '../sip/types.js';
import type { Conversation, ConversationParts } from './conversation.js';
import { handoverTable, type HandoverAction, type HandoverEvent, type HandoverGuard, type HandoverState } from './handover-state.js';
import { hangupTable } from './hangup.js';
import { notAcceptable } from './media-passage.js';
import type { CallPorts } from './ports.js';
import { remoteParty } from './routes.js';
import { StateMachine, type StateMachineOwner } from './state-machine.js';
import { byeTermination, localTable, lostTermination, refusalTermination, ringTimeoutTermination, type Termination } from './termination.js';

/** A client that is told of the new party offers at once, if it does at all, milliseconds. */
const offerTimeoutMs = 2 * second;
/** The host has 10 s to answer the new party's offer, and 2 s for its candidates; milliseconds. */
const agreeTimeoutMs = 15 * second;

/** Why it came to nothing: the status that the far end is told, and how the call ends when the far end has gone. */
interface Outcome {
  readonly status: number;
  readonly phrase: string;
  readonly ending: Termination;
}

const nothingAgreed: Outcome = { ...notAcceptable, ending: localTable.newPartyWithoutMedia };
const noOutcome: Outcome = { status: 500, phrase: 'Server Internal Error', ending: localTable.unexplained };

export interface HandoverWay {
  /** The new party's address. */
  readonly to: string;
  readonly referral: Pick<ReceivedReferral, 'notify'>;
  readonly invite: (events: OutgoingCallEvents) => OutgoingCall;
}

/** The call that is handed over. */
export interface HandedCall {
  readonly callId: string;
  /** How long it may ring, milliseconds. */
  readonly ringTimeoutMs: number;
  readonly ports: Pick<CallPorts, 'clock' | 'log' | 'mappings'>;
  /** What happens with the new party once the call goes on with it. */
  readonly events: DialogEvents;
  /** The host is told of the new party, and what it says of media goes there from here on. */
  join(dialog: CallDialog, party: RemoteParty, terms: Pick<ConversationParts, 'end' | 'agreement'>): Conversation;
  /** And to the far end again. */
  goBack(): void;
  /** The call is the new party's; the far end's dialog is ended. */
  adopt(dialog: CallDialog, party: RemoteParty): void;
  end(ending: Termination): void;
}

export class Handover implements OutgoingCallEvents, StateMachineOwner<HandoverAction, HandoverGuard, Outcome> {
  readonly #machine: StateMachine<HandoverState, HandoverEvent, HandoverAction, HandoverGuard, Outcome>;
  readonly #leg: OutgoingCall;
  /** Once the new party has answered. */
  #dialog: CallDialog | undefined;
  #party: RemoteParty;
  #conversation: Conversation | undefined;

  readonly #referral: Pick<ReceivedReferral, 'notify'>;

  constructor(
    { to, referral, invite }: HandoverWay,
    private readonly call: HandedCall,
  ) {
    this.#referral = referral;
    this.#party = { uri: to };
    this.#machine = new StateMachine(handoverTable, call.ports.clock, this);
    this.#machine.startGuard();
    this.#leg = invite(this);
  }

  get isOver(): boolean {
    return this.#machine.state === 'over' || this.#machine.state === 'done';
  }

  /** The new party has answered: what the host says goes there. */
  get hasJoined(): boolean {
    return this.#conversation !== undefined;
  }

  /** The SIP Call-ID of the call to the new party. */
  get sipCallId(): string {
    return this.#leg.callId;
  }

  get looseEnd(): LooseEnd | undefined {
    return this.#leg.looseEnd;
  }

  /** The far end is gone. @returns whether the call goes on without it */
  left(): boolean {
    return this.#raise('left');
  }

  /** The call has ended on our side. */
  ended(): void {
    this.#raise('ended');
  }

  // ---- what the new party does ----------------------------------------------------------------

  onProgress({ status, phrase }: { status: number; phrase: string }): void {
    if (this.#machine.state === 'calling') this.#referral.notify(status, phrase);
  }

  onAccepted({ dialog, sdp, remote }: { dialog: CallDialog; sdp?: string; remote?: NameAddress }): void {
    this.#dialog = dialog;
    if (remote !== undefined) this.#party = remoteParty(remote, this.call.ports.mappings);
    if (sdp !== undefined) {
      this.#raise('answered');
      return;
    }
    dialog.bye(hangupTable.normal.bye);
    this.#raise('refused', { ...notAcceptable, ending: localTable.answerWithoutMedia });
  }

  onRefused(refusal: CallRefusal): void {
    this.#raise('refused', { status: refusal.status, phrase: refusal.phrase, ending: refusalTermination(refusal) });
  }

  onBye(reason?: ReasonValue): void {
    if (this.#isDone) this.call.events.onBye(reason);
    else this.#raise('refused', { status: 487, phrase: 'Request Terminated', ending: byeTermination(reason) });
  }

  onLost(refusal?: CallRefusal): void {
    if (this.#isDone) this.call.events.onLost(refusal);
    else this.#raise('refused', { status: 408, phrase: 'Request Timeout', ending: refusal === undefined ? localTable.notAcknowledged : lostTermination(refusal) });
  }

  onOffer(offer: RemoteOffer): void {
    if (this.#isDone) this.call.events.onOffer(offer);
    else if (this.#conversation === undefined) offer.reject(notAcceptable.status);
    else this.#conversation.receiveOffer(offer);
  }

  onAnswer(sdp: string): void {
    if (this.#isDone) this.call.events.onAnswer(sdp);
    else this.#conversation?.receiveAnswer(sdp);
  }

  onTone(tone: string): void {
    this.call.events.onTone(tone);
  }

  onReferral(referral: ReceivedReferral): void {
    this.call.events.onReferral(referral);
  }

  // ---- the table's actions --------------------------------------------------------------------

  perform(action: HandoverAction, { status, phrase, ending }: Outcome): void {
    switch (action) {
      case 'join':
        if (this.#dialog !== undefined) this.#conversation = this.call.join(this.#dialog, this.#party, this.#terms);
        return;
      case 'ask':
        this.#conversation?.ask();
        return;
      case 'adopt':
        this.#referral.notify(200, 'OK');
        if (this.#dialog !== undefined) this.call.adopt(this.#dialog, this.#party);
        return;
      case 'report':
        this.call.ports.log.info(`A call was not handed over (${status} ${phrase}), and goes on: ${ending.message}`, { callId: this.call.callId });
        this.#referral.notify(status, phrase);
        return;
      case 'goBack':
        this.call.goBack();
        return;
      case 'giveUp':
        if (this.#dialog === undefined) this.#leg.cancel();
        else this.#dialog.bye(hangupTable.normal.bye);
        return;
      case 'end':
        this.call.end(ending);
    }
  }

  failed(action: HandoverAction, thrown: unknown): void {
    this.call.ports.log.error(`A call could not do what it should (${action}): ${messageOf(thrown)}`, { callId: this.call.callId });
  }

  limitOf(guard: HandoverGuard): number {
    switch (guard) {
      case 'ring':
        return this.call.ringTimeoutMs;
      case 'offer':
        return offerTimeoutMs;
      case 'agree':
        return agreeTimeoutMs;
    }
  }

  ranOut(guard: HandoverGuard): void {
    const inVain: Outcome = { status: 408, phrase: 'Request Timeout', ending: ringTimeoutTermination(this.call.ringTimeoutMs) };
    this.#raise('timeout', guard === 'ring' ? inVain : nothingAgreed);
  }

  /** What comes of the conversation with the new party. */
  get #terms(): Pick<ConversationParts, 'end' | 'agreement'> {
    return {
      agreement: {
        reached: () => { this.#raise('agreed'); },
        missed: () => { this.#raise('missed', nothingAgreed); },
      },
      // What it said cannot be used, and its dialog has been ended.
      end: (ending) => {
        if (this.#isDone) this.call.end(ending);
        else this.#raise('refused', { ...notAcceptable, ending });
      },
    };
  }

  get #isDone(): boolean {
    return this.#machine.state === 'done';
  }

  #raise(event: HandoverEvent, outcome: Outcome = noOutcome): boolean {
    return this.#machine.raise(event, outcome);
  }
}
