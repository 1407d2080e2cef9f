/** One offer of ours in a dialog: a re-INVITE whose 2xx has the answer (RFC 3261 14.1). */
import type { IncomingResponseMessage, SessionDialog } from 'sip.js/lib/core/index.js';
import type { Clock } from '../base/clock.js';
import { sdpOf } from './parser/body.js';
import { Reinvite, type Acknowledge } from './reinvite.js';
import type { CallRefusal } from './types.js';

const withoutAnswer: CallRefusal = { status: 488, phrase: 'Not Acceptable Here', unanswerable: 'The far end took the offer without an answer' };

interface LocalOfferParts {
  readonly clock: Clock;
  /** Whole lines. */
  readonly headers: string[];
  /** Its 2xx, before the answer is told. */
  readonly onAccepted: (response: IncomingResponseMessage) => void;
  /** One of these is told once, unless `drop` comes before. */
  readonly onAnswered: (sdp: string) => void;
  readonly onRefused: (refusal: CallRefusal) => void;
}

export class LocalOffer extends Reinvite {
  constructor(
    dialog: SessionDialog,
    sdp: string,
    private readonly parts: LocalOfferParts,
  ) {
    super(dialog, parts.clock, parts.headers, sdp);
  }

  protected override accepted(message: IncomingResponseMessage, isCallOver: boolean, acknowledge: Acknowledge): void {
    acknowledge();
    if (isCallOver) return;
    this.parts.onAccepted(message);
    const answer = sdpOf(message);
    if (answer === undefined) this.parts.onRefused(withoutAnswer);
    else this.parts.onAnswered(answer);
  }

  protected override refused(refusal: CallRefusal): void {
    this.parts.onRefused(refusal);
  }
}
