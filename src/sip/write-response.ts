/** The text of a response of ours: RFC 3261 8.2.6. */
import type { Body, IncomingRequestMessage } from 'sip.js/lib/core/index.js';
import { getReasonPhrase } from 'sip.js/lib/core/messages/utils.js';

export interface ResponseParts {
  readonly statusCode: number;
  /** The usual one of the status when absent. */
  readonly reasonPhrase?: string;
  /** Added to a To without a tag; a 100 has none. */
  readonly toTag?: string;
  /** Option tags for Supported. */
  readonly supported?: readonly string[];
  readonly userAgent: string;
  /** Whole lines. */
  readonly extraHeaders?: readonly string[];
  readonly body?: Pick<Body, 'contentType' | 'content'>;
}

/** RFC 3261 8.2.6.2: Via, From, To, CSeq and Call-ID are those of the request. */
export function writeResponse(request: IncomingRequestMessage, parts: ResponseParts): string {
  const { statusCode, reasonPhrase, toTag, supported, userAgent, extraHeaders, body } = parts;
  const tag = request.toTag || toTag === undefined || statusCode === 100 ? '' : `;tag=${toTag}`;
  let text = `SIP/2.0 ${statusCode} ${reasonPhrase ?? getReasonPhrase(statusCode)}\r\n`;
  for (const via of request.getHeaders('Via')) text += `Via: ${via}\r\n`;
  text += `From: ${request.getHeader('From') ?? ''}\r\nTo: ${request.getHeader('To') ?? ''}${tag}\r\n`;
  text += `CSeq: ${request.cseq} ${request.method}\r\nCall-ID: ${request.callId}\r\n`;
  if (supported !== undefined) text += `Supported: ${supported.join(', ')}\r\n`;
  text += `User-Agent: ${userAgent}\r\n`;
  for (const header of extraHeaders ?? []) text += `${header}\r\n`;
  if (body === undefined) return `${text}Content-Length: 0\r\n\r\n`;
  // RFC 3261 20.14: bytes, not characters.
  return `${text}Content-Type: ${body.contentType}\r\nContent-Length: ${Buffer.byteLength(body.content)}\r\n\r\n${body.content}`;
}
