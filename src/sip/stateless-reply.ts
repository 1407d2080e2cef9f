/** Answers of which nothing is kept (RFC 3261 8.2.7). */
import { hash } from 'node:crypto';
import type { IncomingRequestMessage } from 'sip.js/lib/core/index.js';
import type { ParseFault } from './parser/fault.js';
import { writeResponse } from './write-response.js';

export function statelessReply(
  request: IncomingRequestMessage,
  statusCode: number,
  userAgent: string,
  extraHeaders: readonly string[] = [],
): string {
  return writeResponse(request, { statusCode, userAgent, extraHeaders, toTag: statelessTag(request.callId) });
}

/** What a request deserves that is not well-formed; undefined when it cannot be answered. */
export function replyToFault({ statusCode, echo }: ParseFault): string | undefined {
  if (statusCode === undefined || echo === undefined) return undefined;
  const phrase = phrases[statusCode] ?? 'Bad Request';
  let text = `SIP/2.0 ${String(statusCode)} ${phrase}\r\n`;
  for (const via of echo.via) text += `Via: ${via}\r\n`;
  if (echo.from !== undefined) text += `From: ${echo.from}\r\n`;
  if (echo.to !== undefined) text += `To: ${echo.to}${echo.toTag === undefined ? `;tag=${statelessTag(echo.callId ?? '')}` : ''}\r\n`;
  if (echo.callId !== undefined) text += `Call-ID: ${echo.callId}\r\n`;
  if (echo.cseq !== undefined) text += `CSeq: ${echo.cseq}\r\n`;
  return `${text}Content-Length: 0\r\n\r\n`;
}

const phrases: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  413: 'Request Entity Too Large',
  414: 'Request-URI Too Long',
  505: 'Version Not Supported',
};

/** RFC 3261 8.2.7: the same tag for the same request. */
export function statelessTag(callId: string): string {
  return hash('sha256', callId, 'hex').slice(0, 16);
}
