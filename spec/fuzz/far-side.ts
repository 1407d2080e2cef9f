/** The other side of the wire: right answers to what the stack sends, and right requests for its accounts and its dialogs. */
import { Received } from '../support/scripted-peer.js';
import type { Random } from './random.js';

const sdp = 'v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n';
const bodies: Readonly<Record<string, readonly [type: string, body: string]>> = {
  INVITE: ['application/sdp', sdp],
  UPDATE: ['application/sdp', sdp],
  ACK: ['application/sdp', sdp],
  INFO: ['application/dtmf-relay', 'Signal=5\r\nDuration=160\r\n'],
  NOTIFY: ['message/sipfrag', 'SIP/2.0 200 OK\r\n'],
};
const mostRemembered = 60;

const statuses = [100, 180, 180, 183, 183, 200, 200, 200, 200, 202, 302, 401, 401, 407, 408, 420, 422, 423, 481, 486, 487, 491, 503, 603];
const contacts = ['sip:far@192.0.2.9', 'sip:far@192.0.2.9', 'sip:far@192.0.2.9:5062;transport=tls', 'sips:far@192.0.2.9', 'sip:far@p.example.com;maddr=192.0.2.9', 'tel:+1'];
const routes = ['<sip:192.0.2.9;lr>, <sip:192.0.2.10:5070>', '<sip:192.0.2.10:5070;method=INVITE?a=b>, <sip:192.0.2.9;lr>', '<sips:p.example.com;lr>'];
const inDialog = ['ACK', 'ACK', 'BYE', 'BYE', 'INVITE', 'UPDATE', 'PRACK', 'INFO', 'OPTIONS', 'CANCEL', 'NOTIFY', 'REFER', 'REFER', 'MESSAGE'];
const referTos = [
  '<sip:700@example.com>', 'tel:+1201', '<sip:700@example.com;method=BYE>', '<http://x/>', '<sip:700@example.com?Replaces=id%3Bto-tag%3Da%3Bfrom-tag%3Db&Route=%3Csip%3Ax%3E>',
  '<sip:700@example.com?Replaces=%0D%0A%zz>',
];
const referHeaders = ['Referred-By: "A" <sip:a@b>;cid="c"', 'Referred-By: <<>', 'Refer-Sub: false', 'Refer-To: sip:second@b', 'Require: norefersub'];
const sessionHeaders = ['Session-Expires: 90;refresher=uac', 'Session-Expires: 300;refresher=uas', 'Session-Expires: 4294967295', 'x: 10', 'Min-SE: 600', 'Allow: INVITE, UPDATE'];

export interface FarSideAccount {
  readonly token: string;
  readonly user: string;
}

export class FarSide {
  /** What the stack sent lately: requests to be answered, responses whose dialogs can be used. */
  readonly #requests: Received[] = [];
  readonly #responses: Received[] = [];
  #count = 0;

  constructor(
    private readonly random: Random,
    private readonly accounts: readonly FarSideAccount[],
  ) {}

  hear(text: string): void {
    const message = new Received(text, () => undefined);
    const heard = message.method === undefined ? this.#responses : this.#requests;
    heard.push(message);
    if (heard.length > mostRemembered) heard.shift();
  }

  forget(): void {
    this.#requests.length = 0;
    this.#responses.length = 0;
  }

