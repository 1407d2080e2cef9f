/**
 * Cuts a TCP stream into SIP messages by Content-Length (RFC 3261 section 18.3), with the CRLF keep-alives
 * between them (RFC 5626 section 3.5.1).
 */

/** No message of any transport may be longer, bytes. */
export const largestMessage = 65_536;

const contentLength = /^(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*$/im;

export interface Framed {
  messages: Buffer[];
  /** Double CRLFs seen: each wants a single CRLF back. */
  pings: number;
}

export class StreamFraming {
  #pending: Buffer = Buffer.alloc(0);

  /** Undefined when the stream is not SIP, or a message is too long: the connection is of no more use. */
  push(chunk: Buffer): Framed | undefined {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const framed: Framed = { messages: [], pings: 0 };
    for (;;) {
      this.#skipKeepAlives(framed);
      const end = this.#pending.indexOf('\r\n\r\n');
      if (end < 0) return this.#pending.length > largestMessage ? undefined : framed;
      // A stream cannot be cut without Content-Length (RFC 3261 section 18.3).
      const length = contentLength.exec(this.#pending.toString('latin1', 0, end))?.[1];
      const total = end + 4 + Number(length ?? NaN);
      if (!(total <= largestMessage)) return undefined;
      if (this.#pending.length < total) return framed;
      framed.messages.push(this.#pending.subarray(0, total));
      this.#pending = this.#pending.subarray(total);
    }
  }

  #skipKeepAlives(framed: Framed): void {
    let at = 0;
    while (this.#pending.toString('latin1', at, at + 4) === '\r\n\r\n') {
      framed.pings += 1;
      at += 4;
    }
    // The single CRLF of somebody's pong, once more than half of a ping has come.
    if (this.#pending.length > at + 2 && this.#pending.toString('latin1', at, at + 2) === '\r\n') {
      if (this.#pending[at + 2] !== 0x0d) at += 2;
    }
    this.#pending = this.#pending.subarray(at);
  }
}
