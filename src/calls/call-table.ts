/**
 * The calls of this process. *Live*: the host knows of them, or is about to, and can command them by `callId`. *Closing*: the host has
 * its `ended`, the SIP side still owes the last response to our CANCEL.
 */
import { CallNotFoundError, ExtensionError } from '../base/errors.js';
import type { TakenCommand } from './command.js';
import type { LiveCall } from './ports.js';
import type { Termination } from './termination.js';

/** What the router and the table see of a session. */
export interface Call {
  readonly callId: string;
  /** As it is now. */
  readonly facts: LiveCall;
  /** What a transfer refers to that takes this call over; undefined unless it talks. */
  readonly replacement: string | undefined;
  /** @throws ExtensionError CALL_STATE when the command does not fit */
  take(command: TakenCommand): void;
  /** Ends the call because the extension stops: CANCEL, BYE or 486. */
  stop(ending: Termination): void;
}

export class CallTable {
  readonly #live = new Map<string, Call>();
  readonly #closing = new Set<Call>();

  /** @param onQuiet told when a call has gone and no live one, or no closing one, is left */
  constructor(private readonly onQuiet: () => void) {}

  get live(): number {
    return this.#live.size;
  }

  get closing(): number {
    return this.#closing.size;
  }

  /** A copy: calls may leave while it is walked. */
  all(): Call[] {
    return [...this.#live.values()];
  }

  /** @throws CallNotFoundError for a call that was never there or has ended */
  get(callId: string): Call {
    const call = this.#live.get(callId);
    if (call === undefined) throw new CallNotFoundError(callId);
    return call;
  }

  /** @throws ExtensionError CALL_EXISTS */
  assertFree(callId: string): void {
    if (this.#live.has(callId)) throw new ExtensionError('CALL_EXISTS', `There is a call ${JSON.stringify(callId)} already.`);
  }

  add(call: Call): void {
    this.#live.set(call.callId, call);
  }

  /** The host has its `ended`; the SIP side is not done. */
  close(call: Call): void {
    this.#live.delete(call.callId);
    this.#closing.add(call);
    this.#tellIfQuiet();
  }

  /** Over on both sides. Idempotent. */
  remove(call: Call): void {
    // Its id may be another call's by now.
    if (!this.#closing.delete(call) && this.#live.get(call.callId) === call) this.#live.delete(call.callId);
    this.#tellIfQuiet();
  }

  #tellIfQuiet(): void {
    if (this.#live.size === 0 || this.#closing.size === 0) this.onQuiet();
  }
}
