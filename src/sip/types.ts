/**
 * The interface of the SIP stack to the rest of the program, in the field's terms. Nothing of SIP.js shows through it.
 *
 * An *account* is one AOR with its credentials and the registrar it belongs to. A *flow* is a way to a peer: a UDP socket and a
 * remote address, or a connection (RFC 5626). A *binding* is what a REGISTER leaves at the registrar: AOR -> Contact.
 */

import type { SipTransport } from '../base/sip-transport.js';
import type { LooseEnd } from './loose-end.js';

export type { LooseEnd, SipTransport };

/** Where a registrar is and how it is reached. */
export interface SipTarget {
  readonly transport: SipTransport;
  /** A name or an address, without brackets. */
  readonly host: string;
  /** 1 to 65535; 0: none is given, the server is located by DNS (RFC 3263). */
  readonly port: number;
  /** With port 0: no transport is given either, NAPTR decides; `transport` is what holds when it does not. */
  readonly isTransportOpen?: boolean;
  /** ws and wss only: the handshake (RFC 7118): its HTTP verb, Host header and path. */
  readonly webSocket?: { readonly method: string; readonly host?: string; readonly location: string };
}

/** In place of a password: MD5(user:realm:password) in 32 lower-case hex digits, RFC 7616 3.4.2. It answers MD5 challenges of that realm alone. */
export interface PasswordHash {
  readonly ha1: string;
}

export interface AccountSettings {
  /** The user part of our Contact, `[A-Za-z0-9]+`: opaque, unique in the stack, the same after a restart. */
  readonly token: string;
  /** What its owner knows it by; the stack only keeps it. */
  readonly ownerId?: number;
  /** The AOR is `sip:<user>@<domain>`. The user is plain text, not escaped. */
  readonly user: string;
  readonly domain: string;
  /** The user name for the digest; `user` when absent. */
  readonly authUser?: string;
  readonly password: string | PasswordHash;
  readonly displayName?: string;
  readonly target: SipTarget;
}

/** A `From`, `To` or `Contact` as it was received. */
export interface NameAddress {
  /** `sip:434@example.com`, without display name and header parameters. */
  readonly uri: string;
  /** Unescaped. */
  readonly user?: string;
  readonly host: string;
  readonly displayName?: string;
}

/** Who calls, beside what From says. */
export interface CallerIdentity {
  /** As the network vouches for it: P-Asserted-Identity (RFC 3325). The user of a `tel:` is its number. */
  readonly asserted?: NameAddress;
  /** The caller would rather not be named (RFC 3323). */
  readonly isPrivate: boolean;
  /** Who sent the call on until it came to us, the first one first. */
  readonly forwardedBy: readonly Forwarding[];
}

/** One forwarding of a call: Diversion (RFC 5806) or History-Info (RFC 7044). */
export interface Forwarding {
  readonly by: NameAddress;
  /** `user-busy`, `no-answer`, ... (RFC 5806 4.1), or the status with which it was left: `486`. */
  readonly reason?: string;
}

/** RFC 3326: `SIP;cause=200;text="Call completed elsewhere"`. */
export interface ReasonValue {
  readonly protocol: string;
  readonly cause?: number;
  readonly text?: string;
  /** What a telephone network says beside what SIP says, where a message has both. */
  readonly beside?: ReasonValue;
}

// ---- registering ------------------------------------------------------------------------------

/** What came of one REGISTER, challenges answered on the way. A value, never a rejection. */
export type RegisterOutcome =
  | {
      readonly kind: 'registered';
      /** How long the registrar keeps our binding, seconds: from our own Contact, else Expires, else what was asked. */
      readonly expiresS: number;
      /** The registrar sees us at another address than our Contact says; the Contact is corrected: register once more. */
      readonly contactChanged: boolean;
    }
  | {
      readonly kind: 'refused';
      /** 300 to 699. */
      readonly status: number;
      readonly phrase: string;
      /** The challenge after our answer refuses the same nonce, or fresh ones twice. */
      readonly wrongPassword: boolean;
      /** A challenge that nobody's password could answer: why, for a person, without full stop. */
      readonly unanswerable?: string;
      /** Retry-After, milliseconds. */
      readonly retryAfterMs?: number;
      /** Min-Expires of a 423, seconds. */
      readonly minExpiresS?: number;
    }
  /** Nothing came back: no flow (`SIP_TRANSPORT`), or no answer within 64*T1 (`SIP_TIMEOUT`). The message is for a person. */
  | {
      readonly kind: 'unreachable';
      readonly code: 'SIP_TRANSPORT' | 'SIP_TIMEOUT';
      readonly message: string;
      /** The registrar had sent us on, and there it happened: `sip:192.0.2.7:5070`. */
      readonly sentOnTo?: string;
    };

