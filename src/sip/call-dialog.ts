/** An answered call, over SIP.js's session: the same whoever placed it. */
import type {
  IncomingByeRequest,
  IncomingInfoRequest,
  IncomingInviteRequest,
  IncomingRequestMessage,
  Session,
  SessionDelegate,
  SessionDialog,
  UserAgentServer,
} from 'sip.js/lib/core/index.js';
import type { Clock, Timer } from '../base/clock.js';
import { callRefusalOf } from './call-refusal.js';
import { dtmfTypes, toneBody, toneOf } from './dtmf-info.js';
import type { CallDelegate, FinalResponse } from './internals.js';
import { forgetInvite } from './forget-invite.js';
import { LocalOffer } from './local-offer.js';
import { endOfDialog, type DialogEnd } from './loose-end.js';
import { sdpOf } from './parser/body.js';
import { ReceivedOffer, type OfferServer } from './received-offer.js';
import { Referrals } from './referrals.js';
import { reasonOf, retrySoon, writeReason } from './response-headers.js';
import { originOf, sessionBody } from './session-body.js';
import { SessionRefresher, type SessionStart } from './session-refresher.js';
import { SoughtOffer } from './sought-offer.js';
import { refreshTarget } from './target-refresh.js';
import type { CallDialog, CallRefusal, DialogEvents, OfferEvents, ReasonValue, ReferEvents, SoughtOfferEvents } from './types.js';

/** RFC 3261 table 4: 64*T1. */
const ackTimeoutMs = 32_000;

const requestPending: CallRefusal = { status: 491, phrase: 'Request Pending' };
const offerForgotten: CallRefusal = {
  status: 408,
  phrase: 'Request Timeout',
  local: { code: 'SIP_TIMEOUT', message: 'The offer that the far end was asked for was not answered in time' },
};

export interface CallDialogOptions {
  readonly awaitsAck: boolean;
  readonly localSdp: string;
  /** What the far end said last, if that is known. */
  readonly remoteSdp: string | undefined;
  readonly start: SessionStart;
}

/**
 * States: open -> closed. Whoever closes it first, `bye` or the far end's BYE, closes it for good. While it is open one offer at most is
 * under way: ours, theirs, or an answer of ours to a re-INVITE whose ACK has not come.
 */
export class SessionCallDialog implements CallDialog {
  #isOpen = true;
  /** RFC 3261 15: the callee sends no BYE before the ACK of its 2xx has come, or before 64*T1. */
  #byeAfterAck: { reason?: ReasonValue } | undefined;
  #awaitsAck: boolean;
  readonly #dialog: SessionDialog;
  /** What whoever answered the INVITE hears, until it is acknowledged. */
  #inviting: SessionDelegate | undefined;
  /** What we last offered or answered that was taken. */
  #localSdp: string;
  /** The `o=` of what the far end said last: the same as long as the description is (RFC 3264 8). */
  #remoteOrigin: string | undefined;
  #ours: LocalOffer | SoughtOffer | undefined;
  #theirs: ReceivedOffer | undefined;
  readonly #referrals: Referrals;
  /** Our 2xx to a re-INVITE waits for its ACK; `isOffer`: the ACK brings the answer. */
  #answered: { readonly cseq: number; readonly isOffer: boolean; readonly limit: Timer } | undefined;
  readonly #refresher: SessionRefresher;

