/**
 * Provisional responses to one INVITE that are sent until the caller says that they came (RFC 3262 3): again after T1, 2*T1, ... and
 * given up after 64*T1. One is under way at a time.
 */
import { randomInt } from 'node:crypto';
import type { IncomingInviteRequest, IncomingRequestMessage, Session } from 'sip.js/lib/core/index.js';
import type { Clock, Timer } from '../base/clock.js';
import type { Wire } from './internals.js';

/** RFC 3261 table 4, milliseconds. */
const t1 = 500;
const lifetime = 64 * t1;

const nobodyListens = (): void => undefined;

export class ReliableProvisional {
  /** The last; RFC 3262 3: the first is chosen from 1 to 2^31 - 1, each next is one more. */
  #rseq = randomInt(0, 2 ** 31 - 1);
  /** The response with the last RSeq waits for its PRACK. */
  #isAwaited = false;
  #timer: Timer | undefined;

  /** @param onGivenUp no PRACK came within 64*T1 */
  constructor(
    private readonly clock: Clock,
    private readonly uas: IncomingInviteRequest,
    private readonly wire: Wire,
    private readonly onGivenUp: () => void,
  ) {}

  /** @returns the early dialog; undefined while the response before is not acknowledged, and nothing is sent */
  send(statusCode: number): Session | undefined {
    if (this.#isAwaited) return undefined;
    this.#isAwaited = true;
    this.#rseq += 1;
    const { message, session } = this.uas.progress({ statusCode, extraHeaders: ['Require: 100rel', `RSeq: ${String(this.#rseq)}`] });
    this.#repeat(message, statusCode, t1, this.clock.now());
    return session;
  }

  /** Whether a PRACK is for the response that waits; it then waits no more. */
  takes(prack: IncomingRequestMessage): boolean {
    const rack = prack.parseHeader('rack') as { rseq: number; cseq: number; method: string } | undefined;
    const { cseq } = this.uas.message;
    if (!this.#isAwaited || rack?.rseq !== this.#rseq || rack.cseq !== cseq || rack.method !== 'INVITE') return false;
    this.#isAwaited = false;
    this.stop();
    return true;
  }

  /** A final response was sent: nothing is repeated any more, but a PRACK still counts (RFC 3262 3). */
  stop(): void {
    this.#timer?.cancel();
  }

  #repeat(text: string, statusCode: number, delayMs: number, startedAt: number): void {
    this.#timer = this.clock.after(delayMs, () => {
      const leftMs = startedAt + lifetime - this.clock.now();
      if (leftMs <= 0) {
        this.onGivenUp();
        return;
      }
      this.wire.sendResponse(text, undefined, statusCode, true, nobodyListens);
      this.#repeat(text, statusCode, Math.min(delayMs * 2, leftMs), startedAt);
    });
  }
}
