/**
 * What the far end of a call knows of where we are. A Contact leads to us over the flow of its time; when that connection is lost, the far
 * end's requests go where nobody is, until a target refresh request says where we are now (RFC 3261 12.2). It is sent once for each flow
 * that is lost, when the account is registered over another, unless a request of either side has said so meanwhile.
 */
import { randomInt } from 'node:crypto';
import type { Dialog } from 'sip.js/lib/core/index.js';
import type { Clock, Timer } from '../base/clock.js';
import { second } from '../base/units.js';
import { AccountCore } from './account-core.js';
import type { Flow } from './transports/flow.js';
import type { CallRefusal } from './types.js';

/** As many calls as there were on a flow, so many requests follow its loss: they are spread over this, milliseconds. */
const spreadMs = 2 * second;
/** RFC 3261 14.1: the first pause after glare, milliseconds; each next is twice as long. */
const firstPauseMs = { least: 2_100, most: 4_000 };

/** The far end, or who is on the way, is in the middle of something; whoever says when to come again is asked again then. */
const isBusy = ({ status, retryAfterMs }: CallRefusal): boolean => status === 491 || (status >= 500 && retryAfterMs !== undefined);

export class ToldContact {
  /** The flow of the Contact that the far end has; `said`: of the one in the last request of ours; `tried`: of the one it was to be told. */
  #told: Flow | undefined;
  #said: Flow | undefined;
  #tried: Flow | undefined;
  #pauseMs = 0;
  #timer: Timer | undefined;

  /**
   * @param told of the Contact that the dialog began with; undefined: the account's of now
   * @param tell sends a target refresh request; what comes of it is told by `accepted` or `refused`
   */
  constructor(
    private readonly dialog: Dialog,
    private readonly clock: Clock,
    told: Flow | undefined,
    private readonly tell: () => void,
  ) {
    this.#told = this.#said = told ?? this.flow;
  }

  /** The account's flow. */
  get flow(): Flow | undefined {
    const { userAgentCore: core } = this.dialog;
    return core instanceof AccountCore ? core.flow : undefined;
  }

  /** The account may have another flow than before, and is registered over it. */
  moved(): void {
    const { flow } = this;
    // Over UDP nothing is lost with a flow: the port is ours for as long as we live.
    if (flow === this.#tried || !this.#isStale) return;
    this.#tried = flow;
    this.#pauseMs = randomInt(firstPauseMs.least, firstPauseMs.most);
    this.#wait(randomInt(spreadMs));
  }

  /** Our Contact stands in a request that is about to be sent. */
  saying(): void {
    this.#said = this.flow;
  }

  /** The 2xx to it. */
  accepted(): void {
    this.#told = this.#said;
  }

  /** Our Contact stands in a 2xx of ours. */
  answered(): void {
    this.#told = this.flow;
  }

  /** A request with our Contact came to nothing, or could not be sent now, and the call goes on. */
  refused(refusal?: CallRefusal): void {
    if (!this.#isStale || (refusal !== undefined && !isBusy(refusal))) return;
    this.#wait(Math.max(this.#pauseMs, refusal?.retryAfterMs ?? 0));
    this.#pauseMs *= 2;
  }

  /** The call has ended. */
  end(): void {
    this.#timer?.cancel();
  }

  /** The far end knows of a connection that is not ours any more, and there is one to tell of. */
  get #isStale(): boolean {
    const { flow } = this;
    return this.#told?.isReliable === true && flow !== this.#told && flow?.isOpen === true;
  }

  #wait(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.clock.after(ms, () => {
      if (this.#isStale) this.tell();
    });
  }
}
