/**
 * HTTP digest as SIP uses it: RFC 3261 section 22, RFC 7616, RFC 8760.
 *
 * A `DigestSession` holds the credentials of one account and the challenges met so far, so that the next request carries an answer
 * at once (nc + 1) and costs one round trip. A `DigestExchange` is the memory of one request: what was tried, so that it ends.
 */
import { hash } from 'node:crypto';
import { randomToken } from './random-token.js';
import { standalone } from './standalone.js';

/** A parsed `WWW-Authenticate` or `Proxy-Authenticate`. Quoted values keep their escapes, as the hashes want them. */
export interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque?: string;
  readonly stale: boolean;
  /** As offered, `SHA-256-sess`; absent means MD5. */
  readonly algorithm?: string;
  /** Lower case; empty when the challenge has no qop (RFC 2069). */
  readonly qop: readonly string[];
}

export type CredentialsHeader = 'Authorization' | 'Proxy-Authorization';

/** What digest needs of a request: SIP.js's outgoing message is one. */
export interface DigestRequest {
  readonly method: string;
  /** As it stands in the request line. */
  readonly uri: string;
  readonly body: string;
}

/** Known hashes, the strongest first (RFC 8760 2.4: the first that is supported wins). */
const hashes: readonly { readonly name: string; readonly openssl: string }[] = [
  { name: 'SHA-512-256', openssl: 'sha512-256' },
  { name: 'SHA-256', openssl: 'sha256' },
  { name: 'MD5', openssl: 'md5' },
];

/** One request is challenged at most so often; then the answer is no. */
const maxRounds = 6;

const nothing: readonly Remembered[] = [];

/** What challenges have in common that one registrar sends to all its users: there is one of each kind, however many accounts. */
interface Terms {
  readonly header: CredentialsHeader;
  readonly realm: string;
  readonly opaque: string | undefined;
  /** As offered. */
  readonly algorithmName: string | undefined;
  readonly algorithm: Algorithm;
  readonly qop: 'auth' | 'auth-int' | undefined;
}

/** One for each idle account: small, and nothing in it holds the message that it came in. */
interface Remembered {
  readonly terms: Terms;
  readonly nonce: string;
  readonly cnonce: string;
  nc: number;
}

/** Registrars that send another `opaque` each time make new terms each time. */
const mostTerms = 1_000;
const knownTerms = new Map<string, Terms>();

interface Algorithm {
  readonly openssl: string;
  readonly isSession: boolean;
  readonly strength: number;
}

export class DigestExchange {
  rounds = 0;
  /** Nonces that were answered in this exchange. */
  readonly answered: string[] = [];
  /** Nonces that came in this exchange, whatever was said of stale: a fresh one refused twice is a wrong password. */
  refusals = 0;
}

export class DigestSession {
  /** Replaced, never changed: an array that grows has room for sixteen. */
  #remembered: readonly Remembered[] = nothing;

  constructor(
    private readonly username: string,
    private readonly password: string,
  ) {}

  /** The credentials for challenges met before, to send unasked; empty at first. */
  prepare(request: DigestRequest, exchange: DigestExchange): [CredentialsHeader, string][] {
    return this.#remembered.map((remembered) => {
      exchange.answered.push(remembered.nonce);
      return [remembered.terms.header, this.#credentials(remembered, request)];
    });
  }

  /**
   * Answers the challenges of one 401 or 407.
   * @param offered the values of all `WWW-Authenticate` (or `Proxy-Authenticate`) headers
   * @returns the headers for the next try; undefined when there is nothing to answer, or the password is refused: the same nonce
   *   refused again without `stale`, or a nonce of this exchange refused twice.
   */
  answer(
    header: CredentialsHeader,
    offered: readonly string[],
    request: DigestRequest,
    exchange: DigestExchange,
  ): [CredentialsHeader, string][] | undefined {
    exchange.rounds += 1;
    const challenges = strongestByRealm(offered);
    if (challenges.length === 0 || exchange.rounds > maxRounds) return undefined;
    let isWorthATry = false;
    for (const { challenge, algorithm } of challenges) {
      const known = this.#remembered.find(({ terms }) => terms.header === header && terms.realm === challenge.realm);
      const refused = known !== undefined && exchange.answered.includes(known.nonce);
      if (refused && !challenge.stale) {
        exchange.refusals += 1;
        if (known.nonce === challenge.nonce || exchange.refusals > 2) {
          this.#forget(known);
          continue;
        }
      }
      if (known !== undefined) this.#forget(known);
      const terms = termsOf(header, challenge, algorithm);
      this.#remembered = [...this.#remembered, { terms, nonce: standalone(challenge.nonce), cnonce: randomToken(8), nc: 0 }];
      isWorthATry = true;
    }
    return isWorthATry ? this.prepare(request, exchange) : undefined;
  }

  #forget(remembered: Remembered): void {
    this.#remembered = this.#remembered.filter((entry) => entry !== remembered);
  }

  /** RFC 7616 3.4.2. */
  #ha1({ terms, nonce, cnonce }: Remembered): string {
    const { openssl, isSession } = terms.algorithm;
    const ha1 = hash(openssl, `${this.username}:${terms.realm}:${this.password}`, 'hex');
    return isSession ? hash(openssl, `${ha1}:${nonce}:${cnonce}`, 'hex') : ha1;
  }

  /** RFC 7616 3.4.1; without qop as RFC 2069 had it. */
  #credentials(remembered: Remembered, request: DigestRequest): string {
    const { terms, nonce, cnonce } = remembered;
    const { realm, opaque, algorithmName, algorithm, qop } = terms;
    remembered.nc += 1;
    const nc = remembered.nc.toString(16).padStart(8, '0');
    const a2 =
      qop === 'auth-int'
        ? `${request.method}:${request.uri}:${hash(algorithm.openssl, request.body, 'hex')}`
        : `${request.method}:${request.uri}`;
    const ha2 = hash(algorithm.openssl, a2, 'hex');
    const middle = qop === undefined ? nonce : `${nonce}:${nc}:${cnonce}:${qop}`;
    const response = hash(algorithm.openssl, `${this.#ha1(remembered)}:${middle}:${ha2}`, 'hex');

    let value = `Digest username="${this.username.replace(/[\\"]/g, '\\$&')}", realm="${realm}", nonce="${nonce}"`;
    value += `, uri="${request.uri}", response="${response}"`;
    if (algorithmName !== undefined) value += `, algorithm=${algorithmName}`;
    if (opaque !== undefined) value += `, opaque="${opaque}"`;
    if (qop !== undefined) value += `, qop=${qop}, nc=${nc}`;
    if (qop !== undefined || algorithm.isSession) value += `, cnonce="${cnonce}"`;
    return value;
  }
}

