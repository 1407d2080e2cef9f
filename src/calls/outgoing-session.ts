/** One call from the messenger to SIP. States and events: `outgoingTable`. */
import type { CallState, CallUpdate, HangupReason, HostUser, RemoteParty, SessionDescription } from '../host/contract.js';
import type { CallDialog, CallRefusal, LooseEnd, NameAddress, OutgoingCall, OutgoingCallEvents, ReasonValue, SipAccount } from '../sip/types.js';
import { addressOf, writePeer, writeTarget } from './call-facts.js';
import { outgoingTable, type OutgoingAction, type OutgoingEvent, type OutgoingState } from './call-state.js';
import type { CreateCommand, TakenCommand } from './command.js';
import type { ConversationParts } from './conversation.js';
import { Gathering } from './gathering.js';
import { hangupTable, hangupTermination } from './hangup.js';
import type { Passage, Unfit } from './media-passage.js';
import type { CallParties, RoutableMapping } from './ports.js';
import { remoteParty, routeOutgoing } from './routes.js';
import { Session, type SessionContext } from './session.js';
import { localTable, refusalTermination, type Termination } from './termination.js';
import { findUser } from './user-lookup.js';

export class OutgoingSession extends Session<OutgoingState, OutgoingEvent, OutgoingAction> implements OutgoingCallEvents {
  readonly #asked: Omit<CreateCommand, 'description'>;
  /** Only while the host's candidates are still to come. */
  #gathering: Gathering | undefined;
  /** Set once the call is routed. */
  #way: { readonly account: Pick<SipAccount, 'invite'>; readonly mapping: RoutableMapping; readonly to: string; readonly displayName: string | undefined } | undefined;
  #call: OutgoingCall | undefined;
  /** The offer as it goes out; candidates may still come to it. Empty when it has gone. */
  #offer: string;
  /** The newest description of the far end, as it came: early media, then the answer. */
  #sdp: string | undefined;
  /** What came of that one. A 200 says mostly what the 183 said: the same text is judged once. */
  #passage: Passage | undefined;
  /** What the response at hand brought along, for the update it leads to. */
  #description: SessionDescription | undefined;
  #remote: NameAddress | undefined;
  /** Why the call will come to nothing, told in a 18x while an announcement plays. */
  #announced: ReasonValue | undefined;
  /** Reason of the CANCEL and of the BYE, should the call be given up. */
  #cancelReason: ReasonValue | undefined;
  #byeReason: ReasonValue | undefined;

  constructor(command: CreateCommand, context: SessionContext) {
    super(command.callId, 'outgoing', context, outgoingTable);
    const { description, ...asked } = command;
    this.#asked = asked;
    this.#offer = description.sdp;
    this.#gathering = asked.candidatesComplete === false ? new Gathering() : undefined;
  }

