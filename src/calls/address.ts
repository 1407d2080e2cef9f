/** What a person types or a program hands over as an address, made a SIP URI or a number. Pure; nothing invalid passes. */
import { isIPv6 } from 'node:net';

export type Dialled =
  /** A whole URI; `host` lower-cased, without brackets. */
  | { readonly kind: 'uri'; readonly uri: string; readonly host: string }
  /** An extension, a phone number or a user name, not escaped. The host is the caller's registrar. */
  | { readonly kind: 'user'; readonly user: string }
  /** `problem` ends a sentence that starts with the address: "is no ...". */
  | { readonly kind: 'invalid'; readonly problem: string };

/** RFC 3261 section 25.1: unreserved, user-unreserved, escaped, and the colon before a password. */
const userInfo = /^(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/:]|%[0-9A-Fa-f]{2})+$/;
const hostName = /^(?![.-])[A-Za-z0-9_.-]+(?<![-])$/;
/** One `;name` or `;name=value` after another, of paramchar. */
const uriParameters = /^(?:;(?:[A-Za-z0-9\-_.!~*'()[\]/:&+$]|%[0-9A-Fa-f]{2})+(?:=(?:[A-Za-z0-9\-_.!~*'()[\]/:&+$]|%[0-9A-Fa-f]{2})+)?)*$/;
/** RFC 3261 section 19.1.1: not for a Request-URI. */
const methodParameter = /;method=[^;]*/gi;

/** RFC 3966 visual separators, what people use besides, and the invisible marks that come along when a number is copied. */
const separators = /[\s().\-/\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060-\u2069\u2212\ufeff]/g;
const number = /^\+?[0-9*#]+$/;
const bareUser = /^(?=.*[\p{L}\p{N}*#])[\p{L}\p{N}_.!~*'+&=$#-]+$/u;
const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/;

/** Reads an address of a call's target. */
export function readAddress(text: string): Dialled {
  const address = text.trim();
  const named = scheme.exec(address)?.[1]?.toLowerCase();
  if (named === 'sip' || named === 'sips') return readUri(named, address.slice(named.length + 1));
  if (named === 'tel') {
    const digits = readNumber(address.slice('tel:'.length).split(';', 1)[0] ?? '');
    return digits === undefined ? { kind: 'invalid', problem: 'is no phone number' } : { kind: 'user', user: digits };
  }
  if (named !== undefined) return { kind: 'invalid', problem: `has the scheme "${named}:", and only sip:, sips: and tel: are called` };
  if (address.includes('@')) return readUri('sip', address);
  const digits = readNumber(address);
  if (digits !== undefined) return { kind: 'user', user: digits };
  if (bareUser.test(address)) return { kind: 'user', user: address };
  return { kind: 'invalid', problem: 'is no phone number, no extension and no SIP address' };
}

/** The user part of a URI for a user in plain text: what RFC 3261 does not allow there is escaped. */
export function escapeUser(user: string): string {
  // A lone surrogate has no UTF-8; encodeURIComponent would throw.
  return encodeURIComponent(user.replace(/[\ud800-\udfff]/gu, '')).replace(/%(?:26|3D|2B|24|2C|3B|3F|2F)/g, decodeURIComponent);
}

/** `sip:600@example.com:5070`, with brackets round an IPv6 address. */
export function sipUri(escapedUser: string, host: string, port?: number): string {
  const authority = isIPv6(host) ? `[${host}]` : host;
  return `sip:${escapedUser}@${authority}${port === undefined ? '' : `:${port}`}`;
}

/** Dialled digits without separators; undefined when it is no number. `+49 (0)30 1234`: the bracketed trunk prefix is not dialled. */
function readNumber(text: string): string | undefined {
  const international = text.trim().startsWith('+') ? text.replace('(0)', '') : text;
  const digits = international.replace(separators, '');
  return number.test(digits) ? digits : undefined;
}

function readUri(schemeName: string, rest: string): Dialled {
  const invalid: Dialled = { kind: 'invalid', problem: 'is no SIP address' };
  const at = rest.lastIndexOf('@');
  const typedUser = at < 0 ? undefined : rest.slice(0, at);
  // Headers of the URI would become headers of our request: never (RFC 3261 section 19.1.5).
  const hostAndParameters = rest.slice(at + 1).split('?', 1)[0] ?? '';
  const semicolon = hostAndParameters.indexOf(';');
  const hostPort = semicolon < 0 ? hostAndParameters : hostAndParameters.slice(0, semicolon);
  const parameters = semicolon < 0 ? '' : hostAndParameters.slice(semicolon).replace(methodParameter, '');
  if (!uriParameters.test(parameters)) return invalid;

  const split = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(hostPort);
  const authority = split?.[1];
  if (authority === undefined) return invalid;
  const bare = authority.startsWith('[') ? authority.slice(1, -1) : authority;
  if (authority.startsWith('[') ? !isIPv6(bare) || bare.includes('%') : !hostName.test(bare)) return invalid;
  const port = split?.[2];
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return invalid;

  const user = typedUser === undefined ? undefined : wellFormedUser(typedUser);
  if (typedUser !== undefined && user === undefined) return invalid;
  const uri = `${schemeName}:${user === undefined ? '' : `${user}@`}${hostPort}${parameters}`;
  return { kind: 'uri', uri, host: bare.toLowerCase() };
}

/** As it is when it is well-formed; escaped when it is plain text such as `*100#` or `Zoë`. */
function wellFormedUser(user: string): string | undefined {
  if (userInfo.test(user)) return user;
  return bareUser.test(user) ? escapeUser(user) : undefined;
}
