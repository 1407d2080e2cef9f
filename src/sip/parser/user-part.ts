/**
 * The user part of a SIP URI between plain text and the wire: RFC 3261 section 25.1, `user = 1*( unreserved / escaped / user-unreserved )`.
 */

const isLiteral = new Uint8Array(128);
for (const char of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()&=+$,;?/") {
  isLiteral[char.charCodeAt(0)] = 1;
}

const hexadecimal = '0123456789ABCDEF';

/** Plain text as it may stand before the `@`. Never throws: a lone surrogate becomes U+FFFD. */
export function escapeUser(plain: string): string {
  if (isAllLiteral(plain)) return plain;
  let escaped = '';
  for (const byte of Buffer.from(plain, 'utf8')) {
    escaped += byte < 128 && isLiteral[byte] === 1 ? String.fromCharCode(byte) : `%${hexadecimal.charAt(byte >> 4)}${hexadecimal.charAt(byte & 15)}`;
  }
  return escaped;
}

/** What a user part from the wire says. Escapes that are not UTF-8 or not hexadecimal (`%zz`) leave the text as it is. */
export function unescapeUser(wire: string): string {
  if (!wire.includes('%')) return wire;
  try {
    return decodeURIComponent(wire);
  } catch {
    return wire;
  }
}

function isAllLiteral(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code > 127 || isLiteral[code] !== 1) return false;
  }
  return true;
}
