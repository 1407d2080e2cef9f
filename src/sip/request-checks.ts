/** What a UAS looks at before anything else is made of a request: RFC 3261 8.2.1 to 8.2.3. */
import { NameAddrHeader, type IncomingMessage, type IncomingRequestMessage } from 'sip.js/lib/core/index.js';
import { allowedMethods } from './corrections/allowed-methods.js';
import { sdpOf } from './parser/body.js';
import { mediaTypeOf } from './parser/header-rules.js';
import { OpaqueUri } from './parser/uri.js';
import { requiredExtensions } from './response-headers.js';
import { isIntervalTooSmall, leastIntervalS } from './session-terms.js';

export interface Refusal {
  readonly status: number;
  readonly headers: readonly string[];
}

/** Extensions that a request may require of us. */
const understood: ReadonlySet<string> = new Set(['100rel', 'timer', 'norefersub', 'replaces']);

/** The methods that have a meaning in a dialog alone (RFC 3262 3, RFC 3311 5.2, RFC 6086 4.1); NOTIFY, since no REFER of ours is outside of one. */
const inDialogOnly: ReadonlySet<string> = new Set(['BYE', 'PRACK', 'UPDATE', 'INFO', 'NOTIFY']);

/** RFC 3515 2.4.2: nobody is transferred who is not in a call with us. */
const takenOutside = allowedMethods.filter((method) => method !== 'REFER');

/** What stands in an Accept that takes our SDP. */
const answerRanges: ReadonlySet<string> = new Set(['application/sdp', 'application/*', '*/*']);

/** Why a request other than ACK is refused at once; undefined when it is not. Max-Forwards and Proxy-Require are for proxies. */
export function refusalOf(request: IncomingRequestMessage): Refusal | undefined {
  const { method } = request;
  // RFC 3261 9.2: all that is asked of a CANCEL is its INVITE.
  if (method === 'CANCEL') return undefined;
  const taken = request.toTag ? allowedMethods : takenOutside;
  if (!taken.includes(method)) return { status: 405, headers: [`Allow: ${taken.join(', ')}`] };
  if (!isKnownScheme(request.ruri?.scheme)) return { status: 416, headers: [] };
  const unknown = requiredExtensions(request).filter((tag) => !understood.has(tag.toLowerCase()));
  if (unknown.length > 0) return { status: 420, headers: [`Unsupported: ${unknown.join(', ')}`] };
  if ((method === 'INVITE' || method === 'UPDATE') && isIntervalTooSmall(request)) return { status: 422, headers: [`Min-SE: ${String(leastIntervalS)}`] };
  // RFC 3891 3: "If the Replaces header field is present in a request other than INVITE".
  if (method !== 'INVITE' && request.hasHeader('replaces')) return { status: 400, headers: [] };
  if (request.toTag) return undefined;
  if (inDialogOnly.has(method)) return { status: 481, headers: [] };
  // RFC 3261 8.1.1.8: an INVITE says where its dialog is to be reached.
  if (method !== 'INVITE') return undefined;
  if (!hasUsableContact(request)) return { status: 400, headers: [] };
  return contentRefusalOf(request);
}

/** RFC 3261 8.2.3: a body that we must understand and do not is 415; 20.1, 21.4.7: an answer that the caller would not take is 406. */
function contentRefusalOf(request: IncomingRequestMessage): Refusal | undefined {
  const encoding = request.getHeader('content-encoding')?.trim().toLowerCase();
  if (encoding !== undefined && encoding !== 'identity') return { status: 415, headers: ['Accept-Encoding: identity'] };
  const isOptional = request.getHeader('content-disposition')?.toLowerCase().includes('handling=optional') === true;
  if (request.body !== '' && !isOptional && sdpOf(request) === undefined) return { status: 415, headers: ['Accept: application/sdp'] };
  const accepted = request.getHeaders('accept').flatMap((header) => header.split(','));
  const isAnswerTaken = accepted.length === 0 || accepted.some((range) => answerRanges.has(mediaTypeOf(range)));
  return isAnswerTaken ? undefined : { status: 406, headers: [] };
}

export function hasUsableContact(message: IncomingMessage): boolean {
  const contact: unknown = message.hasHeader('contact') ? message.parseHeader('contact') : undefined;
  return contact instanceof NameAddrHeader && !(contact.uri instanceof OpaqueUri && !contact.uri.isUri);
}

export function isKnownScheme(scheme: string | undefined): boolean {
  return scheme === 'sip' || scheme === 'sips' || scheme === 'tel';
}