function termsOf(header: CredentialsHeader, challenge: Challenge, algorithm: Algorithm): Terms {
  const { realm, opaque, algorithm: algorithmName } = challenge;
  const qop = challenge.qop.includes('auth') ? 'auth' : challenge.qop.includes('auth-int') ? 'auth-int' : undefined;
  const key = JSON.stringify([header, realm, opaque, algorithmName, qop]);
  let terms = knownTerms.get(key);
  if (terms === undefined) {
    const own = (text: string | undefined): string | undefined => text && standalone(text);
    terms = { header, realm: standalone(realm), opaque: own(opaque), algorithmName: own(algorithmName), algorithm, qop };
    if (knownTerms.size >= mostTerms) knownTerms.clear();
    knownTerms.set(key, terms);
  }
  return terms;
}

/** RFC 8760 2.4: of several challenges for one realm the strongest that we know; unknown ones are passed over. */
function strongestByRealm(offered: readonly string[]): { challenge: Challenge; algorithm: Algorithm }[] {
  const best = new Map<string, { challenge: Challenge; algorithm: Algorithm }>();
  for (const text of offered) {
    const challenge = parseChallenge(text);
    const algorithm = challenge && algorithmOf(challenge);
    if (!challenge || !algorithm) continue;
    const rival = best.get(challenge.realm);
    if (rival === undefined || algorithm.strength > rival.algorithm.strength) best.set(challenge.realm, { challenge, algorithm });
  }
  return [...best.values()];
}

function algorithmOf(challenge: Challenge): Algorithm | undefined {
  if (challenge.qop.length > 0 && !challenge.qop.includes('auth') && !challenge.qop.includes('auth-int')) return undefined;
  const offered = (challenge.algorithm ?? 'MD5').toUpperCase();
  const isSession = offered.endsWith('-SESS');
  const name = isSession ? offered.slice(0, -'-SESS'.length) : offered;
  const index = hashes.findIndex((entry) => entry.name === name);
  const found = hashes[index];
  return found && { openssl: found.openssl, isSession, strength: hashes.length - index };
}

/**
 * `Digest realm="a", nonce="b", qop="auth,auth-int"`: one linear scan. Undefined for other schemes and without realm or nonce.
 */
export function parseChallenge(text: string): Challenge | undefined {
  const scheme = /^\s*digest\s+/i.exec(text);
  if (scheme === null) return undefined;
  const parameters = new Map<string, string>();
  let at = scheme[0].length;
  while (at < text.length) {
    const equals = text.indexOf('=', at);
    if (equals < 0) break;
    const name = text.slice(at, equals).trim().toLowerCase();
    at = equals + 1;
    while (text[at] === ' ' || text[at] === '\t') at += 1;
    let value: string;
    if (text[at] === '"') {
      let end = at + 1;
      while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
      value = text.slice(at + 1, end);
      at = end + 1;
    } else {
      const comma = text.indexOf(',', at);
      const end = comma < 0 ? text.length : comma;
      value = text.slice(at, end).trim();
      at = end;
    }
    if (!parameters.has(name)) parameters.set(name, value);
    const comma = text.indexOf(',', at);
    at = comma < 0 ? text.length : comma + 1;
  }
  const realm = parameters.get('realm');
  const nonce = parameters.get('nonce');
  if (realm === undefined || nonce === undefined || nonce === '') return undefined;
  return {
    realm,
    nonce,
    opaque: parameters.get('opaque'),
    stale: parameters.get('stale')?.toLowerCase() === 'true',
    algorithm: parameters.get('algorithm'),
    qop: (parameters.get('qop') ?? '')
      .split(',')
      .map((option) => option.trim().toLowerCase())
      .filter((option) => option !== ''),
  };
}
