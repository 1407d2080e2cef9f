/** An answered call, over SIP.js's session: the same whoever placed it. */
import type { IncomingByeRequest, Session } from 'sip.js/lib/core/index.js';
import { reasonOf, sessionStays, writeReason } from './response-headers.js';
import type { CallDialog, ReasonValue } from './types.js';

export interface CallDialogEvents {
  onBye(reason?: ReasonValue): void;
}

/**
 * States: open -> closed. Whoever closes it first, `bye` or the far end's BYE, closes it for good.
 */
export class SessionCallDialog implements CallDialog {
  #isOpen = true;
  /** RFC 3261 15: the callee sends no BYE before the ACK of its 2xx has come, or before 64*T1. */
  #byeAfterAck: { reason?: ReasonValue } | undefined;
  #awaitsAck: boolean;

  constructor(
    private readonly session: Session,
    private readonly events: CallDialogEvents,
    options: { awaitsAck: boolean },
  ) {
    this.#awaitsAck = options.awaitsAck;
    session.delegate = {
      ...session.delegate,
      onBye: (request) => {
        this.#receiveBye(request);
      },
      // RFC 3261 14.2: the session stays as it was, and the caller is told so.
      onInvite: (request) => {
        request.reject({ statusCode: 488, extraHeaders: [sessionStays] });
      },
    };
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
    this.#isOpen = false;
    this.session.bye(undefined, reason && { extraHeaders: [`Reason: ${writeReason(reason)}`] });
  }

  /** The ACK has come, or no longer will: a BYE that waited is sent. */
  confirm(): void {
    this.#awaitsAck = false;
    if (this.#byeAfterAck !== undefined) this.bye(this.#byeAfterAck.reason);
  }

  #receiveBye(request: IncomingByeRequest): void {
    request.accept();
    if (!this.#isOpen) return;
    this.#isOpen = false;
    // We have hung up already: the owner is through with the call and hears no more.
    if (this.#byeAfterAck === undefined) this.events.onBye(reasonOf(request.message));
  }
}
