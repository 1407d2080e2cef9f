/**
 * What the reference host itself refuses, beside the extension's own errors: a code, an HTTP status and a sentence. The host
 * is another program than the extension, so these are no `ExtensionError`s.
 */
import { Refusal } from '../base/problem.js';

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

export class ApiError extends Refusal {
  constructor(code: keyof typeof statuses, message: string) {
    super(statuses[code], code, message);
  }
}
