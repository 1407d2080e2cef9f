/**
 * Bytes to messages: RFC 3261 sections 7 and 18.3, in one walk over the lines.
 *
 * Read at once is what every message needs: the start line, the top Via, the tags, Call-ID and CSeq. The other headers are filed as
 * text. A message that breaks a rule is walked to its end all the same, so that the fault can be answered.
 */
import { isAscii } from 'node:buffer';
import type { ParseFault, RequestEcho } from './fault.js';
import type { KnownHeader } from './header-names.js';
import { headerAt, headerNamed } from './header-names.js';
import { readCSeq } from './header-rules.js';
import type { CSeqValue } from './header-rules.js';
import type { RawHeader } from './message.js';
import { emptyTable, ParsedRequest, ParsedResponse } from './message.js';
import { isBlank, isToken, readNumber, splitList, startsWithIgnoringCase, trimmed } from './scan.js';
import { parseUri, tagOf } from './uri.js';
import type { ViaValue } from './via.js';
import { readVia } from './via.js';

/** Values in all headers together. */
const mostHeaders = 256;

/**
 * Proxies that want to stay on the path: our requests in the dialog name them all. Max-Forwards begins at 70 (RFC 3261 8.1.1.6), and a proxy
 * between two transports names itself twice.
 */
export const mostRecordRoutes = 140;

/** Characters of a start line or of a header with all its folded lines. */
export const longestHeader = 8192;

/**
 * Never throws. The message is of SIP.js's classes, whose core can take it; a fault says why there is none.
 *
 * A datagram whose body is shorter than Content-Length is a fault, bytes after it are dropped; without Content-Length the rest is the
 * body (RFC 3261 18.3). Lines end with CRLF alone: a bare CR or LF would let one header smuggle another.
 */
export function parseMessage(bytes: Buffer): ParsedRequest | ParsedResponse | ParseFault {
  return new MessageReader(bytes).read();
}

class MessageReader {
  private readonly headers = emptyTable();
  private readonly bytes: Buffer;
  private readonly isAscii: boolean;
  /** The whole message when it is ASCII, else all up to the body. */
  private readonly text: string;
  private bodyFrom = -1;
  private headerCount = 0;
  private fault: string | undefined;
  private statusCode = 400;

  private method: string | undefined;
  /** Of SIP, as the start line has it. */
  private version = '2.0';
  private requestUri: ReturnType<typeof parseUri>;
  private responseStatus: number | undefined;
  private responsePhrase = '';

  private topVia: ViaValue | undefined;
  private fromTag: string | undefined;
  private toTag: string | undefined;
  private cseq: CSeqValue | undefined;
  private contentLength: number | undefined;

  constructor(bytes: Buffer) {
    this.bytes = withoutLeadingLineEnds(bytes);
    this.isAscii = isAscii(this.bytes);
    this.text = this.isAscii ? this.bytes.toString('latin1') : this.bytes.toString('utf8', 0, endOfHeaders(this.bytes));
  }

  read(): ParsedRequest | ParsedResponse | ParseFault {
    if (this.text === '') return { fault: 'nothing but line ends' };
    const lineTo = this.text.indexOf('\r');
    if (lineTo === -1 || this.text.indexOf('\n') !== lineTo + 1) return { fault: 'no start line' };
    if (!this.readStartLine(lineTo)) return { fault: this.fault ?? 'not SIP' };
    this.readHeaders(lineTo + 2);
    if (this.fault === undefined) this.checkTogether();
    const body = this.fault === undefined ? this.readBody() : undefined;
    if (body === undefined) return this.asFault();
    return this.responseStatus === undefined ? this.asRequest(body) : this.asResponse(body, this.responseStatus);
  }

  /** Only the first fault counts. */
  private note(fault: string, statusCode = 400): void {
    if (this.fault !== undefined) return;
    this.fault = fault;
    this.statusCode = statusCode;
  }

  // ---- start line -------------------------------------------------------------------------------

