/** A 2xx to an INVITE of ours whose call is with somebody else or over: RFC 3261 13.2.2.4 wants it acknowledged, and its dialog ended with BYE. */
import type { URI } from 'sip.js/lib/core/index.js';
import type { AccountCore } from './account-core.js';
import type { SentRequest } from './internals.js';
import type { DialogEnd, InviteEnd } from './loose-end.js';
import type { ParsedResponse } from './parser/message.js';
import { parseUri, readAddress } from './parser/uri.js';
import { randomToken } from './random-token.js';

const nobodyListens = (): void => undefined;

/**
 * @param invite what stood in it; `to` is whom it called, too
 * @param credentials header lines of the ACK
 * @returns the ACK that was sent; undefined when what is known of the dialog cannot be read
 */
export function acknowledgeAndEnd(
  core: AccountCore,
  { from, to, callId, cseq }: Pick<InviteEnd, 'from' | 'to' | 'callId' | 'cseq'>,
  answer: ParsedResponse,
  credentials: string[] = [],
): SentRequest | undefined {
  const localUri = readAddress(from)?.uri;
  const remoteUri = readAddress(to)?.uri;
  if (localUri === undefined || remoteUri === undefined) return undefined;
  const end: DialogEnd = {
    kind: 'dialog',
    callId,
    localTag: answer.fromTag,
    remoteTag: answer.toTag,
    localUri: localUri.toString(),
    remoteUri: remoteUri.toString(),
    remoteTarget: (readAddress(answer.getHeader('contact') ?? '')?.uri ?? remoteUri).toString(),
    // RFC 3261 12.1.2: in reverse order.
    routeSet: answer.getHeaders('record-route').reverse(),
    cseq,
  };
  const ack = inDialog(core, 'ACK', end, cseq, credentials);
  if (ack === undefined) return undefined;
  const wire = core.wireFor(ack);
  ack.setViaHeader(`${core.branchPrefix}${randomToken(8)}`, wire.protocol);
  wire.sendAck(ack.toString(), undefined, nobodyListens);
  sendBye(core, end, cseq + 1);
  return ack;
}

export function sendBye(core: AccountCore, end: DialogEnd, cseq: number): void {
  const bye = inDialog(core, 'BYE', end, cseq);
  if (bye !== undefined) core.request(bye);
}

/** Undefined when what is known of the dialog cannot be read. */
function inDialog(core: AccountCore, method: 'BYE' | 'ACK', end: DialogEnd, cseq: number, extraHeaders?: string[]): SentRequest | undefined {
  const [target, local, remote] = [end.remoteTarget, end.localUri, end.remoteUri].map((uri): URI | undefined => parseUri(uri));
  if (target === undefined || local === undefined || remote === undefined) return undefined;
  const { callId, localTag, remoteTag, routeSet } = end;
  const options = { callId, cseq, fromTag: localTag, toTag: remoteTag, routeSet: [...routeSet] };
  return core.makeOutgoingRequestMessage(method, target, local, remote, options, extraHeaders);
}
