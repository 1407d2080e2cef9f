/**
 * URIs whose text cannot be told again by the parts of SIP.js's `URI`.
 *
 * `URI` holds a plain-text user and a host. `sip:a%3Bb:pw@host` says more than that, `tel:+1201` has no host, and a foreign scheme
 * neither; yet what came in must go out as it was (RFC 3261 12.2.1.1, 19.1.4).
 */
import { URI } from 'sip.js/lib/core/index.js';
import { isUnsafeInUri } from './scan.js';
import { writeUri } from './write-uri.js';

/** A SIP URI whose user part keeps the escapes and the password it came with, for as long as nobody sets another user. */
export class ReceivedSipUri extends URI {
  constructor(
    scheme: string,
    private readonly plainUser: string,
    private readonly wireUser: string,
    host: string,
    port: number | undefined,
  ) {
    super(scheme, plainUser, host, port);
  }

  override toString(): string {
    return writeUri(this, this.scheme, this.writtenUser(), this.host);
  }

  override toRaw(): string {
    return this.toString();
  }

  override clone(): URI {
    const copy = new ReceivedSipUri(this.scheme, this.plainUser, this.wireUser, this.host, this.port);
    copy.user = this.user;
    copy.parameters = { ...this.parameters };
    copy.headers = copyHeaders(this.headers);
    return copy;
  }

  private writtenUser(): string | undefined {
    return this.user === this.plainUser ? this.wireUser : undefined;
  }
}

/** Any other URI, `tel:` above all, and text that is no URI at all. Its host is empty; a `tel:` has its number as user. */
export class OpaqueUri extends URI {
  private readonly text: string;

  /**
   * @param text as received; blanks, controls and the characters that end a URI are percent-escaped in it
   * @param isUri false for text that stands where a URI should and is none
   */
  constructor(
    text: string,
    readonly isUri: boolean,
  ) {
    const safe = escapeUnsafe(text);
    const colon = safe.indexOf(':');
    const scheme = colon > 0 ? safe.substring(0, colon).toLowerCase() : '';
    super(scheme, scheme === 'tel' ? telephoneNumber(safe) : '', 'unknown.invalid');
    this.host = '';
    this.text = safe;
  }

  override get aor(): string {
    return this.user === '' ? this.text : (this.user ?? this.text);
  }

  override toString(): string {
    return this.text;
  }

  override toRaw(): string {
    return this.text;
  }

  override clone(): URI {
    return new OpaqueUri(this.text, this.isUri);
  }
}

export function copyHeaders(headers: URI['headers']): URI['headers'] {
  const copy: URI['headers'] = {};
  for (const name of Object.keys(headers)) copy[name] = [...(headers[name] ?? [])];
  return copy;
}

function telephoneNumber(text: string): string {
  const end = text.indexOf(';');
  return text.substring('tel:'.length, end === -1 ? undefined : end);
}

function escapeUnsafe(text: string): string {
  let safe = '';
  let copied = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (!isUnsafeInUri(code)) continue;
    safe += `${text.substring(copied, at)}%${code.toString(16).toUpperCase().padStart(2, '0')}`;
    copied = at + 1;
  }
  return copied === 0 ? text : safe + text.substring(copied);
}
