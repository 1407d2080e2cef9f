/**
 * Why a call ended: every SIP status and every cause of our own has a place in these tables, which give the contract's
 * reason, whose affair it was, and a sentence for a person. Printed in docs/calls.md.
 */
import { sayDuration } from '../base/units.js';
import type { DisposeReason } from '../host/contract.js';
import type { CallRefusal, ReasonValue } from '../sip/types.js';

/**
 * `success`: the call did its work. `client`: somebody's choice or mistake (busy, declined, no such number, a wrong password).
 * `upstream`: the SIP server or the network beyond. `server`: this extension or its host.
 */
export type TerminationClass = 'success' | 'client' | 'upstream' | 'server';

export interface Termination {
  readonly reason: DisposeReason;
  readonly class: TerminationClass;
  /** One plain sentence for a person. */
  readonly message: string;
  /** What stood on the wire; absent when no response did. */
  readonly sip?: { readonly status: number; readonly phrase: string };
}

interface StatusRow {
  readonly phrase: string;
  readonly reason: DisposeReason;
  readonly class: TerminationClass;
  /** Without the full stop: the status follows in brackets. */
  readonly sentence: string;
  /** What a person can do about it; a whole sentence. */
  readonly advice?: string;
}

const row = (
  phrase: string,
  reason: DisposeReason,
  owner: TerminationClass,
  sentence: string,
  advice?: string,
): StatusRow => ({ phrase, reason, class: owner, sentence, ...(advice === undefined ? {} : { advice }) });

const redirected = 'The call was redirected, and redirects are not followed';
const notUnderstood = 'The SIP server could not make sense of the call';
const checkAccount = 'Check sip_user, sip_password and auth_user of the mapping.';
const mediaAdvice = 'Check that WebRTC (ICE, DTLS-SRTP, rtcp-mux) and a common codec are enabled for this account on the PBX.';

