/** The host hangs up: what its reason becomes on the SIP side, and how the call's end is told back. Printed in docs/calls.md. */
import type { HangupReason } from '../host/contract.js';
import type { ReasonValue } from '../sip/types.js';
import type { Termination, TerminationClass } from './termination.js';

interface HangupRow {
  readonly class: TerminationClass;
  readonly sentence: string;
  /** An incoming call that was not answered yet. */
  readonly reject: { readonly status: number; readonly phrase: string; readonly reason?: ReasonValue };
  /** Reason of the CANCEL of an outgoing call (RFC 3326); none when it would say nothing. */
  readonly cancel?: ReasonValue;
  /** Reason of the BYE: telephone networks read Q.850. */
  readonly bye: ReasonValue;
}

const sip = (cause: number, text: string): ReasonValue => ({ protocol: 'SIP', cause, text });
const q850 = (cause: number, text: string): ReasonValue => ({ protocol: 'Q.850', cause, text });
const completedElsewhere = sip(200, 'Call completed elsewhere');

/**
 * 603 ends the caller's search on every phone (RFC 3261 section 21.6.2): only a person's `rejected` does that. 486 and 480 leave the
 * account's other phones and its voicemail their turn. `picked_up` is not "busy": 480, and the Reason keeps it from being counted as missed.
 */
export const hangupTable: Readonly<Record<HangupReason, HangupRow>> = {
  normal: {
    class: 'success',
    sentence: 'The call was ended here',
    reject: { status: 480, phrase: 'Temporarily Unavailable' },
    bye: q850(16, 'Normal call clearing'),
  },
  busy: {
    class: 'client',
    sentence: 'The call was refused as busy',
    reject: { status: 486, phrase: 'Busy Here' },
    cancel: sip(486, 'Busy Here'),
    bye: q850(17, 'User busy'),
  },
  rejected: {
    class: 'client',
    sentence: 'The call was declined',
    reject: { status: 603, phrase: 'Decline' },
    cancel: sip(603, 'Decline'),
    bye: q850(21, 'Call rejected'),
  },
  no_answer: {
    class: 'client',
    sentence: 'Nobody answered',
    reject: { status: 480, phrase: 'Temporarily Unavailable', reason: q850(19, 'No answer') },
    cancel: q850(19, 'No answer'),
    bye: q850(19, 'No answer'),
  },
  picked_up: {
    class: 'success',
    sentence: 'The call was answered on another device',
    reject: { status: 480, phrase: 'Temporarily Unavailable', reason: completedElsewhere },
    cancel: completedElsewhere,
    bye: completedElsewhere,
  },
  error: {
    class: 'server',
    sentence: 'The call was ended here because of an error',
    reject: { status: 500, phrase: 'Server Internal Error' },
    cancel: sip(500, 'Server Internal Error'),
    bye: q850(41, 'Temporary failure'),
  },
};

/** @param rejected the hangup became a final response to an incoming INVITE, which is then named */
export function hangupTermination(reason: HangupReason, rejected: boolean): Termination {
  const { class: owner, sentence, reject } = hangupTable[reason];
  if (!rejected) return { reason, class: owner, message: `${sentence}.` };
  const { status, phrase } = reject;
  return { reason, class: owner, message: `${sentence} (${status} ${phrase}).`, sip: { status, phrase } };
}
