/**
 * What the reference host itself refuses, beside the extension's own errors: a code, an HTTP status and a sentence. The host
 * is another program than the extension, so these are no `ExtensionError`s.
 */
import { ExtensionError, type ErrorCode } from '../index.js';

const statuses = {
  REQUEST_INVALID: 400,
  NOT_SIGNED_IN: 401,
  SIGN_IN_REFUSED: 403,
  CALL_NOT_YOURS: 403,
  USER_NOT_FOUND: 404,
  CALL_NOT_FOUND: 404,
  USER_EXISTS: 409,
  ANSWERED_ELSEWHERE: 409,
} as const;

export class ApiError extends Error {
  readonly status: number;

  constructor(
    readonly code: keyof typeof statuses,
    message: string,
  ) {
    super(message);
    this.name = 'ApiError';
    this.status = statuses[code];
  }
}

/** What the extension refused, in HTTP's terms; all others are 500. */
const extensionStatuses: Partial<Record<ErrorCode, number>> = {
  USER_INVALID: 400,
  COMMAND_INVALID: 400,
  MAPPING_NOT_FOUND: 404,
  CALL_NOT_FOUND: 404,
  CALL_EXISTS: 409,
  CALL_STATE: 409,
  MAPPING_CONFLICT: 409,
  MAPPING_INVALID: 422,
  COMMAND_UNSUPPORTED: 501,
  SIP_TRANSPORT: 502,
  NOT_READY: 503,
  DATABASE_UNAVAILABLE: 503,
  SIP_TIMEOUT: 504,
};

/** RFC 9457. */
export interface Problem {
  type: 'about:blank';
  title: string;
  status: number;
  /** The same codes over HTTP and WebSocket. */
  code: string;
  detail: string;
}

/** What is told of an error; of one that nobody foresaw, nothing but that it happened. */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof ApiError) return problem(thrown.status, thrown.code, thrown.message);
  if (thrown instanceof ExtensionError) return problem(extensionStatuses[thrown.code] ?? 500, thrown.code, thrown.message);
  return problem(500, 'INTERNAL', 'The server failed; its log says more.');
}

function problem(status: number, code: string, detail: string): Problem {
  const title = code.charAt(0) + code.slice(1).toLowerCase().replaceAll('_', ' ');
  return { type: 'about:blank', title, status, code, detail };
}
