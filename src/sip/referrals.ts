/** The REFERs of one dialog: ours (RFC 3515, `referral.ts`) and the far end's (`refer-recipient.ts`), one of each at a time. */
import type { IncomingNotifyRequest, IncomingReferRequest, SessionDialog } from 'sip.js/lib/core/index.js';
import type { Clock } from '../base/clock.js';
import { readReferral } from './refer-to.js';
import { Referral } from './referral.js';
import { ReferRecipient } from './refer-recipient.js';
import { refreshTarget } from './target-refresh.js';
import type { ReceivedReferral, ReferEvents } from './types.js';

export class Referrals {
  /** The last; its NOTIFYs come when it is over too. */
  #ours: Referral | undefined;
  #theirs: ReferRecipient | undefined;
  #hasReceived = false;

  constructor(
    private readonly dialog: SessionDialog,
    private readonly clock: Clock,
    private readonly onReferral: (referral: ReceivedReferral) => void,
  ) {}

  send(referTo: string, events: ReferEvents): void {
    this.#ours = new Referral(this.dialog, referTo, events);
  }

  receive(uas: IncomingReferRequest): void {
    const { dialog, clock } = this;
    const { message } = uas;
    // RFC 3515 2.4.6: those after the first of a dialog are told apart by its CSeq.
    const event = this.#hasReceived ? `refer;id=${String(message.cseq)}` : 'refer';
    this.#hasReceived = true;
    const asked = readReferral(message);
    if ('status' in asked) uas.reject({ statusCode: asked.status });
    else if (this.#theirs?.isOver === false) uas.reject({ statusCode: 491 });
    else {
      refreshTarget(dialog, message);
      this.#theirs = new ReferRecipient(dialog, clock, uas, asked, event);
      this.onReferral(this.#theirs);
    }
  }

  receiveNotify(request: IncomingNotifyRequest): void {
    // RFC 6665 4.1.3: 481 for a subscription that is not there.
    if (this.#ours === undefined) request.reject({ statusCode: 481 });
    else this.#ours.receive(request);
  }

  /** The call ends. */
  drop(): void {
    this.#ours?.drop();
    this.#theirs?.drop();
  }
}
