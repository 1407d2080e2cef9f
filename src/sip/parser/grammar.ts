/**
 * SIP.js's `Grammar.parse` led to our own readers; rules that we have no reader for go on to SIP.js's.
 */
import { Grammar } from 'sip.js/lib/core/index.js';
import type { Correction } from '../corrections/pin.js';
import { correct } from '../corrections/pin.js';
import { headerRules } from './header-rules.js';
import { uriCorrections } from './uri-corrections.js';

const stockParse = Grammar.parse as (text: string, rule: string) => unknown;

/** What SIP.js gives for text that does not follow the rule. */
const notParsed = -1;

export const grammarCorrections: readonly Correction[] = [
  correct(
    Grammar,
    'parse',
    'b3b9a1a1',
    'SIP.js builds its PEG tables anew for each value, 75 us; it takes the bottom one of several Vias (RFC 3261 18.1.2) and refuses `tel:` URIs.',
    'takes the top one of several Vias',
    (text: string, rule: string): unknown => {
      const read = headerRules.get(rule);
      if (read === undefined) return stockParse(text, rule);
      return read(text) ?? notParsed;
    },
  ),
  ...uriCorrections,
];

/** Idempotent. Throws when SIP.js is not the version that is corrected here. */
export function installGrammar(): void {
  for (const correction of grammarCorrections) correction.install();
}