  protected override get parties(): CallParties {
    const { from: peer, to } = this.#asked;
    if (this.#way === undefined) return { peer, from: writePeer(peer), to: writeTarget(to) };
    const { mapping, to: uri } = this.#way;
    return { peer, mappingId: mapping.id, from: addressOf(mapping), to: uri };
  }

  protected override get earlyEnd(): LooseEnd | undefined {
    return this.#call?.looseEnd;
  }

  /** Routes the call: at once, or when the host has said whether the users are enabled. */
  start(): void {
    const { users, log } = this.context.ports;
    if (users === undefined) {
      this.#route();
      return;
    }
    this.startGuard();
    const { from, to } = this.#asked;
    const callee = 'peer' in to ? to.peer : undefined;
    void Promise.all([findUser(users, from, log), findUser(users, callee, log)]).then((found) => {
      if (this.state === 'routing') this.#route(...found);
    });
  }

  override take(command: TakenCommand): void {
    switch (command.type) {
      case 'candidates':
        if (this.state === 'talking') {
          this.takeTalking(command);
          return;
        }
        // What comes after the INVITE has gone is of no use any more, and nobody's mistake.
        this.#gathering?.add(command.candidates, command.endOfCandidates === true);
        if (this.#gathering?.isComplete === true) this.raise('gathered');
        return;
      case 'hangup':
        this.#hangUp(command.reason ?? 'normal');
        return;
      case 'offer':
      case 'answer':
      case 'dtmf':
      case 'transfer':
        this.takeTalking(command);
        return;
      case 'create':
      case 'ringing':
        this.refuseCommand(command);
    }
  }

  override stop(ending: Termination): void {
    this.#byeReason = hangupTable.normal.bye;
    this.raise('hangup', ending);
  }

  // ---- SIP events -----------------------------------------------------------------------------

  onProgress(progress: { status: number; phrase: string; sdp?: string; remote?: NameAddress; reason?: ReasonValue }): void {
    const { status, sdp, reason } = progress;
    this.#announced = reason ?? this.#announced;
    // The same description again, in a repeated 18x: told already.
    if (sdp !== undefined && sdp === this.#sdp) return;
    this.#receive(progress);
    const unfit = sdp === undefined ? undefined : this.#unfit;
    if (unfit !== undefined) this.context.ports.log.warn(`Early media is not handed on: ${unfit.ending.message}`, { callId: this.callId });
    if (this.#description !== undefined) this.raise('media');
    else if (status === 180) this.raise('ringing');
    else this.raise(status === 183 ? 'progress' : 'proceeding');
  }

  onAccepted(accepted: { dialog: CallDialog; sdp?: string; remote?: NameAddress }): void {
    this.#receive(accepted);
    const unfit = this.#unfit;
    this.answered(accepted.dialog, this.#sdp);
    if (this.#sdp === undefined) {
      this.raise('acceptedBare', localTable.answerWithoutMedia);
    } else if (unfit !== undefined) {
      this.#byeReason = unfit.reason;
      this.raise('acceptedBare', unfit.ending);
    } else {
      this.raise('accepted');
    }
  }

  onRefused(refusal: CallRefusal): void {
    this.raise('refused', refusalTermination(refusal, this.#announced));
  }

  // ---- the table's actions --------------------------------------------------------------------

  override perform(action: OutgoingAction, ending: Termination): void {
    switch (action) {
      case 'route':
        this.context.ports.log.warn('The host did not say in time whether the users of a call are enabled; the call goes on.', {
          callId: this.callId,
        });
        this.#route();
        return;
      case 'invite':
        this.#invite();
        return;
      case 'cancel':
        this.#call?.cancel(this.#cancelReason);
        return;
      case 'bye':
        this.dialog?.bye(this.#byeReason);
        return;
      case 'tellTrying':
        this.#tellState('trying');
        return;
      case 'tellRinging':
        this.times.rang();
        this.#tellState('ringing');
        return;
      case 'tellProgress':
        this.#tellState('progress');
        return;
      case 'tellTalking':
        this.#tellState('talking');
        this.#forgetAnswer();
        return;
      case 'tellEnded':
        this.tellEnded(ending);
    }
  }

  protected override get caller(): ConversationParts['caller'] {
    return { from: this.#asked.from, mappingId: this.#way?.mapping.id };
  }

  protected override get farEnd(): RemoteParty {
    const { to } = this.#asked;
    const uri = this.#way?.to ?? writeTarget(to);
    return 'peer' in to ? { uri, peer: to.peer } : { uri };
  }

  protected override get displayName(): string | undefined {
    return this.#way?.displayName;
  }

  #route(caller?: HostUser, callee?: HostUser): void {
    const { mappings, accounts } = this.context.ports;
    const { dialling } = this.context.settings;
    const decision = routeOutgoing(this.#asked, { mappings, dialling }, {
      caller: caller?.disabled === true,
      callee: callee?.disabled === true,
    });
    if ('refuse' in decision) {
      this.raise('unroutable', decision.refuse);
      return;
    }
    const { mapping, uri } = decision.place;
    const account = accounts.accountOf(mapping.id);
    if (account === undefined) {
      this.raise('unroutable', localTable.noAccount);
      return;
    }
    // The mapping's own display name stands before what the messenger calls its user.
    const displayName = this.#asked.displayName ?? (mapping.displayName === undefined ? caller?.name : undefined);
    const isWhole = this.#gathering?.isComplete !== false;
    const passage = this.#passOffer(isWhole);
    if ('unfit' in passage) {
      this.raise('unroutable', passage.unfit.ending);
      return;
    }
    this.#offer = passage.description.sdp;
    if (isWhole) this.#gathering = undefined;
    this.#way = { account, mapping, to: uri, displayName };
    this.raise(isWhole ? 'routed' : 'routedPartial');
  }

  /** The offer, once it is whole with its candidates, through the profile. */
  #passOffer(isWhole: boolean): Passage {
    const sdp = isWhole && this.#gathering !== undefined ? this.#gathering.applyTo(this.#offer) : this.#offer;
    return this.pass({ type: 'offer', sdp }, 'host', isWhole);
  }

  #invite(): void {
    if (this.#way === undefined) return;
    const { account, to, displayName } = this.#way;
    // What it lacks was looked for when the call was routed: candidates are all that has come since.
    const passage = this.#gathering === undefined ? undefined : this.#passOffer(true);
    const sdp = passage !== undefined && 'description' in passage ? passage.description.sdp : this.#offer;
    this.#offer = '';
    this.#call = account.invite({ to, sdp, displayName }, this);
    this.context.ports.recorder?.onLeg(this.callId, this.#call.callId);
    this.noteDown();
  }

  #hangUp(reason: HangupReason): void {
    this.#cancelReason = hangupTable[reason].cancel;
    this.#byeReason = hangupTable[reason].bye;
    this.raise('hangup', hangupTermination(reason, false));
  }

  #receive(response: { sdp?: string; remote?: NameAddress }): void {
    const { sdp, remote } = response;
    this.#remote = remote;
    this.#description = undefined;
    if (sdp === undefined) return;
    if (sdp !== this.#sdp) this.#passage = this.pass({ type: 'answer', sdp }, 'sip');
    this.#sdp = sdp;
    if (this.#passage !== undefined && 'description' in this.#passage) this.#description = this.#passage.description;
  }

  /** It is with the host now. A call may last for hours, and needs none of it. */
  #forgetAnswer(): void {
    this.#sdp = undefined;
    this.#passage = undefined;
    this.#description = undefined;
    this.#remote = undefined;
  }

  get #unfit(): Unfit | undefined {
    return this.#passage !== undefined && 'unfit' in this.#passage ? this.#passage.unfit : undefined;
  }

  #tellState(state: CallState): void {
    const update: CallUpdate = { type: 'state', callId: this.callId, state };
    if (this.#description !== undefined) update.description = this.#description;
    if (this.#remote !== undefined) update.remote = remoteParty(this.#remote, this.context.ports.mappings);
    this.tell(update);
  }
}
