/**
 * What a far end does in one call, step by step, as a scenario of sipp: `script(takesInvite, says(180), says(200, { sdp: 'answer' }), ...)`.
 * A call in which something else comes, or nothing, counts as failed.
 *
 * sipp fills in `[last_...]` from whatever came last, so what a later answer to the INVITE needs of it is kept.
 */

/** `hold`: an offer that sends only. `plain`: an offer of RTP without WebRTC. */
export type Body = 'offer' | 'answer' | 'hold' | 'plain';

export interface Said {
  sdp?: Body;
  /** Whole lines. */
  headers?: readonly string[];
  /** A body of another kind, with its Content-Type. */
  text?: readonly [type: string, ...lines: string[]];
}

interface Dialog {
  /** Whether sipp called. */
  isCaller: boolean;
  /** What came last is the INVITE that is to be answered. */
  isInviteLast: boolean;
  /** Of its own requests. */
  cseq: number;
  /** What it asked last. */
  asked: string;
}

export type Step = (dialog: Dialog) => string;

/** The scenario. */
export function script(...steps: readonly Step[]): string {
  const dialog: Dialog = { isCaller: false, isInviteLast: false, cseq: 0, asked: '' };
  const body = steps.map((step) => step(dialog)).join('\n');
  // sipp takes what is kept and never used for a mistake, unless it is named here.
  const kept = new Set([...body.matchAll(/assign_to="(\w+)"/g)].map(([, name]) => name));
  const references = kept.size === 0 ? '' : `<Reference variables="${[...kept].join(',')}"/>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="script">\n${body}\n${references}\n</scenario>`;
}

// ---- being called -------------------------------------------------------------------------------

/** An INVITE, the first or one in the call. */
export const takesInvite: Step = (dialog) => {
  dialog.isInviteLast = true;
  return `<recv request="INVITE" rrs="true"><action>${[
    keep('Via:', 'via1'),
    keep('Via:', 'via2', 2),
    keep('CSeq:', 'cseq'),
    keep('Record-Route:', 'route'),
    ...(dialog.isCaller ? [] : [keep('From:', 'from'), keep('To:', 'to')]),
  ].join('')}</action></recv>`;
};

/** Any other request. */
export const takes =
  (method: string): Step =>
  (dialog) => {
    dialog.isInviteLast = false;
    return `<recv request="${method}"/>`;
  };

/** Answers the INVITE, whatever came since. */
export const says =
  (status: number, said: Said = {}): Step =>
  (dialog) => {
    const isLast = dialog.isInviteLast;
    const tag = `;tag=uas[pid]-[call_number]`;
    return send(status >= 200 && status < 300, [
      `SIP/2.0 ${status} ${phraseOf(status)}`,
      ...(isLast ? ['[last_Via:]', '[last_Record-Route:]'] : ['Via:[$via1]', 'Via:[$via2]', 'Record-Route:[$route]']),
      '[last_From:]',
      dialog.isCaller ? '[last_To:]' : `To:[$to]${tag}`,
      '[last_Call-ID:]',
      isLast ? '[last_CSeq:]' : 'CSeq:[$cseq]',
      ...tail(said),
    ]);
  };

/** An INVITE in the call has a To with tag already. */
export const saysAgain =
  (status: number, said: Said = {}): Step =>
  (dialog) => {
    const isLast = dialog.isInviteLast;
    return send(status >= 200 && status < 300, [
      `SIP/2.0 ${status} ${phraseOf(status)}`,
      ...(isLast ? ['[last_Via:]'] : ['Via:[$via1]', 'Via:[$via2]']),
      ...(isLast ? ['[last_From:]', '[last_To:]'] : [`From:${remote(dialog)}`, `To:${local(dialog)}`]),
      '[last_Call-ID:]',
      isLast ? '[last_CSeq:]' : 'CSeq:[$cseq]',
      ...tail(said),
    ]);
  };

/** Answers any other request, which is the one that came last. */
export const replies =
  (status: number, said: Said = {}): Step =>
  () =>
    send(false, [
      `SIP/2.0 ${status} ${phraseOf(status)}`,
      '[last_Via:]',
      '[last_From:]',
      '[last_To:]',
      '[last_Call-ID:]',
      '[last_CSeq:]',
      ...tail(said),
    ]);

// ---- calling ------------------------------------------------------------------------------------

/** Calls `field1` as `field0`, without a password. */
export const calls: Step = (dialog) => {
  dialog.isCaller = true;
  dialog.cseq = 1;
  dialog.asked = 'INVITE';
  return `${send(true, [
    'INVITE sip:[field1]@[remote_ip]:[remote_port] SIP/2.0',
    'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]',
    'Max-Forwards: 70',
    'From: <sip:[field0]@127.0.0.1>;tag=uac[pid]-[call_number]',
    'To: <sip:[field2]@127.0.0.1>',
    'Call-ID: [call_id]',
    'CSeq: 1 INVITE',
    ...tail({ sdp: 'offer' }),
  ])}
<recv response="100" optional="true"/>`;
};

