/**
 * The host contract: what a messaging server (the *host*) gives the SIP extension, and what it calls on it.
 * Names and shapes are fixed: other programs are written against them. Everything that crosses is plain
 * JSON-serialisable data, except `logger` and `database`.
 *
 * Glossary. *Peer*: somebody the messenger knows. *Mapping*: a row that makes a peer a SIP account (`sip_user_mappings`).
 * *AOR*: address of record, `sip:user@host`. *Registrar*: the server that keeps who is reachable where. *Offer/answer*:
 * the two halves of an SDP negotiation (RFC 3264). *Early media*: sound before the answer.
 */
import type { Knex } from 'knex';
import type { Logger } from 'winston';

// ---- identities -----------------------------------------------------------------------------

/** 1 = user, 2 = group, 4 = SIP address. `sip_user_mappings.peer_type` uses the same numbers. */
export type PeerType = 1 | 2 | 4;

export interface Peer {
  type: PeerType;
  id: number;
  /** The address of a SIP peer. */
  strId?: string;
}

export interface HostUser {
  id: number;
  name?: string;
  nick?: string;
  phone?: string;
  email?: string;
  disabled?: boolean;
}

// ---- what the host gives ----------------------------------------------------------------------

export interface ExtensionHost {
  /** server.conf: its path, or the tree the host has parsed already. */
  readonly config: { file: string } | { tree: Record<string, unknown> };
  readonly logger: Logger;
  /** The host's own pool. Without it the extension opens `services.postgresql` itself. */
  readonly database?: Knex;
  /** Looks a user up: the display name and whether the account is disabled. */
  readonly users?: { find(id: number): Promise<HostUser | undefined> };
  /** Where everything that happens to a call on the SIP side is told. */
  readonly calls: { update(update: CallUpdate): void | Promise<void> };
}

// ---- what the host calls ----------------------------------------------------------------------

export interface HostExtension {
  /** Resolves when ready to take calls; rejects with a typed error. */
  init(host: ExtensionHost): Promise<void>;
  /** Idempotent. */
  onUserCreated(user: HostUser): Promise<void>;
  /** disabled => un-registered; enabled again => registered. */
  onUserUpdated(user: HostUser): Promise<void>;
  onUserDeleted(user: { id: number }): Promise<void>;
  /** Rejects only for a command that could not be taken. */
  onCall(command: CallCommand): Promise<void>;
  /** Ready, registrations by state, live calls, node id, uptime. */
  status(): ExtensionStatus;
  /** Un-registers, ends or drains calls, closes sockets and pools. */
  stop(options?: { drainMs?: number }): Promise<void>;
}

export interface ExtensionStatus {
  ready: boolean;
  nodeId: string;
  /** Milliseconds since init resolved; 0 before. */
  uptimeMs: number;
  registrations: RegistrationsStatus;
  calls: { live: number };
  /** Where this node takes SIP, `udp:0.0.0.0:5060`. */
  listening: string[];
  /** Rows of sip_user_mappings that cannot be used, and why. */
  rejectedRows: { id?: number; problem: string }[];
}

export type RegistrationState = 'waiting' | 'registering' | 'registered' | 'retrying' | 'parked' | 'unregistering';

export interface RegistrationsStatus {
  total: number;
  byState: Record<RegistrationState, number>;
  /** Those that are not registered, the first hundred: why, and when they are tried next. */
  troubled: RegistrationStatus[];
  /**
   * Milliseconds until all that wait for their turn have had it, at the slowest registrar; 0 when nobody waits. Absent: nobody can say, for a
   * registrar answers nothing (`queues` says which).
   */
  convergesInMs?: number;
  /** The registrars at which somebody waits for a turn, the longest wait first, at most a hundred. */
  queues?: RegistrationQueue[];
}

export interface RegistrationQueue {
  /** `pbx.example.com:5060 over udp` */
  registrar: string;
  /** How many wait for a turn. */
  waiting: number;
  /** Milliseconds until the last of them has its turn: by `register.max-rate`, or by how fast the registrar answered in the last seconds. */
  convergesInMs?: number;
  /** Why that is not known, in words: "it has answered nothing for 40 s". */
  unknown?: string;
}

