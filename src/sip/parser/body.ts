/**
 * What a body is: SDP alone, SDP with parameters on its type, or SDP inside a multipart (RFC 3261 section 7.4, RFC 5621).
 */
import { mediaTypeOf } from './header-rules.js';
import { readParameters, trimmed, unquoted } from './scan.js';

const sdpType = 'application/sdp';

/** A multipart may hold multiparts; deeper ones than this are not looked into. */
const deepestMultipart = 3;

/** What is read of a message. */
export interface BodyCarrier {
  readonly body: string;
  getHeader(name: string): string | undefined;
}

/** The session description that a message carries, wherever it stands in the body; undefined when there is none. */
export function sdpOf(message: BodyCarrier): string | undefined {
  const contentType = message.getHeader('Content-Type');
  return contentType === undefined || message.body === '' ? undefined : findSdp(contentType, message.body, deepestMultipart);
}

/**
 * The Content-Type that SIP.js's core is shown: it compares the whole text with `application/sdp` to know an offer, and throws for a
 * body without a type. RFC 3261 7.4.1 wants the type; without it the bytes could be anything.
 */
export function shownContentType(message: BodyCarrier): string | undefined {
  const contentType = message.getHeader('Content-Type');
  if (contentType === undefined) return message.body === '' ? undefined : 'application/octet-stream';
  if (sdpOf(message) !== undefined) return sdpType;
  const mediaType = mediaTypeOf(contentType);
  return mediaType === '' || mediaType === sdpType ? 'application/octet-stream' : mediaType;
}

function findSdp(contentType: string, body: string, depth: number): string | undefined {
  if (contentType === sdpType) return body;
  const mediaType = mediaTypeOf(contentType);
  if (mediaType === sdpType) return body;
  if (!mediaType.startsWith('multipart/') || depth === 0) return undefined;
  const boundary = boundaryOf(contentType);
  return boundary === undefined ? undefined : findSdpInParts(body, `--${boundary}`, depth);
}

function boundaryOf(contentType: string): string | undefined {
  const start = contentType.indexOf(';');
  const boundary = start === -1 ? undefined : readParameters(contentType, start)?.boundary;
  return boundary === undefined || boundary === null || boundary === '' ? undefined : unquoted(boundary);
}

/** RFC 2046 5.1.1: a part runs from the line after a delimiter to the CRLF before the next one. */
function findSdpInParts(body: string, delimiter: string, depth: number): string | undefined {
  const separator = `\r\n${delimiter}`;
  let at = body.startsWith(delimiter) ? delimiter.length : afterNext(body, separator, 0);
  while (at !== -1 && !body.startsWith('--', at)) {
    const partFrom = body.indexOf('\n', at) + 1;
    const next = body.indexOf(separator, at);
    if (partFrom === 0 || next === -1) return undefined;
    const sdp = partFrom > next ? undefined : findSdpInPart(body.substring(partFrom, next), depth);
    if (sdp !== undefined) return sdp;
    at = next + separator.length;
  }
  return undefined;
}

function afterNext(body: string, separator: string, from: number): number {
  const found = body.indexOf(separator, from);
  return found === -1 ? -1 : found + separator.length;
}

function findSdpInPart(part: string, depth: number): string | undefined {
  let at = 0;
  let contentType: string | undefined;
  for (;;) {
    const end = part.indexOf('\r\n', at);
    if (end === -1) return undefined;
    if (end === at) break;
    const colon = part.indexOf(':', at);
    if (colon !== -1 && colon < end && trimmed(part, at, colon).toLowerCase() === 'content-type') contentType = trimmed(part, colon + 1, end);
    at = end + 2;
  }
  return contentType === undefined ? undefined : findSdp(contentType, part.substring(at + 2), depth - 1);
}
