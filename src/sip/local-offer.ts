/**
 * One offer of ours in a dialog: a re-INVITE as a UAC (RFC 3261 14.1).
 *
 * States: `sent` -> `cancelled` when no final response came within 64*T1 -> `over`; `dropped` when the call ends before it is over. Each lasts
 * 64*T1 at most, as INVITE has no time-out of its own once a provisional response has come. This file alone changes the state.
 */
import type { IncomingResponseMessage, OutgoingInviteRequest, SessionDialog } from 'sip.js/lib/core/index.js';
import type { Clock, Timer } from '../base/clock.js';
import { AccountCore } from './account-core.js';
import { callRefusalOf } from './call-refusal.js';
import { credentialLines } from './challenges.js';
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
  #state: 'sent' | 'cancelled' | 'dropped' | 'over' = 'sent';
  #limit: Timer;
  readonly #uac: OutgoingInviteRequest;

  constructor(
    private readonly dialog: SessionDialog,
    sdp: string,
    private readonly parts: LocalOfferParts,
  ) {
    this.#uac = dialog.invite(
      {
        onAccept: (response) => {
          // It has had its ACK, or was given up: a 2xx with another To tag, which SIP.js takes for a fork's, is none of this dialog's.
          if (dialog.reinviteUserAgentClient !== this.#uac) return;
          // RFC 3261 12.2.1.2: the ACK goes to the new target already.
          refreshTarget(dialog, response.message);
          response.ack({ extraHeaders: credentialLines(this.#uac.message) });
          if (this.#state !== 'dropped' && this.#state !== 'over') parts.onAccepted(response.message);
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
    if (this.#state === 'over') return;
    this.#state = 'dropped';
    this.#limit.cancel();
    this.#limit = this.#wait();
  }

  #wait(): Timer {
    return this.parts.clock.after(answerTimeoutMs, () => {
      if (this.#state === 'sent') {
        this.#state = 'cancelled';
        this.#uac.cancel();
        this.#limit = this.#wait();
        return;
      }
      // RFC 3261 9.1: no final response within 64*T1 of the CANCEL, or of the end of the call: it is given up.
      const { userAgentCore: core } = this.dialog;
      if (core instanceof AccountCore) core.forgetClient(this.#uac);
      // SIP.js would take it for one that is under way still, and throw at the next.
      this.dialog.reinviteUserAgentClient = undefined;
      this.#end({ refusal: silence });
    });
  }

  #end(end: { answer: string } | { refusal: CallRefusal }): void {
    const isDropped = this.#state === 'dropped';
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#limit.cancel();
    if (!isDropped) this.parts.onEnd(end);
  }
}
