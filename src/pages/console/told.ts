/** What the administration interface tells and is told, as types. Times are ISO 8601. */
export type { ExtensionStatus, RegistrationState } from '../../host/contract.js';
export type { MappingBody, MappingsPage, ShownMapping } from '../../admin/mapping-shapes.js';
export type { RecordsPage, ShownRecord } from '../../admin/record-shapes.js';
export type { EffectiveConfiguration, LiveCalls, RegistrationsPage, ShownCall, ShownRegistration, UntoldCalls } from '../../admin/shapes.js';
export type { Ladder, Step } from '../../ladder/ladder.js';
import type { ExtensionStatus, RegistrationState } from '../../host/contract.js';

export interface ImportResult {
  readonly rows: number;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  /** The first of them; `errorCount` is how many there are. */
  readonly errors: readonly { readonly line: number; readonly field?: string; readonly problem: string }[];
  readonly errorCount: number;
  readonly dryRun: boolean;
}

export interface LogLine {
  /** Counts all lines of this start of the extension. */
  readonly n: number;
  readonly at: string;
  readonly level: string;
  readonly message: string;
}

export type ByState = Readonly<Partial<Record<RegistrationState, number>>>;

/** What was measured over ten seconds. */
export interface Sample {
  readonly at: string;
  readonly byState: ByState;
  readonly live: number;
  readonly callsPerSecond: number;
  readonly answered: number;
  readonly ended: number;
  /** Post-dial delay, milliseconds; null when nothing rang. */
  readonly pddMs: { readonly p50: number; readonly p95: number; readonly p99: number } | null;
  readonly registersPerSecond: number;
  readonly registerLimit: number;
}

/** One line of the WebSocket. */
export type LiveEvent =
  | { readonly type: 'status'; readonly status: ExtensionStatus }
  | { readonly type: 'call'; readonly change: 'started' | 'changed' | 'ended' }
  | { readonly type: 'registrations'; readonly byState: ByState }
  | { readonly type: 'log'; readonly line: LogLine }
  | { readonly type: 'sample'; readonly sample: Sample };
