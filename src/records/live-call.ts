/** A call that goes on, as the journal keeps it. */
import type { EndedCall } from './call-record.js';

/** What is known of it at a time. */
export type CallSoFar = Omit<EndedCall, 'endedAt' | 'reason' | 'class' | 'status' | 'message'>;

/** Asked only when it is written. */
export interface JournaledCall {
  readonly callId: string;
  readonly facts: CallSoFar;
  /** What ends it on the SIP side when its process is gone, for JSON; undefined when nothing does yet. */
  readonly looseEnd: object | undefined;
}

/** A call whose process is gone. */
export interface LeftCall {
  readonly callId: string;
  readonly mappingId?: number;
  /** As it came from the database: to be judged. */
  readonly looseEnd: unknown;
}
