/**
 * One re-INVITE of ours in a dialog (RFC 3261 14.1), with an offer or without.
 *
 * States: `sent` -> `cancelled` when no final response came within 64*T1 -> `over`; `dropped` when the call ends before it is over. Each lasts
 * 64*T1 at most, as INVITE has no time-out of its own once a provisional response has come. This file alone changes the state.
 */
import type { IncomingResponseMessage, OutgoingInviteRequest, SessionDialog } from 'sip.js/lib/core/index.js';
import type { Clock, Timer } from '../base/clock.js';
import { AccountCore } from './account-core.js';
import { callRefusalOf } from './call-refusal.js';
import { credentialLines } from './challenges.js';
import { sessionBody } from './session-body.js';
import { refreshTarget } from './target-refresh.js';
import type { CallRefusal } from './types.js';

/** RFC 3261 table 4: 64*T1. */
const answerTimeoutMs = 32_000;

const silence: CallRefusal = {
  status: 408,
  phrase: 'Request Timeout',
  local: { code: 'SIP_TIMEOUT', message: 'Nobody answered the re-INVITE, nor its CANCEL' },
};

/** Sends the ACK of a 2xx, once. */
export type Acknowledge = (sdp?: string) => void;

export abstract class Reinvite {
  #state: 'sent' | 'cancelled' | 'dropped' | 'over' = 'sent';
  #limit: Timer;
  readonly #uac: OutgoingInviteRequest;

  /**
   * @param headers whole lines
   * @param sdp the offer; undefined: the far end is asked for one
   */
  constructor(
    private readonly dialog: SessionDialog,
    protected readonly clock: Clock,
    headers: string[],
    sdp: string | undefined,
  ) {
    this.#uac = dialog.invite(
      {
        onAccept: (response) => {
          // It has had its ACK, waits for it, or was given up: a 2xx with another To tag, which SIP.js takes for a fork's, is none of this dialog's.
          if (this.#state === 'over' || dialog.reinviteUserAgentClient !== this.#uac) return;
          // RFC 3261 12.2.1.2: the ACK goes to the new target already.
          refreshTarget(dialog, response.message);
          const isCallOver = this.#state === 'dropped';
          this.#end();
          this.accepted(response.message, isCallOver, (answer) => {
            response.ack({ extraHeaders: credentialLines(this.#uac.message), ...(answer === undefined ? {} : { body: sessionBody(answer) }) });
          });
        },
        onRedirect: ({ message }) => {
          this.#refuse(callRefusalOf(message));
        },
        onReject: ({ message }) => {
          this.#refuse(callRefusalOf(message));
        },
      },
      { extraHeaders: headers, ...(sdp === undefined ? {} : { body: sessionBody(sdp) }) },
    );
    this.#limit = this.#wait();
  }

  /** Its 2xx, which is acknowledged now or later. @param isCallOver nobody wants to hear of it */
  protected abstract accepted(message: IncomingResponseMessage, isCallOver: boolean, acknowledge: Acknowledge): void;
  /** It was refused, or not answered, while the call goes on. */
  protected abstract refused(refusal: CallRefusal): void;

  /** The call is over: nothing is told any more, what comes is acknowledged still. */
  drop(): void {
    if (this.#state === 'over') return;
    this.#state = 'dropped';
    this.#limit.cancel();
    this.#limit = this.#wait();
  }

  #wait(): Timer {
    return this.clock.after(answerTimeoutMs, () => {
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
      this.#refuse(silence);
    });
  }

  #refuse(refusal: CallRefusal): void {
    const isCallOver = this.#state === 'dropped';
    if (this.#state === 'over') return;
    this.#end();
    if (!isCallOver) this.refused(refusal);
  }

  #end(): void {
    this.#state = 'over';
    this.#limit.cancel();
  }
}
