/** Corrections to SIP.js's outgoing messages. */
import { OutgoingRequestMessage } from 'sip.js/lib/core/index.js';
import { correct } from './pin.js';

interface OutgoingInternals {
  readonly method: string;
  readonly ruri: { toRaw(): string };
  readonly headers: Record<string, string[]>;
  readonly extraHeaders: string[];
  readonly body: { body: string; contentType: string } | undefined;
  readonly options: { readonly optionTags: string[]; readonly userAgentString: string };
}

export const messageCorrections = [
  correct(
    OutgoingRequestMessage.prototype,
    'toString',
    '247c26b7',
    'RFC 3261 7.5, 20.14: Content-Length counts the bytes of the body; SIP.js counts by encodeURIComponent, which throws on a lone surrogate, and writes an empty Supported.',
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
