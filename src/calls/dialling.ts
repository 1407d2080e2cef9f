/** The rules of `modules.sip.calls` for what is dialled, read once: rewriting, the country, and what may be called. */
import { readAddressPattern, type AddressPattern } from '../base/address-pattern.js';
import { readBoundedRegex } from '../base/bounded-regex.js';
import { ExtensionError } from '../base/errors.js';
import { isCountry, type CountryCode } from '../base/phone-numbers.js';

export interface RewriteRule {
  readonly match: RegExp;
  /** What stands in its place; `$1` is a group. */
  readonly to: string;
}

export interface Dialling {
  /** The first that matches holds. */
  readonly rewrite: readonly RewriteRule[];
  /** Whose national numbers become E.164; undefined: none do. */
  readonly country?: CountryCode;
  /** Nothing: everything may be called. */
  readonly allow: readonly AddressPattern[];
  readonly deny: readonly AddressPattern[];
}

/** As the configuration has it. */
export interface DiallingSettings {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly number: { readonly defaultCountry?: string; readonly rewrite: readonly { readonly match: string; readonly to: string }[] };
}

/** No rules at all. */
export const freeDialling: Dialling = { rewrite: [], allow: [], deny: [] };

/** @throws ExtensionError CONFIG_INVALID for rules that reading the configuration would have refused */
export function toDialling({ allow, deny, number: { defaultCountry, rewrite } }: DiallingSettings): Dialling {
  const rules: Dialling = { rewrite: rewrite.map(({ match, to }) => ({ match: toRegex(match), to })), allow: allow.map(toPattern), deny: deny.map(toPattern) };
  return defaultCountry !== undefined && isCountry(defaultCountry) ? { ...rules, country: defaultCountry } : rules;
}

function toRegex(source: string): RegExp {
  const read = readBoundedRegex(source);
  if ('problem' in read) throw new ExtensionError('CONFIG_INVALID', `The pattern ${JSON.stringify(source)} ${read.problem}.`);
  return read.regex;
}

function toPattern(text: string): AddressPattern {
  const read = readAddressPattern(text);
  if ('problem' in read) throw new ExtensionError('CONFIG_INVALID', `The pattern ${JSON.stringify(text)} ${read.problem}.`);
  return read.pattern;
}
