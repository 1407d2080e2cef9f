/**
 * The calls of this process. *Live*: the host knows of them, or is about to, and can command them by `callId`. *Closing*: the host has
 * its `ended`, the SIP side still owes the last response to our CANCEL.
 */
import { CallNotFoundError, ExtensionError } from '../base/errors.js';
import type { Peer, RemoteParty } from '../host/contract.js';
import type { CallDialog, IncomingCall } from '../sip/types.js';
import { writePeer } from './call-facts.js';
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
  /** Whether it goes on in that dialog. */
  isWith(dialog: CallDialog): boolean;
  /** Somebody takes the place of its far end. @param sdp their offer, as the host is to have it */
  replaceFarEnd(call: IncomingCall, party: RemoteParty, sdp: string): void;
  /** @throws ExtensionError CALL_STATE when the command does not fit */
  take(command: TakenCommand): void;
  /** Ends the call because the extension stops: CANCEL, BYE or 486. */
  stop(ending: Termination): void;
}

export class CallTable {
  readonly #live = new Map<string, { readonly call: Call; readonly user: string }>();
  /** How many of them each user has, who has any. */
  readonly #byUser = new Map<string, number>();
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
    return Array.from(this.#live.values(), ({ call }) => call);
  }

  /** @throws CallNotFoundError for a call that was never there or has ended */
  get(callId: string): Call {
    const call = this.#live.get(callId)?.call;
    if (call === undefined) throw new CallNotFoundError(callId);
    return call;
  }

  /** @throws ExtensionError CALL_EXISTS */
  assertFree(callId: string): void {
    if (this.#live.has(callId)) throw new ExtensionError('CALL_EXISTS', `There is a call ${JSON.stringify(callId)} already.`);
  }

  /** @param peer whose call it is */
  add(call: Call, peer: Peer): void {
    const user = writePeer(peer);
    this.#live.set(call.callId, { call, user });
    this.#byUser.set(user, (this.#byUser.get(user) ?? 0) + 1);
  }

  /** The live calls of a user. */
  liveOf(peer: Peer): number {
    return this.#byUser.get(writePeer(peer)) ?? 0;
  }

  /** The host has its `ended`; the SIP side is not done. */
  close(call: Call): void {
    this.#leave(call);
    this.#closing.add(call);
    this.#tellIfQuiet();
  }

  /** Over on both sides. Idempotent. */
  remove(call: Call): void {
    if (!this.#closing.delete(call)) this.#leave(call);
    this.#tellIfQuiet();
  }

  /** Once: it lives no more then. */
  #leave(call: Call): void {
    const held = this.#live.get(call.callId);
    // Its id may be another call's by now.
    if (held?.call !== call) return;
    this.#live.delete(call.callId);
    const left = (this.#byUser.get(held.user) ?? 0) - 1;
    if (left > 0) this.#byUser.set(held.user, left);
    else this.#byUser.delete(held.user);
  }

  #tellIfQuiet(): void {
    if (this.#live.size === 0 || this.#closing.size === 0) this.onQuiet();
  }
}
