/** What the administration interface needs of the rest of the program, and no more. */
import type { Clock } from '../base/clock.js';
import type { ExtensionStatus } from '../host/contract.js';
import type { Ladder, UntoldCall } from '../ladder/ladder.js';
import type { ListedState, ShownRegistration } from './shapes.js';

export interface AdminRegistrations {
  /** At most `limit` of them by ascending mapping id, from the first above `afterId`. */
  page(query: { state?: ListedState; afterId: number; limit: number }): ShownRegistration[];
  /** All mappings of a messenger user, by ascending id, those that are not to be registered too. */
  ofUser(userId: number): ShownRegistration[];
  /** @throws MappingError MAPPING_NOT_FOUND */
  find(mappingId: number): ShownRegistration;
  /** Ends a hold, and tries now. @throws MappingError MAPPING_NOT_FOUND; ExtensionError REGISTRATION_OFF, NOT_READY */
  register(mappingId: number): ShownRegistration;
  /** Un-registers now, and holds it so. @throws MappingError MAPPING_NOT_FOUND; ExtensionError REGISTRATION_OFF */
  unregister(mappingId: number): ShownRegistration;
}

/** A call that goes on, as calls/ tells it. */
export interface AdminCall {
  readonly callId: string;
  readonly direction: 'outgoing' | 'incoming';
  readonly state: string;
  readonly mappingId?: number;
  readonly peer: { readonly type: number; readonly id: number };
  readonly from: string;
  readonly to: string;
  readonly startedAt: Date;
  readonly rangAt?: Date;
  readonly answeredAt?: Date;
  readonly codecs: readonly string[];
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

export interface AdminDependencies {
  readonly registrations: AdminRegistrations;
  readonly calls: AdminCalls;
  readonly ladders: AdminLadders;
  readonly status: () => ExtensionStatus;
  /** Prometheus's text format. */
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
  readonly clock: Clock;
  readonly log: Record<'info' | 'warn' | 'error', (message: string, meta: Record<string, unknown>) => unknown>;
}
