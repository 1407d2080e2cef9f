/**
 * Cuts a stream into SIP messages by Content-Length (RFC 3261 18.3), the CRLFs between them taken out (RFC 5626 3.5.1).
 *
 * Two states: looking for the end of a header, or knowing the length of the whole message. Bytes are looked at once however they
 * are chopped: the search goes on where it stopped. Whole messages inside a chunk are handed over without a copy; what is left
 * of a chunk is copied, so at most `maxMessageBytes` are ever held. A stream whose framing is lost cannot be mended:
 * `push` says why and takes nothing more.
 */

/** A message, start line to the end of its body. */
export const maxMessageBytes = 65_536;

const cr = 13;
const lf = 10;
const headerEnd = Buffer.from('\r\n\r\n');
const contentLength = Buffer.from('content-length');
const nothing = Buffer.alloc(0);

export class StreamFramer {
  /** Bytes of an unfinished message, and room for more; `#held` of them count. */
  #store: Buffer = nothing;
  #held = 0;
  /** How far the end of the header was looked for, from the start of the message. */
  #searched = 0;
  /** The whole message's length once its header is complete. */
  #wanted = 0;
  #fault: string | undefined;

  /** @param onCrlf a CRLF between messages: half of a ping or a pong; the flow knows which */
  constructor(private readonly onCrlf: () => void) {}

  /** Bytes held for a message that is not complete. */
  get held(): number {
    return this.#held;
  }

