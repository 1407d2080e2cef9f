/**
 * Whom an answered call talks with: its far end, and while that hands the call over (`handover`), the new party too. It holds the dialog that
 * the call goes on in, and the conversation that commands and offers belong to: the new party's from when it has answered. Made at the
 * first use: most calls are answered and hung up.
 */
import type { RemoteParty } from '../host/contract.js';
import { asFreshOffer } from '../sdp/fresh-offer.js';
import type { CallDialog, DialogEvents, IncomingCall, LooseEnd, ReceivedReferral, RemoteOffer } from '../sip/types.js';
import { Conversation, type ConversationParts, type TalkCommand } from './conversation.js';
import { Handover, type HandedCall, type HandoverWay } from './handover.js';
import { hangupTable } from './hangup.js';
import { wayToNewParty } from './new-party.js';
import { Replacement } from './replacement.js';
import { localTable } from './termination.js';

/** What a far end is told whose request meets another one. */
const requestPending = 491;

export interface TalkParts extends Omit<ConversationParts, 'dialog' | 'agreement'> {
  readonly dialog: CallDialog;
  /** Who the far end is, for the host. */
  readonly farEnd: RemoteParty;
  /** What the user's INVITEs call it; the account's own name when undefined. */
  readonly displayName: string | undefined;
  /** Where a far end's events go: the call. */
  readonly events: DialogEvents;
  /** What ends the call is another than before. */
  readonly onChanged: () => void;
}

export class Talk {
  #dialog: CallDialog | undefined;
  #conversation: Conversation | undefined;
  #handover: Handover | undefined;
  #replacement: Replacement | undefined;
  #farEnd: RemoteParty;
  /** We made the Call-ID. */
  #isOwner: boolean;

  constructor(private readonly parts: TalkParts) {
    this.#dialog = parts.dialog;
    this.#farEnd = parts.farEnd;
    this.#isOwner = parts.isOwner;
    this.#conversation = this.#converse(parts.dialog, parts);
  }

  /** The far end's; undefined when it has hung up, and the call goes on. */
  get dialog(): CallDialog | undefined {
    return this.#dialog;
  }

  /** While the call is handed over nobody can take it over. */
  get replacement(): string | undefined {
    return this.#isChangingHands ? undefined : this.#dialog?.replacement;
  }

  get looseEnd(): LooseEnd | undefined {
    return this.#dialog?.looseEnd ?? this.#handover?.looseEnd;
  }

