/**
 * Corrections to SIP.js's `URI`, `NameAddrHeader` and `Parameters`: they are cloned and written for every message, by timers too, where
 * nothing may throw.
 */
import { NameAddrHeader, Parameters, URI } from 'sip.js/lib/core/index.js';
import { correct } from '../corrections/pin.js';
import { copyHeaders } from './received-uri.js';
import { writeAddress, writeUri } from './write-uri.js';

interface UriInternals extends Record<keyof URI, unknown> {
  readonly raw: { readonly scheme: string; readonly host: string };
}

/** SIP.js leaves the display name out where its types promise one. */
interface WrittenAddress extends Pick<NameAddrHeader, 'uri' | 'parameters'> {
  readonly displayName: string | undefined;
}

export const uriCorrections = [
  correct(
    URI.prototype,
    '_toString',
    '02521515',
    'RFC 3261 25.1: a user is plain text and is escaped when written, and nothing in a URI may end the line; SIP.js decodes users first, which throws on `100%`, and writes parameters and hosts as they are.',
    'never lets a part end the line',
    function (this: URI, parts: { scheme: string; host: string }): string {
      return writeUri(this, parts.scheme, undefined, parts.host);
    },
  ),
  correct(
    URI.prototype,
    'clone',
    '3e744131',
    'RFC 3261 19.1.4: a URI without a user is not one with an empty user; SIP.js makes it so, by way of JSON.',
    'gives the user as plain text',
    function (this: URI): URI {
      const { raw } = this as unknown as UriInternals;
      const copy = new URI(raw.scheme, '', raw.host, this.port);
      copy.user = this.user;
      copy.parameters = { ...this.parameters };
      copy.headers = copyHeaders(this.headers);
      return copy;
    },
  ),
  correct(
    NameAddrHeader.prototype,
    'toString',
    'ddbc0707',
    'RFC 3261 25.1: a quoted string escapes `"` and `\\`; SIP.js writes a display name as it is, so that it can add headers.',
    'writes its display name so that it is read back, and so that it cannot end the line',
    function (this: WrittenAddress): string {
      return writeAddress(this.displayName, this.uri, this.parameters);
    },
  ),
  correct(
    Parameters.prototype,
    'setParam',
    '0889124c',
    'A parameter called `__proto__` is dropped; SIP.js assigns it.',
    'has no parameters that nobody set',
    function (this: Parameters, key: string, value: string | number | null | undefined): void {
      const name = key.toLowerCase();
      if (name !== '' && name !== '__proto__') this.parameters[name] = value === undefined || value === null ? null : value.toString();
    },
  ),
  correct(
    Parameters.prototype,
    'getParam',
    'e05e1fec',
    'A parameter called `constructor` is there when it was sent; SIP.js finds that of Object.',
    'has no parameters that nobody set',
    function (this: Parameters, key: string): string | null | undefined {
      const name = key.toLowerCase();
      return Object.hasOwn(this.parameters, name) ? this.parameters[name] : undefined;
    },
  ),
  correct(
    Parameters.prototype,
    'hasParam',
    'cc1b8993',
    'The same as for getParam.',
    'has no parameters that nobody set',
    function (this: Parameters, key: string): boolean {
      return Object.hasOwn(this.parameters, key.toLowerCase());
    },
  ),
];
