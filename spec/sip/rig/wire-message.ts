/** A SIP message as lines of text, to be read and rewritten: the proxy's own, so that nothing of the stack judges the stack. */
export class WireMessage {
  private constructor(
    public startLine: string,
    readonly headers: [name: string, value: string][],
    readonly body: string,
  ) {}

  static parse(text: string): WireMessage {
    const end = text.indexOf('\r\n\r\n');
    const [startLine = '', ...lines] = text.slice(0, end).split('\r\n');
    const headers = lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    });
    return new WireMessage(startLine, headers, text.slice(end + 4));
  }

  /** Undefined for a response. */
  get method(): string | undefined {
    return this.startLine.startsWith('SIP/') ? undefined : this.startLine.slice(0, this.startLine.indexOf(' '));
  }

  /** Of a response: that of its request. */
  get cseqMethod(): string {
    return this.get('CSeq').split(' ')[1] ?? '';
  }

  get cseq(): number {
    return Number.parseInt(this.get('CSeq'), 10);
  }

  get status(): number {
    return Number(this.startLine.slice(8, 11));
  }

  get uri(): string {
    return this.startLine.split(' ')[1] ?? '';
  }

  set uri(uri: string) {
    this.startLine = `${this.method ?? ''} ${uri} SIP/2.0`;
  }

  get branch(): string {
    return parameter(this.get('Via'), 'branch') ?? '';
  }

  /** The first of that name; empty when there is none. */
  get(name: string): string {
    return this.headers.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1] ?? '';
  }

  /** Replaces the first of that name. */
  set(name: string, value: string): void {
    const header = this.headers.find(([key]) => key.toLowerCase() === name.toLowerCase());
    if (header !== undefined) header[1] = value;
  }

  /** Adds one above all others. */
  push(name: string, value: string): void {
    this.headers.unshift([name, value]);
  }

  /** Takes the first of that name off. */
  pop(name: string): void {
    const index = this.headers.findIndex(([key]) => key.toLowerCase() === name.toLowerCase());
    if (index >= 0) this.headers.splice(index, 1);
  }

  /** A response to it, To with a tag. */
  answer(status: number, toTag: string, headers: readonly string[] = []): string {
    const to = this.get('To');
    const lines = [`SIP/2.0 ${String(status)} Rig`];
    for (const [name, value] of this.headers) {
      if (/^(via|from|call-id|cseq)$/i.test(name)) lines.push(`${name}: ${value}`);
    }
    lines.push(`To: ${to.includes(';tag=') ? to : `${to};tag=${toTag}`}`, ...headers, 'Content-Length: 0');
    return `${lines.join('\r\n')}\r\n\r\n`;
  }

  toString(): string {
    return `${this.startLine}\r\n${this.headers.map(([name, value]) => `${name}: ${value}`).join('\r\n')}\r\n\r\n${this.body}`;
  }
}

/** `;name=value` of a header. */
export function parameter(header: string, name: string): string | undefined {
  return new RegExp(`;\\s*${name}=([^;,>\\s]+)`, 'i').exec(header)?.[1];
}

/** User, host and port of the first SIP URI in a text. */
export function uriIn(text: string): { user: string; host: string; port: number } {
  const [, user = '', host = '', port = '5060'] = /sip:(?:([^@;>\s]*)@)?([^:;>\s]+)(?::(\d+))?/.exec(text) ?? [];
  return { user, host, port: Number(port) };
}
