/** What the administration interface tells and is told, as types. Times are ISO 8601. */
export type { ImportReport, MappingBody, MappingsPage, ShownMapping } from '../../admin/mapping-shapes.js';
export type { ShownHistory, ShownLogLine, ShownLogTail, ShownSample } from '../../admin/observing-shapes.js';
export type { RecordsPage, ShownRecord } from '../../admin/record-shapes.js';
export type { ConsoleEvent, EffectiveConfiguration, IssuedTicket, LiveCalls, RegistrationsPage, ShownCall, ShownRegistration, UntoldCalls } from '../../admin/shapes.js';
export type { ExtensionStatus, RegistrationState } from '../../host/contract.js';
export type { Ladder, Step } from '../../ladder/ladder.js';
