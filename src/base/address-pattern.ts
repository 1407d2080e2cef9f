/**
 * The patterns of `calls.allow` and `calls.deny`: `+4930123456`, `+49*`, `*@far.example`, `/^0?900/`. Letters count alike in either case.
 * A `*` at the end stands for anything; elsewhere it is the key of a telephone.
 */
import { longestSubject, readBoundedRegex } from './bounded-regex.js';

export interface AddressPattern {
  /** As it was written. */
  readonly text: string;
  /** Lower case. Absent: the pattern speaks of no host. */
  readonly host?: string;
  /** @param user lower case, not escaped, of at most `longestSubject` characters */
  readonly matches: (user: string) => boolean;
}

/** `problem` ends a sentence that starts with the pattern. */
export type ReadPattern = { readonly pattern: AddressPattern } | { readonly problem: string };

export function readAddressPattern(text: string): ReadPattern {
  if (text.length > 1 && text.startsWith('/') && text.endsWith('/')) {
    const read = readBoundedRegex(text.slice(1, -1), 'i');
    return 'problem' in read ? read : { pattern: { text, matches: (user) => read.regex.test(user) } };
  }
  if (/[\s/]/u.test(text)) return { problem: 'has a blank or a slash; a regular expression stands between two slashes' };
  const at = text.lastIndexOf('@');
  const user = (at < 0 ? text : text.slice(0, at)).toLowerCase();
  const host = at < 0 ? undefined : text.slice(at + 1).toLowerCase();
  if (user === '' || host === '') return { problem: 'names nobody: want a number, a user, or user@host' };
  if (host?.includes('*') === true) return { problem: 'has a * in its host, which has to be whole' };
  if (user.length > longestSubject) return { problem: `is longer than ${longestSubject} characters` };
  const matches = user.endsWith('*') ? startsWith(user.slice(0, -1)) : (dialled: string) => dialled === user;
  return { pattern: host === undefined ? { text, matches } : { text, host, matches } };
}

function startsWith(beginning: string): AddressPattern['matches'] {
  return (user) => user.startsWith(beginning);
}
