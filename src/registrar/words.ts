/** What came of a REGISTER, as a sentence for the person who has to set it right. Never holds a password: it is made of the answer alone. */
import { second, sayDuration } from '../base/units.js';
import type { RegisterOutcome } from '../sip/types.js';
import { sayRegistrar } from './ports.js';

/** 64*T1: how long a REGISTER waits for its final response (RFC 3261 section 17.1.2.2, timer F). */
const transactionTimeoutMs = 32 * second;

const longestPhrase = 80;

/** What the status means for a REGISTER (RFC 3261 section 21). */
const meanings = new Map<number, string>([
  [400, 'The registrar did not understand the REGISTER'],
  [401, 'The registrar asked for a password and did not take the answer'],
  [403, 'The registrar forbids this user to register'],
  [404, 'The registrar does not know this user'],
  [405, 'The server does not take registrations'],
  [406, 'The registrar does not accept what we sent'],
  [407, 'The proxy asked for a password and did not take the answer'],
  [408, 'The registrar gave up waiting'],
  [420, 'The registrar wants an extension of SIP that we do not have'],
  [421, 'The registrar wants an extension of SIP that we do not have'],
  [423, 'The registrar wants a longer expiry than it can be given'],
  [480, 'The registrar is not available for now'],
  [482, 'The REGISTER went round in a loop on its way'],
  [483, 'The REGISTER went through too many proxies'],
  [500, 'The registrar failed'],
  [501, 'The server does not take registrations'],
  [502, 'A proxy could not reach the registrar'],
  [503, 'The registrar is overloaded or under maintenance'],
  [504, 'A proxy got no answer from the registrar in time'],
  [513, 'The REGISTER is too large for the registrar'],
]);

/**
 * @param registrarKey see {@link registrarKeyOf}
 * @returns undefined when the registrar keeps a binding: nothing to say
 */
export function sayOutcome(outcome: RegisterOutcome, registrarKey: string): string | undefined {
  switch (outcome.kind) {
    case 'registered':
      return outcome.expiresS > 0
        ? undefined
        : `The registrar took the REGISTER but keeps no binding (its answer from ${sayRegistrar(registrarKey)} grants an expiry of 0).`;
    case 'refused':
      return `${meaningOf(outcome)} (${String(outcome.status)}${sayPhrase(outcome.phrase)}).`;
    case 'unreachable': {
      const { code, message, sentOnTo } = outcome;
      const waited = sayDuration(transactionTimeoutMs);
      if (code === 'SIP_TRANSPORT') return sentOnTo === undefined ? message : `The registrar sent us on to ${sentOnTo}. ${message}`;
      return sentOnTo === undefined
        ? `No answer from ${sayRegistrar(registrarKey)} within ${waited}.`
        : `The registrar sent us on to ${sentOnTo}, and no answer came from there within ${waited}.`;
    }
  }
}

/** @param why a sentence or a part of one, with or without full stop */
export function sayFlowLost(registrarKey: string, why?: string): string {
  return `The connection to ${sayRegistrar(registrarKey)} was lost${why === undefined ? '' : ` (${why.replace(/\.$/, '')})`}.`;
}

function meaningOf(refusal: { status: number; wrongPassword: boolean; unanswerable?: string }): string {
  if (refusal.unanswerable !== undefined) return refusal.unanswerable;
  if (refusal.wrongPassword && (refusal.status === 401 || refusal.status === 407)) return 'The registrar refused the password';
  const known = meanings.get(refusal.status);
  if (known !== undefined) return known;
  if (refusal.status < 400) return 'The registrar sent us to another address';
  if (refusal.status < 500) return 'The registrar refused the REGISTER';
  if (refusal.status < 600) return 'The registrar failed';
  return 'The registrar declined the REGISTER';
}

/** The phrase is the far end's: one short line of it. */
function sayPhrase(phrase: string): string {
  const line = phrase.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim();
  return line === '' ? '' : ` ${line.slice(0, longestPhrase)}`;
}
