/**
 * A transfer that we ask for in a dialog: REFER, and the NOTIFYs that say how it goes (RFC 3515, RFC 5589). One at a time; the subscription
 * lives no longer than the dialog.
 */
import type { IncomingNotifyRequest, SessionDialog } from 'sip.js/lib/core/index.js';
import { callRefusalOf } from './call-refusal.js';
import type { ReferEvents } from './types.js';
import { whereWeAre } from './where-we-are.js';

const sipFragment = /^SIP\/2\.0 ([1-6]\d\d)(?: |\r|$)/;

export class Referral {
  #isOver = false;

  /** @param referTo a URI, with headers when it replaces a call */
  constructor(
    dialog: SessionDialog,
    referTo: string,
    private readonly events: ReferEvents,
  ) {
    const { userAgentCore: core } = dialog;
    dialog.refer(
      {
        onAccept: () => {
          if (!this.#isOver) events.onTaken();
        },
        onRedirect: ({ message }) => {
          this.#refused(callRefusalOf(message));
        },
        onReject: ({ message }) => {
          this.#refused(callRefusalOf(message));
        },
      },
      { extraHeaders: [`Refer-To: <${referTo}>`, `Referred-By: <${core.configuration.aor.toString()}>`, ...whereWeAre(core)] },
    );
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** RFC 3515 2.4.4: the body is the status line of whoever was referred. */
  receive(request: IncomingNotifyRequest): void {
    const { message } = request;
    request.accept();
    if (this.#isOver) return;
    const status = Number(sipFragment.exec(message.body)?.[1] ?? 0);
    const isLast = /^\s*terminated\b/i.test(message.getHeader('subscription-state') ?? '');
    if (status < 200 && !isLast) return;
    this.#isOver = true;
    // RFC 5057: ended without a final status, nobody knows.
    this.events.onResult(status < 200 ? undefined : status);
  }

  /** The call is over: nothing is told any more. */
  drop(): void {
    this.#isOver = true;
  }

  #refused(refusal: { status: number }): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.events.onResult(refusal.status);
  }
}
