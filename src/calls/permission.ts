/** Whether an address may be called from here: `calls.allow` and `calls.deny`, against toll fraud. Pure. */
import type { AddressPattern } from '../base/address-pattern.js';
import { longestSubject } from '../base/bounded-regex.js';
import { toE164 } from '../base/phone-numbers.js';
import type { Dialling } from './dialling.js';
import { localTable, type Termination } from './termination.js';

/** What the rules are held against. */
export interface Callable {
  /** The Request-URI, or what a REFER refers to, as it goes out. */
  readonly uri: string;
  /** The host of the account that calls: patterns of `allow` without a host mean addresses there. */
  readonly home: string;
  /** The target is a messenger user's own account, which the owner put into the table: `allow` does not speak of it. */
  readonly isOurs: boolean;
}

/**
 * Undefined: it may be called. `deny` wins over `allow`; a pattern of `deny` without a host holds at every host, one of `allow` at the caller's
 * own alone. A number counts as it stands, without its separators, and as E.164.
 */
export function mayCall({ uri, home, isOurs }: Callable, { allow, deny, country }: Dialling, why?: string[]): Termination | undefined {
  if (allow.length === 0 && deny.length === 0) return undefined;
  const { user, host } = partsOf(uri);
  if (user.length > longestSubject) {
    why?.push(`The address is longer than the ${longestSubject} characters that calls.allow and calls.deny are held against.`);
    return localTable.denied;
  }
  const writings = writingsOf(user, country);
  const fits = (pattern: AddressPattern): boolean => writings.some((writing) => pattern.matches(writing));
  const denied = deny.find((pattern) => (pattern.host ?? host) === host && fits(pattern));
  if (denied !== undefined) {
    why?.push(`${uri} is denied by ${denied.text} (calls.deny).`);
    return localTable.denied;
  }
  if (isOurs || allow.length === 0) return undefined;
  const allowed = allow.find((pattern) => (pattern.host ?? comparable(home)) === host && fits(pattern));
  why?.push(allowed === undefined ? `${uri} is in none of the patterns of calls.allow.` : `${uri} is allowed by ${allowed.text} (calls.allow).`);
  return allowed === undefined ? localTable.notAllowed : undefined;
}

/** Lower case; the user without escapes, password and parameters of its own (RFC 3261 section 19.1.6: those of a telephone number). */
function partsOf(uri: string): { user: string; host: string } {
  const [, userInfo = '', rest = ''] = /^sips?:(?:([^@]*)@)?(.*)$/i.exec(uri) ?? [];
  const [, bracketed, plain = ''] = /^(?:\[([^\]]*)\]|([^:;?]*))/.exec(rest) ?? [];
  const user = unescaped(userInfo.split(/[:;]/, 1)[0] ?? '');
  return { user: user.normalize('NFKC').toLowerCase(), host: comparable(bracketed ?? plain) };
}

/** A name with the dot of the DNS root at its end is the same name. */
function comparable(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // No UTF-8: byte by byte, so that digits among them are seen.
    return text.replace(/%([0-9a-f]{2})/gi, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
}

function writingsOf(user: string, country: Dialling['country']): string[] {
  const digits = user.replace(/[\s().\-/]/g, '');
  const number = /^\+?[0-9*#]+$/.test(digits) ? digits : user;
  const international = country === undefined ? undefined : toE164(number, country);
  return international === undefined ? [user, number] : [user, number, international];
}
