/** Where a call goes and whether it may: pure decisions over the mappings in memory. */
import type { CallTarget, Peer, RemoteParty } from '../host/contract.js';
import type { IncomingCall, NameAddress, ReasonValue } from '../sip/types.js';
import { escapeUser, readAddress, sipUri } from './address.js';
import type { MappingLookup, RoutableMapping } from './ports.js';
import type { Termination } from './termination.js';

export interface OutgoingRequest {
  readonly from: Peer;
  readonly to: CallTarget;
  /** The caller's mapping to call with, when it has several. */
  readonly mappingId?: number;
}

/** What the host says of the two users; enabled unless it says otherwise. */
export interface DisabledUsers {
  readonly caller?: boolean;
  readonly callee?: boolean;
}

export type OutgoingDecision =
  | { readonly place: { readonly mapping: RoutableMapping; readonly uri: string } }
  | { readonly refuse: Termination };

/** Every refusal on the SIP side: what the INVITE is answered with, and a sentence for the log. */
export interface IncomingRefusal {
  readonly status: number;
  readonly phrase: string;
  /** For the caller's side, where the status alone would leave people guessing. */
  readonly reason?: ReasonValue;
  readonly message: string;
}

export type IncomingDecision =
  | { readonly offer: { readonly mapping: RoutableMapping; readonly from: RemoteParty; readonly sdp: string } }
  | { readonly refuse: IncomingRefusal };

/**
 * The caller's mapping: the one named by `mappingId`, else one at the target's host, else the lowest id; only those that may call.
 * The target: the peer's own account, or what was typed.
 */
export function routeOutgoing(request: OutgoingRequest, mappings: MappingLookup, disabled: DisabledUsers = {}): OutgoingDecision {
  if (disabled.caller === true) return refuse('caller_disabled', 'The caller\'s account is disabled.');
  const callers = callersOf(request, mappings);
  if ('refuse' in callers) return callers;
  const { to } = request;
  if ('address' in to) return routeToAddress(callers.allowed, to.address);
  if (disabled.callee === true) return refuse('callee_disabled', 'The account of the user called is disabled.');
  return routeToPeer(callers.allowed, to.peer, mappings);
}

/** An INVITE for an account of ours. `mapping` is undefined when the account's row is gone. */
export function routeIncoming(
  call: Pick<IncomingCall, 'from' | 'contact' | 'sdp'>,
  mapping: RoutableMapping | undefined,
  mappings: MappingLookup,
  ignoreContact: boolean,
): IncomingDecision {
  if (mapping === undefined) {
    return { refuse: { status: 404, phrase: 'Not Found', message: 'The SIP account called has no mapping any more.' } };
  }
  if (!mapping.canBeCalled) {
    const message = `The SIP account ${nameOf(mapping)} takes no calls (can_be_called is off).`;
    return { refuse: { status: 403, phrase: 'Forbidden', message } };
  }
  const { sdp } = call;
  if (sdp === undefined) {
    const message = 'The INVITE carries no offer (SDP), and calls are taken only with one.';
    const reason = { protocol: 'SIP', cause: 488, text: 'The INVITE has no offer (SDP)' };
    return { refuse: { status: 488, phrase: 'Not Acceptable Here', reason, message } };
  }
  return { offer: { mapping, from: callerOf(call, mappings, ignoreContact), sdp } };
}

/** The user of an incoming call turned out to be disabled. */
export const userDisabled: IncomingRefusal = {
  status: 480,
  phrase: 'Temporarily Unavailable',
  message: 'The user called is disabled.',
};

/**
 * Who calls. A Contact that is a mapping's own address names the messenger user who calls; else, and always with
 * `dialog-ignore-contact-field`, From says it (the guide, "Additional configuration").
 */
export function callerOf(call: Pick<IncomingCall, 'from' | 'contact'>, mappings: MappingLookup, ignoreContact: boolean): RemoteParty {
  const { from, contact } = call;
  if (!ignoreContact && contact !== undefined) {
    const byContact = remoteParty(contact, mappings);
    if (byContact.peer !== undefined) {
      const displayName = contact.displayName ?? from.displayName;
      return displayName === undefined ? byContact : { ...byContact, displayName };
    }
  }
  return remoteParty(from, mappings);
}

