/**
 * The server's half of digest authentication (RFC 3261 section 22, RFC 7616, RFC 8760): SHA-256 and MD5 offered together,
 * qop=auth, nonces that expire and whose counts are good for one request each.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../../base/clock.js';

const algorithms = { 'SHA-256': 'sha256', MD5: 'md5' } as const;

/** A nonce is used at most so often, and so many are remembered: memory stays bounded. */
const usesPerNonce = 1_000;
const noncesRemembered = 10_000;

export interface Attempt {
  method: string;
  uri: string;
  /** What tells a retransmission from a replay: the Via branch. */
  transaction: string;
  /** The values of Authorization or Proxy-Authorization. */
  credentials: string[];
}

export type Verdict = { accepted: true; user: string } | { accepted: false; stale: boolean };

export class DigestGate {
  readonly #key = randomBytes(32);
  /** nonce -> its counts and the transaction each was good for. */
  readonly #used = new Map<string, Map<number, string>>();

  /** @param lifetimeMs after which a nonce is stale */
  constructor(
    private readonly realm: string,
    private readonly clock: Clock,
    private readonly lifetimeMs: number,
    private readonly passwordOf: (user: string) => string | undefined,
  ) {}

  /** One header value per algorithm, the strongest first (RFC 8760 section 2.4). */
  challenges(stale: boolean): string[] {
    const nonce = this.#mint();
    return Object.keys(algorithms).map(
      (algorithm) =>
        `Digest realm="${this.realm}", nonce="${nonce}", algorithm=${algorithm}, qop="auth"${stale ? ', stale=true' : ''}`,
    );
  }

  check(attempt: Attempt): Verdict {
    for (const credentials of attempt.credentials) {
      const fields = parseCredentials(credentials);
      if (fields?.get('realm') === this.realm) return this.#judge(fields, attempt);
    }
    return { accepted: false, stale: false };
  }

  #judge(fields: Map<string, string>, attempt: Attempt): Verdict {
    const refused: Verdict = { accepted: false, stale: false };
    const user = fields.get('username') ?? '';
    const nonce = fields.get('nonce') ?? '';
    const count = fields.get('nc') ?? '';
    const algorithm = (fields.get('algorithm') ?? 'MD5').toUpperCase();
    const password = this.passwordOf(user);
    if (algorithm !== 'MD5' && algorithm !== 'SHA-256') return refused;
    if (password === undefined || fields.get('qop') !== 'auth' || fields.get('uri') !== attempt.uri) return refused;
    if (!/^[0-9a-f]{8}$/i.test(count)) return refused;

    const hash = (text: string): string => createHash(algorithms[algorithm]).update(text).digest('hex');
    const expected = hash(
      [
        hash(`${user}:${this.realm}:${password}`),
        nonce,
        count,
        fields.get('cnonce') ?? '',
        'auth',
        hash(`${attempt.method}:${attempt.uri}`),
      ].join(':'),
    );
    if (expected !== fields.get('response')?.toLowerCase()) return refused;
    // The password is right from here on: what is wrong now is the nonce alone, and `stale` says so (RFC 7616 section 3.3).
    if (!this.#isFresh(nonce) || !this.#claim(nonce, parseInt(count, 16), attempt.transaction)) {
      return { accepted: false, stale: true };
    }
    return { accepted: true, user };
  }

  #mint(): string {
    const text = `${Math.floor(this.clock.now()).toString(36)}.${randomBytes(9).toString('base64url')}`;
    return `${text}.${this.#sign(text)}`;
  }

  #sign(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url').slice(0, 22);
  }

  #isFresh(nonce: string): boolean {
    const dot = nonce.lastIndexOf('.');
    const text = nonce.slice(0, dot);
    if (dot < 0 || this.#sign(text) !== nonce.slice(dot + 1)) return false;
    return this.clock.now() - parseInt(text, 36) <= this.lifetimeMs;
  }

  /** A count is good for one request, and for that request's retransmissions. */
  #claim(nonce: string, count: number, transaction: string): boolean {
    let counts = this.#used.get(nonce);
    if (counts === undefined) {
      const oldest = this.#used.keys().next();
      if (this.#used.size >= noncesRemembered && oldest.done === false) this.#used.delete(oldest.value);
      counts = new Map();
      this.#used.set(nonce, counts);
    }
    const holder = counts.get(count);
    if (holder !== undefined) return holder === transaction;
    if (count === 0 || counts.size >= usesPerNonce) return false;
    counts.set(count, transaction);
    return true;
  }
}

function parseCredentials(value: string): Map<string, string> | undefined {
  const scheme = /^Digest\s+/i.exec(value);
  if (scheme === null) return undefined;
  const fields = new Map<string, string>();
  for (const match of value.slice(scheme[0].length).matchAll(/([A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g)) {
    const [, name = '', quoted, plain] = match;
    fields.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '');
  }
  return fields;
}
