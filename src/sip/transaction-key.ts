/** What makes two requests the same one: RFC 3261 17.2.3. */
import type { ParsedRequest } from './parser/message.js';
import type { ViaValue } from './parser/via.js';

/** Branch, sent-by and method; an ACK or a CANCEL has the key of the INVITE that it is for. */
export function transactionKey(message: ParsedRequest, via: ViaValue): string {
  const { method, viaBranch } = message;
  const of = method === 'ACK' || method === 'CANCEL' ? 'INVITE' : method;
  // Branches without the magic cookie (RFC 2543), or with nothing behind it, are unique within a call at best.
  const call = viaBranch.startsWith('z9hG4bK') && viaBranch.length > 7 ? '' : ` ${message.callId} ${message.fromTag} ${String(message.cseq)}`;
  return `${viaBranch}${call} ${via.host}:${String(via.port ?? '')} ${of}`;
}

/** A CANCEL is a transaction too (9.2), beside the one that it cancels. */
export function cancelKeyOf(inviteKey: string): string {
  return `${inviteKey} CANCEL`;
}
