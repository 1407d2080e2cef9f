/** The host's call commands, checked at the door: what passes is well-formed, what does not is told by the name of its field. */
import { z } from 'zod';
import { ExtensionError } from '../base/errors.js';
import type { CallCommand } from '../host/contract.js';
import { isCandidate } from '../sdp/candidates.js';

/** A command that is well-formed. */
export type TakenCommand = CallCommand;
export type CreateCommand = Extract<CallCommand, { type: 'create' }>;

const callId = z.string().min(1).max(256);
/** 64 KB is also the most that a SIP message may have. */
const sdp = z.string().min(1).max(65_536);

const peer = z.object({
  type: z.union([z.literal(1), z.literal(2), z.literal(4)], { error: 'expected 1 (user), 2 (group) or 4 (SIP address)' }),
  id: z.int(),
  strId: z.string().max(1_024).optional(),
});

const target = z.union([z.object({ peer }), z.object({ address: z.string().min(1).max(1_024) })], {
  error: 'expected { peer: { type, id } } or { address: "an extension, a phone number or a SIP URI" }',
});

const transferTargets = 'expected { peer: { type, id } }, { address } or { callId: "another call" }';

const candidate = z.object({
  candidate: z.string().max(2_048).refine(isCandidate, { error: 'expected one line that starts with "candidate:"' }),
  sdpMid: z.string().max(256).nullish(),
  sdpMLineIndex: z.int().min(0).max(255).nullish(),
});

/** A name goes into a header: control characters, line ends above all, become spaces. */
const displayName = z.string().max(256).transform((name) => name.replace(/\p{Cc}+/gu, ' ').trim());

const command = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('create'),
    callId,
    from: peer,
    to: target,
    description: z.object({ type: z.literal('offer'), sdp }),
    candidatesComplete: z.boolean().optional(),
    video: z.boolean().optional(),
    displayName: displayName.optional(),
    mappingId: z.int().optional(),
  }),
  z.object({
    type: z.literal('candidates'),
    callId,
    candidates: z.array(candidate).max(256),
    endOfCandidates: z.boolean().optional(),
  }),
  z.object({ type: z.literal('ringing'), callId }),
  z.object({
    type: z.literal('answer'),
    callId,
    description: z.object({ type: z.literal('answer'), sdp }),
    candidatesComplete: z.boolean().optional(),
  }),
  z.object({
    type: z.literal('offer'),
    callId,
    description: z.object({ type: z.literal('offer'), sdp }),
    candidatesComplete: z.boolean().optional(),
  }),
  z.object({
    type: z.literal('dtmf'),
    callId,
    tones: z.string().regex(/^[0-9A-Da-d*#,]{1,64}$/, { error: 'expected 1 to 64 of 0-9, *, #, A-D, and commas for pauses' }),
    durationMs: z.int().min(40).max(6_000).optional(),
  }),
  z.object({ type: z.literal('transfer'), callId, to: z.union([target, z.object({ callId })], { error: transferTargets }) }),
  z.object({
    type: z.literal('hangup'),
    callId,
    reason: z.enum(['normal', 'busy', 'rejected', 'no_answer', 'picked_up', 'error']).optional(),
  }),
]);

/**
 * @throws ExtensionError COMMAND_INVALID naming each field that is wrong, never its value: descriptions hold credentials
 */
export function readCommand(given: unknown): TakenCommand {
  const result = command.safeParse(given);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${fieldOf(issue.path)}: ${issue.message.replace(/^Invalid input: /, '')}`);
  throw new ExtensionError('COMMAND_INVALID', `The call command cannot be taken: ${problems.join('; ')}.`);
}

/** `candidates[0].candidate` */
function fieldOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the command';
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`)).join('');
}
