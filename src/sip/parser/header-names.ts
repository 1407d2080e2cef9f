/**
 * Header names: the spelling that SIP.js files them under, compact forms, and which headers are comma lists.
 *
 * SIP.js spells a name anew at every look-up. Here the names that occur are interned; what is not known is spelt by the same rule and
 * not remembered, so a peer cannot make the table grow.
 */

/** How the parser treats a header. */
export type HeaderKind = 'via' | 'from' | 'to' | 'call-id' | 'cseq' | 'content-length' | 'max-forwards' | 'list' | 'plain';

export interface KnownHeader {
  /** `WWW-Authenticate`, as SIP.js's `headers` has it. */
  readonly name: string;
  readonly kind: HeaderKind;
  /** Its rule: the name with `_` for `-`. */
  readonly rule: string;
}

/** RFC 3261 7.3.3 and the extensions' own compact letters. */
const compact: Readonly<Record<string, string>> = {
  v: 'Via', f: 'From', t: 'To', i: 'Call-ID', m: 'Contact', l: 'Content-Length', c: 'Content-Type', e: 'Content-Encoding', s: 'Subject', k: 'Supported',
  r: 'Refer-To', b: 'Referred-By', o: 'Event', u: 'Allow-Events', x: 'Session-Expires', a: 'Accept-Contact', j: 'Reject-Contact', d: 'Request-Disposition', y: 'Identity', n: 'Identity-Info',
};

const kinds: Readonly<Record<string, HeaderKind>> = {
  Via: 'via', From: 'from', To: 'to', 'Call-ID': 'call-id', CSeq: 'cseq', 'Content-Length': 'content-length', 'Max-Forwards': 'max-forwards',
  Contact: 'list', Route: 'list', 'Record-Route': 'list', Path: 'list', 'Service-Route': 'list', 'P-Asserted-Identity': 'list', 'P-Preferred-Identity': 'list',
};

const others = [
  'Accept', 'Accept-Encoding', 'Accept-Language', 'Alert-Info', 'Allow', 'Allow-Events', 'Authentication-Info', 'Authorization', 'Call-Info', 'Content-Disposition', 'Content-Encoding', 'Content-Language', 'Content-Type', 'Date', 'Diversion',
  'Error-Info', 'Event', 'Expires', 'History-Info', 'MIME-Version', 'Min-Expires', 'Min-SE', 'Organization', 'Privacy', 'Priority', 'Proxy-Authenticate', 'Proxy-Authentication-Info', 'Proxy-Authorization', 'Proxy-Require', 'RAck', 'RSeq', 'Reason', 'Refer-To',
  'Referred-By', 'Remote-Party-ID', 'Replaces', 'Reply-To', 'Require', 'Retry-After', 'Server', 'Session-Expires', 'Subject', 'Subscription-State', 'Supported', 'Timestamp', 'Unsupported', 'User-Agent', 'WWW-Authenticate',
  'Warning',
];

/** SIP.js's exceptions from `First-Letters-Upper`. */
const exceptions = new Map([['Call-Id', 'Call-ID'], ['Cseq', 'CSeq'], ['Min-Se', 'Min-SE'], ['Rack', 'RAck'], ['Rseq', 'RSeq'], ['Www-Authenticate', 'WWW-Authenticate']]);

function spelt(name: string): string {
  let spelling = '';
  let startsPart = true;
  for (const char of name.toLowerCase()) {
    const isSeparator = char === '-' || char === '_';
    spelling += isSeparator ? '-' : startsPart ? char.toUpperCase() : char;
    startsPart = isSeparator;
  }
  return exceptions.get(spelling) ?? spelling;
}

const known = new Map<string, KnownHeader>();

/** The same by length and first letter of the form, to be compared where they stand. */
const byLook: { readonly form: string; readonly header: KnownHeader }[][] = [];

function lookOf(length: number, first: number): number {
  return length * 32 + (first & 31);
}

function learn(form: string, header: KnownHeader): void {
  if (known.has(form)) return;
  known.set(form, header);
  (byLook[lookOf(form.length, form.charCodeAt(0))] ??= []).push({ form, header });
}

function remember(name: string): KnownHeader {
  const spelling = spelt(name);
  const header = { name: spelling, kind: kinds[spelling] ?? 'plain', rule: spelling.replaceAll('-', '_') };
  for (const form of [name, spelling, name.toLowerCase(), name.toUpperCase()]) learn(form, header);
  return header;
}

for (const name of [...Object.keys(kinds), ...others]) remember(name);
for (const [letter, name] of Object.entries(compact)) {
  const header = known.get(name) ?? remember(name);
  learn(letter, header);
  learn(letter.toUpperCase(), header);
}

/** The header that `text[from, to)` names, when it does so in one of the usual forms: no text is cut out to find that. */
export function headerAt(text: string, from: number, to: number): KnownHeader | undefined {
  const alike = byLook[lookOf(to - from, text.charCodeAt(from))];
  if (alike === undefined) return undefined;
  for (const { form, header } of alike) if (text.startsWith(form, from)) return header;
  return undefined;
}

/** @param name as it stands in a message; compact forms are resolved */
export function headerNamed(name: string): KnownHeader {
  return known.get(name) ?? known.get(name.toLowerCase()) ?? asUnknown(name);
}

function asUnknown(name: string): KnownHeader {
  const spelling = spelt(name);
  return { name: spelling, kind: 'plain', rule: spelling.replaceAll('-', '_') };
}