  /** False for what is not SIP at all, and for responses that make no sense: nobody answers those. */
  private readStartLine(to: number): boolean {
    if (to > longestHeader) this.note('start line too long', 414);
    if (startsWithIgnoringCase(this.text, 'sip/', 0)) return this.readStatusLine(to);
    let end = to;
    while (end > 0 && isBlank(this.text.charCodeAt(end - 1))) end -= 1;
    // RFC 3261 7.1: "No LWS is allowed in the start-line" but the two spaces.
    if (end < to) this.note('blanks behind the start line');
    return this.readRequestLine(end);
  }

  /** RFC 3261 7.2: `SIP/2.0 200 OK`; the phrase may be empty. */
  private readStatusLine(to: number): boolean {
    const { text } = this;
    const status = readNumber(text, 699, 8, 11);
    const isSeparated = text.charCodeAt(7) === 0x20 && (to === 11 || text.charCodeAt(11) === 0x20);
    if (!text.startsWith('2.0', 4) || !isSeparated || to < 11 || status === undefined || status < 100) {
      this.note('malformed status line');
      return false;
    }
    this.responseStatus = status;
    this.responsePhrase = text.slice(12, to);
    return true;
  }

  /** RFC 3261 7.1: `INVITE sip:bob@example.com SIP/2.0`, with single spaces. */
  private readRequestLine(to: number): boolean {
    const { text } = this;
    const firstSpace = text.indexOf(' ');
    const lastSpace = text.lastIndexOf(' ', to - 1);
    if (firstSpace === -1 || firstSpace >= lastSpace || !startsWithIgnoringCase(text, 'sip/', lastSpace + 1)) return false;
    if (!isToken(text, 0, firstSpace)) return false;
    this.method = text.substring(0, firstSpace);
    this.version = text.substring(lastSpace + 5, to);
    if (this.version !== '2.0') this.note('SIP version is not 2.0', 505);
    this.requestUri = this.fault === undefined ? parseUri(text.substring(firstSpace + 1, lastSpace)) : undefined;
    if (this.requestUri === undefined) this.note('malformed Request-URI');
    return true;
  }

  // ---- headers ------------------------------------------------------------------------------------

  private readHeaders(from: number): void {
    const { text } = this;
    let lineFrom = from;
    for (;;) {
      const lineTo = text.indexOf('\n', lineFrom) - 1;
      if (lineTo < lineFrom - 1) {
        this.note('no empty line after the headers');
        return;
      }
      if (text.indexOf('\r', lineFrom) !== lineTo) {
        this.note('a bare CR or LF');
        return;
      }
      if (lineTo === lineFrom) {
        this.bodyFrom = lineTo + 2;
        return;
      }
      const next = text.charCodeAt(lineTo + 2);
      lineFrom = next === 0x20 || next === 0x09 ? this.readFolded(lineFrom, lineTo) : this.readHeader(text, lineFrom, lineTo);
    }
  }

  /** RFC 3261 7.3.1: lines that begin with a blank go on with the header before; the line end and its blanks mean one space. */
  private readFolded(from: number, firstTo: number): number {
    const { text } = this;
    const lines = [text.substring(from, firstTo)];
    let lineTo = firstTo;
    while (isBlank(text.charCodeAt(lineTo + 2))) {
      const lineFrom = lineTo + 2;
      lineTo = text.indexOf('\r', lineFrom);
      if (lineTo === -1 || text.indexOf('\n', lineFrom) !== lineTo + 1) {
        this.note('a bare CR or LF');
        return text.length;
      }
      lines.push(trimmed(text, lineFrom, lineTo));
    }
    const unfolded = lines.join(' ');
    this.readHeader(unfolded, 0, unfolded.length);
    return lineTo + 2;
  }

  /** Reads `text[from, to)` and gives where the next line starts in the message, if it is the message's text. */
  private readHeader(text: string, from: number, to: number): number {
    const next = to + 2;
    if (to - from > longestHeader) {
      this.note('a header is too long');
      return next;
    }
    let colon = from;
    while (colon < to && text.charCodeAt(colon) !== 0x3a) colon += 1;
    const usual = colon < to ? headerAt(text, from, colon) : undefined;
    const header = usual ?? this.unusual(text, from, colon, to);
    if (header === undefined) this.note('a header without a name');
    else this.file(header, trimmed(text, colon + 1, to));
    return next;
  }