  constructor(
    private readonly session: Session,
    private readonly events: DialogEvents,
    private readonly clock: Clock,
    options: CallDialogOptions,
  ) {
    this.#awaitsAck = options.awaitsAck;
    this.#localSdp = options.localSdp;
    this.#remoteOrigin = originOf(options.remoteSdp);
    this.#dialog = session as unknown as SessionDialog; // there is no other kind
    this.#refresher = new SessionRefresher(this.#dialog, clock, options.start, {
      offerAgain: (onRefused) => this.#offerAgain(onRefused),
      lose: (refusal, reason) => {
        this.#lose(refusal, reason);
      },
    });
    this.#referrals = new Referrals(this.#dialog, clock, (referral) => {
      events.onReferral(referral);
    });
    this.#inviting = session.delegate;
    const delegate: CallDelegate = {
      replaceable: () => (this.#isOpen && this.#byeAfterAck === undefined ? this : undefined),
      onAckTimeout: () => {
        this.#inviting?.onAckTimeout?.();
      },
      onPrack: (request) => {
        if (this.#inviting?.onPrack === undefined) request.reject({ statusCode: 481 });
        else this.#inviting.onPrack(request);
      },
      onAck: (ack) => {
        void this.#inviting?.onAck?.(ack);
        this.#acknowledged(ack.message.cseq, sdpOf(ack.message));
      },
      onBye: (request) => {
        this.#receiveBye(request);
      },
      onRegistered: () => {
        this.#refresher.registered();
      },
      onInvite: (request) => {
        this.#receiveInvite(request);
      },
      onUpdate: (request) => {
        this.#receiveUpdate(request);
      },
      onInfo: (request) => {
        this.#receiveInfo(request);
      },
      onRefer: (request) => {
        // We have hung up: there is nobody to transfer.
        if (this.#byeAfterAck === undefined) this.#referrals.receive(request);
        else request.reject({ statusCode: 603 });
      },
      onNotify: (request) => {
        this.#referrals.receiveNotify(request);
      },
    };
    session.delegate = delegate;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  bye(reason?: ReasonValue): void {
    if (!this.#isOpen) return;
    if (this.#awaitsAck) {
      this.#byeAfterAck ??= { reason };
      return;
    }
    this.#close();
    this.session.bye(undefined, reason && { extraHeaders: [`Reason: ${writeReason(reason)}`] });
  }

  /** The ACK has come, or no longer will: a BYE that waited is sent, and of the INVITE nothing is kept. */
  confirm(): void {
    this.#awaitsAck = false;
    this.#inviting = undefined;
    forgetInvite(this.#dialog);
    if (this.#byeAfterAck !== undefined) this.bye(this.#byeAfterAck.reason);
  }

  get localSdp(): string {
    return this.#localSdp;
  }

  offer(sdp: string, events: OfferEvents): void {
    if (this.#mayOffer(events)) this.#sendOffer(sdp, events);
  }

  askForOffer(events: SoughtOfferEvents): void {
    if (this.#mayOffer(events)) this.#seekOffer(events);
  }

  sendTone(tone: string, durationMs: number, onDone: (status: number) => void): void {
    if (!this.#isOpen) return;
    const onFinal = ({ message }: { message: FinalResponse }): void => {
      if (!this.#isOpen) return;
      // RFC 5057 5.1: 481 is the end of the dialog; silence to INFO is but the end of the INFO.
      if (message.statusCode === 481) this.#lose(callRefusalOf(message));
      else onDone(message.statusCode ?? 0);
    };
    this.session.info({ onAccept: onFinal, onRedirect: onFinal, onReject: onFinal }, { body: toneBody(tone, durationMs) });
  }

  refer(referTo: string, events: ReferEvents): void {
    if (this.#isOpen) this.#referrals.send(referTo, events);
  }

  get replacement(): string {
    const { remoteTarget, remoteURI, routeSet, callId, localTag, remoteTag } = this.#dialog;
    // RFC 5589 7.3: a device behind a proxy may be out of reach for whoever is referred to it; the proxy knows its address of record.
    const isBehindProxy = routeSet.length > 0 && remoteURI.host !== 'anonymous.invalid';
    // RFC 3891 3: the tags as the far end of this call sees them.
    const replaces = encodeURIComponent(`${callId};to-tag=${remoteTag};from-tag=${localTag}`);
    return `${(isBehindProxy ? remoteURI : remoteTarget).toString()}?Replaces=${replaces}`;
  }

  /** RFC 3261 14.1: no re-INVITE while another INVITE is under way in either direction; 13.2.1: one offer at a time. */
  #mayOffer({ onRefused }: Pick<OfferEvents, 'onRefused'>): boolean {
    if (!this.#isOpen) return false;
    if (!this.#awaitsAck && !this.#isNegotiating) return true;
    setImmediate(() => {
      if (this.#isOpen) onRefused(requestPending);
    });
    return false;
  }

  #sendOffer(sdp: string, events: OfferEvents): void {
    this.#ours = new LocalOffer(this.#dialog, sdp, {
      ...this.#reinvite(events, () => { this.#sendOffer(sdp, events); }),
      onAnswered: (answer) => {
        this.#ours = undefined;
        this.#localSdp = sdp;
        events.onAnswered(answer);
        this.#remoteOrigin = originOf(answer);
      },
    });
  }

  #seekOffer(events: SoughtOfferEvents): void {
    this.#ours = new SoughtOffer(this.#dialog, {
      ...this.#reinvite(events, () => { this.#seekOffer(events); }),
      localSdp: this.#localSdp,
      onOffer: (offer) => {
        events.onOffer(offer);
      },
      onAnswered: (offer, answer) => {
        this.#ours = undefined;
        this.#localSdp = answer;
        this.#remoteOrigin = originOf(offer);
      },
      onRejected: (status) => {
        this.bye({ protocol: 'SIP', cause: status });
      },
      onForgotten: () => {
        this.#lose(offerForgotten);
      },
    });
  }

  /** What any re-INVITE of ours says, and what comes of one that is refused. */
  #reinvite(
    events: Pick<OfferEvents, 'onRefused'>,
    sendAgain: () => void,
  ): Pick<ConstructorParameters<typeof LocalOffer>[2], 'clock' | 'headers' | 'onAccepted' | 'onRefused'> {
    const isEnd = this.#refresher.judgeEnd();
    return {
      clock: this.clock,
      headers: this.#refresher.requestLines(),
      onAccepted: (response) => {
        this.#refresher.accepted(response);
      },
      onRefused: (refusal) => {
        this.#ours = undefined;
        if (isEnd(refusal)) this.#lose(refusal);
        else if (this.#refresher.takesInterval(refusal)) sendAgain();
        else events.onRefused(refusal);
      },
    };
  }

  /** Nobody but the far end hears of it, unless that says something else than before. */
  #offerAgain(onRefused: OfferEvents['onRefused']): boolean {
    if (this.#awaitsAck || this.#isNegotiating) return false;
    const onAnswered = (sdp: string): void => {
      if (this.#remoteOrigin !== undefined && this.#remoteOrigin !== originOf(sdp)) this.events.onAnswer(sdp);
    };
    this.#sendOffer(this.#localSdp, { onAnswered, onRefused });
    return true;
  }

  get looseEnd(): DialogEnd {
    return endOfDialog(this.#dialog);
  }

  get #isNegotiating(): boolean {
    return this.#ours !== undefined || this.#theirs !== undefined || this.#answered !== undefined;
  }

  // ---- what comes in --------------------------------------------------------------------------

  #receiveBye(request: IncomingByeRequest): void {
    request.accept();
    if (!this.#isOpen) return;
    this.#close();
    // We have hung up already: the owner is through with the call and hears no more.
    if (this.#byeAfterAck === undefined) this.events.onBye(reasonOf(request.message));
  }

  /** SIP.js has refused it already when a re-INVITE is under way, 491 or 500 (RFC 3261 14.2). */
  #receiveInvite(uas: IncomingInviteRequest): void {
    const { message } = uas;
    const sdp = sdpOf(message);
    if (this.#byeAfterAck !== undefined || this.#theirs !== undefined) {
      uas.reject({ statusCode: 500, extraHeaders: [retrySoon()] });
    } else if (sdp !== undefined) {
      // RFC 3261 17.2.1: the host takes longer than 200 ms.
      uas.trying();
      const offer = this.#offered(sdp, uas, () => {
        refreshTarget(this.#dialog, message);
        this.#awaitAck(message.cseq, false);
      });
      uas.delegate = { onCancel: () => { offer.withdraw(); } };
      this.events.onOffer(offer);
    } else if (message.body !== '') {
      uas.reject({ statusCode: 415, extraHeaders: ['Accept: application/sdp'] });
    } else {
      // RFC 3261 14.2: without an offer in it, the 2xx has one: what we said last holds still.
      uas.accept({ statusCode: 200, extraHeaders: this.#refresher.answer(message), body: sessionBody(this.#localSdp) });
      this.#awaitAck(message.cseq, true);
    }
  }

  /** RFC 3311 5.2. */
  #receiveUpdate(uas: UserAgentServer): void {
    const { message } = uas;
    const sdp = sdpOf(message);
    if (sdp === undefined) {
      refreshTarget(this.#dialog, message);
      uas.accept({ statusCode: 200, extraHeaders: this.#refresher.answer(message) });
    } else if (this.#ours !== undefined) {
      uas.reject({ statusCode: 491 });
    } else if (this.#isNegotiating || this.#byeAfterAck !== undefined) {
      uas.reject({ statusCode: 500, extraHeaders: [retrySoon()] });
    } else {
      this.events.onOffer(this.#offered(sdp, uas, () => { refreshTarget(this.#dialog, message); }));
    }
  }

  #receiveInfo(request: IncomingInfoRequest): void {
    const { message } = request;
    const tone = toneOf(message);
    // RFC 6086 4.2.2: a package that we do not know is 469.
    if (message.hasHeader('info-package')) request.reject({ statusCode: 469, extraHeaders: ['Recv-Info:'] });
    else if (tone === undefined && message.body !== '') request.reject({ statusCode: 415, extraHeaders: [`Accept: ${dtmfTypes.join(', ')}`] });
    else {
      request.accept();
      if (tone !== undefined && this.#byeAfterAck === undefined) this.events.onTone(tone);
    }
  }

  #offered(sdp: string, uas: OfferServer & { readonly message: IncomingRequestMessage }, onAccepted: () => void): ReceivedOffer {
    const offer = new ReceivedOffer(sdp, uas, () => this.#refresher.answer(uas.message), (end) => {
      this.#theirs = undefined;
      if ('status' in end) return;
      this.#localSdp = end.answer;
      this.#remoteOrigin = originOf(sdp);
      onAccepted();
    });
    this.#theirs = offer;
    return offer;
  }

  // ---- the ACK of a re-INVITE -----------------------------------------------------------------

  #awaitAck(cseq: number, isOffer: boolean): void {
    // RFC 3261 13.3.1.4, 14.2: no ACK within 64*T1: the session is ended with a BYE.
    this.#answered = { cseq, isOffer, limit: this.clock.after(ackTimeoutMs, () => { this.#lose(undefined); }) };
  }

  #acknowledged(cseq: number, sdp: string | undefined): void {
    const answered = this.#answered;
    if (answered?.cseq !== cseq) return;
    answered.limit.cancel();
    this.#answered = undefined;
    if (!answered.isOffer || sdp === undefined) return;
    this.#remoteOrigin = originOf(sdp);
    this.events.onAnswer(sdp);
  }

  // ---- the end --------------------------------------------------------------------------------

  #lose(refusal: CallRefusal | undefined, reason?: ReasonValue): void {
    if (!this.#isOpen) return;
    this.bye(reason);
    this.events.onLost(refusal);
  }

  #close(): void {
    this.#isOpen = false;
    this.#refresher.end();
    this.#ours?.drop();
    this.#referrals.drop();
    this.#answered?.limit.cancel();
    // RFC 3261 15.1.2: what waits for an answer still gets one.
    this.#theirs?.withdraw();
  }
}
