/**
 * A request of ours, as SIP.js's core takes one. SIP.js's own clones three URIs, merges its options twice and spells each header's name anew, for
 * every request; here URIs are shared, as nobody changes them, and what is written is kept until something in it changes.
 */
import { OutgoingRequestMessage, type Body, type URI } from 'sip.js/lib/core/index.js';
import { DigestExchange } from './digest.js';
import type { Sender, SentRequest } from './internals.js';
import { headerNamed } from './parser/header-names.js';
import { writeAddress } from './parser/write-uri.js';

export interface RequestParts {
  readonly method: string;
  /** The Request-URI. */
  readonly target: URI;
  readonly from: { readonly uri: URI; readonly displayName: string; readonly tag: string };
  /** Without a tag outside of a dialog. */
  readonly to: { readonly uri: URI; readonly tag: string | undefined };
  readonly callId: string;
  readonly cseq: number;
  readonly routeSet: readonly string[];
  readonly nextHop: URI | undefined;
  /** The sent-by of Via. */
  readonly viaHost: string;
  readonly userAgent: string;
  /** Whole lines. */
  readonly lines: readonly string[];
  readonly body: Body | undefined;
}

const onceForwarded = ['70'];

export class WrittenRequest {
  readonly method: string;
  readonly ruri: URI;
  readonly from: { readonly uri: URI };
  readonly fromTag: string;
  readonly to: { readonly uri: URI };
  readonly toTag: string | undefined;
  readonly callId: string;
  cseq: number;
  /** In the order they are written. */
  readonly headers: Record<string, readonly string[] | undefined>;
  readonly body: { readonly body: string; readonly contentType: string } | undefined;
  readonly nextHop: URI | undefined;
  readonly exchange = new DigestExchange();
  branch: string | undefined;
  isGivenUp = false;
  private readonly viaHost: string;
  private readonly userAgent: string;
  private readonly lines: readonly string[];
  private text: string | undefined;

  constructor(
    readonly sender: Sender,
    parts: RequestParts,
  ) {
    const { method, from, to, callId, cseq, body } = parts;
    this.method = method;
    this.ruri = parts.target;
    this.from = from;
    this.fromTag = from.tag;
    this.to = to;
    this.toTag = to.tag;
    this.callId = callId;
    this.cseq = cseq;
    // RFC 3261 7.3.1: what proxies need stands first.
    this.headers = {
      Route: parts.routeSet,
      Via: undefined,
      To: [writeAddress('', to.uri, tagged(to.tag))],
      From: [writeAddress(from.displayName, from.uri, tagged(from.tag))],
      CSeq: [`${cseq} ${method}`],
      'Call-ID': [callId],
      'Max-Forwards': onceForwarded,
    };
    this.body = body && { body: body.content, contentType: body.contentType };
    this.nextHop = parts.nextHop;
    this.viaHost = parts.viaHost;
    this.userAgent = parts.userAgent;
    this.lines = parts.lines;
  }

  getHeader(name: string): string | undefined {
    return this.valuesOf(name)[0];
  }

  getHeaders(name: string): string[] {
    return [...this.valuesOf(name)];
  }

  hasHeader(name: string): boolean {
    return this.valuesOf(name).length > 0;
  }

  setHeader(name: string, value: string | readonly string[]): void {
    this.headers[headerNamed(name).name] = typeof value === 'string' ? [value] : value;
    this.text = undefined;
  }

  /** RFC 3581: with `rport`. */
  setViaHeader(branch: string, transport: string): void {
    this.branch = branch;
    this.setHeader('via', `SIP/2.0/${transport} ${this.viaHost};branch=${branch};rport`);
  }

  toString(): string {
    return (this.text ??= this.written());
  }

  /** What stands under that name, by itself or among the lines. */
  private valuesOf(name: string): readonly string[] {
    const { name: spelling } = headerNamed(name);
    const own = this.headers[spelling];
    if (own !== undefined) return own;
    const values: string[] = [];
    for (const line of this.lines) {
      const colon = line.indexOf(':');
      if (headerNamed(line.slice(0, colon).trim()).name === spelling) values.push(line.slice(colon + 1).trim());
    }
    return values;
  }

  private written(): string {
    let text = `${this.method} ${this.ruri.toRaw()} SIP/2.0\r\n`;
    for (const name in this.headers) {
      for (const value of this.headers[name] ?? []) text += `${name}: ${value}\r\n`;
    }
    for (const line of this.lines) text += `${line}\r\n`;
    text += `User-Agent: ${this.userAgent}\r\n`;
    const { body } = this;
    if (body === undefined || body.body === '') return `${text}Content-Length: 0\r\n\r\n`;
    // RFC 3261 20.14: bytes, not characters.
    return `${text}Content-Type: ${body.contentType}\r\nContent-Length: ${Buffer.byteLength(body.body)}\r\n\r\n${body.body}`;
  }
}

function tagged(tag: string | undefined): Record<string, string> {
  return tag === undefined || tag === '' ? {} : { tag };
}

// SIP.js tells by its class that a message goes out.
Object.setPrototypeOf(WrittenRequest.prototype, OutgoingRequestMessage.prototype);

export function writtenRequest(sender: Sender, parts: RequestParts): SentRequest {
  return new WrittenRequest(sender, parts) as unknown as SentRequest; // all that SIP.js's core asks of one is here
}
