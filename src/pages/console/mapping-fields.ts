/** The fields of a mapping as a form has them: what is asked, what a new one begins with, and what changed when it is sent. */
import type { MappingBody, ShownMapping } from './told.js';

/** What stands in the form; numbers as they were typed. */
export interface TypedFields {
  readonly sipUser: string;
  readonly sipPassword: string;
  readonly sipHost: string;
  readonly sipPort: string;
  readonly transport: string;
  readonly method: string;
  readonly hostHeader: string;
  readonly location: string;
  readonly peerType: string;
  readonly peerId: string;
  readonly peerStrId: string;
  readonly authUser: string;
  readonly displayName: string;
  readonly register: boolean;
  readonly canCall: boolean;
  readonly canBeCalled: boolean;
}

export const transports = ['udp', 'tcp', 'tls', 'ws', 'wss'] as const;

/** As the guide numbers them. */
export const peerTypes = [
  ['1', 'user'],
  ['2', 'group'],
  ['4', 'SIP address'],
] as const;

export const newFields: TypedFields = {
  sipUser: '',
  sipPassword: '',
  sipHost: '',
  sipPort: '5060',
  transport: 'udp',
  method: '',
  hostHeader: '',
  location: '',
  peerType: '1',
  peerId: '',
  peerStrId: '',
  authUser: '',
  displayName: '',
  register: true,
  canCall: true,
  canBeCalled: true,
};

export function fieldsOf(mapping: ShownMapping): TypedFields {
  const { sipUser, sipHost, sipPort, transport, method = '', hostHeader = '', location = '', peerType, peerId, peerStrId = '', authUser = '', displayName = '' } = mapping;
  const { register, canCall, canBeCalled } = mapping;
  const texts = { sipUser, sipPassword: '', sipHost, sipPort: String(sipPort), transport, method, hostHeader, location };
  return { ...texts, peerType: String(peerType), peerId: String(peerId), peerStrId, authUser, displayName, register, canCall, canBeCalled };
}

const numbers: readonly string[] = ['sipPort', 'peerType', 'peerId'] satisfies (keyof TypedFields)[];
const handshake: readonly string[] = ['method', 'hostHeader', 'location'] satisfies (keyof TypedFields)[];

/** What differs from `before`, in the form that is sent. A password that was left empty stays what it is. */
export function changeOf(before: TypedFields, typed: TypedFields): MappingBody {
  return bodyOf(typed, (name) => typed[name] !== before[name]);
}

/** All of a new one but what was left empty. */
export function newMappingOf(typed: TypedFields): MappingBody {
  return bodyOf(typed, (name) => typed[name] !== '');
}

/** What was typed of a handshake is not sent with a transport that has none. */
function bodyOf(typed: TypedFields, isSent: (name: keyof TypedFields) => boolean): MappingBody {
  const names = (Object.keys(typed) as (keyof TypedFields)[]).filter((name) => isSent(name) && (isWebSocket(typed.transport) || !handshake.includes(name)));
  return Object.fromEntries(names.map((name) => [name, numbers.includes(name) ? Number(typed[name]) : typed[name]]));
}

export function isWebSocket(transport: string): boolean {
  return transport === 'ws' || transport === 'wss';
}

/** What its row keeps it from, for a person. */
export function limitsOf({ register, canCall, canBeCalled, hasPassword }: Pick<ShownMapping, 'register' | 'canCall' | 'canBeCalled' | 'hasPassword'>): string[] {
  return [register ? '' : 'not registered', canCall ? '' : 'may not call', canBeCalled ? '' : 'may not be called', hasPassword ? '' : 'no password'].filter((words) => words !== '');
}
