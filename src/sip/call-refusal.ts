/** What a final response that is no 2xx, or its local stand-in, tells the owner of a call. */
import type { FinalResponse } from './internals.js';
import { reasonOf, retryAfterMs } from './response-headers.js';
import { minSeOf } from './session-terms.js';
import type { CallRefusal } from './types.js';

export function callRefusalOf(response: FinalResponse): CallRefusal {
  return {
    status: response.statusCode ?? 0,
    phrase: response.reasonPhrase ?? '',
    local: response.local,
    wrongPassword: response.isPasswordRefused,
    ...(response.unanswerable === undefined ? {} : { unanswerable: response.unanswerable }),
    reason: reasonOf(response),
    retryAfterMs: retryAfterMs(response),
    ...(response.statusCode === 422 ? { minSeS: minSeOf(response) } : {}),
  };
}
