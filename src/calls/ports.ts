/** What calls need of the rest of the program: the smallest shapes, so that a spec needs no database and no socket. */
import type { Clock } from '../base/clock.js';
import type { CallCommand, CallUpdate, DisposeReason, HostUser, Peer } from '../host/contract.js';
import type { WebRtcProfile } from '../sdp/profile.js';
import type { LooseEnd, SipAccount, SipTransport } from '../sip/types.js';
import type { IncomingState, OutgoingState } from './call-state.js';
import type { LimitSettings } from './call-limits.js';
import type { Dialling } from './dialling.js';
import type { TerminationClass } from './termination.js';

/** What routing reads of a row of `sip_user_mappings`. */
export interface RoutableMapping {
  readonly id: number;
  /** Plain text, not escaped. */
  readonly sipUser: string;
  /** A name or an address, without brackets. */
  readonly sipHost: string;
  readonly sipPort: number;
  readonly transport: SipTransport;
  readonly peer: Peer;
  readonly canCall: boolean;
  readonly canBeCalled: boolean;
  readonly displayName?: string;
}

/** The mappings in memory: a call costs no query. */
export interface MappingLookup {
  get(id: number): RoutableMapping | undefined;
  /** Ascending by id. */
  byPeer(peer: Peer): readonly RoutableMapping[];
  /** The host is compared without regard to case, the user with it. */
  bySipUser(user: string, host?: string): readonly RoutableMapping[];
}

/** Which SIP account carries a mapping's calls. */
export interface AccountLookup {
  /** Undefined when the mapping has no account in the stack. */
  accountOf(mappingId: number): Pick<SipAccount, 'invite'> | undefined;
  /** Undefined when the account's mapping is gone. */
  mappingIdOf(account: SipAccount): number | undefined;
}

/** The host's own users; asked whether one is disabled, when the host can say. */
export interface UserLookup {
  find(id: number): Promise<HostUser | undefined>;
}

export interface UpdateSink {
  update(update: CallUpdate): void | Promise<void>;
}

export interface CallLog {
  info(message: string, meta?: Record<string, unknown>): unknown;
  warn(message: string, meta?: Record<string, unknown>): unknown;
  error(message: string, meta?: Record<string, unknown>): unknown;
}

/** Who is in a call. */
export interface CallParties {
  /** Whose call it is in the messenger. */
  readonly peer: Peer;
  /** Absent while no way was found. */
  readonly mappingId?: number;
  /** SIP URIs; of an outgoing call that found no way, what was asked for: `600`, `user:435`. */
  readonly from: string;
  readonly to: string;
}

/** What is known of a call at a time. */
export interface CallFacts extends CallParties {
  readonly callId: string;
  readonly direction: 'outgoing' | 'incoming';
  readonly startedAt: Date;
  /** The first 180, of either side. */
  readonly rangAt?: Date;
  /** The 2xx, of either side. */
  readonly answeredAt?: Date;
  /** Encoding names, lower case, one for each stream that the answer took; empty before it. */
  readonly codecs: readonly string[];
}

/** A call that goes on. */
export interface LiveCall extends CallFacts {
  readonly state: OutgoingState | IncomingState;
}

/** One call is over: for counting and for the record of it. */
export interface CallEnding extends CallFacts {
  readonly endedAt: Date;
  readonly reason: DisposeReason;
  readonly class: TerminationClass;
  /** For a person. */
  readonly message: string;
  /** The SIP status, when there was one. */
  readonly status?: number;
}

/** `modules.sip.webrtc`. */
export interface MediaSettings extends WebRtcProfile {
  /** False: what is no WebRTC goes through as it is, and the log says what it lacks. */
  readonly enforce: boolean;
}

export interface CallSettings extends LimitSettings {
  /** Outgoing: how long until the first ringing or progress, milliseconds. */
  readonly setupTimeoutMs: number;
  /** Both directions: how long it rings, milliseconds. */
  readonly ringTimeoutMs: number;
  /** How long candidates are waited for, milliseconds. */
  readonly candidateTimeoutMs: number;
  /** `dialog-ignore-contact-field`: the caller by From alone. */
  readonly ignoreContact: boolean;
  readonly webrtc: MediaSettings;
  /** What becomes of what is dialled, and whether it may be called. */
  readonly dialling: Dialling;
}

/** Hears of everything that the host asks for, and which SIP messages are whose. It must not throw. */
export interface CallRecorder {
  /** Each command that was taken, before it takes effect. */
  onCommand(command: CallCommand): void;
  /** Which SIP call a call goes on as, by its Call-ID. */
  onLeg(callId: string, sipCallId: string): void;
}

/** A call as whoever has to end it after this process needs to know it; read when it is noted down, and not in the call's way. */
export interface JournaledCall {
  readonly callId: string;
  readonly facts: LiveCall;
  /** What ends it on the SIP side; undefined when nothing does yet. */
  readonly looseEnd: LooseEnd | undefined;
}

/** Where live calls are noted down, so that a crash leaves none behind. It must not throw. */
export interface CallJournal {
  /** What has to be known of the call is new, or another than before. */
  changed(call: JournaledCall): void;
  /** It is over on both sides. Also told of calls that never changed. */
  over(call: JournaledCall): void;
}

export interface CallPorts {
  readonly mappings: MappingLookup;
  readonly accounts: AccountLookup;
  readonly host: UpdateSink;
  readonly users?: UserLookup;
  readonly clock: Clock;
  readonly log: CallLog;
  /** Told once for each call that the host was told of. It must not throw, and whoever waits is not the call. */
  readonly onEnded?: (ending: CallEnding) => void;
  /** Who keeps what happens to a call, for whoever asks about it afterwards. */
  readonly recorder?: CallRecorder;
  /**
   * Told once for each INVITE that the host is not told of: the status it was answered with, and the record of it unless nobody here was
   * called. Its id is the SIP Call-ID. It must not throw.
   */
  readonly onRefused?: (status: number, ending?: CallEnding) => void;
  readonly journal?: CallJournal;
  /** The id of an incoming call; a random UUID unless a spec wants another. */
  readonly newCallId?: () => string;
  /** From 0 to 1, for waits by chance; Math.random unless a spec wants another. */
  readonly random?: () => number;
}
