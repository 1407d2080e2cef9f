/**
 * What went wrong, as HTTP tells it: `application/problem+json` (RFC 9457), the same for every HTTP interface of this package. Of an
 * error that nobody foresaw nothing is told but that it happened.
 */
import type { z } from 'zod';
import { ExtensionError, type ErrorCode } from './errors.js';

export const problemType = 'application/problem+json';

/** RFC 9457. */
export interface Problem {
  type: 'about:blank';
  title: string;
  status: number;
  /** Stable, for programs: an `ErrorCode` of the extension, or a code of the interface's own. */
  code: string;
  detail: string;
}

/** What an HTTP interface itself refuses, beside the extension's own errors. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** Of the answer. */
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = new.target.name;
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
  REGISTRATION_OFF: 409,
  MAPPING_INVALID: 422,
  SIP_TRANSPORT: 502,
  NOT_READY: 503,
  DATABASE_UNAVAILABLE: 503,
  SIP_TIMEOUT: 504,
};

export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof Refusal) return problem(thrown.status, thrown.code, thrown.message);
  if (thrown instanceof ExtensionError) return problem(extensionStatuses[thrown.code] ?? 500, thrown.code, thrown.message);
  if (isClientFault(thrown)) return problem(thrown.statusCode, 'REQUEST_INVALID', thrown.message);
  return problem(500, 'INTERNAL', 'The server failed; its log says more.');
}

/** Nothing is there. @param path as asked for, without its query */
export function nothingAt(method: string, path: string): Problem {
  return problem(404, 'NOT_FOUND', `There is nothing at ${method} ${path}.`);
}

/** @throws Refusal `REQUEST_INVALID`, naming the field */
export function checked<Shape>(schema: z.ZodType<Shape>, value: unknown): Shape {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue === undefined || issue.path.length === 0 ? 'The request' : issue.path.join('.');
  throw new Refusal(400, 'REQUEST_INVALID', `${field}: ${issue?.message ?? 'is not what is wanted here'}.`);
}

/** Fastify's own refusals: a body that is no JSON, too long, of another type. */
function isClientFault(thrown: unknown): thrown is Error & { statusCode: number } {
  return (
    thrown instanceof Error && 'statusCode' in thrown && typeof thrown.statusCode === 'number' && thrown.statusCode >= 400 && thrown.statusCode < 500
  );
}

function problem(status: number, code: string, detail: string): Problem {
  const title = code.charAt(0) + code.slice(1).toLowerCase().replaceAll('_', ' ');
  return { type: 'about:blank', title, status, code, detail };
}
