/** One call from SIP to the messenger. States and events: `incomingTable`. */
import type { HangupReason, HostUser, RemoteParty, SessionDescription } from '../host/contract.js';
import { offersVideo } from '../sdp/media.js';
import type { IncomingCall, IncomingCallEvents, LooseEnd, ReasonValue } from '../sip/types.js';
import { addressOf, endedAtOnce } from './call-facts.js';
import { incomingTable, type IncomingAction, type IncomingEvent, type IncomingState } from './call-state.js';
import type { TakenCommand } from './command.js';
import type { ConversationParts } from './conversation.js';
import { Gathering } from './gathering.js';
import { hangupTable, hangupTermination } from './hangup.js';
import { notAcceptable, type Passage } from './media-passage.js';
import type { CallParties, RoutableMapping } from './ports.js';
import { userDisabled } from './routes.js';
import { Session, type SessionContext } from './session.js';
import { cancelTermination, localTable, type Termination } from './termination.js';
import { findUser } from './user-lookup.js';

/** An incoming call that routing lets through. */
export interface Offer {
  readonly mapping: RoutableMapping;
  readonly from: RemoteParty;
  /** The offer. */
  readonly sdp: string;
}

interface Rejection {
  readonly status: number;
  readonly phrase: string;
  readonly reason?: ReasonValue;
}

export class IncomingSession extends Session<IncomingState, IncomingEvent, IncomingAction> implements IncomingCallEvents {
  /** Until it is answered: then its dialog is all there is to talk to. */
  #call: IncomingCall | undefined;
  readonly #mapping: RoutableMapping;
  readonly #from: RemoteParty;
  /** Empty when the host has it. */
  #offer: string;
  /** Candidates may overtake the answer they belong to. */
  #gathering: Gathering | undefined;
  /** The host's, through the profile. */
  #answerOut: SessionDescription | undefined;
  /** How the INVITE is answered when it is refused: unless somebody says otherwise, nobody answered. */
  #rejection: Rejection = hangupTable.no_answer.reject;
  #byeReason: ReasonValue | undefined;

  constructor(callId: string, call: IncomingCall, offer: Offer, context: SessionContext) {
    super(callId, 'incoming', context, incomingTable);
    this.#call = call;
    this.#mapping = offer.mapping;
    this.#from = offer.from;
    this.#offer = offer.sdp;
  }

  protected override get parties(): CallParties {
    const { peer, id } = this.#mapping;
    return { peer, mappingId: id, from: this.#from.uri, to: addressOf(this.#mapping) };
  }

  protected override get earlyEnd(): LooseEnd | undefined {
    return this.#call?.looseEnd;
  }

  /** Offers the call to the host: at once, or when the host has said whether the user is enabled. */
  start(): void {
    const { users, log } = this.context.ports;
    if (users === undefined) {
      this.raise('routed');
      return;
    }
    this.startGuard();
    void findUser(users, this.#mapping.peer, log).then((user) => {
      if (this.state === 'routing') this.#route(user);
    });
  }

  override take(command: TakenCommand): void {
    switch (command.type) {
      case 'ringing':
        if (!this.raise('ring')) this.refuseCommand(command);
        return;
      case 'candidates':
        if (this.state === 'talking') this.takeTalking(command);
        else this.#addCandidates(command);
        return;
      case 'answer':
        if (this.state === 'talking') this.takeTalking(command);
        else this.#answer(command);
        return;
      case 'offer':
      case 'dtmf':
      case 'transfer':
        this.takeTalking(command);
        return;
      case 'hangup':
        this.#hangUp(command.reason ?? 'normal');
        return;
      case 'create':
        this.refuseCommand(command);
    }
  }

  override stop(ending: Termination): void {
    this.#byeReason = hangupTable.normal.bye;
    this.#rejection = hangupTable.busy.reject;
    this.raise('hangup', ending);
  }

  // ---- SIP events -----------------------------------------------------------------------------

  onCancelled(reason?: ReasonValue): void {
    this.raise('cancelled', cancelTermination(reason));
  }

  onConfirmed(): void {
    this.raise('confirmed');
  }

  // ---- the table's actions --------------------------------------------------------------------

