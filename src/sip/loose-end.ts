/**
 * What a process has to know of a call to end it on the SIP side when the process that had the call is gone: plain data that JSON carries,
 * without credentials. A dialog is ended by BYE (RFC 3261 15.1.1), an INVITE of ours without a final response by CANCEL (9.1), one of theirs
 * by that response.
 */
import type { IncomingRequestMessage, SessionDialog } from 'sip.js/lib/core/index.js';
import * as z from 'zod';
import type { SentRequest } from './internals.js';

/** What stands in a header goes into one again: one line of text. */
const line = z.string().max(4_096).regex(/^[^\p{Cc}]*$/u);
const lines = z.array(line).max(64);
const cseq = z.int().min(0).max(2 ** 31 - 1);

export const looseEnd = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('dialog'),
    callId: line,
    localTag: line,
    remoteTag: line,
    localUri: line,
    remoteUri: line,
    remoteTarget: line,
    routeSet: lines,
    /** Of our last request in it; later ones may have been sent since. */
    cseq,
  }),
  z.object({
    kind: z.literal('invite'),
    /** As they stood in the INVITE. */
    requestUri: line,
    via: line,
    from: line,
    to: line,
    callId: line,
    routes: lines,
    cseq,
  }),
  z.object({
    kind: z.literal('invited'),
    /** Of its server transaction. */
    key: line,
    /** As they stand in responses; the top one says where those go. */
    vias: lines.min(1),
    from: line,
    /** With our tag. */
    to: line,
    callId: line,
    cseq,
  }),
]);
export type LooseEnd = z.infer<typeof looseEnd>;
export type DialogEnd = Extract<LooseEnd, { kind: 'dialog' }>;
export type InviteEnd = Extract<LooseEnd, { kind: 'invite' }>;
export type InvitedEnd = Extract<LooseEnd, { kind: 'invited' }>;

export function endOfDialog(dialog: SessionDialog): DialogEnd {
  const { callId, localTag, remoteTag, localURI, remoteURI, remoteTarget, routeSet, localSequenceNumber } = dialog;
  return {
    kind: 'dialog',
    callId,
    localTag,
    remoteTag,
    localUri: localURI.toString(),
    remoteUri: remoteURI.toString(),
    remoteTarget: remoteTarget.toString(),
    routeSet: [...routeSet],
    cseq: localSequenceNumber ?? 0,
  };
}

/** Undefined before it went out. */
export function endOfInvite(request: SentRequest): InviteEnd | undefined {
  const via = request.getHeader('via');
  if (via === undefined) return undefined;
  return {
    kind: 'invite',
    requestUri: request.ruri.toRaw(),
    via,
    from: request.getHeader('from') ?? '',
    to: request.getHeader('to') ?? '',
    callId: request.callId,
    routes: request.getHeaders('route'),
    cseq: request.cseq,
  };
}

/** Of an INVITE that has no final response yet. @param tag ours */
export function endOfInvited(message: IncomingRequestMessage, tag: string): InvitedEnd {
  return {
    kind: 'invited',
    key: message.viaBranch,
    vias: message.getHeaders('via'),
    from: message.getHeader('from') ?? '',
    to: `${message.getHeader('to') ?? ''};tag=${tag}`,
    callId: message.callId,
    cseq: message.cseq,
  };
}