/** RFC 3261 section 21 and the extensions of the IANA registry. */
export const statusTable: ReadonlyMap<number, StatusRow> = new Map([
  [300, row('Multiple Choices', 'unavailable', 'upstream', redirected)],
  [301, row('Moved Permanently', 'unavailable', 'upstream', redirected)],
  [302, row('Moved Temporarily', 'unavailable', 'upstream', redirected)],
  [305, row('Use Proxy', 'unavailable', 'upstream', redirected)],
  [380, row('Alternative Service', 'unavailable', 'upstream', redirected)],
  [400, row('Bad Request', 'error', 'server', notUnderstood)],
  [401, row('Unauthorized', 'caller_disabled', 'client', 'The SIP server did not accept the account', checkAccount)],
  [402, row('Payment Required', 'caller_disabled', 'client', 'The SIP server wants the call paid for', 'Check the credit of the account there.')],
  [403, row('Forbidden', 'rejected', 'client', 'The call is not allowed', 'Check on the SIP server what this account may call.')],
  [404, row('Not Found', 'callee_not_found', 'client', 'There is no such number or user')],
  [405, row('Method Not Allowed', 'error', 'upstream', 'The far end takes no calls')],
  [406, row('Not Acceptable', 'error', 'upstream', 'The far end cannot answer in a form that is understood here')],
  [407, row('Proxy Authentication Required', 'caller_disabled', 'client', 'The SIP server did not accept the account', checkAccount)],
  [408, row('Request Timeout', 'no_answer', 'client', 'Nobody answered in time')],
  [410, row('Gone', 'callee_not_found', 'client', 'The number is no longer in use')],
  [412, row('Conditional Request Failed', 'error', 'upstream', notUnderstood)],
  [413, row('Request Entity Too Large', 'error', 'upstream', 'The call request is too large for the SIP server')],
  [414, row('Request-URI Too Long', 'callee_not_found', 'client', 'The address is too long')],
  [415, row('Unsupported Media Type', 'media', 'upstream', 'The far end does not understand the media description', mediaAdvice)],
  [416, row('Unsupported URI Scheme', 'callee_not_found', 'client', 'The SIP server does not understand this kind of address')],
  [417, row('Unknown Resource-Priority', 'rejected', 'upstream', 'The SIP server takes only calls of another priority')],
  [420, row('Bad Extension', 'error', 'upstream', 'The SIP server lacks an extension that the call needs')],
  [421, row('Extension Required', 'error', 'upstream', 'The SIP server wants an extension that is not there')],
  [422, row('Session Interval Too Small', 'error', 'upstream', 'The SIP server wants another session timer')],
  [423, row('Interval Too Brief', 'error', 'upstream', notUnderstood)],
  [424, row('Bad Location Information', 'error', 'upstream', 'The SIP server wants to know where the caller is')],
  [425, row('Bad Alert Message', 'error', 'upstream', notUnderstood)],
  [428, row('Use Identity Header', 'rejected', 'upstream', 'The SIP server wants the caller identified')],
  [429, row('Provide Referrer Identity', 'rejected', 'upstream', 'The SIP server wants the caller identified')],
  [430, row('Flow Failed', 'unavailable', 'upstream', 'The way to the phone broke')],
  [433, row('Anonymity Disallowed', 'rejected', 'client', 'The callee takes no anonymous calls')],
  [436, row('Bad Identity-Info', 'rejected', 'upstream', 'The SIP server could not verify the caller')],
  [437, row('Unsupported Credential', 'rejected', 'upstream', 'The SIP server could not verify the caller')],
  [438, row('Invalid Identity Header', 'rejected', 'upstream', 'The SIP server could not verify the caller')],
  [439, row('First Hop Lacks Outbound Support', 'unavailable', 'upstream', 'The way to the phone broke')],
  [440, row('Max-Breadth Exceeded', 'error', 'upstream', 'The SIP server would have to try too many phones')],
  [469, row('Bad Info Package', 'error', 'upstream', notUnderstood)],
  [470, row('Consent Needed', 'rejected', 'client', 'The callee has not agreed to be called')],
  [480, row('Temporarily Unavailable', 'unavailable', 'client', 'Nobody can be reached there at the moment')],
  [481, row('Call/Transaction Does Not Exist', 'call_does_not_exist', 'upstream', 'The SIP server does not know the call')],
  [482, row('Loop Detected', 'error', 'upstream', 'The SIP server sends the call round in circles', 'Check its routing of this number.')],
  [483, row('Too Many Hops', 'error', 'upstream', 'The SIP server sends the call round in circles', 'Check its routing of this number.')],
  [484, row('Address Incomplete', 'callee_not_found', 'client', 'The number is not complete')],
  [485, row('Ambiguous', 'callee_not_found', 'client', 'The address fits more than one user')],
  [486, row('Busy Here', 'busy', 'client', 'The line is busy')],
  [487, row('Request Terminated', 'no_answer', 'client', 'The call was given up before an answer')],
  [488, row('Not Acceptable Here', 'media', 'upstream', 'The far end cannot take this kind of audio or video', mediaAdvice)],
  [489, row('Bad Event', 'error', 'upstream', notUnderstood)],
  [491, row('Request Pending', 'error', 'upstream', 'Both sides changed the call at once')],
  [493, row('Undecipherable', 'error', 'upstream', notUnderstood)],
  [494, row('Security Agreement Required', 'error', 'upstream', 'The SIP server wants a security agreement')],
  [500, row('Server Internal Error', 'error', 'upstream', 'The SIP server failed')],
  [501, row('Not Implemented', 'error', 'upstream', 'The SIP server takes no calls')],
  [502, row('Bad Gateway', 'unavailable', 'upstream', 'The network behind the SIP server failed')],
  [503, row('Service Unavailable', 'unavailable', 'upstream', 'The SIP server or its lines are overloaded or down')],
  [504, row('Server Time-out', 'unavailable', 'upstream', 'The network behind the SIP server did not answer')],
  [505, row('Version Not Supported', 'error', 'upstream', notUnderstood)],
  [513, row('Message Too Large', 'error', 'upstream', 'The call request is too large for the SIP server')],
  [555, row('Push Notification Service Not Supported', 'unavailable', 'upstream', 'The phone could not be woken')],
  [580, row('Precondition Failure', 'media', 'upstream', 'The far end could not reserve what the media needs')],
  [600, row('Busy Everywhere', 'busy', 'client', 'The line is busy everywhere')],
  [603, row('Decline', 'rejected', 'client', 'The call was declined')],
  [604, row('Does Not Exist Anywhere', 'callee_not_found', 'client', 'There is no such number or user anywhere')],
  [606, row('Not Acceptable', 'media', 'upstream', 'The far end cannot take this kind of audio or video', mediaAdvice)],
  [607, row('Unwanted', 'rejected', 'client', 'The callee does not want calls from this caller')],
  [608, row('Rejected', 'rejected', 'upstream', 'The call was blocked on the way')],
]);

