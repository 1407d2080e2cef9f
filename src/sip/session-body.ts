/** A session description as the body of a message of ours (RFC 3261 13.2.1). */
import type { Body } from 'sip.js/lib/core/index.js';

/** A lone surrogate has no UTF-8. */
export function sessionBody(sdp: string): Body {
  return { contentDisposition: 'session', contentType: 'application/sdp', content: sdp.toWellFormed() };
}