  /**
   * Takes the next bytes and hands over each message that they complete. The buffers are lent for the time of the call.
   * @returns why the stream cannot be read any more, without full stop; undefined while all is well
   */
  push(chunk: Buffer, onMessage: (message: Buffer) => void): string | undefined {
    if (this.#fault !== undefined) return this.#fault;
    let bytes = chunk;
    if (this.#held > 0) {
      this.#append(chunk);
      bytes = this.#store.subarray(0, this.#held);
    }
    const start = this.#cut(bytes, onMessage);
    if (start < 0) {
      this.#keep(nothing);
      return this.#fault;
    }
    if (start > 0 || this.#held === 0) this.#keep(bytes.subarray(start));
    return undefined;
  }

  /** Hands over what is whole. @returns where the first unfinished message starts; -1: the framing is lost, `#fault` says why */
  #cut(bytes: Buffer, onMessage: (message: Buffer) => void): number {
    let start = 0;
    for (;;) {
      if (this.#wanted === 0) {
        if (this.#searched === 0) start = this.#skipCrlf(bytes, start);
        if (start < 0 || start === bytes.length) return start;
        if (!this.#readHeader(bytes, start)) return this.#fault === undefined ? start : -1;
      }
      if (bytes.length - start < this.#wanted) return start;
      const end = start + this.#wanted;
      this.#wanted = 0;
      this.#searched = 0;
      onMessage(bytes.subarray(start, end));
      start = end;
    }
  }

  /** RFC 3261 7.5: CRLFs before a start line are ignored. A lone CR at the very end waits for its LF. @returns -1: a fault */
  #skipCrlf(bytes: Buffer, from: number): number {
    let at = from;
    while (bytes[at] === cr && bytes[at + 1] === lf) {
      at += 2;
      this.onCrlf();
    }
    if (at === bytes.length || (bytes[at] === cr && at + 1 === bytes.length)) return at;
    if (isTokenByte(bytes[at])) return at;
    this.#fault = 'what it sent is not SIP';
    return -1;
  }

  /** @returns true when the header is complete and the message's length known */
  #readHeader(bytes: Buffer, start: number): boolean {
    const at = bytes.indexOf(headerEnd, start + this.#searched);
    const headerBytes = (at < 0 ? bytes.length : at + headerEnd.length) - start;
    if (headerBytes > maxMessageBytes) {
      this.#fault = 'it sent a header of more than 64 KB';
      return false;
    }
    if (at < 0) {
      this.#searched = Math.max(0, headerBytes - (headerEnd.length - 1));
      return false;
    }
    const bodyBytes = readContentLength(bytes, start, at + 2);
    if (typeof bodyBytes === 'string') this.#fault = bodyBytes;
    else if (headerBytes + bodyBytes > maxMessageBytes) this.#fault = 'it announced a message of more than 64 KB';
    else this.#wanted = headerBytes + bodyBytes;
    return this.#fault === undefined;
  }

  #append(chunk: Buffer): void {
    const needed = this.#held + chunk.length;
    if (needed > this.#store.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#wanted, Math.min(this.#store.length * 2, maxMessageBytes)));
      this.#store.copy(larger, 0, 0, this.#held);
      this.#store = larger;
    }
    chunk.copy(this.#store, this.#held);
    this.#held = needed;
  }

  /** Holds a copy of an unfinished message and nothing else. */
  #keep(rest: Buffer): void {
    this.#held = rest.length;
    if (rest.length === 0) {
      this.#store = nothing;
      return;
    }
    const store = Buffer.allocUnsafe(Math.max(this.#wanted, rest.length, 1024));
    rest.copy(store);
    this.#store = store;
  }
}

/**
 * Where the message in a datagram or a WebSocket message starts. RFC 3261 7.5: CRLFs before the start line are ignored; nothing but
 * CRLFs keeps a NAT open. What does not begin like a start line (STUN, RTP, zero bytes) is no SIP.
 * @returns -1: there is none
 */
export function startOfMessage(bytes: Buffer): number {
  let at = 0;
  while (bytes[at] === cr || bytes[at] === lf) at += 1;
  return isTokenByte(bytes[at]) ? at : -1;
}

/** Nothing, or CRLFs or zero bytes alone: sent to keep a NAT open. */
export function isKeepAlive(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === cr || byte === lf || byte === 0);
}

/** True for a byte that a SIP message may begin with: a token character (RFC 3261 25.1). */
function isTokenByte(byte: number | undefined): boolean {
  return byte !== undefined && tokenBytes[byte] === 1;
}

const tokenBytes = new Uint8Array(256);
for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~") {
  tokenBytes[character.charCodeAt(0)] = 1;
}

/**
 * The value of the one Content-Length (or `l`) among the header lines of `bytes[start, end)`, `end` just behind the last line's CRLF.
 * RFC 3261 18.3: "The Content-Length header field MUST be used with stream-oriented transports."
 * @returns the number, or what is wrong with it
 */
function readContentLength(bytes: Buffer, start: number, end: number): number | string {
  let found: number | undefined;
  for (let line = bytes.indexOf(lf, start) + 1; line > 0 && line < end; line = bytes.indexOf(lf, line) + 1) {
    const colon = bytes[line - 2] === cr ? contentLengthColon(bytes, line) : -1;
    if (colon < 0) continue;
    const value = readNumber(bytes, colon + 1, end);
    if (value < 0) return 'it sent a Content-Length that is not a number';
    if (found !== undefined) return 'it sent two Content-Lengths in one message';
    found = value;
  }
  return found ?? 'it sent a message without Content-Length';
}

/** HCOLON = *( SP / HTAB ) ":" SWS. @returns where the colon stands; -1: this line is another header */
function contentLengthColon(bytes: Buffer, line: number): number {
  const first = lowerCase(bytes[line]);
  let at = line + 1;
  if (first === contentLength[0]) {
    for (let index = 1; index < contentLength.length; index += 1, at += 1) {
      if (lowerCase(bytes[at]) !== contentLength[index]) return -1;
    }
  } else if (first !== 0x6c /* l */) {
    return -1;
  }
  while (isBlank(bytes[at])) at += 1;
  return bytes[at] === 0x3a /* : */ ? at : -1;
}

/** 1*DIGIT with linear white space (folded lines too) on both sides. @returns -1: it is something else */
function readNumber(bytes: Buffer, from: number, end: number): number {
  const first = skipBlanks(bytes, from, end);
  let at = first;
  let value = 0;
  for (let digit = digitOf(bytes[at]); digit >= 0; digit = digitOf(bytes[at])) {
    // More than the cap is as good as the cap and one: no overflow however many digits come.
    value = Math.min(value * 10 + digit, maxMessageBytes + 1);
    at += 1;
  }
  if (at === first) return -1;
  at = skipBlanks(bytes, at, end);
  return bytes[at] === cr && bytes[at + 1] === lf ? value : -1;
}

/** LWS: a CRLF belongs to it when the next line begins with a blank (RFC 3261 7.3.1). */
function skipBlanks(bytes: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end) {
    if (isBlank(bytes[at])) at += 1;
    else if (bytes[at] === cr && bytes[at + 1] === lf && at + 2 < end && isBlank(bytes[at + 2])) at += 3;
    else break;
  }
  return at;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09;
}

function lowerCase(byte: number | undefined): number | undefined {
  return byte !== undefined && byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}

function digitOf(byte: number | undefined): number {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : -1;
}
