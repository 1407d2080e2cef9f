/** What the administration interface tells and is told, as types. Times are ISO 8601. */
export type { ImportReport, MappingBody, MappingsPage, ShownMapping } from '../../admin/mapping-shapes.js';
export type { ShownHistory, ShownLogLine, ShownLogTail, ShownSample } from '../../admin/observing-shapes.js';
export type { RecordsPage, ShownRecord } from '../../admin/record-shapes.js';
export type { EffectiveConfiguration, LiveCalls, RegistrationsPage, ShownCall, ShownRegistration, UntoldCalls } from '../../admin/shapes.js';
export type { ExtensionStatus, RegistrationState } from '../../host/contract.js';
export type { Ladder, Step } from '../../ladder/ladder.js';
import type { ShownLogLine, ShownSample } from '../../admin/observing-shapes.js';
import type { ExtensionStatus } from '../../host/contract.js';

/** One line of the WebSocket: what the page takes of it. */
export type LiveEvent =
  | { readonly type: 'status'; readonly status: ExtensionStatus }
  | { readonly type: 'call' }
  | { readonly type: 'registrations' }
  | { readonly type: 'log'; readonly line: ShownLogLine }
  | { readonly type: 'sample'; readonly sample: ShownSample };