// ---- calls --------------------------------------------------------------------------------------

export interface InviteOptions {
  /** A SIP URI, `sip:600@example.com;user=phone`. */
  readonly to: string;
  /** The offer. */
  readonly sdp: string;
  /** Overrides the account's. */
  readonly displayName?: string | undefined;
  /** The call that this one takes over (RFC 3891): a `ReceivedReferral`'s. Who does not know of it refuses the call with 420 and does not ring. */
  readonly replaces?: string | undefined;
  /** Who has referred us there (RFC 3892): a `ReceivedReferral`'s. */
  readonly referredBy?: string | undefined;
}

/** A final response that is not 2xx, or its local stand-in. */
export interface CallRefusal {
  readonly status: number;
  readonly phrase: string;
  /** No response came: 408 after 64*T1 or when the session was not refreshed in time, 503 when there is no flow. `message` says what happened. */
  readonly local?: { readonly code: 'SIP_TRANSPORT' | 'SIP_TIMEOUT' | 'SIP_SESSION_EXPIRED'; readonly message: string };
  /** The challenge could not be answered: the password is wrong. */
  readonly wrongPassword?: boolean;
  /** A challenge that nobody's password could answer: why, for a person, without full stop. */
  readonly unanswerable?: string;
  readonly reason?: ReasonValue;
  readonly retryAfterMs?: number;
  /** Min-SE of a 422, seconds. */
  readonly minSeS?: number;
}

/** What happens in a call once it is answered. */
export interface DialogEvents {
  /** The far end ended the call. Nothing follows. */
  onBye(reason?: ReasonValue): void;
  /** The far end changes the session: a re-INVITE or an UPDATE with an offer. One at a time. */
  onOffer(offer: RemoteOffer): void;
  /** The far end had us offer (a re-INVITE without SDP): our last description was repeated, and this is its answer. */
  onAnswer(sdp: string): void;
  /** The far end asks that we call somebody else in its place: a REFER (RFC 3515). One at a time. */
  onReferral(referral: ReceivedReferral): void;
  /** A key was pressed, told by INFO: `0` to `9`, `*`, `#`, `A` to `D`. */
  onTone(tone: string): void;
  /**
   * The far end is gone; a BYE has been sent. Nothing follows.
   * @param refusal what it said, or did not, to a request of ours: 408, 481; the session expired: 408. Absent: no ACK came within 64*T1
   */
  onLost(refusal?: CallRefusal): void;
}

/** What comes of a REFER of ours in a call, unless the call ends before. */
export interface ReferEvents {
  /** The far end tries. */
  onTaken(): void;
  /** Told once, last. @param status how the call to the new party went, or what the REFER was refused with; undefined: nobody knows */
  onResult(status: number | undefined): void;
}

/** What comes of an offer of ours in a call: one of these, once, unless the call ends before. */
export interface OfferEvents {
  /** 2xx with the answer; the ACK has been sent. */
  onAnswered(sdp: string): void;
  /** The session is as it was. 491: the far end offers too, or has not confirmed what was agreed last. */
  onRefused(refusal: CallRefusal): void;
}

/** What comes of asking the far end for an offer: one of these, once, unless the call ends before. */
export interface SoughtOfferEvents {
  /**
   * 2xx with an offer; the ACK waits for the answer, at most 30 s, and then the call ends with `onLost`. An ACK refuses nothing: `reject` ends the call,
   * as `bye` does, with that status as its Reason.
   */
  onOffer(offer: RemoteOffer): void;
  /** The session is as it was: as for `OfferEvents`. 488: the far end made no offer. */
  onRefused(refusal: CallRefusal): void;
}

