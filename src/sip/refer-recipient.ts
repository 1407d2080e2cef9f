/**
 * A REFER of the far end in a dialog, on our side (RFC 3515 2.4.2): it is answered once, and how the new call goes is told until the last status.
 *
 * States: `asked` -> `accepted` (202 sent) -> `over`, or from `asked` to `over` by a refusal; each of the first two lasts for so long at most. This
 * file alone changes the state.
 */
import type { IncomingReferRequest, SessionDialog } from 'sip.js/lib/core/index.js';
import type { Clock, Timer } from '../base/clock.js';
import { minute, second } from '../base/units.js';
import type { AskedReferral } from './refer-to.js';
import { ReferNotifier } from './refer-notifier.js';
import type { ReceivedReferral } from './types.js';
import { whereWeAre } from './where-we-are.js';

/** RFC 4320 4: a REFER has its answer before the far end gives up, milliseconds. */
const answerLimitMs = 10 * second;
/** RFC 3515 2.4.4: longer than any call rings, milliseconds. */
const lifetimeMs = 10 * minute;

const noNotify = 'Refer-Sub: false';

export class ReferRecipient implements ReceivedReferral {
  readonly target: string;
  readonly replaces?: string;
  readonly referredBy?: string;
  #state: 'asked' | 'accepted' | 'over' = 'asked';
  #limit: Timer;
  /** None when the far end does not want to be told. */
  #notifier: ReferNotifier | undefined;

  /** @param event the value of Event in its NOTIFYs */
  constructor(
    private readonly dialog: SessionDialog,
    private readonly clock: Clock,
    private readonly uas: IncomingReferRequest,
    asked: AskedReferral,
    private readonly event: string,
  ) {
    this.target = asked.target;
    if (asked.replaces !== undefined) this.replaces = asked.replaces;
    if (asked.referredBy !== undefined) this.referredBy = asked.referredBy;
    this.#limit = clock.after(answerLimitMs, () => {
      this.reject(603);
    });
  }

  get isOver(): boolean {
    return this.#state === 'over';
  }

  accept(): void {
    if (this.#state !== 'asked') return;
    this.#state = 'accepted';
    this.#limit.cancel();
    this.#limit = this.clock.after(lifetimeMs, () => {
      this.#state = 'over';
      this.#notifier?.expire();
    });
    const { dialog, clock, uas, event } = this;
    const isTold = !asksForSilence(uas);
    uas.accept({ statusCode: 202, extraHeaders: [...whereWeAre(dialog.userAgentCore), ...(isTold ? [] : [noNotify])] });
    if (isTold) this.#notifier = new ReferNotifier(dialog, clock, event, clock.now() + lifetimeMs);
  }

  reject(status: number): void {
    if (this.#state !== 'asked') return;
    this.#end();
    this.uas.reject({ statusCode: status });
  }

  notify(status: number, phrase: string): void {
    if (this.#state !== 'accepted') return;
    if (status >= 200) this.#end();
    this.#notifier?.tell(status, phrase);
  }

  /** The call ends. RFC 3261 15.1.2: what waits for an answer still gets one. */
  drop(): void {
    this.reject(487);
    this.#end();
    this.#notifier?.drop();
  }

  #end(): void {
    this.#state = 'over';
    this.#limit.cancel();
  }
}

/** RFC 4488 4. */
function asksForSilence({ message }: IncomingReferRequest): boolean {
  return /^\s*false\s*(?:;|$)/i.test(message.getHeader('refer-sub') ?? '');
}
