/** Numbers as people of a country dial them, made E.164. The only file that imports libphonenumber-js. */
import { isSupportedCountry, parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js/min';

export type { CountryCode };

/** What is shorter is an extension. */
const shortest = 7;

/** @param text ISO 3166-1 alpha-2, in capitals */
export function isCountry(text: string): text is CountryCode {
  return isSupportedCountry(text);
}

/**
 * `+4930123456` for `030123456` in DE, and for `0049...`; undefined for what is no number of the telephone network, an extension above all, and
 * for what is E.164 already. A number that would be one only with an area code before it is left alone: it may be an extension as well.
 * @param dialled digits alone
 */
export function toE164(dialled: string, country: CountryCode): string | undefined {
  if (dialled.length < shortest || !/^\d{1,20}$/.test(dialled)) return undefined;
  const number = parsePhoneNumberFromString(dialled, country);
  if (number?.isValid() !== true) return undefined;
  const isNational = number.formatNational().replace(/\D/g, '') === dialled;
  // `00` and the like before it were taken away by who dials them in that country.
  const isInternational = dialled.endsWith(number.number.slice(1));
  return isNational || isInternational ? number.number : undefined;
}
