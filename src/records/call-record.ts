/** A call that is over, as it is kept: what calls/ tells of its end, and the node that had it. */

/** The times are told in whole milliseconds. */
export interface EndedCall {
  readonly callId: string;
  readonly direction: 'outgoing' | 'incoming';
  readonly mappingId?: number;
  /** Whose call it was in the messenger. */
  readonly peer: { readonly type: number; readonly id: number; readonly strId?: string };
  /** SIP URIs, or what was asked for when it found no way. */
  readonly from: string;
  readonly to: string;
  readonly startedAt: Date;
  readonly rangAt?: Date;
  readonly answeredAt?: Date;
  readonly endedAt: Date;
  /** The contract's dispose reason. */
  readonly reason: string;
  /** Whose affair the end was: success, client, upstream, server. */
  readonly class: string;
  /** The SIP status, when there was one. */
  readonly status?: number;
  /** For a person. */
  readonly message: string;
  readonly codecs: readonly string[];
}

export interface CallRecord extends EndedCall {
  readonly node: string;
}

/** A row of `sip_calls` for `jsonb_to_recordset`. */
export interface RecordColumns {
  readonly id: string;
  readonly started_at: Date;
  readonly rang_at?: Date;
  readonly answered_at?: Date;
  readonly ended_at: Date;
  readonly direction: string;
  readonly mapping_id?: number;
  readonly peer_type: number;
  readonly peer_id: number;
  readonly peer_str_id?: string;
  readonly from_address: string;
  readonly to_address: string;
  readonly reason: string;
  readonly class: string;
  readonly status?: number;
  readonly message: string;
  readonly codecs: string;
  readonly node: string;
}

/** A call id may be as long as the contract lets it; texts of strangers are cut. */
const longest = { id: 256, address: 512, message: 1_024 } as const;

export function toRecordColumns(call: EndedCall, node: string): RecordColumns {
  const { peer } = call;
  return {
    id: recordId(call.callId),
    started_at: call.startedAt,
    rang_at: call.rangAt,
    answered_at: call.answeredAt,
    ended_at: call.endedAt,
    direction: call.direction,
    mapping_id: call.mappingId,
    peer_type: peer.type,
    peer_id: peer.id,
    peer_str_id: peer.strId && storable(peer.strId, longest.address),
    from_address: storable(call.from, longest.address),
    to_address: storable(call.to, longest.address),
    reason: call.reason,
    class: call.class,
    status: call.status,
    message: storable(call.message, longest.message),
    codecs: call.codecs.join(','),
    node,
  };
}

/** A call's id as it is kept. */
export function recordId(callId: string): string {
  return storable(callId, longest.id);
}

/** What no text of PostgreSQL holds, a NUL and half a surrogate pair, is shown as what it is: not a character. */
const unstorable = /[\0\ud800-\udfff]/gu;

function storable(text: string, most: number): string {
  return text.slice(0, most).replace(unstorable, '\ufffd');
}