  /** A name that is unknown, or written in an unusual way. */
  private unusual(text: string, from: number, colon: number, to: number): KnownHeader | undefined {
    const name = trimmed(text, from, colon);
    const header = headerNamed(name);
    const isNamed = colon < to && !isBlank(text.charCodeAt(from)) && (header.kind !== 'plain' || isToken(name));
    return isNamed ? header : undefined;
  }

  private file(header: KnownHeader, raw: string): void {
    if (++this.headerCount > mostHeaders) {
      this.note('too many headers');
      return;
    }
    switch (header.kind) {
      case 'plain':
        this.add(header, raw);
        return;
      case 'list':
        this.addList(header, raw);
        return;
      case 'via':
        this.addList(header, raw);
        if (this.topVia === undefined) this.takeTopVia();
        return;
      default:
        if (this.headers[header.name] !== undefined) this.note(`more than one ${header.name}`);
        else this.readSingle(header, this.add(header, raw));
    }
  }

  private add(header: KnownHeader, raw: string): RawHeader {
    const entry: RawHeader = { raw, parsed: undefined };
    const before = this.headers[header.name];
    if (before === undefined) this.headers[header.name] = [entry];
    else before.push(entry);
    return entry;
  }

  private addList(header: KnownHeader, raw: string): void {
    if (!raw.includes(',')) {
      if (raw !== '') this.add(header, raw);
      return;
    }
    const spans = splitList(raw, mostHeaders);
    if (spans === undefined) this.note(`malformed ${header.name}`);
    this.headerCount += (spans?.length ?? 1) - 1;
    if (this.headerCount > mostHeaders) {
      this.note('too many headers');
      return;
    }
    for (const { from, to } of spans ?? []) {
      const entry = this.add(header, raw.substring(from, to));
      if (header.kind !== 'via') continue;
      entry.parsed = readVia(entry.raw);
      // Where there are commas too many, none of the values can be trusted.
      if (entry.parsed === undefined) this.note('malformed Via');
    }
  }

  /** RFC 3261 18.1.2 and 18.2.1 look at the top Via alone. */
  private takeTopVia(): void {
    const top = this.headers.Via?.[0];
    if (top === undefined) return;
    // A message of another version is answered by its Via, whichever of the two that is of.
    this.topVia = (top.parsed as ViaValue | undefined) ?? readVia(top.raw) ?? readVia(top.raw, this.version);
    top.parsed = this.topVia;
    if (this.topVia === undefined) this.note('malformed Via');
    // RFC 3261 17.2.3: requests of RFC 2543 have no branch; our own, and so the responses to them, always do.
    else if (this.responseStatus !== undefined && !this.topVia.branch) this.note('Via without a branch');
  }

  private readSingle(header: KnownHeader, entry: RawHeader): void {
    const { raw } = entry;
    switch (header.kind) {
      case 'from':
        this.fromTag = this.readTag(header.name, raw);
        return;
      case 'to':
        this.toTag = this.readTag(header.name, raw);
        return;
      case 'cseq':
        this.cseq = readCSeq(raw);
        entry.parsed = this.cseq;
        if (this.cseq === undefined) this.note('malformed CSeq');
        return;
      case 'call-id':
        if (raw === '' || raw.includes(' ') || raw.includes('\t')) this.note('malformed Call-ID');
        return;
      case 'content-length':
        this.contentLength = readNumber(raw, Number.MAX_SAFE_INTEGER);
        if (this.contentLength === undefined) this.note('malformed Content-Length');
        return;
      case 'max-forwards':
        // RFC 3261 20.22: 0 to 255.
        if (readNumber(raw, 255) === undefined) this.note('malformed Max-Forwards');
        return;
      default:
    }
  }

  private readTag(name: string, raw: string): string | undefined {
    const tag = tagOf(raw);
    if (tag !== null) return tag;
    this.note(`malformed ${name}`);
    return undefined;
  }

