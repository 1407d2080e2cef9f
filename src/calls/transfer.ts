/**
 * A transfer that the host asks for: the far end is referred to somebody else, or to another call of ours, and says how it went.
 *
 * States: `idle` -> `asked` (REFER sent) -> `trying` (taken) -> `idle` when it failed, or the end of the call. This file alone changes the state.
 */
import type { Clock, Timer } from '../base/clock.js';
import { minute } from '../base/units.js';
import type { CallUpdate } from '../host/contract.js';
import type { CallDialog } from '../sip/types.js';

/** How long the far end may try; a phone rings for a minute, milliseconds. */
export const transferTimeoutMs = 2 * minute;

export interface TransferParts {
  readonly callId: string;
  readonly dialog: Pick<CallDialog, 'refer'>;
  readonly clock: Clock;
  readonly tell: (update: CallUpdate) => void;
  /** The call has done its work. */
  readonly onAccepted: () => void;
}

export class Transfer {
  #state: 'idle' | 'asked' | 'trying' = 'idle';
  #limit: Timer | undefined;
  /** The other call of an attended transfer. */
  #other: { stop(): void } | undefined;

  constructor(private readonly parts: TransferParts) {}

  get isUnderWay(): boolean {
    return this.#state !== 'idle';
  }

  /** @returns false while another is under way; nothing has happened then */
  start(referTo: string, other?: { stop(): void }): boolean {
    if (this.#state !== 'idle') return false;
    this.#state = 'asked';
    this.#other = other;
    const { clock, dialog } = this.parts;
    this.#limit = clock.after(transferTimeoutMs, () => {
      this.#fail(408);
    });
    dialog.refer(referTo, {
      onTaken: () => {
        if (this.#state !== 'asked') return;
        this.#state = 'trying';
        this.#tell('trying');
      },
      onResult: (status) => {
        if (this.#state === 'idle') return;
        if (status !== undefined && status < 300) this.#accepted();
        else this.#fail(status);
      },
    });
    return true;
  }

  /** There is no way to the new party. @returns false while another transfer is under way; nothing has happened then */
  refuse(): boolean {
    if (this.#state !== 'idle') return false;
    this.#fail();
    return true;
  }

  /**
   * The far end has hung up: when it had taken the transfer it did as it was told (RFC 5589 6.1).
   * @returns whether it was
   */
  hungUp(): boolean {
    if (this.#state !== 'trying') return false;
    this.#settle();
    this.#tell('accepted');
    this.#other?.stop();
    return true;
  }

  /** The call is over. */
  end(): void {
    this.#settle();
  }

  /** It did not come about: the call goes on. */
  #fail(status?: number): void {
    this.#settle();
    this.#tell('failed', status);
  }

  #accepted(): void {
    this.#settle();
    this.#tell('accepted');
    this.parts.onAccepted();
    this.#other?.stop();
  }

  #settle(): void {
    this.#state = 'idle';
    this.#limit?.cancel();
  }

  #tell(state: 'trying' | 'accepted' | 'failed', status?: number): void {
    const { callId, tell } = this.parts;
    tell({ type: 'transfer', callId, state, ...(status === undefined ? {} : { status }) });
  }
}