/** An offer of the far end in a call. */
export interface RemoteOffer {
  readonly sdp: string;
  /** Told when the far end takes the offer back, or the call ends. Assigned once, before `onOffer` returns. */
  onWithdrawn: (() => void) | undefined;
  /** 200 with the answer, or the ACK with it. Nothing once it is answered, refused or withdrawn, or the call has ended. */
  accept(sdp: string): void;
  /** 400 to 699: the session stays as it was, but for an offer that was asked for. Nothing as for `accept`. */
  reject(status: number): void;
}

/**
 * A transfer that the far end asks for. It is answered within 10 s, or refused 603; one that is accepted goes on until its last `notify`, at most 10
 * minutes, and until then another is refused. It is over with the call, of which there is nothing to tell but the end.
 */
export interface ReceivedReferral {
  /** Whom to call, `sip:carol@example.com`: a SIP URI or a `tel:`, without headers and brackets. */
  readonly target: string;
  /** The call that the new one is to take over, an attended transfer: the value of its Replaces (RFC 3891). */
  readonly replaces?: string;
  /** Who asks for it: the value of Referred-By for the new INVITE (RFC 3892). */
  readonly referredBy?: string;
  /** 202, and the far end is told 100 (RFC 3515 2.4.4). Nothing once it is accepted or refused, or the call has ended. */
  accept(): void;
  /** 400 to 699. Nothing as for `accept`. */
  reject(status: number): void;
  /**
   * Tells the far end how the new call goes, unless it has asked not to be told (RFC 4488) or does not listen any more. Nothing before `accept`, nor
   * after the last one.
   * @param status 101 to 699; 200 and above is the last
   */
  notify(status: number, phrase: string): void;
}

/** What happens to a call that we place. After `onAccepted` the dialog's own events; after `onRefused` nothing. */
export interface OutgoingCallEvents extends DialogEvents {
  /** 101 to 199; `sdp` is early media, `reason` why the call will come to nothing. 100 is not told. */
  onProgress(progress: { status: number; phrase: string; sdp?: string; remote?: NameAddress; reason?: ReasonValue }): void;
  /** 2xx; the ACK has been sent. */
  onAccepted(accepted: { dialog: CallDialog; sdp?: string; remote?: NameAddress }): void;
  onRefused(refusal: CallRefusal): void;
}

export interface OutgoingCall {
  /** The SIP Call-ID of all its INVITEs, for logs and ladders. */
  readonly callId: string;
  /**
   * Gives the call up. Before the answer: CANCEL, at once or after the first provisional response (RFC 3261 9.1); the 487 arrives as
   * `onRefused`, and when no final response comes within 64*T1 so does a local 408. An answer that crosses is ACKed and ended
   * with BYE, then `onRefused` tells 487. Idempotent; harmless after the end.
   */
  cancel(reason?: ReasonValue): void;
  /** What ends it when this process is gone; undefined before the INVITE went out, and after its end. */
  readonly looseEnd: LooseEnd | undefined;
}

/** An answered call. */
export interface CallDialog {
  /** Ends it. The outcome of the BYE changes nothing: the dialog is over. Idempotent. */
  bye(reason?: ReasonValue): void;
  /** A re-INVITE (RFC 3261 14). Never throws: what goes wrong arrives as `onRefused`, later than the return. */
  offer(sdp: string, events: OfferEvents): void;
  /** A re-INVITE without SDP: the far end is asked for an offer (RFC 3261 14.1). Never throws, as `offer`. */
  askForOffer(events: SoughtOfferEvents): void;
  /** What we offered or answered last that was taken. */
  readonly localSdp: string;
  /** An INFO with one tone. @param onDone told the final status, unless the call ends before */
  sendTone(tone: string, durationMs: number, onDone: (status: number) => void): void;
  /** A REFER; one at a time. @param referTo a URI, or the `replacement` of another call */
  refer(referTo: string, events: ReferEvents): void;
  /** A URI that has whoever is referred to it take this call over (RFC 3891). */
  readonly replacement: string;
  /** What ends it when this process is gone. */
  readonly looseEnd: LooseEnd;
}

