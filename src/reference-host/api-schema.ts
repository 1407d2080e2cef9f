/** The shapes that clients send, checked at the door: what the call hub gets is what it says. */
import { z } from 'zod';
import type { ClientCommand } from './call-hub.js';

/** As long as a session description with all its candidates may be; bytes of SIP's own limit. */
const sdp = z.string().min(1).max(60_000);
const callId = z.string().min(1).max(128);
const completeness = { candidatesComplete: z.boolean().optional() };
const peer = z.strictObject({
  type: z.union([z.literal(1), z.literal(2), z.literal(4)]),
  id: z.int().nonnegative(),
  strId: z.string().max(512).optional(),
});
const target = z.union([z.strictObject({ peer }), z.strictObject({ address: z.string().min(1).max(512) })]);
const offer = z.strictObject({ type: z.literal('offer'), sdp });
const answer = z.strictObject({ type: z.literal('answer'), sdp });
const candidate = z.object({
  candidate: z.string().max(1_024),
  sdpMid: z.string().max(64).nullable().optional(),
  sdpMLineIndex: z.int().nonnegative().nullable().optional(),
});

const createFields = { callId: callId.optional(), to: target, description: offer, video: z.boolean().optional(), ...completeness };

/** What follows the call's id, by command; over HTTP the command is the last part of the path. */
const fields = {
  ringing: {},
  answer: { description: answer, ...completeness },
  offer: { description: offer, ...completeness },
  hangup: { reason: z.enum(['normal', 'busy', 'rejected', 'no_answer', 'picked_up', 'error']).optional() },
  candidates: { candidates: z.array(candidate).max(200), endOfCandidates: z.boolean().optional() },
  dtmf: { tones: z.string().regex(/^[0-9A-D*#,]{1,64}$/), durationMs: z.int().min(40).max(6_000).optional() },
  transfer: { to: z.union([target, z.strictObject({ callId })]) },
};

export type CallAction = keyof typeof fields;
const callActions = Object.keys(fields) as CallAction[];

export const createBody = z.strictObject(createFields);

const commands = [
  z.strictObject({ type: z.literal('create'), ...createFields }),
  z.strictObject({ type: z.literal('ringing'), callId, ...fields.ringing }),
  z.strictObject({ type: z.literal('answer'), callId, ...fields.answer }),
  z.strictObject({ type: z.literal('offer'), callId, ...fields.offer }),
  z.strictObject({ type: z.literal('hangup'), callId, ...fields.hangup }),
  z.strictObject({ type: z.literal('candidates'), callId, ...fields.candidates }),
  z.strictObject({ type: z.literal('dtmf'), callId, ...fields.dtmf }),
  z.strictObject({ type: z.literal('transfer'), callId, ...fields.transfer }),
] as const;

export const clientCommand: z.ZodType<ClientCommand> = z.discriminatedUnion('type', commands);

/** A command over the event stream; `requestId` comes back with its outcome. */
export const requestId = z.looseObject({ requestId: z.string().max(128).optional() });

const userFields = {
  name: z.string().max(200).optional(),
  nick: z.string().max(200).optional(),
  phone: z.string().max(50).optional(),
  email: z.string().max(320).optional(),
  disabled: z.boolean().optional(),
};
export const newUser = z.strictObject({ id: z.int().positive().optional(), ...userFields });
export const userChange = z.strictObject(userFields);
export const userPath = z.object({ id: z.coerce.number().int().positive() });
export const sessionBody = z.strictObject({ userId: z.int().positive() });
export const callPath = z.object({ id: callId, action: z.enum(callActions as [CallAction, ...CallAction[]]) });