export interface RegistrationStatus {
  mappingId: number;
  /** `sip:434@example.com` */
  aor: string;
  state: RegistrationState;
  /** ISO 8601, to the second: when it came to this state. A try in between that changed nothing does not count. */
  since: string;
  /** `pbx.example.com:5060 over udp` */
  registrar: string;
  /** How the registrar is reached now: `tcp 192.0.2.4:5060`. Absent when nothing leads there. */
  flow?: string;
  /** The last final status of a REGISTER, absent when nothing came back. */
  lastCode?: number;
  /** In words: "The registrar refused the password (401 Unauthorized)." */
  lastError?: string;
  /** ISO 8601. */
  nextTryAt?: string;
}

// ---- calls: host -> extension -------------------------------------------------------------------

export interface SessionDescription {
  type: 'offer' | 'answer';
  sdp: string;
}

export interface IceCandidate {
  candidate: string;
  sdpMid?: string | null;
  sdpMLineIndex?: number | null;
}

/** Whom to call: a messenger peer that has a mapping, or what the user typed: an extension, a phone number or a SIP URI. */
export type CallTarget = { peer: Peer } | { address: string };

export type HangupReason = 'normal' | 'busy' | 'rejected' | 'no_answer' | 'picked_up' | 'error';

export type CallCommand =
  | {
      type: 'create';
      callId: string;
      from: Peer;
      to: CallTarget;
      /** An offer. */
      description: SessionDescription;
      /** Default true; false: wait for `candidates` until endOfCandidates or the deadline. */
      candidatesComplete?: boolean;
      video?: boolean;
      displayName?: string;
      mappingId?: number;
    }
  | { type: 'candidates'; callId: string; candidates: IceCandidate[]; endOfCandidates?: boolean }
  /** Incoming: a device rings -> 180. */
  | { type: 'ringing'; callId: string }
  | { type: 'answer'; callId: string; description: SessionDescription; candidatesComplete?: boolean }
  /** re-INVITE: hold, video on/off, ICE restart. */
  | { type: 'offer'; callId: string; description: SessionDescription; candidatesComplete?: boolean }
  | { type: 'dtmf'; callId: string; tones: string; durationMs?: number }
  /** Blind | attended. */
  | { type: 'transfer'; callId: string; to: CallTarget | { callId: string } }
  | { type: 'hangup'; callId: string; reason?: HangupReason };

// ---- calls: extension -> host -------------------------------------------------------------------

export type CallState = 'trying' | 'ringing' | 'progress' | 'talking' | 'finished';

export type DisposeReason =
  | 'normal'
  | 'busy'
  | 'rejected'
  | 'no_answer'
  | 'picked_up'
  | 'transfer'
  | 'callee_not_found'
  | 'caller_disabled'
  | 'callee_disabled'
  | 'unavailable'
  | 'media'
  | 'call_does_not_exist'
  | 'error';

export interface RemoteParty {
  uri: string;
  user?: string;
  displayName?: string;
  /** When it maps to a messenger user. */
  peer?: Peer;
}

export type CallUpdate =
  | {
      type: 'incoming';
      callId: string;
      to: Peer;
      from: RemoteParty;
      description: SessionDescription;
      video: boolean;
      mappingId: number;
    }
  /** `description`: early media or the answer. */
  | { type: 'state'; callId: string; state: CallState; description?: SessionDescription; remote?: RemoteParty }
  /** Remote re-INVITE: reply with `answer` (or `hangup`). */
  | { type: 'offer'; callId: string; description: SessionDescription }
  /** To the host's own `offer`. */
  | { type: 'answer'; callId: string; description: SessionDescription }
  /** The call goes on as it was. */
  | { type: 'offerRejected'; callId: string; status: number; retryAfterMs?: number }
  | { type: 'dtmf'; callId: string; tones: string }
  | { type: 'transfer'; callId: string; state: 'trying' | 'accepted' | 'failed'; status?: number }
  /** message: one plain sentence for a person ("The line is busy (486 Busy Here)."). */
  | {
      type: 'ended';
      callId: string;
      reason: DisposeReason;
      sip?: { status: number; phrase: string };
      message: string;
    };
