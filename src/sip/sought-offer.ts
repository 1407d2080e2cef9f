/**
 * One offer that we ask the far end for in a dialog: a re-INVITE without SDP (RFC 3261 14.1). Its 2xx has the offer, and our answer goes with the ACK
 * (13.2.2.4), which waits until there is one; an ACK has no other way to refuse than an answer that takes no stream.
 */
import type { IncomingResponseMessage, ResponseOptions, SessionDialog } from 'sip.js/lib/core/index.js';
import type { Clock, Timer } from '../base/clock.js';
import { second } from '../base/units.js';
import { sdpOf } from './parser/body.js';
import { ReceivedOffer } from './received-offer.js';
import { refusingAnswer } from './refusing-answer.js';
import { Reinvite, type Acknowledge } from './reinvite.js';
import type { CallRefusal, RemoteOffer } from './types.js';

/** The far end waits for the ACK since its 2xx left, 64*T1 = 32 s, and ends the call then (RFC 3261 13.3.1.4). */
const decisionLimitMs = 30 * second;

const withoutOffer: CallRefusal = { status: 488, phrase: 'Not Acceptable Here', unanswerable: 'The far end was asked for an offer and made none' };

interface SoughtOfferParts {
  readonly clock: Clock;
  /** Whole lines. */
  readonly headers: string[];
  /** What we said last. */
  readonly localSdp: string;
  /** Its 2xx, before the offer is told. */
  readonly onAccepted: (response: IncomingResponseMessage) => void;
  /** One of these is told once, unless `drop` comes before. */
  readonly onOffer: (offer: RemoteOffer) => void;
  readonly onRefused: (refusal: CallRefusal) => void;
  /** The ACK has gone, with our answer. */
  readonly onAnswered: (offer: string, answer: string) => void;
  /** The ACK has gone: no stream is left. */
  readonly onRejected: (status: number) => void;
  /** Nobody has answered in time; the call is to end, and so the ACK goes. */
  readonly onForgotten: () => void;
}

export class SoughtOffer extends Reinvite {
  #offer: ReceivedOffer | undefined;
  #forgotten: Timer | undefined;

  constructor(
    dialog: SessionDialog,
    private readonly parts: SoughtOfferParts,
  ) {
    super(dialog, parts.clock, parts.headers, undefined);
  }

  override drop(): void {
    super.drop();
    this.#offer?.withdraw();
  }

  protected override accepted(message: IncomingResponseMessage, isCallOver: boolean, acknowledge: Acknowledge): void {
    const { parts } = this;
    const sdp = sdpOf(message);
    if (!isCallOver) parts.onAccepted(message);
    if (sdp === undefined) {
      acknowledge();
      if (!isCallOver) parts.onRefused(withoutOffer);
      return;
    }
    const refuse = (): void => {
      acknowledge(refusingAnswer(sdp, parts.localSdp));
    };
    if (isCallOver) refuse();
    else this.#tell(sdp, acknowledge, refuse);
  }

  protected override refused(refusal: CallRefusal): void {
    this.parts.onRefused(refusal);
  }

  #tell(sdp: string, acknowledge: Acknowledge, refuse: () => void): void {
    const { clock, parts } = this;
    const server = {
      accept: ({ body }: ResponseOptions) => { acknowledge(body?.content); },
      reject: refuse,
    };
    this.#offer = new ReceivedOffer(sdp, server, () => [], (end) => {
      this.#forgotten?.cancel();
      if ('answer' in end) parts.onAnswered(sdp, end.answer);
      else parts.onRejected(end.status);
    });
    this.#forgotten = clock.after(decisionLimitMs, parts.onForgotten);
    parts.onOffer(this.#offer);
  }
}