  /** @returns false when the command does not fit; nothing has happened then */
  take(command: TalkCommand): boolean {
    if (command.type === 'transfer' && this.#isChangingHands) return false;
    return this.#conversation?.take(command) === true;
  }

  receiveOffer(offer: RemoteOffer): void {
    // The new party's do not come this way.
    if (this.#handingOver?.hasJoined === true) offer.reject(requestPending);
    else this.#conversation?.receiveOffer(offer);
  }

  receiveAnswer(sdp: string): void {
    if (this.#handingOver?.hasJoined !== true) this.#conversation?.receiveAnswer(sdp);
  }

  receiveTone(tone: string): void {
    const { callId, tell } = this.parts;
    tell({ type: 'dtmf', callId, tones: tone });
  }

  receiveReferral(referral: ReceivedReferral): void {
    const { ports, callId } = this.parts;
    const dialog = this.#dialog;
    if (dialog === undefined || this.#isChangingHands) {
      referral.reject(requestPending);
      return;
    }
    const way = wayToNewParty({ address: referral.target }, this.parts);
    const account = 'place' in way ? ports.accounts.accountOf(way.place.mapping.id) : undefined;
    if ('refuse' in way || account === undefined) {
      const { reason, message } = 'refuse' in way ? way.refuse : localTable.noAccount;
      ports.log.info(`The far end wants a call handed over, which is refused: ${message}`, { callId });
      referral.reject(reason === 'callee_not_found' ? 404 : 403);
      return;
    }
    const { uri: to } = way.place;
    ports.log.info(`The far end hands a call over to ${to}.`, { callId });
    referral.accept();
    const { displayName } = this.parts;
    const { replaces, referredBy } = referral;
    const sdp = asFreshOffer(dialog.localSdp);
    const invite: HandoverWay['invite'] = (events) => account.invite({ to, sdp, displayName, replaces, referredBy }, events);
    this.#handover = new Handover({ to, referral, invite }, this.#handedCall);
    ports.recorder?.onLeg(callId, this.#handover.sipCallId);
  }

  /** Somebody calls to take the far end's place (RFC 3891). @param sdp its offer, as the host is to have it */
  receiveReplacement(call: IncomingCall, party: RemoteParty, sdp: string): void {
    const conversation = this.#conversation;
    if (this.#isChangingHands || conversation?.isStable !== true) {
      call.reject(requestPending);
      return;
    }
    const { ports, callId, events } = this.parts;
    const replacement = new Replacement(call, sdp, {
      events,
      adopt: (dialog) => {
        this.#adopt(dialog, party, false);
        conversation.replace();
        this.#conversation = this.#converse(dialog, { ...this.parts, isOwner: false });
      },
      goBack: () => {
        this.#tellParty(this.#farEnd);
      },
    });
    call.events = replacement;
    ports.log.info(`${party.uri} takes the place of the far end of a call.`, { callId });
    ports.recorder?.onLeg(callId, call.callId);
    this.#replacement = replacement;
    this.#tellParty(party);
    conversation.receiveOffer(replacement);
  }

  /**
   * The far end has hung up (`bye`), or is gone (`lost`).
   * @returns what that means: it was asked to transfer the call, and did; it has handed the call over, which goes on; else undefined
   */
  left(how: 'bye' | 'lost'): 'transferred' | 'handedOver' | undefined {
    if (this.#handover?.left() === true) {
      this.#dialog = undefined;
      if (!this.#handover.hasJoined) {
        this.#conversation?.replace();
        this.#conversation = undefined;
      }
      this.parts.onChanged();
      return 'handedOver';
    }
    return how === 'bye' && this.#conversation?.hungUp() === true ? 'transferred' : undefined;
  }

  /** The call has ended. */
  end(): void {
    this.#conversation?.end();
    this.#handover?.ended();
    this.#replacement?.end();
  }

  /** One at a time, whoever wants it. */
  get #isChangingHands(): boolean {
    return this.#handingOver !== undefined || this.#replacement?.isOffered === true || this.#conversation?.isTransferring === true;
  }

  get #handingOver(): Handover | undefined {
    return this.#handover?.isOver === false ? this.#handover : undefined;
  }

  /** What the handover does with the call. */
  get #handedCall(): HandedCall {
    const { callId, ports, settings, events, end } = this.parts;
    return {
      callId,
      ports,
      ringTimeoutMs: settings.ringTimeoutMs,
      events,
      join: (dialog, party, terms) => {
        const conversation = this.#converse(dialog, { isOwner: true, ...terms });
        this.#conversation?.replace();
        this.#conversation = conversation;
        this.#tellParty(party);
        return conversation;
      },
      goBack: () => {
        this.#conversation?.replace();
        this.#conversation = this.#dialog && this.#converse(this.#dialog, { isOwner: this.#isOwner, end });
        this.#tellParty(this.#farEnd);
      },
      adopt: (dialog, party) => {
        this.#adopt(dialog, party, true);
      },
      end,
    };
  }

  /** The call goes on in that dialog, and the far end that was is let go. */
  #adopt(dialog: CallDialog, party: RemoteParty, isOwner: boolean): void {
    this.#dialog?.bye(hangupTable.normal.bye);
    this.#dialog = dialog;
    this.#farEnd = party;
    this.#isOwner = isOwner;
    this.parts.onChanged();
  }

  /** The host is told that the call is another party's. */
  #tellParty(remote: RemoteParty): void {
    const { callId, tell } = this.parts;
    tell({ type: 'state', callId, state: 'talking', remote });
  }

  #converse(dialog: CallDialog, terms: Pick<ConversationParts, 'isOwner' | 'end' | 'agreement'>): Conversation {
    return new Conversation({ ...this.parts, ...terms, dialog });
  }
}