  /** RFC 3261 8.1.1: these are in every message; and the CSeq names the method. */
  private checkTogether(): void {
    const { Via, From, To, CSeq, 'Call-ID': callId, 'Record-Route': recordRoute } = this.headers;
    if (Via === undefined) this.note('no Via');
    if (From === undefined) this.note('no From');
    if (To === undefined) this.note('no To');
    if (callId === undefined) this.note('no Call-ID');
    if (CSeq === undefined) this.note('no CSeq');
    if (this.method !== undefined && this.cseq !== undefined && this.cseq.method !== this.method) this.note('CSeq names another method');
    if ((recordRoute?.length ?? 0) > mostRecordRoutes) this.note('more Record-Routes than hops');
  }

  // ---- body ---------------------------------------------------------------------------------------

  private readBody(): string | undefined {
    const bodyFrom = this.isAscii ? this.bodyFrom : endOfHeaders(this.bytes);
    const bodyTo = this.contentLength === undefined ? this.bytes.length : bodyFrom + this.contentLength;
    if (bodyTo > this.bytes.length) {
      this.note('body shorter than Content-Length');
      return undefined;
    }
    return this.isAscii ? this.text.substring(bodyFrom, bodyTo) : textOf(this.bytes.subarray(bodyFrom, bodyTo));
  }

  // ---- outcome --------------------------------------------------------------------------------------

  private asRequest(body: string): ParsedRequest | ParseFault {
    if (this.method === undefined) return this.asFault();
    const message = new ParsedRequest();
    message.method = this.method;
    message.ruri = this.requestUri;
    return this.complete(message, body);
  }

  private asResponse(body: string, status: number): ParsedResponse | ParseFault {
    const message = new ParsedResponse();
    if (this.cseq !== undefined) message.method = this.cseq.method;
    message.statusCode = status;
    message.reasonPhrase = this.responsePhrase;
    return this.complete(message, body);
  }

  private complete<Message extends ParsedRequest | ParsedResponse>(message: Message, body: string): Message | ParseFault {
    const { topVia, cseq } = this;
    const callId = this.rawOf('Call-ID');
    if (topVia === undefined || cseq === undefined || callId === undefined) return this.asFault();
    message.headers = this.headers as Message['headers'];
    message.data = this.isAscii ? this.text : this.text + body;
    message.body = body;
    message.via = topVia as ViaValue & { port: number };
    message.viaBranch = topVia.branch ?? '';
    message.callId = callId;
    message.cseq = cseq.value;
    if (this.fromTag !== undefined) message.fromTag = this.fromTag;
    if (this.toTag !== undefined) message.toTag = this.toTag;
    return message;
  }

  private asFault(): ParseFault {
    const fault = this.fault ?? 'incomplete';
    const echo = this.echo();
    return echo === undefined ? { fault } : { fault, statusCode: this.statusCode, echo };
  }

  /** RFC 3261 17.1.1.3: an ACK is never answered. Without a Via there is no way back. */
  private echo(): RequestEcho | undefined {
    const { method, topVia, toTag } = this;
    if (method === undefined || method === 'ACK' || topVia === undefined) return undefined;
    const via = (this.headers.Via ?? []).map((header) => header.raw);
    return { method, via, from: this.rawOf('From'), to: this.rawOf('To'), toTag, callId: this.rawOf('Call-ID'), cseq: this.rawOf('CSeq') };
  }

  private rawOf(name: string): string | undefined {
    return this.headers[name]?.[0]?.raw;
  }
}

/** UTF-8. A body is mostly ASCII where the headers are not, and that is read several times as fast. */
function textOf(bytes: Buffer): string {
  return bytes.toString(isAscii(bytes) ? 'latin1' : 'utf8');
}

/** RFC 3261 7.5: line ends before the start line are ignored. */
function withoutLeadingLineEnds(bytes: Buffer): Buffer {
  let from = 0;
  while (bytes[from] === 0x0d && bytes[from + 1] === 0x0a) from += 2;
  return from === 0 ? bytes : bytes.subarray(from);
}

function endOfHeaders(bytes: Buffer): number {
  const end = bytes.indexOf('\r\n\r\n', 0, 'latin1');
  return end === -1 ? bytes.length : end + 4;
}
