/**
 * Somebody takes the place of the far end of a call that talks: INVITE with Replaces (RFC 3891), the other half of an attended transfer. To the
 * host its offer is one in the call that it has; answered, the far end's dialog is ended.
 *
 * States: `offered` -> `taken` when the host has answered, or `over`. This file alone changes the state.
 */
import type { CallDialog, CallRefusal, DialogEvents, IncomingCall, IncomingCallEvents, ReasonValue, ReceivedReferral, RemoteOffer } from '../sip/types.js';
import { hangupTable } from './hangup.js';

/** The call whose far end is replaced. */
export interface ReplacedCall {
  /** What happens with the new party once the call goes on with it. */
  readonly events: DialogEvents;
  /** The call is the new party's. */
  adopt(dialog: CallDialog): void;
  /** It stays with the far end. */
  goBack(): void;
}

export class Replacement implements IncomingCallEvents, RemoteOffer {
  onWithdrawn: (() => void) | undefined;
  #state: 'offered' | 'taken' | 'over' = 'offered';

  /** @param sdp its offer, as the host is to have it */
  constructor(
    private readonly call: Pick<IncomingCall, 'accept' | 'reject'>,
    readonly sdp: string,
    private readonly replaced: ReplacedCall,
  ) {}

  get isOffered(): boolean {
    return this.#state === 'offered';
  }

  accept(sdp: string): void {
    if (this.#state !== 'offered') return;
    const dialog = this.call.accept(sdp);
    this.#state = dialog === undefined ? 'over' : 'taken';
    if (dialog === undefined) this.replaced.goBack();
    else this.replaced.adopt(dialog);
  }

  reject(status: number): void {
    if (this.#state !== 'offered') return;
    this.#state = 'over';
    this.call.reject(status);
    this.replaced.goBack();
  }

  /** The call has ended. */
  end(): void {
    if (this.#state !== 'offered') return;
    this.#state = 'over';
    this.call.reject(hangupTable.normal.reject.status);
  }

  // ---- what the new party does ----------------------------------------------------------------

  onCancelled(): void {
    if (this.#state !== 'offered') return;
    this.#state = 'over';
    this.onWithdrawn?.();
    this.replaced.goBack();
  }

  onConfirmed(): void {
    // It talks already.
  }

  onBye(reason?: ReasonValue): void {
    this.replaced.events.onBye(reason);
  }

  onLost(refusal?: CallRefusal): void {
    this.replaced.events.onLost(refusal);
  }

  onOffer(offer: RemoteOffer): void {
    this.replaced.events.onOffer(offer);
  }

  onAnswer(sdp: string): void {
    this.replaced.events.onAnswer(sdp);
  }

  onTone(tone: string): void {
    this.replaced.events.onTone(tone);
  }

  onReferral(referral: ReceivedReferral): void {
    this.replaced.events.onReferral(referral);
  }
}
