/** Challenges met on the way of one request: what is sent unasked, what answers a 401 or 407, and what a refusal then means. */
import type { CredentialsHeader, DigestExchange, DigestRequest, DigestSession } from './digest.js';
import { credentialsHeaderFor, infoHeaders, type FinalResponse, type SentRequest } from './internals.js';

const credentialsHeaders = ['Authorization', 'Proxy-Authorization'] as const;

/** What digest hashes of a request that SIP.js made. */
export function digestRequestOf(message: SentRequest): DigestRequest {
  return { method: message.method, uri: message.ruri.toRaw(), body: message.body?.body ?? '' };
}

/** RFC 7616 3.6: answers the challenges met before, unasked. */
export function sendKnownCredentials(message: SentRequest): void {
  const digest = message.sender.digestFor(message.method);
  if (digest.hasMet) setCredentials(message, digest.prepare(digestRequestOf(message), message.exchange));
}

/** RFC 3261 22.3: each realm has a header field of its own; several proxies on the way may each want one. */
export function setCredentials(message: SentRequest, answers: readonly [CredentialsHeader, string][]): void {
  for (const header of credentialsHeaders) {
    const values = answers.filter(([name]) => name === header).map(([, value]) => value);
    if (values.length > 0) message.setHeader(header, values);
  }
}

/** RFC 7616 3.5: the nonces that a final response names for the next request. */
export function takeNextNonces(response: FinalResponse, digest: DigestSession): void {
  for (const [name, credentials] of infoHeaders) {
    const info = response.getHeader(name);
    if (info !== undefined) digest.acceptInfo(credentials, info);
  }
}

export function isChallenge({ statusCode }: FinalResponse): boolean {
  return statusCode === 401 || statusCode === 407;
}

/**
 * Answers a response that is a challenge.
 * @returns the headers for the next try; undefined when the response stands. A 401 or 407 that stands says in `unanswerable` or
 *   `isPasswordRefused` why.
 */
export function answerChallenge(
  response: FinalResponse,
  digest: DigestSession,
  request: DigestRequest,
  exchange: DigestExchange,
): [CredentialsHeader, string][] | undefined {
  const { statusCode: status = 0 } = response;
  if (!isChallenge(response)) return undefined;
  const { challenge, credentials } = credentialsHeaderFor(status);
  const answers = digest.answer(credentials, response.getHeaders(challenge), request, exchange);
  if (answers !== undefined) return answers;
  response.unanswerable = exchange.unanswerable;
  // RFC 7616 3.3: a nonce that has grown old says nothing of the password, however often.
  response.isPasswordRefused = response.unanswerable === undefined && exchange.refusals > 0;
  return undefined;
}

/** RFC 3261 13.2.2.4, 22.1: the ACK of a 2xx has the credentials of its INVITE. */
export function credentialLines(request: Pick<SentRequest, 'getHeaders'> | undefined): string[] {
  return credentialsHeaders.flatMap((name) => request?.getHeaders(name).map((value) => `${name}: ${value}`) ?? []);
}