  /** The next thing to say; nothing is wrong with it. */
  say(): string {
    const chance = this.random.next();
    if (chance < 0.4 && this.#requests.length > 0) return this.#response(this.random.pick(this.#requests));
    if (chance < 0.75 && this.#responses.length > 0) return this.#inDialog(this.random.pick(this.#responses));
    if (chance < 0.8 && this.#requests.length > 0) return this.#towardsCaller(this.random.pick(this.#requests));
    return this.#fresh();
  }

  #response(request: Received): string {
    const { random } = this;
    const status = random.pick(statuses);
    const headers = [`Contact: <${random.pick(contacts)}>${request.method === 'REGISTER' ? ';expires=60' : ''}`];
    if (random.isLucky(0.2)) headers.push(`Record-Route: ${random.pick(routes)}`);
    for (let times = 1 + random.below(2); times > 0; times -= 1) {
      if (status === 401) headers.push(challenge('WWW-Authenticate', random));
      if (status === 407) headers.push(challenge('Proxy-Authenticate', random));
    }
    if (status === 423) headers.push('Min-Expires: 600');
    if (status === 422) headers.push(`Min-SE: ${random.pick([90, 900, 4_294_967_295])}`);
    if (random.isLucky(0.2)) headers.push(random.pick(sessionHeaders));
    if (status === 503) headers.push('Retry-After: 5 (busy);duration=3');
    if (status > 100 && status < 200 && random.isLucky(0.4)) headers.push('Require: 100rel', `RSeq: ${random.below(5)}`);
    if (status === 200 && random.isLucky(0.2)) headers.push('Authentication-Info: nextnonce="n9", qop=auth');
    if (random.isLucky(0.1)) headers.push('Reason: Q.850;cause=16;text="bye"');
    const body = request.method === 'INVITE' && status < 300 && random.isLucky(0.7) ? sdp : '';
    const to = request.header('to') ?? '';
    const toWithTag = status === 100 || to.includes('tag=') || random.isLucky(0.03) ? to : `${to};tag=far${random.below(random.isLucky(0.1) ? 200 : 3)}`;
    let text = '';
    new Received(request.text, (answer) => (text = answer)).replyRaw(status, toWithTag, headers, body);
    return text;
  }

  /** In the dialog that a response of the stack's belongs to, or about the transaction that it answers. */
  #inDialog(response: Received): string {
    const { random } = this;
    const method = random.pick(inDialog);
    const isSameTransaction = method === 'CANCEL' || (method === 'ACK' && response.status >= 300);
    const branch = isSameTransaction ? /branch=([^;,\s]*)/.exec(response.header('via') ?? '')?.[1] : undefined;
    const to = response.header('to') ?? '';
    return this.#request(method, `sip:${random.pick(this.accounts).token}@192.0.2.1`, {
      from: response.header('from') ?? '',
      to: method === 'CANCEL' ? to.replace(/;tag=.*/, '') : to,
      callId: response.header('call-id') ?? '',
      cseq: method === 'ACK' || method === 'CANCEL' ? response.cseq : response.cseq + random.below(3),
      branch,
      headers: [`RAck: ${response.header('rseq') ?? '1'} ${response.cseq} INVITE`],
    });
  }

  /** In the dialog of a request of the stack's. */
  #towardsCaller(request: Received): string {
    const to = request.header('to') ?? '';
    return this.#request(this.random.pick(inDialog), /<([^>]*)>/.exec(request.header('contact') ?? '')?.[1] ?? 'sip:192.0.2.1', {
      from: to.includes('tag=') ? to : `${to};tag=far${this.random.below(3)}`,
      to: request.header('from') ?? '',
      callId: request.header('call-id') ?? '',
      cseq: 1 + this.random.below(4),
    });
  }

  /** Outside dialogs. From a few calls and branches alone, so that some meet again. */
  #fresh(): string {
    const { random } = this;
    const { token, user } = random.pick(this.accounts);
    const method = random.pick(['INVITE', 'INVITE', 'INVITE', 'INVITE', 'OPTIONS', 'CANCEL', 'BYE', 'MESSAGE', 'REGISTER', 'SUBSCRIBE']);
    this.#count += random.below(2);
    const known = random.isLucky(0.1) ? this.#responses[random.below(this.#responses.length)] : undefined;
    return this.#request(method, random.isLucky(0.7) ? `sip:${token}@192.0.2.1` : `sip:${user}@example.com`, {
      from: `"Far ${random.below(9)}" <sip:60${random.below(9)}@example.com>;tag=f${random.below(2)}`,
      to: `<sip:${user}@example.com>`,
      callId: `fresh-${this.#count}`,
      cseq: 1 + random.below(2),
      branch: random.isLucky(0.3) ? `z9hG4bKf${this.#count}` : undefined,
      headers: known === undefined ? [] : [`Replaces: ${known.header('call-id') ?? ''};to-tag=${tagOf(known.header('to'))};from-tag=${tagOf(known.header('from'))}`],
    });
  }

  #request(method: string, uri: string, parts: { from: string; to: string; callId: string; cseq: number; branch?: string; headers?: string[] }): string {
    const { random } = this;
    this.#count += 1;
    const [type, whole] = bodies[method] ?? ['', ''];
    const body = random.isLucky(0.6) ? whole : '';
    return [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP 192.0.2.9${random.isLucky(0.2) ? ':5062' : ''};branch=${parts.branch ?? `z9hG4bKr${this.#count}`}${random.isLucky(0.8) ? ';rport' : ''}`,
      `From: ${parts.from}`,
      `To: ${parts.to}`,
      `Call-ID: ${parts.callId}`,
      `CSeq: ${parts.cseq} ${method}`,
      'Max-Forwards: 70',
      `Contact: <${random.pick(contacts)}>`,
      ...(random.isLucky(0.2) ? [`Record-Route: ${random.pick(routes)}`] : []),
      ...(method === 'INVITE' && random.isLucky(0.1) ? [`Expires: ${random.pick(['0', '1', '30', '4294967295'])}`] : []),
      ...(method === 'NOTIFY' ? ['Event: refer', `Subscription-State: ${random.pick(['active;expires=60', 'terminated;reason=noresource'])}`] : []),
      ...(method === 'REFER' && random.isLucky(0.9) ? [`Refer-To: ${random.pick(referTos)}`] : []),
      ...(method === 'REFER' && random.isLucky(0.4) ? [random.pick(referHeaders)] : []),
      ...(method === 'INVITE' && random.isLucky(0.2) ? [random.pick(['Require: 100rel', 'Supported: 100rel, timer', 'Require: x'])] : []),
      ...(random.isLucky(0.2) ? ['Supported: timer', random.pick(sessionHeaders)] : []),
      ...(parts.headers ?? []),
      ...(body === '' ? [] : [`Content-Type: ${type}`]),
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n');
  }
}

function tagOf(address = ''): string {
  return /;tag=([^;]*)/.exec(address)?.[1] ?? '';
}

function challenge(name: string, random: Random): string {
  const algorithm = random.pick(['', ', algorithm=MD5', ', algorithm=SHA-256', ', algorithm=MD5-sess', ', algorithm=x']);
  const qop = random.pick(['', ', qop="auth"', ', qop="auth-int"', ', qop="auth,auth-int"']);
  return `${name}: Digest realm="r${random.below(2)}", nonce="n${random.below(3)}"${algorithm}${qop}${random.isLucky(0.2) ? ', stale=true' : ''}`;
}
