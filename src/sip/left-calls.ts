/**
 * Ends calls of a process that is gone, of which their loose ends alone are known.
 *
 * A dialog: a BYE, challenged or not, as any request of the account. An INVITE: its CANCEL, and then its final response is waited for, as the
 * INVITE's own transaction would (RFC 3261 9.1): a refusal is acknowledged, an answer that crossed is acknowledged and ended with BYE. An INVITE
 * of theirs: its final response, so that who called waits no longer, and another phone or a voicemail may have its turn.
 */
import type { Clock, Timer } from '../base/clock.js';
import type { AccountCore, CoreOwner } from './account-core.js';
import type { Wire } from './internals.js';
import type { InvitedEnd, InviteEnd, LooseEnd } from './loose-end.js';
import type { ParsedResponse } from './parser/message.js';
import { readVia, type ViaValue } from './parser/via.js';
import type { StackContext } from './stack-context.js';
import type { Flow } from './transports/flow.js';
import type { SipTarget } from './types.js';
import { acknowledgeAndEnd, sendBye } from './unwanted-answer.js';

/** RFC 3261 9.1: 64*T1 after the CANCEL the INVITE is over, whatever comes. */
const finalTimeoutMs = 32_000;

/** The process sent requests after it noted the last; RFC 3261 12.2.1.1 wants a higher number, and lets it be any. */
const cseqGap = 100_000;

const nobodyListens = (): void => undefined;

export interface LeavingAccount extends CoreOwner {
  readonly core: AccountCore;
  flow: Flow | undefined;
}

interface LeftInvite {
  readonly account: LeavingAccount;
  readonly end: InviteEnd;
  readonly wire: Wire;
  readonly limit: Timer;
}

export class LeftCalls {
  /** By branch. */
  readonly #invites = new Map<string, LeftInvite>();

  constructor(private readonly clock: Clock) {}

  /** INVITEs whose final response is waited for. */
  get size(): number {
    return this.#invites.size;
  }

  /** Never throws; what cannot be sent is not sent. */
  end(account: LeavingAccount, context: StackContext, end: LooseEnd): void {
    if (end.kind === 'invited') {
      refuse(account, context, end);
      return;
    }
    const { target } = account.settings;
    const go = (flow: Flow): void => {
      account.flow = flow;
      if (end.kind === 'dialog') sendBye(account.core, end, end.cseq + cseqGap);
      else this.#cancel(account, end, context.wireOver(flow));
    };
    const flow = context.existingFlow(target);
    if (flow === undefined) context.openFlow(target).then(go, nobodyListens);
    else go(flow);
  }

  /** @returns whether it is for one of them */
  receive(message: ParsedResponse): boolean {
    const left = this.#invites.get(message.viaBranch);
    if (left === undefined) return false;
    const { method, statusCode: status = 0 } = message;
    // RFC 3261 9.1: 481 to the CANCEL means that the INVITE may not be there; else its own final response comes.
    if (status < 200 || (method !== 'INVITE' && status !== 481)) return true;
    left.limit.cancel();
    this.#invites.delete(message.viaBranch);
    if (method !== 'INVITE') return true;
    const { account, end, wire } = left;
    // RFC 3261 17.1.1.3.
    if (status >= 300) wire.sendAck(writeRequest('ACK', end, message.getHeader('to')), `${message.viaBranch}INVITE`, nobodyListens);
    else acknowledgeAndEnd(account.core, end, message);
    return true;
  }

  close(): void {
    for (const { limit } of this.#invites.values()) limit.cancel();
    this.#invites.clear();
  }

  #cancel(account: LeavingAccount, end: InviteEnd, wire: Wire): void {
    const branch = /;\s*branch=([^;\s]+)/i.exec(end.via)?.[1];
    if (branch === undefined || this.#invites.has(branch)) return;
    const limit = this.clock.after(finalTimeoutMs, () => {
      this.#invites.delete(branch);
    });
    this.#invites.set(branch, { account, end, wire, limit });
    wire.sendRequest(writeRequest('CANCEL', end), `${branch}CANCEL`, false, nobodyListens);
  }
}

/** Whoever was called can be reached again soon, and the caller's search may go on. */
const unavailable = { status: 480, line: 'SIP/2.0 480 Temporarily Unavailable' };

function refuse(account: LeavingAccount, context: StackContext, end: InvitedEnd): void {
  const via = readVia(end.vias[0] ?? '');
  if (via === undefined) return;
  const response = [
    unavailable.line,
    ...end.vias.map((value) => `Via: ${value}`),
    `From: ${end.from}`,
    `To: ${end.to}`,
    `Call-ID: ${end.callId}`,
    `CSeq: ${end.cseq} INVITE`,
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n');
  context.wireTo(senderOf(via) ?? account.settings.target).sendResponse(response, end.key, unavailable.status, true, nobodyListens);
}

/** RFC 3261 18.2.2, over UDP. A connection is gone with its process, and nobody connects to a WebSocket: that of the account leads to the same registrar. */
function senderOf({ transport, host, received = host, port = 5060, rport = String(port) }: ViaValue): SipTarget | undefined {
  return transport.toUpperCase() === 'UDP' ? { transport: 'udp', host: received, port: Number(rport) } : undefined;
}

/** RFC 3261 9.1, 17.1.1.3: of the INVITE's own hop, with its branch and its routes. */
function writeRequest(method: 'CANCEL' | 'ACK', end: InviteEnd, to = end.to): string {
  return [
    `${method} ${end.requestUri} SIP/2.0`,
    `Via: ${end.via}`,
    ...end.routes.map((route) => `Route: ${route}`),
    'Max-Forwards: 70',
    `From: ${end.from}`,
    `To: ${to}`,
    `Call-ID: ${end.callId}`,
    `CSeq: ${end.cseq} ${method}`,
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n');
}
