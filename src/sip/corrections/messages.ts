/** Corrections to SIP.js's outgoing messages. */
import { OutgoingRequestMessage } from 'sip.js/lib/core/index.js';
import { headerNamed } from '../parser/header-names.js';
import { correct, measured } from './pin.js';

interface OutgoingInternals {
  readonly method: string;
  readonly ruri: { toRaw(): string };
  readonly headers: Record<string, string[] | undefined>;
  readonly extraHeaders: string[];
  readonly body: { body: string; contentType: string } | undefined;
  readonly options: { readonly optionTags: string[]; readonly userAgentString: string };
}

/** What stands under that name, by itself or among the lines that were added as text. */
function valuesOf({ headers, extraHeaders }: OutgoingInternals, name: string): readonly string[] {
  const { name: spelling } = headerNamed(name);
  const own = headers[spelling];
  if (own !== undefined) return own;
  const values: string[] = [];
  for (const line of extraHeaders) {
    const colon = line.indexOf(':');
    if (headerNamed(line.slice(0, colon).trim()).name === spelling) values.push(line.slice(colon + 1).trim());
  }
  return values;
}

export const messageCorrections = [
  correct(
    OutgoingRequestMessage.prototype,
    'getHeader',
    '3f4a71b6',
    'Slow: SIP.js spells the name anew and makes a regular expression of it.',
    measured,
    function (this: OutgoingInternals, name: string): string | undefined {
      return valuesOf(this, name)[0];
    },
  ),
  correct(OutgoingRequestMessage.prototype, 'getHeaders', '6ec539ca', 'The same as for getHeader.', measured, function (this: OutgoingInternals, name: string): string[] {
    return [...valuesOf(this, name)];
  }),
  correct(OutgoingRequestMessage.prototype, 'hasHeader', 'aff96974', 'The same as for getHeader.', measured, function (this: OutgoingInternals, name: string): boolean {
    return valuesOf(this, name).length > 0;
  }),
  correct(
    OutgoingRequestMessage.prototype,
    'setHeader',
    'eacf8c08',
    'Slow: SIP.js spells the name anew, ten times a request.',
    measured,
    function (this: OutgoingInternals, name: string, value: string | string[]): void {
      this.headers[headerNamed(name).name] = Array.isArray(value) ? value : [value];
    },
  ),
  correct(
    OutgoingRequestMessage.prototype,
    'toString',
    '247c26b7',
    'RFC 3261 7.5, 20.14: Content-Length counts the bytes of the body; SIP.js counts by encodeURIComponent, which throws on a lone surrogate, and writes an empty Supported.',
    'a request counts its body in bytes, and names no extensions where there are none',
    function (this: OutgoingInternals): string {
      let text = `${this.method} ${this.ruri.toRaw()} SIP/2.0\r\n`;
      for (const name in this.headers) {
        for (const value of this.headers[name] ?? []) text += `${name}: ${value}\r\n`;
      }
      for (const header of this.extraHeaders) text += `${header}\r\n`;
      if (this.options.optionTags.length > 0) text += `Supported: ${this.options.optionTags.join(', ')}\r\n`;
      text += `User-Agent: ${this.options.userAgentString}\r\n`;
      if (this.body === undefined || this.body.body === '') return `${text}Content-Length: 0\r\n\r\n`;
      const length = Buffer.byteLength(this.body.body);
      return `${text}Content-Type: ${this.body.contentType}\r\nContent-Length: ${String(length)}\r\n\r\n${this.body.body}`;
    },
  ),
];
