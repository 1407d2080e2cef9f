/**
 * A call that talks: offers and answers of both sides (`negotiationTable`), tones, transfer. One for each answered call, whoever placed it;
 * its session alone speaks to it.
 */
import { messageOf } from '../base/errors.js';
import { second } from '../base/units.js';
import type { CallUpdate, SessionDescription } from '../host/contract.js';
import type { CallDialog, CallRefusal, RemoteOffer } from '../sip/types.js';
import type { Call } from './call-table.js';
import type { TakenCommand } from './command.js';
import { Gathering } from './gathering.js';
import { hangupTable } from './hangup.js';
import { notAcceptable, type Origin, type Passage, type Unfit } from './media-passage.js';
import {
  negotiationTable,
  type NegotiationAction,
  type NegotiationEvent,
  type NegotiationGuard,
  type NegotiationState,
} from './negotiation-state.js';
import { wayToNewParty, type NewPartyRules } from './new-party.js';
import type { CallPorts, CallSettings } from './ports.js';
import { StateMachine, type StateMachineOwner } from './state-machine.js';
import { localTable, type Termination } from './termination.js';
import { Tones } from './tones.js';
import { Transfer } from './transfer.js';

/** How long the host may take to answer an offer, milliseconds: an UPDATE is given up by its sender after 32 s (RFC 3261 17.1.2.2). */
export const replyTimeoutMs = 10 * second;
/** The stack cancels a re-INVITE after 32 s and gives it up after as many more; this is the net under it, milliseconds. */
const netTimeoutMs = 70 * second;
/** RFC 3261 14.1: in units of 10 ms, by chance. */
const glareUnitMs = 10;
/** How often an offer is sent again when both sides offer at once. */
const mostTries = 5;

/** As a browser's keypad (RTCDTMFSender), milliseconds. */
const toneMs = 100;

/** No status came in time: as if the far end were silent. */
const unanswered: CallRefusal = { status: 408, phrase: 'Request Timeout' };
/** The far end's offer goes first. */
const givenWay: CallRefusal = { status: 491, phrase: 'Request Pending' };

/** The commands of a call that talks. */
export type TalkCommand = Extract<TakenCommand, { type: 'offer' | 'answer' | 'candidates' | 'dtmf' | 'transfer' }>;

export interface ConversationParts extends NewPartyRules {
  readonly callId: string;
  readonly dialog: CallDialog;
  /** We made the Call-ID: it is our call (RFC 3261 14.1). */
  readonly isOwner: boolean;
  readonly settings: CallSettings;
  readonly ports: CallPorts;
  readonly tell: (update: CallUpdate) => void;
  /** Another call, to be taken over. @throws CallNotFoundError */
  readonly otherCall: (callId: string) => Call;
  /** Every offer and answer goes through here. @param isWhole false: candidates are still to come */
  readonly pass: (description: SessionDescription, origin: Origin, isWhole: boolean) => Passage;
  /** The SIP side is ended: the call is over. */
  readonly end: (ending: Termination) => void;
  /** Who waits for both sides to agree on their media, or not to. */
  readonly agreement?: { reached(): void; missed(): void };
}

export class Conversation implements StateMachineOwner<NegotiationAction, NegotiationGuard, undefined> {
  readonly #negotiation: StateMachine<NegotiationState, NegotiationEvent, NegotiationAction, NegotiationGuard, undefined>;
  /** Our side's description that is to be sent. */
  #local: SessionDescription = { type: 'offer', sdp: '' };
  #gathering: Gathering | undefined;
  #tries = 0;
  /** The far end's last answer as it came, and why it gave none. */
  #answer = '';
  #refusal: CallRefusal = unanswered;
  #offer: RemoteOffer | undefined;
  /** What the far end offers or answers, as the host is told it. */
  #remote: SessionDescription = { type: 'offer', sdp: '' };

  /** Once they are asked for. */
  #tones: Tones | undefined;
  #transfer: Transfer | undefined;

  constructor(private readonly parts: ConversationParts) {
    this.#negotiation = new StateMachine(negotiationTable, parts.ports.clock, this);
  }

