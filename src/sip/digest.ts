/**
 * HTTP digest as SIP uses it: RFC 3261 section 22, RFC 7616, RFC 8760.
 *
 * A `DigestSession` holds the credentials of one account and the challenges met so far, so that the next request carries an answer
 * at once (nc + 1) and costs one round trip. Many requests may use it at the same time: no nonce is ever used with the same nc twice. A
 * `DigestExchange` is the memory of one request: what was tried, so that it ends.
 */
import { hash } from 'node:crypto';
import { Interned } from './interned.js';
import { skipBlanks, startsWithIgnoringCase } from './parser/scan.js';
import { randomToken } from './random-token.js';
import { standalone } from './standalone.js';
import type { AccountSettings } from './types.js';

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

interface Algorithm {
  readonly openssl: string;
  readonly isSession: boolean;
  /** RFC 8760 2.4: the strongest that is supported wins. */
  readonly strength: number;
}

/** By name in upper case. */
const algorithms: ReadonlyMap<string, Algorithm> = new Map([
  ['SHA-512-256', { openssl: 'sha512-256', isSession: false, strength: 3 }],
  ['SHA-512-256-SESS', { openssl: 'sha512-256', isSession: true, strength: 3 }],
  ['SHA-256', { openssl: 'sha256', isSession: false, strength: 2 }],
  ['SHA-256-SESS', { openssl: 'sha256', isSession: true, strength: 2 }],
  ['MD5', { openssl: 'md5', isSession: false, strength: 1 }],
  ['MD5-SESS', { openssl: 'md5', isSession: true, strength: 1 }],
]);

/** One request is challenged at most so often; then the answer is no. */
const maxRounds = 6;

const nothing: readonly Remembered[] = [];

const digestScheme = 'digest';
const authAlone: readonly string[] = ['auth'];

/** What challenges have in common that one registrar sends to all its users: there is one of each kind, however many accounts. */
interface Terms {
  readonly header: CredentialsHeader;
  readonly realm: string;
  readonly opaque: string | undefined;
  /** As offered. */
  readonly algorithmName: string | undefined;
  readonly openssl: string;
  /** `-sess`: the key is made of a nonce too. */
  readonly isSession: boolean;
  readonly qop: 'auth' | 'auth-int' | undefined;
}

/** One for each idle account: small, and nothing in it holds the message that it came in. */
interface Remembered {
  readonly terms: Terms;
  readonly nonce: string;
  readonly cnonce: string;
  /** How often the nonce was used. */
  nc: number;
  /** With `-sess`: the nonce that its key was made of, when the server named another since (RFC 7616 3.4.2, 3.5). */
  readonly sessionNonce?: string;
}

/**
 * How often nonces were used that were given up lately, of all accounts, by user, registrar, realm and nonce: an answer that was long under way
 * may bring one back, and its nc must count on. Kept here, it costs an idle account nothing.
 */
const givenUp = new Map<string, number>();
const mostGivenUp = 4_096;

const knownTerms = new Interned<Terms>();

/** The hash of what a request is. All REGISTERs to one registrar are the same there, so the last one is kept. */
class LastHash {
  #openssl = '';
  #text = '';
  #hash = '';

  hash(openssl: string, text: string): string {
    if (text !== this.#text || openssl !== this.#openssl) {
      this.#hash = hash(openssl, text, 'hex');
      [this.#openssl, this.#text] = [openssl, text];
    }
    return this.#hash;
  }
}

const lastRequest = new LastHash();

export class DigestExchange {
  rounds = 0;
  /** The nonces that this request last answered, with header and realm. */
  readonly answered: { readonly terms: Terms; readonly nonce: string }[] = [];
  /** How often a nonce that was answered was refused, `stale` apart: a fresh one refused twice is a wrong password. */
  refusals = 0;
  /** Why a challenge cannot be answered, whatever the password: for a person, without full stop. */
  unanswerable: string | undefined;
}

/** Whose challenges are answered: an account's settings are such. */
export type Credentials = Pick<AccountSettings, 'user' | 'authUser' | 'password'> & Partial<Pick<AccountSettings, 'target'>>;

/** There is one for each account: its methods are not `#private`, which costs each object a field. */
export class DigestSession {
  /** One stands by itself, as nearly every account has. Replaced, never changed: an array that grows has room for sixteen. */
  #held: Remembered | readonly Remembered[] = nothing;

