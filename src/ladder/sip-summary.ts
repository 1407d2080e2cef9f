/** The few things of a SIP message that a ladder shows, read without a parser: what was recorded may be anything. */

export interface SipSummary {
  /** Of a request its own, of a response that of its CSeq. */
  readonly method: string;
  /** Absent in requests. */
  readonly status?: number;
  readonly phrase?: string;
  /** Of a request, `sip:600@example.com`. */
  readonly uri?: string;
  readonly callId: string;
  readonly cseq: string;
  /** The top Via's branch. */
  readonly branch: string;
  readonly from: string;
  readonly to: string;
  /** Undefined when the body is none. */
  readonly sdp?: string;
}

export function summaryOf(text: string): SipSummary {
  const endOfHead = text.indexOf('\r\n\r\n');
  const head = endOfHead < 0 ? text : text.slice(0, endOfHead);
  const body = endOfHead < 0 ? '' : text.slice(endOfHead + 4);
  const startLine = head.slice(0, Math.max(0, head.indexOf('\r\n')) || head.length);
  const [, status, phrase] = /^SIP\/2\.0 (\d{3}) ?(.*)$/.exec(startLine) ?? [];
  const [, requestMethod = '?', uri = ''] = /^(\S{1,32}) (\S+) SIP\/2\.0$/.exec(startLine) ?? [];
  const cseq = headerOf(head, 'cseq');
  const sdp = body.startsWith('v=') || body.includes('\nv=0') ? body.slice(Math.max(0, body.indexOf('v=0'))) : undefined;
  return {
    method: status === undefined ? requestMethod : (cseq.split(/\s+/)[1] ?? '?'),
    ...(status === undefined ? { uri } : { status: Number(status), phrase: phrase ?? '' }),
    callId: headerOf(head, 'call-id', 'i'),
    cseq,
    branch: /;\s*branch=([^;,\s]+)/i.exec(headerOf(head, 'via', 'v'))?.[1] ?? '',
    from: headerOf(head, 'from', 'f'),
    to: headerOf(head, 'to', 't'),
    ...(sdp === undefined ? {} : { sdp }),
  };
}

/** The first of that name, with what was folded into it. @param name lower case @param compact its short form */
function headerOf(head: string, name: string, compact = name): string {
  for (const line of head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const found = line.slice(0, colon).trim().toLowerCase();
    if (found === name || found === compact) return line.slice(colon + 1).trim();
  }
  return '';
}
