/**
 * One offer of ours in a dialog: a re-INVITE as a UAC (RFC 3261 14.1).
 *
 * States: `sent` -> `cancelled` when no final response came within 64*T1 -> `over`. This file alone changes the state.
 */
import type { OutgoingInviteRequest, SessionDialog } from 'sip.js/lib/core/index.js';
import type { Clock, Timer } from '../base/clock.js';
import { callRefusalOf } from './call-refusal.js';
import { credentialLines } from './challenges.js';
import type { SentRequest } from './internals.js';
import { sdpOf } from './parser/body.js';
import { sessionBody } from './session-body.js';
import { refreshTarget } from './target-refresh.js';
import type { CallRefusal } from './types.js';
import { whereWeAre } from './where-we-are.js';

/** RFC 3261 table 4: 64*T1. */
const answerTimeoutMs = 32_000;

const withoutAnswer: CallRefusal = { status: 488, phrase: 'Not Acceptable Here', unanswerable: 'The far end took the offer without an answer' };
const silence: CallRefusal = {
  status: 408,
  phrase: 'Request Timeout',
  local: { code: 'SIP_TIMEOUT', message: 'Nobody answered the re-INVITE, nor its CANCEL' },
};

export class LocalOffer {
  #state: 'sent' | 'cancelled' | 'over' = 'sent';
  #limit: Timer;
  readonly #uac: OutgoingInviteRequest;

  /** @param onEnd the answer, or why there is none; told once, unless `drop` comes before */
  constructor(
    dialog: SessionDialog,
    sdp: string,
    private readonly clock: Clock,
    private readonly onEnd: (end: { answer: string } | { refusal: CallRefusal }) => void,
  ) {
    this.#uac = dialog.invite(
      {
        onAccept: (response) => {
          // RFC 3261 12.2.1.2: the ACK goes to the new target already.
          refreshTarget(dialog, response.message);
          response.ack({ extraHeaders: credentialLines(this.#uac.message as SentRequest) });
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
        extraHeaders: whereWeAre(dialog.userAgentCore),
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
    return this.clock.after(answerTimeoutMs, () => {
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
    this.onEnd(end);
  }
}
