/** What the administration interface needs of the rest of the program, and no more. */
import type { Clock } from '../base/clock.js';
import type { ExtensionStatus } from '../host/contract.js';
import type { Ladder, UntoldCall } from '../ladder/ladder.js';
import type { ListedState, MappingBody, RegistrationsPage, ShownLogLine, ShownMapping, ShownRegistration, ShownSample } from './shapes.js';

export interface AdminRegistrations {
  /** At most `limit` of them by ascending mapping id, from the first above `afterId`. */
  page(query: { state?: ListedState; afterId: number; limit: number }): ShownRegistration[];
  /** Of the next some thousands, those whose address of record holds `text` in any case; `next` is where to go on. */
  search(query: { text: string; state?: ListedState; afterId: number; limit: number }): RegistrationsPage;
  /** All mappings of a messenger user, by ascending id, those that are not to be registered too. */
  ofUser(userId: number): ShownRegistration[];
  /** @throws MappingError MAPPING_NOT_FOUND */
  find(mappingId: number): ShownRegistration;
  /** Ends a hold, and tries now. @throws MappingError MAPPING_NOT_FOUND; ExtensionError REGISTRATION_OFF, NOT_READY */
  register(mappingId: number): ShownRegistration;
  /** Un-registers now, and holds it so. @throws MappingError MAPPING_NOT_FOUND; ExtensionError REGISTRATION_OFF */
  unregister(mappingId: number): ShownRegistration;
}

export interface AdminMappings {
  /** At most `limit` rows by ascending id, from the first above `afterId`. @throws ExtensionError DATABASE_*, as every method here */
  page(query: { text?: string; afterId: number; limit: number }): Promise<ShownMapping[]>;
  /** @throws MappingError MAPPING_NOT_FOUND */
  find(mappingId: number): Promise<ShownMapping>;
  /** @throws MappingError MAPPING_INVALID, MAPPING_CONFLICT */
  add(typed: MappingBody): Promise<ShownMapping>;
  /** @throws MappingError MAPPING_NOT_FOUND, MAPPING_INVALID, MAPPING_CONFLICT */
  change(mappingId: number, typed: MappingBody): Promise<ShownMapping>;
  /** @returns what it was. @throws MappingError MAPPING_NOT_FOUND */
  remove(mappingId: number): Promise<ShownMapping>;
  /** All of the file or nothing. @throws MappingError MAPPING_INVALID when it cannot be read as a whole, MAPPING_CONFLICT */
  importCsv(file: Buffer, options: { dryRun: boolean }): Promise<AdminImport>;
}

export interface AdminImport {
  readonly rows: number;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly errorCount: number;
  readonly errors: readonly { readonly line: number; readonly column?: string; readonly problem: string }[];
}

/** What is known of a call, as calls/ and records/ tell it. */
export interface EndedOrLive {
  readonly callId: string;
  readonly direction: 'outgoing' | 'incoming';
  readonly mappingId?: number;
  readonly peer: { readonly type: number; readonly id: number };
  readonly from: string;
  readonly to: string;
  readonly startedAt: Date;
  readonly rangAt?: Date;
  readonly answeredAt?: Date;
  readonly codecs: readonly string[];
}

/** A call that goes on. */
export interface AdminCall extends EndedOrLive {
  readonly state: string;
}

/** A call that is over. */
export interface AdminRecord extends EndedOrLive {
  readonly endedAt: Date;
  readonly reason: string;
  readonly class: string;
  readonly status?: number;
  readonly message: string;
  readonly node: string;
}

/** Where a record stands: at that moment, or at that call. */
export type RecordPlace = { readonly endedAt: Date } | Pick<AdminRecord, 'endedAt' | 'startedAt' | 'callId'>;

export interface AdminRecords {
  /**
   * At most `limit`, newest end first, from the first that ended before that moment or comes after that call.
   * @returns next: after which call to go on; a search by `text` may have found none up to there, for it looks at a part in one go
   * @throws ExtensionError DATABASE_*
   */
  find(query: {
    since?: Date;
    before?: RecordPlace;
    user?: number;
    /** A part of either address, in any case, or the number of the user. */
    text?: string;
    limit: number;
  }): Promise<{ readonly records: AdminRecord[]; readonly next?: Pick<AdminRecord, 'endedAt' | 'startedAt' | 'callId'> }>;
}

export interface AdminCalls {
  /** The longest first. */
  calls(): Iterable<AdminCall>;
}

export interface AdminLadders {
  /** @param id the call's, or the Call-ID of a SIP call that the messenger was not told of. @throws Refusal NOTHING_RECORDED */
  ofCall(id: string): Ladder;
  /** @throws Refusal NOTHING_RECORDED; MappingError MAPPING_NOT_FOUND */
  ofRegistration(mappingId: number): Ladder;
  /** Newest first, bounded. @throws Refusal NOTHING_RECORDED */
  untold(): readonly UntoldCall[];
}

/** Something that may be listened to as it happens. */
export interface Heard<T> {
  /** @returns ends it */
  add(listener: (value: T) => void): () => void;
}

export interface AdminLogLine {
  readonly n: number;
  readonly at: Date;
  readonly level: ShownLogLine['level'];
  readonly message: string;
}

export interface AdminLogTail {
  readonly last: number;
  readonly lines: Heard<AdminLogLine>;
  /** Oldest first, bounded. */
  after(n: number, level: ShownLogLine['level']): readonly AdminLogLine[];
}

export type AdminSample = Readonly<Omit<ShownSample, 'at'>> & { readonly at: Date };

export interface AdminHistory {
  readonly everyMs: number;
  readonly made: Heard<AdminSample>;
  /** Oldest first, bounded. */
  readonly samples: readonly AdminSample[];
}

export interface AdminDependencies {
  readonly registrations: AdminRegistrations;
  readonly mappings: AdminMappings;
  readonly calls: AdminCalls;
  readonly records: AdminRecords;
  /** Each call at its end. */
  readonly endings: Heard<AdminRecord>;
  readonly ladders: AdminLadders;
  readonly tail: AdminLogTail;
  readonly history: AdminHistory;
  readonly status: () => ExtensionStatus;
  /** The configuration in force, line by line, secrets masked. */
  readonly configuration: () => readonly string[];
  /** Prometheus's text format. */
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
  readonly clock: Clock;
  readonly log: Record<'info' | 'warn' | 'error', (message: string, meta: Record<string, unknown>) => unknown>;
}