/** For a status of nobody's list: by its first digit (RFC 3261 section 8.1.3.2: x00 stands for an unknown one). */
export const classTable: ReadonlyMap<number, StatusRow> = new Map([
  [3, row('Redirection', 'unavailable', 'upstream', redirected)],
  [4, row('Client Error', 'error', 'upstream', 'The SIP server refused the call')],
  [5, row('Server Error', 'error', 'upstream', 'The SIP server failed')],
  [6, row('Global Failure', 'rejected', 'upstream', 'The call was refused everywhere')],
]);

const outsideRow = row('Unknown', 'error', 'upstream', 'The SIP server gave an answer that is no refusal');

/** These statuses say little, of a refusal and in a Reason; a Q.850 cause beside them, or in a 18x before a refusal (RFC 3326), says more. */
const vagueStatuses: ReadonlySet<number> = new Set([480, 487, 500, 503]);

interface CauseRow {
  readonly reason: DisposeReason;
  readonly class: TerminationClass;
  /** Without the full stop. */
  readonly sentence: string;
}

const cause = (reason: DisposeReason, owner: TerminationClass, sentence: string): CauseRow => ({ reason, class: owner, sentence });

const noWay = cause('unavailable', 'upstream', 'The telephone network knows no way to that number');
const unanswered = cause('no_answer', 'client', 'Nobody answered in time');
const netFailed = cause('unavailable', 'upstream', 'The telephone network failed');
const netFull = cause('unavailable', 'upstream', 'All lines of the telephone network are busy');
const barred = cause('rejected', 'client', 'The telephone network does not allow this call');
const otherBearer = cause('media', 'upstream', 'The telephone network cannot carry this kind of call');
const numberIncomplete = cause('callee_not_found', 'client', 'The number is not complete');

/** ITU-T Q.850: what a telephone network calls the same things. Causes that say no more than a status does are left out. */
export const q850Table: ReadonlyMap<number, CauseRow> = new Map([
  [1, cause('callee_not_found', 'client', 'There is no such number or user')],
  [2, noWay],
  [3, noWay],
  [16, cause('normal', 'success', 'The other side hung up')],
  [17, cause('busy', 'client', 'The line is busy')],
  [18, unanswered],
  [19, unanswered],
  [20, cause('unavailable', 'client', 'The phone is switched off or out of reach')],
  [21, cause('rejected', 'client', 'The call was declined')],
  [22, cause('callee_not_found', 'client', 'The number has changed')],
  [26, cause('picked_up', 'success', 'The call was answered elsewhere')],
  [27, cause('unavailable', 'upstream', 'The line of the phone is out of order')],
  [28, numberIncomplete],
  [34, netFull],
  [38, netFailed],
  [41, netFailed],
  [42, netFull],
  [44, netFull],
  [47, netFull],
  [52, barred],
  [54, barred],
  [55, barred],
  [57, otherBearer],
  [58, otherBearer],
  [65, otherBearer],
  [87, barred],
  [88, otherBearer],
  [102, cause('unavailable', 'upstream', 'The telephone network did not answer')],
]);

