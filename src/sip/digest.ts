/**
 * HTTP digest as SIP uses it: RFC 3261 section 22, RFC 7616, RFC 8760.
 *
 * A `DigestSession` holds the credentials of one account and the challenges met so far, so that the next request carries an answer
 * at once (nc + 1) and costs one round trip. Many requests may use it at the same time: no nonce is ever used with the same nc twice. A
 * `DigestExchange` is the memory of one request: what was tried, so that it ends.
 */
import { hash } from 'node:crypto';
import { parseParameters, sayUnknown, strongestByRealm, type Algorithm, type Challenge } from './digest-challenge.js';
import { Interned } from './interned.js';
import { randomToken } from './random-token.js';
import { standalone } from './standalone.js';
import type { AccountSettings } from './types.js';

export type CredentialsHeader = 'Authorization' | 'Proxy-Authorization';

/** What digest needs of a request: SIP.js's outgoing message is one. */
export interface DigestRequest {
  readonly method: string;
  /** As it stands in the request line. */
  readonly uri: string;
  readonly body: string;
}

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
