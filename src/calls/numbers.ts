/** Numbers as they are dialled, made what the PBX wants; and of those who call, made what people know. Pure. */
import { longestSubject } from '../base/bounded-regex.js';
import { toE164 } from '../base/phone-numbers.js';
import type { Dialling } from './dialling.js';

/**
 * The first rule that matches, then E.164 for a national number of the country. What is longer than a number can be is left as it is.
 * @param dialled a number, an extension or a user name, not escaped
 * @param why told what was done
 */
export function rewriteNumber(dialled: string, { rewrite, country }: Dialling, why?: string[]): string {
  if (dialled.length > longestSubject) return dialled;
  const rule = rewrite.find(({ match }) => match.test(dialled));
  const rewritten = rule === undefined ? dialled : dialled.replace(rule.match, rule.to);
  if (rule !== undefined) why?.push(`${dialled} is rewritten to ${rewritten}: the rule ${rule.match.source} -> ${rule.to === '' ? 'nothing' : rule.to} (calls.number.rewrite).`);
  const international = country === undefined ? undefined : toE164(rewritten, country);
  if (international === undefined) return rewritten;
  why?.push(`${rewritten} is a number of the telephone network, dialled in ${String(country)}: ${international} (calls.number.default-country).`);
  return international;
}

/** The number of a caller, who is nobody of the messenger: E.164 where it is a national number of the country. */
export function readCaller(user: string, { country }: Dialling, why?: string[]): string {
  const international = country === undefined ? undefined : toE164(user, country);
  if (international === undefined) return user;
  why?.push(`The caller's number ${user} is shown as ${international} (calls.number.default-country).`);
  return international;
}