/** Causes that no response names: ours, or the other side's BYE and CANCEL. */
export const localTable = {
  remoteBye: { reason: 'normal', class: 'success', message: 'The other side hung up.' },
  takenOver: { reason: 'picked_up', class: 'success', message: 'The call was taken over on another device.' },
  brokenOff: { reason: 'unavailable', class: 'upstream', message: 'The SIP server broke the call off.' },
  cancelled: { reason: 'no_answer', class: 'client', message: 'The caller gave up before an answer.' },
  cancelledPickedUp: { reason: 'picked_up', class: 'success', message: 'The call was answered on another device.' },
  cancelledDeclined: { reason: 'rejected', class: 'client', message: 'The call was declined on another device.' },
  cancelledBusy: { reason: 'busy', class: 'client', message: 'The call was refused as busy on another device.' },
  notAcknowledged: { reason: 'unavailable', class: 'upstream', message: 'The answer was never confirmed by the caller (no ACK came).' },
  transferred: { reason: 'transfer', class: 'success', message: 'The call was transferred.' },
  farEndSilent: { reason: 'unavailable', class: 'upstream', message: 'The other side does not answer any more.' },
  sessionExpired: { reason: 'unavailable', class: 'upstream', message: 'The other side gave no sign of life any more (the session timer ran out).' },
  farEndForgot: { reason: 'call_does_not_exist', class: 'upstream', message: 'The other side does not know the call any more.' },
  answerWithoutMedia: { reason: 'media', class: 'upstream', message: 'The other side answered without a media description (no SDP in its answer).' },
  newPartyWithoutMedia: { reason: 'media', class: 'server', message: 'The call was handed over to somebody else, and no audio or video was agreed on with them.' },
  nothingToReplace: { reason: 'call_does_not_exist', class: 'upstream', message: 'The call that it was to take over is not there any more.' },
  denied: { reason: 'rejected', class: 'client', message: 'This address may not be called from here (calls.deny).' },
  notAllowed: { reason: 'rejected', class: 'client', message: 'This address is not among those that may be called from here (calls.allow).' },
  tooManyOfUser: { reason: 'unavailable', class: 'client', message: 'This user has as many calls as it may have at once (calls.max-per-user).' },
  tooManyPerMinute: { reason: 'unavailable', class: 'client', message: 'This user has placed as many calls as it may in a minute (calls.max-per-minute); try again later.' },
  tooManyHere: { reason: 'unavailable', class: 'server', message: 'There are as many calls here as there may be (calls.max-total); try again later.' },
  noAccount: { reason: 'unavailable', class: 'server', message: 'The SIP account of this call is not set up here.' },
  stopping: { reason: 'unavailable', class: 'server', message: 'SIP calls are being shut down here; try again later.' },
  unexplained: { reason: 'error', class: 'server', message: 'The call ended, and nobody said why.' },
} as const satisfies Record<string, Termination>;

/** Nothing but 100 came within `setup-timeout`. */
export function setupTimeoutTermination(timeoutMs: number): Termination {
  return { reason: 'unavailable', class: 'upstream', message: `The other side did not start to ring within ${sayDuration(timeoutMs)}.` };
}

/** It rang for `ring-timeout`. */
export function ringTimeoutTermination(timeoutMs: number): Termination {
  return { reason: 'no_answer', class: 'client', message: `Nobody answered within ${sayDuration(timeoutMs)}.` };
}

/**
 * A refused INVITE that we did not give up ourselves.
 * @param announced the Reason of the last 18x: a network plays an announcement first and refuses later
 */
export function refusalTermination(refusal: CallRefusal, announced?: ReasonValue): Termination {
  if (refusal.local !== undefined) return { reason: 'unavailable', class: 'upstream', message: refusal.local.message };
  const { status } = refusal;
  const known = statusTable.get(status) ?? classTable.get(Math.floor(status / 100)) ?? outsideRow;
  const sip = { status, phrase: readablePhrase(refusal.phrase) || known.phrase };
  const onWire = `(${status} ${sip.phrase})`;
  if (refusal.wrongPassword === true) {
    const message = `The SIP server refused the account's password ${onWire}. ${checkAccount}`;
    return { reason: 'caller_disabled', class: 'client', message, sip };
  }
  if (refusal.unanswerable !== undefined) {
    return { reason: known.reason, class: 'upstream', message: `${refusal.unanswerable} ${onWire}.`, sip };
  }
  if (isAnsweredElsewhere(refusal.reason)) {
    return { reason: 'picked_up', class: 'success', message: `The call was answered elsewhere ${onWire}.`, sip };
  }
  const finer = failureRow(finerCause(status, refusal.reason)) ?? failureRow(finerCause(status, announced));
  if (finer !== undefined) {
    return { reason: finer.reason, class: finer.class, message: `${finer.sentence} ${onWire}.`, sip };
  }
  const message = `${known.sentence} ${onWire}.${known.advice === undefined ? '' : ` ${known.advice}`}`;
  return { reason: known.reason, class: known.class, message, sip };
}

