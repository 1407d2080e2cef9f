/**
 * Takes the secrets out of a SIP message before a person or a file sees it: credentials, SDES keys, ICE passwords, and keys that were
 * pressed, which may be a PIN. Linear in the
 * message; what it does not know it leaves.
 */
const mask = '***';

/** Headers whose whole value is a secret or an answer to one (RFC 3261 22, RFC 7616 3.4). */
const secretHeaders = /^(authorization|proxy-authorization|authentication-info|proxy-authentication-info)([ \t]*:)[^\r\n]*(\r?\n[ \t][^\r\n]*)*/gim;

/** `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:<key>` (RFC 4568), `a=ice-pwd:<password>` (RFC 8839). */
const secretAttributes = /^(a=(?:crypto:\d+ \S+ inline:|ice-pwd:))[^\r\n]*/gim;

/** `Signal=5` in an INFO (application/dtmf-relay). */
const pressedKeys = /^(signal[ \t]*=)[^\r\n]*/gim;

/** The password of a `sip:user:password@host` (RFC 3261 19.1.1: "NOT RECOMMENDED"). */
const uriPasswords = /\b(sips?:[^\s:@<>";]{1,256}):[^\s@<>"]{1,256}@/gi;

export function redactSip(text: string): string {
  return text.replace(secretHeaders, `$1$2 ${mask}`).replace(secretAttributes, `$1${mask}`).replace(pressedKeys, `$1${mask}`).replace(uriPasswords, `$1:${mask}@`);
}
