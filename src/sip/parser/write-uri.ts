/**
 * Writing SIP.js's `URI` down: nothing that a URI or its parameters hold can end the URI, the header or the line it stands in.
 */
import type { URI } from 'sip.js/lib/core/index.js';
import { isUnsafeInUri, quote } from './scan.js';
import { escapeUser } from './user-part.js';

/**
 * @param wireUser the user part already escaped; undefined when `uri.user`, plain text, is to be escaped
 * @param host in the case wanted
 */
export function writeUri(uri: URI, scheme: string, wireUser: string | undefined, host: string): string {
  const user = wireUser ?? (uri.user === undefined || uri.user === '' ? '' : escapeUser(uri.user));
  let text = user === '' ? `${scheme}:${host}` : `${scheme}:${user}@${host}`;
  // SIP.js's own grammar leaves null behind for `host:`.
  if (typeof uri.port === 'number') text += `:${uri.port}`;
  text += writeParameters(uri.parameters);
  let separator = '?';
  for (const name of Object.keys(uri.headers)) {
    for (const value of uri.headers[name] ?? []) {
      text += `${separator}${name}=${value}`;
      separator = '&';
    }
  }
  return withoutUnsafe(text);
}

/**
 * `sip:434@example.com` as `makeSipUri` has it written, without a URI to be made for it.
 * @param host a name or an address, in the case wanted
 * @param user plain text; none when absent
 */
export function writeSipAddress(host: string, user = ''): string {
  return withoutUnsafe(user === '' ? `sip:${bracketed(host)}` : `sip:${escapeUser(user)}@${bracketed(host)}`);
}

/** A bare IPv6 address gets its brackets. */
export function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

/** `;name=value;flag`, in the order they were set. */
function writeParameters(parameters: Record<string, string | null>): string {
  let text = '';
  for (const name of Object.keys(parameters)) {
    const value = parameters[name];
    text += value === null || value === undefined ? `;${name}` : `;${name}=${value}`;
  }
  return text;
}

/** `"Name" <uri>;name=value`: nothing in a name or a parameter can end the line. */
export function writeAddress(displayName: string | undefined, uri: URI, parameters: Record<string, string | null>): string {
  const quoted = displayName === undefined || displayName === '' ? '""' : quoteDisplayName(displayName);
  return `${quoted === '""' ? '' : `${quoted} `}<${uri.toString()}>${withoutControls(writeParameters(parameters))}`;
}

/** Leaves out blanks, controls and `<`, `>`, `"`: parts set by a program may hold them, parts read from the wire never do. */
function withoutUnsafe(text: string): string {
  for (let at = 0; at < text.length; at += 1) {
    if (!isUnsafeInUri(text.charCodeAt(at))) continue;
    return keep(text, (code) => !isUnsafeInUri(code));
  }
  return text;
}

/** The same for the parameters of a header, where a quoted string may stand: controls alone are left out. */
export function withoutControls(text: string): string {
  for (let at = 0; at < text.length; at += 1) {
    if (!isControl(text.charCodeAt(at))) continue;
    return keep(text, (code) => !isControl(code));
  }
  return text;
}

function keep(text: string, isKept: (code: number) => boolean): string {
  let kept = '';
  for (const char of text) if (isKept(char.charCodeAt(0))) kept += char;
  return kept;
}

function isControl(code: number): boolean {
  return code < 0x20 || code === 0x7f;
}

/** A display name as a quoted string (RFC 3261 25.1): `\` and `"` escaped, controls with CR and LF left out. */
export function quoteDisplayName(text: string): string {
  const clean = withoutControls(text);
  let quoted = '"';
  for (const char of clean) quoted += char === '\\' || char.charCodeAt(0) === quote ? `\\${char}` : char;
  return `${quoted}"`;
}
