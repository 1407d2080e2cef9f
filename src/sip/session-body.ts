/** A session description as the body of a message of ours (RFC 3261 13.2.1). */
import type { Body } from 'sip.js/lib/core/index.js';

/** The `o=` line of a description, of its own memory: it outlives the message. */
export function originOf(sdp: string | undefined): string | undefined {
  const line = sdp === undefined ? undefined : /^o=.*/m.exec(sdp)?.[0];
  return line === undefined ? undefined : Buffer.from(line).toString();
}

/** A lone surrogate has no UTF-8. */
export function sessionBody(sdp: string): Body {
  return { contentDisposition: 'session', contentType: 'application/sdp', content: sdp.toWellFormed() };
}