/** A request in the call came to nothing, and the call with it (RFC 3261 12.2.1.2). */
export function lostTermination(refusal: CallRefusal): Termination {
  if (refusal.local?.code === 'SIP_SESSION_EXPIRED') return localTable.sessionExpired;
  if (refusal.status !== 481) return localTable.farEndSilent;
  const sip = { status: refusal.status, phrase: readablePhrase(refusal.phrase) || 'Call/Transaction Does Not Exist' };
  return { ...localTable.farEndForgot, message: `${localTable.farEndForgot.message.slice(0, -1)} (${sip.status} ${sip.phrase}).`, sip };
}

/** The caller's CANCEL. A proxy that forks says by Reason how the call ended on another branch (RFC 3326 section 3.1). */
export function cancelTermination(reason: ReasonValue | undefined): Termination {
  if (isAnsweredElsewhere(reason)) return localTable.cancelledPickedUp;
  const status = causeOf(reason, 'SIP');
  return otherBranch.get(finerCause(status, reason) ?? status) ?? localTable.cancelled;
}

/** What became of the call on another branch, by Q.850 cause and by status. */
const otherBranch: ReadonlyMap<number | undefined, Termination> = new Map<number, Termination>([
  ...[17, 486, 600].map((cause) => [cause, localTable.cancelledBusy] as const),
  ...[21, 603, 607].map((cause) => [cause, localTable.cancelledDeclined] as const),
]);

/** The far end's BYE. A gateway that answered first says by Reason how the call beyond it went (RFC 3326 section 1). */
export function byeTermination(reason: ReasonValue | undefined): Termination {
  if (isAnsweredElsewhere(reason)) return localTable.takenOver;
  const status = causeOf(reason, 'SIP');
  const beyond = causeRow(finerCause(status, reason)) ?? beyondOf(status);
  return 'message' in beyond ? beyond : { reason: beyond.reason, class: beyond.class, message: `${beyond.sentence}.` };
}

/** What a status means that ends an answered call. 487 means that who called hung up; a redirection is none any more. */
function beyondOf(status: number | undefined): Termination | StatusRow {
  if (status === undefined || status < 400 || status === 487) return localTable.remoteBye;
  if (status === 408 || Math.floor(status / 100) === 5) return localTable.brokenOff;
  return statusTable.get(status) ?? localTable.remoteBye;
}

/** What a telephone network says, where the status says little, is none, or is nobody's. */
function finerCause(status: number | undefined, reason: ReasonValue | undefined): number | undefined {
  if (status !== undefined && statusTable.has(status) && !vagueStatuses.has(status)) return undefined;
  const cause = causeOf(reason, 'Q.850');
  return cause === undefined || !q850Table.has(cause) ? undefined : cause;
}

function causeRow(cause: number | undefined): CauseRow | undefined {
  return cause === undefined ? undefined : q850Table.get(cause);
}

/** 16, "normal call clearing", is no reason why nobody answered. */
function failureRow(cause: number | undefined): CauseRow | undefined {
  const row = causeRow(cause);
  return row?.class === 'success' ? undefined : row;
}

function causeOf(reason: ReasonValue | undefined, protocol: 'SIP' | 'Q.850'): number | undefined {
  return reason?.protocol.toUpperCase() === protocol ? reason.cause : reason?.beside && causeOf(reason.beside, protocol);
}

/** `SIP;cause=200` (RFC 3326), or Q.850 26, "non-selected user clearing". */
function isAnsweredElsewhere(reason: ReasonValue | undefined): boolean {
  return causeOf(reason, 'SIP') === 200 || causeOf(reason, 'Q.850') === 26;
}

/** A phrase from the wire is a stranger's text: one short line of it is shown. */
function readablePhrase(phrase: string): string {
  return phrase.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').trim().slice(0, 64);
}