/** A party of the SIP side in the host's terms; with its peer when the address is a mapping's. */
export function remoteParty(address: NameAddress, mappings: MappingLookup): RemoteParty {
  const { uri, user, host, displayName } = address;
  const party: RemoteParty = { uri };
  if (user !== undefined) {
    party.user = user;
    const peer = mappings.bySipUser(user, host)[0]?.peer;
    if (peer !== undefined) party.peer = peer;
  }
  if (displayName !== undefined) party.displayName = displayName;
  return party;
}

function callersOf(
  request: OutgoingRequest,
  mappings: MappingLookup,
): { readonly allowed: readonly [RoutableMapping, ...RoutableMapping[]] } | { readonly refuse: Termination } {
  const own = mappings.byPeer(request.from);
  const { mappingId } = request;
  const chosen = mappingId === undefined ? own : own.filter((mapping) => mapping.id === mappingId);
  const [first] = chosen;
  if (first === undefined) {
    return mappingId === undefined || own.length === 0
      ? refuse('caller_disabled', 'The caller has no SIP account.')
      : refuse('unavailable', `The caller has no SIP account with the mapping id ${mappingId}.`);
  }
  const [allowed, ...others] = first.canCall && chosen.length === 1 ? chosen : chosen.filter((mapping) => mapping.canCall);
  if (allowed === undefined) {
    return refuse('caller_disabled', `The caller's SIP account ${nameOf(first)} may not place calls (can_call is off).`);
  }
  return { allowed: [allowed, ...others] };
}

function routeToAddress(callers: readonly [RoutableMapping, ...RoutableMapping[]], address: string): OutgoingDecision {
  const dialled = readAddress(address);
  switch (dialled.kind) {
    case 'invalid':
      return refuse('callee_not_found', `${JSON.stringify(shorten(address))} ${dialled.problem}.`);
    case 'uri':
      return { place: { mapping: callers.find(({ sipHost }) => sipHost.toLowerCase() === dialled.host) ?? callers[0], uri: dialled.uri } };
    case 'user': {
      const [mapping] = callers;
      return { place: { mapping, uri: sipUri(dialled.user, mapping.sipHost, portOf(mapping)) } };
    }
  }
}

function routeToPeer(callers: readonly [RoutableMapping, ...RoutableMapping[]], peer: Peer, mappings: MappingLookup): OutgoingDecision {
  const own = mappings.byPeer(peer);
  // `can_be_called` speaks of calls to the messenger; another phone may be registered for the account, so it is only the second choice.
  const callable = own.filter((mapping) => mapping.canBeCalled);
  const targets = callable.length === 0 ? own : callable;
  const [firstTarget] = targets;
  if (firstTarget === undefined) {
    // A peer of type 4 is a SIP address itself.
    if (peer.type === 4 && peer.strId !== undefined && peer.strId !== '') return routeToAddress(callers, peer.strId);
    return refuse('unavailable', 'The user called has no SIP account.');
  }
  for (const target of targets) {
    const mapping = callers.find(({ sipHost }) => sipHost.toLowerCase() === target.sipHost.toLowerCase());
    if (mapping !== undefined) return { place: { mapping, uri: addressOfRecord(target) } };
  }
  return { place: { mapping: callers[0], uri: addressOfRecord(firstTarget) } };
}

function addressOfRecord(mapping: RoutableMapping): string {
  return sipUri(escapeUser(mapping.sipUser), mapping.sipHost, portOf(mapping));
}

/**
 * The port of the registrar, when an address at it has to name it. A WebSocket's port belongs to its URL and says nothing of
 * where that domain takes SIP.
 */
function portOf({ transport, sipPort }: RoutableMapping): number | undefined {
  // Without a port the domain's own DNS says where it is (RFC 3263).
  if (sipPort === 0) return undefined;
  switch (transport) {
    case 'udp':
    case 'tcp':
      return sipPort === 5060 ? undefined : sipPort;
    case 'tls':
      return sipPort === 5061 ? undefined : sipPort;
    case 'ws':
    case 'wss':
      return undefined;
  }
}

function nameOf({ sipUser, sipHost }: RoutableMapping): string {
  return `${sipUser}@${sipHost}`;
}

function refuse(reason: Termination['reason'], message: string): { readonly refuse: Termination } {
  return { refuse: { reason, class: 'client', message } };
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