export interface IncomingCallEvents extends DialogEvents {
  /** The caller gave up, or its invitation has expired: the INVITE has been answered 487; or it never heard that it rings (RFC 3262), and 504. Nothing follows. */
  onCancelled(reason?: ReasonValue): void;
  /** Our 200 was acknowledged. */
  onConfirmed(): void;
}

/** An INVITE outside any dialog, addressed to one of our accounts. 100 Trying has been sent. */
export interface IncomingCall {
  readonly account: SipAccount;
  /** The SIP Call-ID, for logs. */
  readonly callId: string;
  readonly requestUri: NameAddress;
  readonly from: NameAddress;
  readonly to: NameAddress;
  readonly contact?: NameAddress;
  /** Read anew each time it is asked for; absent: only From speaks of the caller. */
  readonly identity?: CallerIdentity;
  /** The offer; absent when the INVITE carries none. */
  readonly sdp?: string;
  /** The call of the same account whose far end the caller takes the place of (Replaces, RFC 3891). */
  readonly replaces?: CallDialog;
  /** Where events go; assigned once, before `onInvite` returns. */
  events: IncomingCallEvents | undefined;
  /** 180. Nothing after a final response. */
  ring(): void;
  /** 200 with the answer. Undefined after the end. The dialog may `bye` at once: the BYE then waits for the ACK. */
  accept(sdp: string): CallDialog | undefined;
  /** 300 to 699. Nothing after a final response. */
  reject(status: number, options?: { phrase?: string; reason?: ReasonValue; retryAfterS?: number }): void;
  /** What ends it when this process is gone; undefined after a final response. */
  readonly looseEnd: LooseEnd | undefined;
}

export interface SipAccount {
  readonly settings: AccountSettings;
  /** The flow that leads to its registrar, `tcp 192.0.2.4:5060`; undefined before the first and when it closed. */
  readonly flowName: string | undefined;
  /**
   * One REGISTER: 401/407 are answered on the way, the nonce is kept for the next. Call-ID and CSeq go on from the last one.
   * @param expiresS seconds asked for; 0 removes the binding
   */
  register(expiresS: number): Promise<RegisterOutcome>;
  /** Never throws: what goes wrong arrives as `onRefused`, later than the return. */
  invite(options: InviteOptions, events: OutgoingCallEvents): OutgoingCall;
  /** Ends a call that a process before left. Never throws; what comes of it changes nothing. */
  endLeft(end: LooseEnd): void;
  /** Forgets the account. Its dialogs go on until they end. */
  remove(): void;
}

/** What a stack holds. With nothing going on all is 0 but the accounts. */
export interface SipStackUsage {
  /** Removed ones count until their last dialog has ended. */
  readonly accounts: number;
  /** Accounts with a SIP.js core. */
  readonly cores: number;
  readonly transactions: number;
  readonly dialogs: number;
  /** Messages over UDP that may be sent again, and answered INVITEs that may come again. */
  readonly retransmissions: number;
}

export interface SipStack {
  /** Throws MAPPING_CONFLICT for a token that is in use. */
  addAccount(settings: AccountSettings): SipAccount;
  /** The account with that token; not one that was removed. */
  accountOf(token: string): SipAccount | undefined;
  /** Where SIP is taken, `udp:127.0.0.1:5060`. */
  readonly listening: readonly string[];
  /** Counted anew at each call. */
  usage(): SipStackUsage;
  /** Closes flows and sockets, drops all transactions. Registrations and calls were ended before by their owners. */
  close(): Promise<void>;
}

export interface SipStackEvents {
  onInvite(call: IncomingCall): void;
  /** A connection that these accounts were using closed, or their registrar does not answer over UDP. Told once for each loss. */
  onFlowLost(accounts: readonly SipAccount[], why: string): void;
}

/** Tells what crosses the wire, one call a message; the text may hold secrets: the receiver redacts. */
export interface SipWireTap {
  onMessage(direction: 'in' | 'out', transport: SipTransport, peer: string, text: string): void;
}
