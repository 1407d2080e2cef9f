/** What a server asks for in a 401 or 407: challenges of digest (RFC 7616, RFC 8760) as they are written, and which of them is answered. */
import { skipBlanks, startsWithIgnoringCase } from './parser/scan.js';

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

export interface Algorithm {
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

const digestScheme = 'digest';
const authAlone: readonly string[] = ['auth'];

/** RFC 8760 2.4: of several challenges for one realm the strongest that fits; unknown ones are passed over. */
export function strongestByRealm(
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
export function parseParameters(text: string, from: number): Readonly<Parameters> {
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

/** Nothing of it is the peer's own words but short tokens. */
export function sayUnknown(offered: readonly string[]): string {
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
