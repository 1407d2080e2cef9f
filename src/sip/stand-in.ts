import { IncomingResponseMessage } from 'sip.js/lib/core/index.js';
import type { FinalResponse } from './internals.js';

/** RFC 3261 8.1.3.1: a time-out is treated as 408; here it says too that nobody answered. */
export function timedOut(): FinalResponse {
  return standIn(408, 'Request Timeout', { code: 'SIP_TIMEOUT', message: 'Nobody answered within 32 s' });
}

/** RFC 3261 8.1.3.1: a transport error is treated as 503; here it says too what went wrong. */
export function notSent(error: Error): FinalResponse {
  return standIn(503, 'Service Unavailable', { code: 'SIP_TRANSPORT', message: error.message });
}

/** RFC 3261 12.1.2, 13.3.1.4: a 2xx without To tag makes no dialog that could be acknowledged or ended; who sent it gives it up by itself. */
export function untagged(): FinalResponse {
  return standIn(502, 'Bad Gateway', { code: 'SIP_TRANSPORT', message: 'The far end answered without a To tag: there is no dialog to talk in' });
}

function standIn(status: number, phrase: string, local: NonNullable<FinalResponse['local']>): FinalResponse {
  const response: FinalResponse = new IncomingResponseMessage();
  response.statusCode = status;
  response.reasonPhrase = phrase;
  response.local = local;
  return response;
}
