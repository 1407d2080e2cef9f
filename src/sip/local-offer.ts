/**
 * One offer of ours in a dialog: a re-INVITE as a UAC (RFC 3261 14.1).
 *
 * States: `sent` -> `cancelled` when no final response came within 64*T1 -> `over`. This file alone changes the state.
 */
import type { IncomingResponseMessage, OutgoingInviteRequest, SessionDialog } from 'sip.js/lib/core/index.js';
import type { Clock, Timer } from '../base/clock.js';
import { callRefusalOf } from './call-refusal.js';
import { credentialLines } from './challenges.js';
import type { SentRequest } from './internals.js';
import { sdpOf } from './parser/body.js';
import { sessionBody } from './session-body.js';
import { refreshTarget } from './target-refresh.js';
import type { CallRefusal } from './types.js';

/** RFC 3261 table 4: 64*T1. */
const answerTimeoutMs = 32_000;

const withoutAnswer: CallRefusal = { status: 488, phrase: 'Not Acceptable Here', unanswerable: 'The far end took the offer without an answer' };
const silence: CallRefusal = {
  status: 408,
  phrase: 'Request Timeout',
  local: { code: 'SIP_TIMEOUT', message: 'Nobody answered the re-INVITE, nor its CANCEL' },
};

interface LocalOfferParts {
  readonly clock: Clock;
  /** Whole lines. */
  readonly headers: string[];
  /** Its 2xx, before `onEnd`. */
  readonly onAccepted: (response: IncomingResponseMessage) => void;
  /** The answer, or why there is none; told once, unless `drop` comes before. */
  readonly onEnd: (end: { answer: string } | { refusal: CallRefusal }) => void;
}

export class LocalOffer {
  #state: 'sent' | 'cancelled' | 'over' = 'sent';
  #limit: Timer;
  readonly #uac: OutgoingInviteRequest;

  constructor(
    dialog: SessionDialog,
    sdp: string,
    private readonly parts: LocalOfferParts,
  ) {
    this.#uac = dialog.invite(
      {
        onAccept: (response) => {
          // RFC 3261 12.2.1.2: the ACK goes to the new target already.
          refreshTarget(dialog, response.message);
          response.ack({ extraHeaders: credentialLines(this.#uac.message as SentRequest) });
          if (this.#state !== 'over') parts.onAccepted(response.message);
          const answer = sdpOf(response.message);
          this.#end(answer === undefined ? { refusal: withoutAnswer } : { answer });
        },
        onRedirect: ({ message }) => {
          this.#end({ refusal: callRefusalOf(message) });
        },
        onReject: ({ message }) => {
          this.#end({ refusal: callRefusalOf(message) });
        },
      },
      {
        extraHeaders: parts.headers,
        body: sessionBody(sdp),
      },
    );
    this.#limit = this.#wait();
  }

  /** The call is over: nothing is told any more, what comes is acknowledged still. */
  drop(): void {
    this.#state = 'over';
    this.#limit.cancel();
  }

  /** RFC 3261 9.1: a re-INVITE that only gets provisional responses has no time-out of its own. */
  #wait(): Timer {
    return this.parts.clock.after(answerTimeoutMs, () => {
      if (this.#state === 'cancelled') {
        this.#end({ refusal: silence });
        return;
      }
      this.#state = 'cancelled';
      this.#uac.cancel();
      this.#limit = this.#wait();
    });
  }

  #end(end: { answer: string } | { refusal: CallRefusal }): void {
    if (this.#state === 'over') return;
    this.drop();
    this.parts.onEnd(end);
  }
}