/** Gives the call up after a 180: CANCEL has the Via of the INVITE (RFC 3261 9.1). It is not over before its 487 came. */
export const cancels =
  (...headers: readonly string[]): Step =>
  () => {
    const withLast = (method: string, to: string, more: readonly string[]): string[] => [
      `${method} sip:[field1]@[remote_ip]:[remote_port] SIP/2.0`,
      '[last_Via:]',
      'Max-Forwards: 70',
      '[last_From:]',
      to,
      '[last_Call-ID:]',
      `CSeq: 1 ${method}`,
      ...more,
      'Content-Length: 0',
      '',
    ];
    return `${send(true, withLast('CANCEL', 'To: <sip:[field2]@127.0.0.1>', headers))}
<recv response="200"/>
<recv response="487"/>
${send(false, withLast('ACK', '[last_To:]', []))}`;
  };

// ---- in the call --------------------------------------------------------------------------------

export const asks =
  (method: string, said: Said = {}): Step =>
  (dialog) => {
    dialog.cseq += 1;
    dialog.asked = method;
    dialog.isInviteLast = false;
    return `${send(true, [
      `${method} [next_url] SIP/2.0`,
      'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]',
      '[routes]',
      'Max-Forwards: 70',
      `From:${local(dialog)}`,
      `To:${remote(dialog)}`,
      '[last_Call-ID:]',
      `CSeq: ${dialog.cseq} ${method}`,
      ...tail(said),
    ])}
<recv response="100" optional="true"/>`;
  };

/** The answer to what it asked. To an INVITE it acknowledges it. */
export const hears =
  (status: number, acknowledgement: Said = {}): Step =>
  (dialog) => {
    dialog.isInviteLast = false;
    const isAnswer = dialog.isCaller && dialog.cseq === 1;
    const kept = isAnswer && status >= 200 ? `<action>${keep('From:', 'local')}${keep('To:', 'remote')}</action>` : '';
    const received = `<recv response="${status}"${isAnswer ? ' rrs="true"' : ''}>${kept}</recv>`;
    if (dialog.asked !== 'INVITE' || status < 200) return received;
    // RFC 3261 17.1.1.3: of a refusal in the transaction, with its Via; of a 2xx in the dialog.
    const via = status >= 300 ? '[last_Via:]' : 'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]';
    return `${received}
${send(false, [
  'ACK [next_url] SIP/2.0',
  via,
  '[routes]',
  'Max-Forwards: 70',
  `From:${local(dialog)}`,
  `To:${remote(dialog)}`,
  '[last_Call-ID:]',
  `CSeq: ${dialog.cseq} ACK`,
  ...tail(acknowledgement),
])}`;
  };

/** Lets the network and the other side come to rest. */
export const waits =
  (ms: number): Step =>
  () =>
    `<pause milliseconds="${ms}"/>`;

/** Our side hangs up. */
export const isHungUpOn: Step = (dialog) => `${takes('BYE')(dialog)}\n${replies(200)(dialog)}`;

/** It hangs up itself. */
export const hangsUp: Step = (dialog) => `${asks('BYE')(dialog)}\n${hears(200)(dialog)}`;

/** Takes a call, and is acknowledged. */
export const takesCall: Step = (dialog) =>
  [takesInvite, says(200, { sdp: 'answer' }), takes('ACK')].map((step) => step(dialog)).join('\n');

// ---- the text -----------------------------------------------------------------------------------

const local = ({ isCaller }: Dialog): string => (isCaller ? '[$local]' : '[$to];tag=uas[pid]-[call_number]');
const remote = ({ isCaller }: Dialog): string => (isCaller ? '[$remote]' : '[$from]');

function keep(header: string, as: string, occurrence = 1): string {
  return `<ereg regexp=".*" search_in="hdr" header="${header}" occurrence="${occurrence}" assign_to="${as}"/>`;
}

function send(isRepeated: boolean, lines: readonly string[]): string {
  return `<send${isRepeated ? ' retrans="500"' : ''}><![CDATA[\n${lines.join('\n')}\n]]></send>`;
}

function tail({ sdp, text, headers = [] }: Said): string[] {
  const contact = 'Contact: <sip:sipp-uas@[local_ip]:[local_port];transport=[transport]>';
  const [type, ...lines] = text ?? (sdp === undefined ? [] : ['application/sdp', `@${sdp.toUpperCase()}@`]);
  const body = type === undefined ? ['Content-Length: 0', ''] : [`Content-Type: ${type}`, 'Content-Length: [len]', '', ...lines];
  return [contact, ...headers, ...body];
}

const phrases: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  183: 'Session Progress',
  200: 'OK',
  202: 'Accepted',
  302: 'Moved Temporarily',
  486: 'Busy Here',
  487: 'Request Terminated',
  488: 'Not Acceptable Here',
  491: 'Request Pending',
  503: 'Service Unavailable',
  600: 'Busy Everywhere',
  606: 'Not Acceptable',
};

function phraseOf(status: number): string {
  return phrases[status] ?? 'Whatever';
}
