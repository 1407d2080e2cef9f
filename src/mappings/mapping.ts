/** A mapping: one row of `sip_user_mappings`, which makes a peer of the messenger an account at a SIP registrar; and its columns. */
import type { SipTransport } from '../base/sip-transport.js';
import type { Peer } from '../host/contract.js';

/** How a WebSocket flow is opened: `sip_parameters.method`, `sip_headers.host` and `sip_headers.location`. */
export interface WebSocketHandshake {
  /** The HTTP verb, `GET` when the row names none. */
  method: string;
  /** The Host header, `example.com:8443`; absent: sip_host and sip_port. */
  host?: string;
  /** The request target, starts with "/". */
  location: string;
}

export interface Mapping {
  id: number;
  sipUser: string;
  /** As it stands in the row, encrypted perhaps (`Secrets`); empty for a registrar that asks for none. */
  sipPassword: string;
  /** A host name, an IPv4 address, or an IPv6 address without brackets. */
  sipHost: string;
  /** 0: none is given, the registrar is located by DNS (RFC 3263). */
  sipPort: number;
  transport: SipTransport;
  /** With port 0: the row names no transport either, so NAPTR decides; `transport` is what holds when it does not. */
  isTransportOpen?: true;
  /** Present for ws and wss, and only for them. */
  webSocket?: WebSocketHandshake;
  peer: Peer;
  /** Whether this mapping is registered at the SIP server. */
  register: boolean;
  /** Whether it may make calls, messenger -> SIP. */
  canCall: boolean;
  /** Whether it may be called, SIP -> messenger. */
  canBeCalled: boolean;
  /** The digest username, where it is not sipUser. */
  authUser?: string;
  displayName?: string;
}

export type MappingDraft = Omit<Mapping, 'id'>;

/** The columns of `sip_user_mappings` that a mapping is made of, in the order of the guide. */
export const mappingColumns = [
  'sip_user',
  'sip_password',
  'sip_host',
  'sip_port',
  'sip_parameters',
  'sip_headers',
  'peer_type',
  'peer_id',
  'peer_str_id',
  'register',
  'can_call',
  'can_be_called',
  'auth_user',
  'display_name',
] as const;
export type MappingColumn = (typeof mappingColumns)[number];

/** What a column is written as: JSON as text, which both drivers take for jsonb. */
export type ColumnValue = string | number | boolean | null;

/** A draft as the table holds it: the inverse of `parseMappingColumns`. */
export function toColumns(mapping: MappingDraft): Record<MappingColumn, ColumnValue> {
  return {
    sip_user: mapping.sipUser,
    sip_password: mapping.sipPassword,
    sip_host: mapping.sipHost,
    sip_port: mapping.sipPort,
    ...reachColumns(mapping),
    peer_type: mapping.peer.type,
    peer_id: mapping.peer.id,
    peer_str_id: mapping.peer.strId ?? null,
    register: mapping.register,
    can_call: mapping.canCall,
    can_be_called: mapping.canBeCalled,
    auth_user: mapping.authUser ?? null,
    display_name: mapping.displayName ?? null,
  };
}

/** The two JSON columns that say how a mapping is reached, as the guide writes them. */
function reachColumns(reach: Pick<MappingDraft, 'transport' | 'isTransportOpen' | 'webSocket'>): {
  sip_parameters: string;
  sip_headers: string;
} {
  const { transport: name, isTransportOpen, webSocket } = reach;
  if (isTransportOpen === true) return { sip_parameters: '{}', sip_headers: '{}' };
  const isWebSocket = name === 'ws' || name === 'wss';
  const parameters = isWebSocket ? { transport: name, method: webSocket?.method ?? 'GET' } : { transport: name };
  const headers = isWebSocket && webSocket !== undefined ? { host: webSocket.host, location: webSocket.location } : {};
  return { sip_parameters: JSON.stringify(parameters), sip_headers: JSON.stringify(headers) };
}

/** A mapping as it is held in memory: whoever needs the password holds it already. */
export type HeldMapping = Omit<Mapping, 'sipPassword'>;

/** Whether both rows say the same, passwords apart. */
export function isSameMapping(one: HeldMapping, other: HeldMapping): boolean {
  const [columns, others] = [one, other].map((mapping) => toColumns({ ...mapping, sipPassword: '' }));
  return one.id === other.id && mappingColumns.every((column) => columns?.[column] === others?.[column]);
}

/** `434@example.com:5060`, as people and messages name a mapping; an IPv6 address in brackets. */
export function sayAccount(mapping: Pick<Mapping, 'sipUser' | 'sipHost' | 'sipPort'>): string {
  const host = mapping.sipHost.includes(':') ? `[${mapping.sipHost}]` : mapping.sipHost;
  return `${mapping.sipUser}@${host}:${mapping.sipPort}`;
}
