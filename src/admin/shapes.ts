/** What crosses the administration interface, as zod schemas: the server checks what it is asked by them, the client what it is told. */
import * as z from 'zod';
import type { ExtensionStatus, RegistrationState } from '../host/contract.js';
import type { ShownLogLine, ShownSample } from './observing-shapes.js';
import { pageSize, partOfText, time, wholeNumber } from './query-shapes.js';
import type { ShownRecord } from './record-shapes.js';

export { largestPage } from './query-shapes.js';
export * from './mapping-shapes.js';
export * from './observing-shapes.js';
export * from './record-shapes.js';

export const registrationStates = ['waiting', 'registering', 'registered', 'retrying', 'parked', 'unregistering'] as const satisfies readonly RegistrationState[];

/** Those of a registration, and `held`: a person un-registered it. */
export const listedStates = [...registrationStates, 'held'] as const;
export type ListedState = (typeof listedStates)[number];

/** And `off`: its row or its user says that it is not to be registered. Such a mapping is shown when it or its user is asked for. */
export const shownStates = [...listedStates, 'off'] as const;

/** One mapping's registration, as the contract has it (`RegistrationStatus`), and whose it is. */
export const shownRegistration = z.object({
  mappingId: z.int().positive(),
  aor: z.string(),
  state: z.enum(shownStates),
  /** The messenger user whose account it is; absent for a group or a SIP peer, and for a mapping that is being removed. */
  userId: z.int().optional(),
  /** ISO 8601; absent while it is held or off. */
  since: z.string().optional(),
  registrar: z.string(),
  flow: z.string().optional(),
  lastCode: z.int().optional(),
  lastError: z.string().optional(),
  nextTryAt: z.string().optional(),
  /** Why it is held or off, a sentence. */
  note: z.string().optional(),
});
export type ShownRegistration = z.infer<typeof shownRegistration>;

/** `next`: what to ask `after` for the following page, which may be there even when this one is empty; absent on the last. */
export const registrationsPage = z.object({ items: z.array(shownRegistration), next: z.int().optional() });
export type RegistrationsPage = z.infer<typeof registrationsPage>;

/** One call that goes on. Times are ISO 8601. */
export const shownCall = z.object({
  callId: z.string(),
  direction: z.enum(['outgoing', 'incoming']),
  state: z.string(),
  mappingId: z.int().optional(),
  /** The messenger user whose call it is; absent for a group or a SIP peer. */
  userId: z.int().optional(),
  from: z.string(),
  to: z.string(),
  startedAt: z.string(),
  rangAt: z.string().optional(),
  answeredAt: z.string().optional(),
  codecs: z.array(z.string()),
});
export type ShownCall = z.infer<typeof shownCall>;

/** The longest first. `total`: how many are asked for, shown or not. `next`: what to ask `after` for the following page; absent on the last. */
export const liveCalls = z.object({ items: z.array(shownCall), total: z.int(), next: z.string().optional() });
export type LiveCalls = z.infer<typeof liveCalls>;

export const pageQuery = z.strictObject({
  state: z.enum(listedStates, { error: `want one of ${listedStates.join(', ')}` }).optional(),
  user: wholeNumber(1, Number.MAX_SAFE_INTEGER).optional(),
  /** A part of the AOR, in any case. */
  q: partOfText,
  after: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(0),
  limit: pageSize,
});

/** As `next` gives it: the start and the id of the last call of a page. */
const livePlace = z.string({ error: 'want one place' }).transform((text, context) => {
  const [, startedAt, callId] = /^([^,]+),(.{1,512})$/s.exec(text) ?? [];
  const started = time.safeParse(startedAt);
  if (started.success && callId !== undefined) return { startedAt: started.data, callId };
  context.addIssue({ code: 'custom', message: 'want what `next` said' });
  return z.NEVER;
});

export const callsQuery = z.strictObject({
  user: wholeNumber(1, Number.MAX_SAFE_INTEGER).optional(),
  /** A part of either address, in any case, or the number of the user. */
  q: partOfText,
  after: livePlace.optional(),
  limit: pageSize,
});

/** What `after` takes. */
export function writeLivePlace({ startedAt, callId }: { readonly startedAt: Date; readonly callId: string }): string {
  return `${startedAt.toISOString()},${callId}`;
}

export const callPath = z.strictObject({ callId: z.string().min(1).max(512) });

export const ladderForms = ['text', 'svg', 'pcapng', 'json'] as const;
export type LadderForm = (typeof ladderForms)[number];

export const ladderQuery = z.strictObject({
  as: z.enum(ladderForms, { error: `want one of ${ladderForms.join(', ')}` }).default('json'),
  /** Columns of `text`. */
  width: wholeNumber(60, 500).default(80),
  /** Whole messages in `text`. */
  messages: z.enum(['true', 'false'], { error: 'want true or false' }).default('false').transform((said) => said === 'true'),
});
export type LadderQuery = z.infer<typeof ladderQuery>;

/** SIP calls that were refused before the messenger heard of them. `at`: ISO 8601. */
export const untoldCalls = z.object({ items: z.array(z.object({ at: z.string(), sipCallId: z.string(), from: z.string(), to: z.string() })) });
export type UntoldCalls = z.infer<typeof untoldCalls>;

export const mappingPath = z.strictObject({ mappingId: wholeNumber(1, Number.MAX_SAFE_INTEGER) });

/** The configuration in force as `dialog-sip check-config` prints it, line by line, secrets masked. */
export const effectiveConfiguration = z.object({ lines: z.array(z.string()) });
export type EffectiveConfiguration = z.infer<typeof effectiveConfiguration>;

/** Lets one WebSocket in, within 30 s. */
export const issuedTicket = z.object({ ticket: z.string() });
export type IssuedTicket = z.infer<typeof issuedTicket>;

export const ticketQuery = z.strictObject({ ticket: z.string().max(64) });

/** What a console is told as it happens, one to a message of its WebSocket. */
export type ConsoleEvent =
  | { type: 'status'; status: ExtensionStatus }
  | { type: 'registrations'; byState: Record<RegistrationState, number> }
  | { type: 'call'; change: 'started' | 'changed'; call: ShownCall }
  | { type: 'call'; change: 'ended'; call: ShownRecord }
  | { type: 'log'; line: ShownLogLine }
  | { type: 'sample'; sample: ShownSample };
