/**
 * The short way for the ordinary row: nearly every row of the table is one, and going through the schema costs more than all else that is
 * done with it. What is said here of a row is what `mapping-schema` says, and nothing is said of a row that is out of the ordinary in any
 * way: those the schema judges.
 */
import type { SipTransport } from '../base/sip-transport.js';
import type { Mapping } from './mapping.js';
import { controlCharacter, isHost, longest } from './mapping-schema.js';
import { whyNoPassword } from './secrets.js';

const smallId = /^[1-9]\d{0,14}$/;

const plainTransports = new Map<unknown, SipTransport>([
  ['udp', 'udp'],
  ['tcp', 'tcp'],
  ['tls', 'tls'],
]);

/** Hosts that were found good, so that they are looked at once, and one text serves all rows. */
const hosts = new Map<string, string>();
const mostHosts = 1_000;

/** @returns undefined: nothing is said, for good or bad */
export function ordinaryMapping(row: unknown): Mapping | undefined {
  if (!isRecord(row)) return undefined;
  const { sip_user: sipUser, sip_password: sipPassword, sip_port: sipPort, register, can_call: canCall, can_be_called: canBeCalled } = row;
  const [id, peerId] = [idOf(row.id), idOf(row.peer_id)];
  const sipHost = hostOf(row.sip_host);
  const { sip_parameters: parameters, auth_user: authUser, display_name: displayName } = row;
  const transport = isRecord(parameters) ? plainTransports.get(parameters.transport) : undefined;
  if (id === undefined || peerId === undefined || sipHost === undefined || transport === undefined) return undefined;
  if (row.peer_type !== 1 || !isAbsent(row.peer_str_id) || !isRecord(row.sip_headers)) return undefined;
  if (typeof sipPort !== 'number' || !Number.isInteger(sipPort) || sipPort < 1 || sipPort > 65_535) return undefined;
  if (typeof register !== 'boolean' || typeof canCall !== 'boolean' || typeof canBeCalled !== 'boolean') return undefined;
  if (!isLine(sipUser) || !isPassword(sipPassword)) return undefined;
  const peer = { type: 1 as const, id: peerId };
  const mapping: Mapping = { id, sipUser, sipPassword, sipHost, sipPort, transport, peer, register, canCall, canBeCalled };
  if (isLine(authUser)) mapping.authUser = authUser;
  else if (!isAbsent(authUser)) return undefined;
  if (isLine(displayName)) mapping.displayName = displayName;
  else if (!isAbsent(displayName)) return undefined;
  return mapping;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isAbsent(value: unknown): boolean {
  return value === null || value === undefined;
}

/** int8 comes as text. */
function idOf(value: unknown): number | undefined {
  if (typeof value === 'string') return smallId.test(value) ? Number(value) : undefined;
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
}

function hostOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const known = hosts.get(value);
  if (known !== undefined || !isHost(value)) return known;
  if (hosts.size >= mostHosts) hosts.clear();
  hosts.set(value, value);
  return value;
}

function isLine(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= longest && !controlCharacter.test(value);
}

function isPassword(value: unknown): value is string {
  return typeof value === 'string' && !controlCharacter.test(value) && whyNoPassword(value) === undefined;
}
