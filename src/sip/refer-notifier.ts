/**
 * Tells the far end of a dialog how the call goes that it referred us to: the subscription of RFC 3515 2.4.4, as its notifier (RFC 6665). One NOTIFY
 * at a time: over UDP the next might overtake it, and would be refused as out of order; of what is to be told meanwhile the newest waits.
 */
import type { SessionDialog } from 'sip.js/lib/core/index.js';
import type { Clock } from '../base/clock.js';
import { second } from '../base/units.js';
import { callRefusalOf } from './call-refusal.js';
import type { FinalResponse } from './internals.js';
import { withoutControls } from './parser/uri.js';
import type { CallRefusal } from './types.js';
import { whereWeAre } from './where-we-are.js';

interface Report {
  readonly status: number;
  readonly phrase: string;
  /** Why it is the last one: the reason of RFC 6665 4.1.3; absent: others follow. */
  readonly ends?: 'noresource' | 'timeout';
}

export class ReferNotifier {
  #isOpen = true;
  #isSending = false;
  #last: Report = { status: 100, phrase: 'Trying' };
  #next: Report | undefined;

  /**
   * @param event the value of Event: `refer`, `refer;id=93809823`
   * @param expiresAtMs when it is over by itself, by that clock; its owner then says `expire`
   */
  constructor(
    private readonly dialog: SessionDialog,
    private readonly clock: Clock,
    private readonly event: string,
    private readonly expiresAtMs: number,
  ) {
    this.#tell(this.#last);
  }

  /** RFC 3515 2.4.5: a final status ends it. */
  tell(status: number, phrase: string): void {
    this.#tell({ status, phrase, ...(status < 200 ? {} : { ends: 'noresource' }) });
  }

  expire(): void {
    this.#tell({ ...this.#last, ends: 'timeout' });
  }

  /** The call is over, and the subscription with it. */
  drop(): void {
    this.#isOpen = false;
  }

  #tell(report: Report): void {
    if (!this.#isOpen) return;
    this.#last = report;
    if (this.#isSending) this.#next = report;
    else this.#send(report);
  }

  #send({ status, phrase, ends }: Report): void {
    this.#isSending = true;
    const leftS = Math.max(0, Math.ceil((this.expiresAtMs - this.clock.now()) / second));
    const onFinal = ({ message }: { message: FinalResponse }): void => {
      this.#isSending = false;
      if (ends !== undefined || isEnd(callRefusalOf(message))) this.#isOpen = false;
      const next = this.#next;
      this.#next = undefined;
      if (this.#isOpen && next !== undefined) this.#send(next);
    };
    this.dialog.notify(
      { onAccept: onFinal, onRedirect: onFinal, onReject: onFinal },
      {
        extraHeaders: [
          `Event: ${this.event}`,
          `Subscription-State: ${ends === undefined ? `active;expires=${String(leftS)}` : `terminated;reason=${ends}`}`,
          ...whereWeAre(this.dialog.userAgentCore),
        ],
        body: { contentDisposition: 'render', contentType: 'message/sipfrag;version=2.0', content: `SIP/2.0 ${String(status)} ${withoutControls(phrase)}\r\n` },
      },
    );
  }
}

/** RFC 6665 4.2.2: who refuses a NOTIFY, or does not answer it, is told no more; the call goes on, with 481 too (RFC 5057 5.1). Who is busy is told the next. */
function isEnd({ status, local }: CallRefusal): boolean {
  return local !== undefined || (status >= 300 && status < 500 && status !== 491) || status === 501 || status >= 600;
}