  /** @returns false when the command does not fit; nothing has happened then */
  take(command: TalkCommand): boolean {
    switch (command.type) {
      case 'offer':
        return this.#describe(command, 'stable', this.#gathering);
      case 'answer':
        return this.#describe(command, 'offered', this.#gathering);
      case 'candidates':
        // Candidates of a description that has gone already are of no use any more, and nobody's mistake.
        this.#gathering?.add(command.candidates, command.endOfCandidates === true);
        if (this.#gathering?.isComplete === true) this.#raise('gathered');
        return true;
      case 'dtmf':
        this.#tones ??= new Tones(this.parts.dialog, this.parts.ports.clock, (status) => {
          this.#warn(`The other side takes no DTMF by INFO (${String(status)}). Tones in the media (RFC 4733) may do.`);
        });
        return this.#tones.send(command.tones, command.durationMs ?? toneMs);
      case 'transfer':
        return this.#startTransfer(command.to);
    }
  }

  /** The host offers nothing: the far end is asked to. Nothing when an offer is under way. */
  ask(): void {
    this.#raise('ask');
  }

  /** No offer is under way. */
  get isStable(): boolean {
    return this.#negotiation.state === 'stable';
  }

  /** The host has asked for a transfer, and it is not over. */
  get isTransferring(): boolean {
    return this.#transfer?.isUnderWay === true;
  }

  /** The far end has hung up. @returns whether that is how a transfer ended */
  hungUp(): boolean {
    return this.#transfer?.hungUp() === true;
  }

  receiveOffer(offer: RemoteOffer): void {
    const passage = this.parts.pass({ type: 'offer', sdp: offer.sdp }, 'sip', true);
    if ('unfit' in passage) {
      this.#warn(`${passage.unfit.ending.message} The offer was refused, and the call goes on.`);
      offer.reject(notAcceptable.status);
      this.#raise('unasked');
      return;
    }
    const previous = this.#offer;
    this.#offer = offer;
    this.#remote = passage.description;
    if (!this.#raise('remoteOffer')) {
      // One is under way that the stack did not know of.
      this.#offer = previous;
      offer.reject(givenWay.status);
      return;
    }
    offer.onWithdrawn = () => {
      if (this.#offer === offer) this.#raise('withdrawn');
    };
  }

  /** The answer to our last description, which the far end had us repeat. The host is told when it says something new. */
  receiveAnswer(sdp: string): void {
    if (sdp !== this.#answer && this.#takeAnswer(sdp)) this.#tellRemote();
  }

  /** The host goes on with another far end. */
  replace(): void {
    this.#raise('replaced');
    this.end();
  }

  /** The call has ended. */
  end(): void {
    this.#raise('ended');
    this.#tones?.end();
    this.#transfer?.end();
  }

  // ---- the table's actions --------------------------------------------------------------------

  perform(action: NegotiationAction): void {
    switch (action) {
      case 'send':
        this.#send();
        return;
      case 'ask':
        this.#ask();
        return;
      case 'accept':
        this.#completeLocal();
        this.#offer?.accept(this.#local.sdp);
        return;
      case 'refuse':
        this.#offer?.reject(notAcceptable.status);
        return;
      case 'refuseGlare':
        this.#offer?.reject(givenWay.status);
        return;
      case 'tellOffer':
        // What the host gathers from here on belongs to its answer.
        this.#gathering = new Gathering();
        this.#tellRemote();
        return;
      case 'tellAnswer':
        this.#tellRemote();
        return;
      case 'tellRejected':
        this.#tellRejected(this.#refusal);
        return;
      case 'tellGivenWay':
        this.#tellRejected(givenWay);
        return;
      case 'agree':
        this.parts.agreement?.reached();
        return;
      case 'miss':
        this.parts.agreement?.missed();
    }
  }

  failed(action: NegotiationAction, thrown: unknown): void {
    this.parts.ports.log.error(`A call could not do what it should (${action}): ${messageOf(thrown)}`, { callId: this.parts.callId });
  }

  limitOf(guard: NegotiationGuard): number {
    switch (guard) {
      case 'candidates':
        return this.parts.settings.candidateTimeoutMs;
      case 'reply':
        return replyTimeoutMs;
      case 'net':
        return netTimeoutMs;
      case 'glare': {
        // RFC 3261 14.1: the owner of the Call-ID waits 2.1 to 4 s, the other side 0 to 2 s.
        const [least, most] = this.parts.isOwner ? [210, 400] : [0, 200];
        const { random = Math.random } = this.parts.ports;
        return (least + Math.floor(random() * (most - least + 1))) * glareUnitMs;
      }
    }
  }

  ranOut(guard: NegotiationGuard): void {
    if (guard === 'reply') this.#warn('The host did not answer an offer of the far end in time. It was refused, and the call goes on.');
    this.#refusal = unanswered;
    this.#raise('timeout');
  }

  #raise(event: NegotiationEvent): boolean {
    return this.#negotiation.raise(event, undefined);
  }

  /** @throws CallNotFoundError */
  #startTransfer(to: Extract<TalkCommand, { type: 'transfer' }>['to']): boolean {
    const { callId, dialog, ports, tell, otherCall } = this.parts;
    this.#transfer ??= new Transfer({
      callId,
      dialog,
      clock: ports.clock,
      tell,
      onAccepted: () => {
        dialog.bye(hangupTable.normal.bye);
        this.parts.end(localTable.transferred);
      },
    });
    if ('callId' in to) {
      const other = otherCall(to.callId);
      const { replacement } = other;
      if (replacement === undefined || to.callId === callId) return false;
      return this.#transfer.start(replacement, { stop: () => { other.stop(localTable.transferred); } });
    }
    const way = wayToNewParty(to, this.parts);
    if ('place' in way) return this.#transfer.start(way.place.uri);
    this.#warn(`A call was not transferred: ${way.refuse.message}`);
    return this.#transfer.refuse();
  }

  /** The host's offer in `stable`, or its answer in `offered`; nothing in another state. */
  #describe(command: Extract<TalkCommand, { type: 'offer' | 'answer' }>, fits: NegotiationState, early: Gathering | undefined): boolean {
    if (this.#negotiation.state !== fits) return false;
    const { type, description, candidatesComplete } = command;
    this.#tries = 0;
    // Candidates may overtake the answer they belong to; an offer begins anew.
    this.#gathering = candidatesComplete === false ? ((type === 'answer' ? early : undefined) ?? new Gathering()) : undefined;
    const passage = this.parts.pass(description, 'host', this.#gathering === undefined);
    if ('unfit' in passage) return this.#refuseHost(type, passage.unfit);
    this.#local = passage.description;
    return this.#raise(this.#gathering?.isComplete === false ? `${type}Partial` : type);
  }

  /** What the host describes is not sent: its offer comes to nothing, as does the one that it answers. */
  #refuseHost(type: 'offer' | 'answer', { ending }: Unfit): true {
    this.#warn(`${ending.message} It was not sent, and the call goes on.`);
    if (type === 'offer') this.#tellRejected(notAcceptable);
    else this.#raise('unfit');
    return true;
  }

  /** With the candidates that were gathered; what it lacks was looked for when it came. */
  #completeLocal(): void {
    if (this.#gathering === undefined) return;
    const { type, sdp } = this.#local;
    const passage = this.parts.pass({ type, sdp: this.#gathering.applyTo(sdp) }, 'host', true);
    if ('description' in passage) this.#local = passage.description;
    this.#gathering = undefined;
  }

  #send(): void {
    this.#tries += 1;
    this.#completeLocal();
    this.parts.dialog.offer(this.#local.sdp, {
      onAnswered: (sdp) => {
        if (this.#negotiation.state !== 'over' && this.#takeAnswer(sdp)) this.#raise('answered');
      },
      onRefused: (refusal) => {
        this.#refusal = refusal;
        this.#raise(refusal.status === 491 && this.#tries < mostTries ? 'glare' : 'rejected');
      },
    });
  }

  #ask(): void {
    this.parts.dialog.askForOffer({
      onOffer: (offer) => {
        this.receiveOffer(offer);
      },
      onRefused: ({ status, phrase }) => {
        this.#warn(`The other side was asked for an offer, and has none (${status} ${phrase}).`);
        this.#raise('unasked');
      },
    });
  }

  /** @returns false when the call ends because of it: both sides have no session any more */
  #takeAnswer(sdp: string): boolean {
    this.#answer = sdp;
    const passage = this.parts.pass({ type: 'answer', sdp }, 'sip', true);
    if ('description' in passage) {
      this.#remote = passage.description;
      return true;
    }
    this.parts.dialog.bye(passage.unfit.reason);
    this.parts.end(passage.unfit.ending);
    return false;
  }

  #tellRemote(): void {
    const { callId, tell } = this.parts;
    const { type } = this.#remote;
    tell({ type, callId, description: this.#remote });
  }

  #tellRejected({ status, retryAfterMs }: Pick<CallRefusal, 'status' | 'retryAfterMs'>): void {
    const { callId, tell } = this.parts;
    tell({ type: 'offerRejected', callId, status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  }

  #warn(message: string): void {
    this.parts.ports.log.warn(message, { callId: this.parts.callId });
  }
}
