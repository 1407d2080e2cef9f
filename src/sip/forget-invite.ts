/**
 * SIP.js's dialog holds the transaction that made it for as long as it lives, and by it the whole INVITE with its texts; a call that is talked
 * needs none of it. Whose ACK has come, or been sent, is asked for nothing of it any more but that it is no server's that still waits.
 */
import type { Body } from 'sip.js/lib/core/index.js';

/** SIP.js hides these members. */
interface DialogInternals {
  initialTransaction: object;
  _offer: Body | undefined;
  _answer: Body | undefined;
}

/** No ACK is for it: a CSeq is 0 or more. */
const ended = { request: { cseq: -1 } };
/** Whether there is a description decides what may come next, not what it says. */
const described: Body = { contentDisposition: 'session', contentType: 'application/sdp', content: '' };

export function forgetInvite(dialog: object): void {
  const internals = dialog as DialogInternals; // the same object, seen with its private parts
  internals.initialTransaction = ended;
  if (internals._offer !== undefined) internals._offer = described;
  if (internals._answer !== undefined) internals._answer = described;
}