  constructor(private readonly credentials: Credentials) {}

  private get remembered(): readonly Remembered[] {
    return isSeveral(this.#held) ? this.#held : [this.#held];
  }

  private hold(entries: readonly Remembered[]): void {
    const [only] = entries;
    if (only === undefined) this.#held = nothing;
    else this.#held = entries.length === 1 ? only : entries;
  }

  private get username(): string {
    return this.credentials.authUser ?? this.credentials.user;
  }

  /** A challenge was met before: there is something to send unasked. */
  get hasMet(): boolean {
    return this.#held !== nothing;
  }

  /** The credentials for challenges met before, to send unasked; empty at first. */
  prepare(request: DigestRequest, exchange: DigestExchange): [CredentialsHeader, string][] {
    return this.remembered.map((remembered) => {
      exchange.answered.push(remembered);
      return [remembered.terms.header, this.credentialsFor(remembered, request)];
    });
  }

  /**
   * Answers the challenges of one 401 or 407.
   * @param offered the values of all `WWW-Authenticate` (or `Proxy-Authenticate`) headers
   * @returns the headers for the next try; undefined when there is nothing that we can answer (`exchange.unanswerable`), or the
   *   password is refused: the same nonce refused again without `stale`, or fresh ones refused twice.
   */
  answer(
    header: CredentialsHeader,
    offered: readonly string[],
    request: DigestRequest,
    exchange: DigestExchange,
  ): [CredentialsHeader, string][] | undefined {
    exchange.rounds += 1;
    const challenges = strongestByRealm(offered, (algorithm) => this.fits(algorithm));
    if (challenges.length === 0) exchange.unanswerable = this.sayUnanswerable(offered);
    if (challenges.length === 0 || exchange.rounds > maxRounds) return undefined;
    let isWorthATry = false;
    for (const { challenge, algorithm } of challenges) {
      const isMeant = ({ terms }: { readonly terms: Terms }): boolean => terms.header === header && terms.realm === challenge.realm;
      const known = this.remembered.find(isMeant);
      const answered = exchange.answered.findLast(isMeant)?.nonce;
      if (answered !== undefined && !challenge.stale) {
        exchange.refusals += 1;
        if (answered === challenge.nonce || exchange.refusals > 2) {
          if (known?.nonce === answered) this.forget(known);
          continue;
        }
      }
      isWorthATry = true;
      const terms = termsOf(header, challenge, algorithm);
      if (known !== undefined) this.forget(known);
      this.remember(terms, challenge.nonce, randomToken(8));
    }
    return isWorthATry ? this.prepare(request, exchange) : undefined;
  }

  /**
   * `Authentication-Info` or `Proxy-Authentication-Info` of a response: the nonce to use next (RFC 7616 3.5). It names no realm: that of
   * the credentials with its cnonce is meant, else the only one there is. `rspauth` is not looked at: it would prove a server that knows the
   * password, and ours are told by their addresses and certificates.
   */
  acceptInfo(header: CredentialsHeader, value: string): void {
    const { nextnonce: nonce, cnonce } = parseParameters(value, 0);
    if (nonce === undefined || nonce === '') return;
    const candidates = this.remembered.filter((entry) => entry.terms.header === header && (cnonce === undefined || entry.cnonce === cnonce));
    const [meant] = candidates;
    if (meant === undefined || candidates.length > 1 || meant.nonce === nonce) return;
    this.forget(meant);
    this.remember(meant.terms, nonce, meant.cnonce, meant.terms.isSession ? (meant.sessionNonce ?? meant.nonce) : undefined);
  }

  private remember(terms: Terms, nonce: string, cnonce: string, sessionNonce?: string): void {
    const usedBefore = givenUp.size === 0 ? undefined : givenUp.get(this.placeOf(terms, nonce));
    const entry: Remembered = { terms, nonce: standalone(nonce), cnonce, nc: usedBefore ?? 0 };
    this.hold(this.remembered.concat(sessionNonce === undefined ? entry : { ...entry, sessionNonce }));
  }

  private forget(remembered: Remembered): void {
    this.hold(this.remembered.filter((entry) => entry !== remembered));
    const [oldest] = givenUp.keys();
    if (oldest !== undefined && givenUp.size >= mostGivenUp) givenUp.delete(oldest);
    givenUp.set(this.placeOf(remembered.terms, remembered.nonce), remembered.nc);
  }

  /** Two registrars may give one user the same nonce: each counts for itself. */
  private placeOf({ realm }: Terms, nonce: string): string {
    const { transport = '', host = '', port = 0 } = this.credentials.target ?? {};
    return `${this.username}\n${transport} ${host} ${port}\n${realm}\n${nonce}`;
  }

  /** A hash of the password serves the algorithm that made it, and no other. */
  private fits(algorithm: Algorithm): boolean {
    return typeof this.credentials.password === 'string' || algorithm.openssl === 'md5';
  }

  private sayUnanswerable(offered: readonly string[]): string {
    const others = strongestByRealm(offered, () => true).map(({ challenge }) => challenge.algorithm ?? 'MD5');
    return others.length === 0
      ? sayUnknown(offered)
      : `The account has only an MD5 hash of its password (ha1:), and the server wants ${[...new Set(others)].slice(0, 4).join(', ')}`;
  }

  /** RFC 7616 3.4.2. */
  private ha1({ terms, nonce, cnonce, sessionNonce = nonce }: Remembered): string {
    const { openssl, isSession } = terms;
    const { password } = this.credentials;
    const ha1 = typeof password === 'string' ? hash(openssl, `${this.username}:${terms.realm}:${password}`, 'hex') : password.ha1;
    return isSession ? hash(openssl, `${ha1}:${sessionNonce}:${cnonce}`, 'hex') : ha1;
  }

  /** RFC 7616 3.4.1; without qop as RFC 2069 had it. */
  private credentialsFor(remembered: Remembered, request: DigestRequest): string {
    const { terms, nonce, cnonce } = remembered;
    const { realm, opaque, algorithmName, openssl, isSession, qop } = terms;
    remembered.nc += 1;
    const nc = remembered.nc.toString(16).padStart(8, '0');
    const a2 =
      qop === 'auth-int'
        ? `${request.method}:${request.uri}:${hash(openssl, request.body, 'hex')}`
        : `${request.method}:${request.uri}`;
    const ha2 = lastRequest.hash(openssl, a2);
    const middle = qop === undefined ? nonce : `${nonce}:${nc}:${cnonce}:${qop}`;
    const response = hash(openssl, `${this.ha1(remembered)}:${middle}:${ha2}`, 'hex');

    let value = `Digest username="${this.username.replace(/[\\"]/g, '\\$&')}", realm="${realm}", nonce="${nonce}"`;
    value += `, uri="${request.uri}", response="${response}"`;
    if (algorithmName !== undefined) value += `, algorithm=${algorithmName}`;
    if (opaque !== undefined) value += `, opaque="${opaque}"`;
    if (qop !== undefined) value += `, qop=${qop}, nc=${nc}`;
    if (qop !== undefined || isSession) value += `, cnonce="${cnonce}"`;
    return value;
  }
}

function isSeveral(held: Remembered | readonly Remembered[]): held is readonly Remembered[] {
  return Array.isArray(held);
}

function termsOf(header: CredentialsHeader, challenge: Challenge, algorithm: Algorithm): Terms {
  const { realm, opaque, algorithm: algorithmName } = challenge;
  const qop = challenge.qop.includes('auth') ? 'auth' : challenge.qop.includes('auth-int') ? 'auth-int' : undefined;
  const { openssl, isSession } = algorithm;
  return knownTerms.of({ header, realm, opaque, algorithmName, openssl, isSession, qop });
}

/** Nothing of it is the peer's own words but short tokens. */
function sayUnknown(offered: readonly string[]): string {
  const names = offered.map((text) => {
    const scheme = /^\s*([A-Za-z0-9-]{1,20})\s/.exec(text)?.[1] ?? '';
    const algorithm = /[\s,]algorithm\s*=\s*"?([A-Za-z0-9-]{1,30})/i.exec(text.slice(0, 2_000))?.[1];
    return algorithm === undefined ? scheme : `${scheme} ${algorithm}`;
  });
  const known = names.filter((name) => name !== '').slice(0, 4);
  return known.length === 0
    ? 'The server wants credentials but does not say which'
    : `The server wants credentials of a kind that we do not have: ${known.join(', ')}`;
}

/** RFC 8760 2.4: of several challenges for one realm the strongest that fits; unknown ones are passed over. */
function strongestByRealm(
  offered: readonly string[],
  fits: (algorithm: Algorithm) => boolean,
): { challenge: Challenge; algorithm: Algorithm }[] {
  const best: { challenge: Challenge; algorithm: Algorithm }[] = [];
  for (const text of offered) {
    const challenge = parseChallenge(text);
    const algorithm = challenge && algorithmOf(challenge);
    if (!challenge || !algorithm || !fits(algorithm)) continue;
    const rival = best.findIndex((other) => other.challenge.realm === challenge.realm);
    if (rival < 0) best.push({ challenge, algorithm });
    else if (algorithm.strength > (best[rival]?.algorithm.strength ?? 0)) best[rival] = { challenge, algorithm };
  }
  return best;
}

function algorithmOf({ qop, algorithm = 'MD5' }: Challenge): Algorithm | undefined {
  if (qop.length > 0 && !qop.includes('auth') && !qop.includes('auth-int')) return undefined;
  return algorithms.get(algorithm.toUpperCase());
}

/**
 * `Digest realm="a", nonce="b", qop="auth,auth-int"`: one linear scan. Undefined for other schemes and without realm or nonce.
 */
export function parseChallenge(text: string): Challenge | undefined {
  const from = skipBlanks(text, 0, text.length);
  const to = skipBlanks(text, from + digestScheme.length, text.length);
  if (!startsWithIgnoringCase(text, digestScheme, from) || to === from + digestScheme.length) return undefined;
  const { realm, nonce, opaque, stale, algorithm, qop } = parseParameters(text, to);
  if (realm === undefined || nonce === undefined || nonce === '') return undefined;
  return { realm, nonce, opaque, stale: stale?.toLowerCase() === 'true', algorithm, qop: readQop(qop) };
}

/** Nearly every challenge says `auth` and no more. */
function readQop(text: string | undefined): readonly string[] {
  if (text === 'auth') return authAlone;
  return (text ?? '')
    .split(',')
    .map((option) => option.trim().toLowerCase())
    .filter((option) => option !== '');
}

/** What is read of a challenge, or of `Authentication-Info`. */
type Parameters = Record<'realm' | 'nonce' | 'opaque' | 'stale' | 'algorithm' | 'qop' | 'nextnonce' | 'cnonce', string | undefined>;

function isRead(name: string, parameters: Parameters): name is keyof Parameters {
  return Object.hasOwn(parameters, name);
}

/** `a=b, c="d"` from there on; names in any case, the first of a name wins. */
function parseParameters(text: string, from: number): Readonly<Parameters> {
  const parameters: Parameters = {
    realm: undefined,
    nonce: undefined,
    opaque: undefined,
    stale: undefined,
    algorithm: undefined,
    qop: undefined,
    nextnonce: undefined,
    cnonce: undefined,
  };
  let at = from;
  while (at < text.length) {
    const equals = text.indexOf('=', at);
    if (equals < 0) break;
    const name = text.slice(at, equals).trim().toLowerCase();
    at = skipBlanks(text, equals + 1, text.length);
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
    if (isRead(name, parameters)) parameters[name] ??= value;
    const comma = text.indexOf(',', at);
    at = comma < 0 ? text.length : comma + 1;
  }
  return parameters;
}
