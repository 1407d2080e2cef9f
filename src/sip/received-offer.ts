/**
 * One offer of the far end in a dialog: a re-INVITE (RFC 3261 14.2) or an UPDATE (RFC 3311 5.2) as a UAS, or the 2xx of a re-INVITE of ours. It is
 * answered once.
 */
import type { ResponseOptions } from 'sip.js/lib/core/index.js';
import { sessionStays } from './response-headers.js';
import { sessionBody } from './session-body.js';
import type { RemoteOffer } from './types.js';

/** What answers it: what SIP.js has for either request, or an ACK. */
export interface OfferServer {
  accept(options: ResponseOptions): unknown;
  reject(options: ResponseOptions): unknown;
}

export class ReceivedOffer implements RemoteOffer {
  onWithdrawn: (() => void) | undefined;
  #isOpen = true;

  /** @param onEnd told once, when it has our answer or is refused */
  constructor(
    readonly sdp: string,
    private readonly uas: OfferServer,
    /** Whole lines for a 200. */
    private readonly acceptHeaders: () => string[],
    private readonly onEnd: (end: { answer: string } | { status: number }) => void,
  ) {}

  accept(sdp: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.uas.accept({
      statusCode: 200,
      extraHeaders: this.acceptHeaders(),
      body: sessionBody(sdp),
    });
    this.onEnd({ answer: sdp });
  }

  reject(status: number): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.uas.reject({ statusCode: status, extraHeaders: status === 488 ? [sessionStays] : [] });
    this.onEnd({ status });
  }

  /** The far end takes it back (RFC 3261 9.2), or the call ends (15.1.2). */
  withdraw(): void {
    if (!this.#isOpen) return;
    this.reject(487);
    this.onWithdrawn?.();
  }
}