  override perform(action: IncomingAction, ending: Termination): void {
    const { callId } = this;
    switch (action) {
      case 'route':
        this.context.ports.log.warn('The host did not say in time whether the user of a call is enabled; the call goes on.', { callId });
        this.#route(undefined);
        return;
      case 'tellIncoming': {
        this.noteDown();
        const { peer: to, id: mappingId } = this.#mapping;
        const sdp = this.#offer;
        this.#offer = '';
        this.tell({ type: 'incoming', callId, to, from: this.#from, description: { type: 'offer', sdp }, video: offersVideo(sdp), mappingId });
        return;
      }
      case 'ring':
        this.#call?.ring();
        this.times.rang();
        return;
      case 'accept':
        this.#accept();
        return;
      case 'reject': {
        const { status, phrase, reason } = this.#rejection;
        this.#call?.reject(status, reason === undefined ? { phrase } : { phrase, reason });
        return;
      }
      case 'bye':
        this.dialog?.bye(this.#byeReason);
        return;
      case 'tellTalking':
        this.tell({ type: 'state', callId, state: 'talking' });
        return;
      case 'tellEnded':
        this.tellEnded(ending);
    }
  }

  protected override get caller(): ConversationParts['caller'] {
    const { peer, id } = this.#mapping;
    return { from: peer, mappingId: id };
  }

  protected override get farEnd(): RemoteParty {
    return this.#from;
  }

  protected override get displayName(): undefined {
    return undefined;
  }

  #route(user: HostUser | undefined): void {
    if (user?.disabled !== true) {
      this.raise('routed');
      return;
    }
    this.#rejection = userDisabled;
    const { status, ending } = userDisabled;
    this.context.ports.log.info(`An incoming call was refused: ${ending.message}`, { callId: this.callId });
    this.raise('unroutable');
    this.context.ports.onRefused?.(status, endedAtOnce(this.times.facts(this.callId, 'incoming', this.parties), ending, status));
  }

  #addCandidates(command: Extract<TakenCommand, { type: 'candidates' }>): void {
    const { state } = this;
    // What comes after the 200 has gone is of no use any more, and nobody's mistake.
    if (state !== 'offered' && state !== 'ringing' && state !== 'gathering') return;
    this.#gathering ??= new Gathering();
    this.#gathering.add(command.candidates, command.endOfCandidates === true);
    if (this.#gathering.isComplete) this.raise('gathered');
  }

  #answer(command: Extract<TakenCommand, { type: 'answer' }>): void {
    const { state } = this;
    if (state !== 'offered' && state !== 'ringing') this.refuseCommand(command);
    if (command.candidatesComplete !== false) this.#gathering = undefined;
    else this.#gathering ??= new Gathering();
    const isWhole = this.#gathering?.isComplete !== false;
    const passage = this.#passAnswer(command.description, isWhole);
    if ('unfit' in passage) {
      const { ending, reason } = passage.unfit;
      this.#rejection = { ...notAcceptable, reason };
      this.raise('unfit', { ...ending, sip: notAcceptable });
      return;
    }
    this.#answerOut = passage.description;
    if (isWhole) this.#gathering = undefined;
    this.raise(isWhole ? 'answer' : 'answerPartial');
  }

  /** The answer, once it is whole with its candidates, through the profile. */
  #passAnswer({ type, sdp }: SessionDescription, isWhole: boolean): Passage {
    const whole = isWhole && this.#gathering !== undefined ? this.#gathering.applyTo(sdp) : sdp;
    return this.pass({ type, sdp: whole }, 'host', isWhole);
  }

  #accept(): void {
    if (this.#answerOut === undefined) return;
    // What it lacks was looked for when it came: candidates are all that has come since.
    const passage = this.#gathering === undefined ? undefined : this.#passAnswer(this.#answerOut, true);
    const { sdp } = passage !== undefined && 'description' in passage ? passage.description : this.#answerOut;
    const dialog = this.#call?.accept(sdp);
    this.#call = undefined;
    // The call ended on the SIP side while the answer was on its way here.
    if (dialog === undefined) this.raise('lost', localTable.cancelled);
    else this.answered(dialog, sdp);
    this.#answerOut = undefined;
  }

  #hangUp(reason: HangupReason): void {
    const answered = this.state === 'answering' || this.state === 'talking';
    this.#rejection = hangupTable[reason].reject;
    this.#byeReason = hangupTable[reason].bye;
    this.raise('hangup', hangupTermination(reason, !answered));
  }
}
