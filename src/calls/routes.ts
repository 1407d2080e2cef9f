/**
 * Where a call goes and whether it may: pure decisions over the mappings in memory. Each takes an empty list `why`, when somebody wants to know,
 * and writes into it what it went by, a sentence each; calls pay nothing for that.
 */
import type { CallTarget, Peer, RemoteParty } from '../host/contract.js';
import type { IncomingCall, NameAddress, ReasonValue } from '../sip/types.js';
import { escapeUser, readAddress, sipUri } from './address.js';
import type { Dialling } from './dialling.js';
import { anonymousParty, namedBy, sayForwardings } from './identity.js';
import { readCaller, rewriteNumber } from './numbers.js';
import { mayCall } from './permission.js';
import type { MappingLookup, RoutableMapping } from './ports.js';
import type { Termination } from './termination.js';

/** What an outgoing call goes by. */
export interface OutgoingRules {
  readonly mappings: MappingLookup;
  readonly dialling: Dialling;
}

/** What an incoming call goes by. */
export interface IncomingRules extends OutgoingRules {
  /** `dialog-ignore-contact-field`. */
  readonly ignoreContact: boolean;
}

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

/** Every refusal on the SIP side: what the INVITE is answered with, and what people are told who ask why it did not ring. */
export interface IncomingRefusal {
  readonly status: number;
  readonly phrase: string;
  /** For the caller's side, where the status alone would leave people guessing. */
  readonly reason?: ReasonValue;
  /** When the caller may try again, seconds. */
  readonly retryAfterS?: number;
  readonly ending: Termination;
}

export type IncomingDecision =
  | {
      readonly offer: {
        readonly mapping: RoutableMapping;
        readonly from: RemoteParty;
        readonly sdp: string;
        /** Who sent the call on to us, a sentence. */
        readonly forwarded?: string;
      };
    }
  | { readonly refuse: IncomingRefusal };

/**
 * The caller's mapping: the one named by `mappingId`, else one at the target's host, else the lowest id; only those that may call.
 * The target: the peer's own account, or what was typed, rewritten where it names no host. Last, whether it may be called.
 */
export function routeOutgoing(
  request: OutgoingRequest,
  rules: OutgoingRules,
  disabled: DisabledUsers = {},
  why?: string[],
): OutgoingDecision {
  if (disabled.caller === true) return refuse('caller_disabled', 'The caller\'s account is disabled.');
  const callers = callersOf(request, rules.mappings, why);
  if ('refuse' in callers) return callers;
  const { to } = request;
  if ('address' in to) return routeToAddress(callers.allowed, to.address, rules, why);
  if (disabled.callee === true) return refuse('callee_disabled', 'The account of the user called is disabled.');
  return routeToPeer(callers.allowed, to.peer, rules, why);
}

/** An INVITE for an account of ours. `mapping` is undefined when the account's row is gone. */
export function routeIncoming(
  call: Pick<IncomingCall, 'from' | 'contact' | 'identity' | 'sdp'>,
  mapping: RoutableMapping | undefined,
  rules: IncomingRules,
  why?: string[],
): IncomingDecision {
  if (mapping === undefined) {
    const ending: Termination = { reason: 'callee_not_found', class: 'server', message: 'The SIP account called has no mapping any more.' };
    return { refuse: { status: 404, phrase: 'Not Found', ending } };
  }
  if (!mapping.canBeCalled) {
    const message = `The SIP account ${nameOf(mapping)} takes no calls (can_be_called is off).`;
    return { refuse: { status: 403, phrase: 'Forbidden', ending: { reason: 'callee_disabled', class: 'client', message } } };
  }
  why?.push(`${describe(mapping)} was called; it may be (can_be_called), and belongs to ${sayPeer(mapping.peer)}.`);
  const { sdp } = call;
  if (sdp === undefined) {
    const message = 'The INVITE carries no offer (SDP), and calls are taken only with one.';
    const reason = { protocol: 'SIP', cause: 488, text: 'The INVITE has no offer (SDP)' };
    return { refuse: { status: 488, phrase: 'Not Acceptable Here', reason, ending: { reason: 'media', class: 'upstream', message } } };
  }
  const { from, contact, identity } = call;
  const offer = { mapping, from: callerOf({ from, contact, identity }, rules, why), sdp };
  const forwarded = identity && sayForwardings(identity.forwardedBy);
  if (forwarded === undefined) return { offer };
  why?.push(forwarded);
  return { offer: { ...offer, forwarded } };
}

/** The user of an incoming call turned out to be disabled. */
export const userDisabled: IncomingRefusal = {
  status: 480,
  phrase: 'Temporarily Unavailable',
  ending: { reason: 'callee_disabled', class: 'client', message: 'The user called is disabled.' },
};

/**
 * Who calls. A Contact that is a mapping's own address names the messenger user who calls; else P-Asserted-Identity says it, else From. With
 * `dialog-ignore-contact-field` From alone does (the guide, "Additional configuration"). A caller who would rather not be named is nobody.
 */
export function callerOf(
  call: Pick<IncomingCall, 'from' | 'contact' | 'identity'>,
  { mappings, dialling, ignoreContact }: IncomingRules,
  why?: string[],
): RemoteParty {
  const { from, contact, identity } = call;
  if (identity?.isPrivate === true) {
    why?.push('The caller would rather not be named (Privacy).');
    return anonymousParty;
  }
  if (!ignoreContact && contact !== undefined) {
    const byContact = remoteParty(contact, mappings);
    if (byContact.peer !== undefined) {
      why?.push(`The caller is ${sayPeer(byContact.peer)}, whose SIP account stands in Contact (${contact.uri}).`);
      const displayName = contact.displayName ?? from.displayName;
      return displayName === undefined ? byContact : { ...byContact, displayName };
    }
  }
  const named = ignoreContact || identity === undefined ? from : namedBy(identity, from);
  const byName = remoteParty(named, mappings);
  const header = named === from ? 'From' : 'P-Asserted-Identity';
  const believed = ignoreContact ? ' (dialog-ignore-contact-field is on)' : ', since Contact names no account of ours';
  const who = byName.peer === undefined ? 'nobody of the messenger' : sayPeer(byName.peer);
  why?.push(`The caller is told by ${header} (${named.uri})${believed}: ${who}.`);
  const { peer, user } = byName;
  return peer !== undefined || user === undefined ? byName : { ...byName, user: readCaller(user, dialling, why) };
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
  why?: string[],
): { readonly allowed: readonly [RoutableMapping, ...RoutableMapping[]] } | { readonly refuse: Termination } {
  const own = mappings.byPeer(request.from);
  const { mappingId } = request;
  const chosen = mappingId === undefined ? own : own.filter((mapping) => mapping.id === mappingId);
  const [first] = chosen;
  const fit = mappingId === undefined ? '' : `, of which the call asks for mapping ${mappingId}`;
  why?.push(`${sayPeer(request.from)} has ${own.length === 0 ? 'no SIP account' : own.map(describe).join(', ')}${fit}.`);
  if (first === undefined) {
    return mappingId === undefined || own.length === 0
      ? refuse('caller_disabled', 'The caller has no SIP account.')
      : refuse('unavailable', `The caller has no SIP account with the mapping id ${mappingId}.`);
  }
  const [allowed, ...others] = first.canCall && chosen.length === 1 ? chosen : chosen.filter((mapping) => mapping.canCall);
  if (allowed === undefined) {
    return refuse('caller_disabled', `The caller's SIP account ${nameOf(first)} may not place calls (can_call is off).`);
  }
  if (chosen.length > others.length + 1) why?.push(`Those that may call (can_call) are left: ${[allowed, ...others].map(describe).join(', ')}.`);
  return { allowed: [allowed, ...others] };
}

function routeToAddress(
  callers: readonly [RoutableMapping, ...RoutableMapping[]],
  address: string,
  { dialling }: OutgoingRules,
  why?: string[],
): OutgoingDecision {
  const dialled = readAddress(address);
  switch (dialled.kind) {
    case 'invalid':
      return refuse('callee_not_found', `${JSON.stringify(shorten(address))} ${dialled.problem}.`);
    case 'uri': {
      const atHost = callers.find(({ sipHost }) => sipHost.toLowerCase() === dialled.host);
      why?.push(`The address is at ${dialled.host}, where the caller has ${atHost === undefined ? `no account: ${lowest(callers[0])}` : describe(atHost)}.`);
      return place(atHost ?? callers[0], dialled.uri, dialling, false, why);
    }
    case 'user': {
      const [mapping] = callers;
      why?.push(`The address names no host, so the caller's registrar is asked: ${lowest(mapping)}.`);
      const user = rewriteNumber(dialled.user, dialling, why);
      if (user === '') return refuse('callee_not_found', `The rules of calls.number.rewrite leave nothing of ${JSON.stringify(shorten(address))}.`);
      return place(mapping, sipUri(escapeUser(user), mapping.sipHost, portOf(mapping)), dialling, false, why);
    }
  }
}

function routeToPeer(
  callers: readonly [RoutableMapping, ...RoutableMapping[]],
  peer: Peer,
  rules: OutgoingRules,
  why?: string[],
): OutgoingDecision {
  const { mappings, dialling } = rules;
  const own = mappings.byPeer(peer);
  // `can_be_called` speaks of calls to the messenger; another phone may be registered for the account, so it is only the second choice.
  const callable = own.filter((mapping) => mapping.canBeCalled);
  const targets = callable.length === 0 ? own : callable;
  const [firstTarget] = targets;
  const takes = callable.length === 0 ? '' : ' that takes calls (can_be_called)';
  why?.push(`${sayPeer(peer)} has ${targets.length === 0 ? 'no SIP account' : `${targets.map(describe).join(', ')}${takes}`}.`);
  if (firstTarget === undefined) {
    // A peer of type 4 is a SIP address itself.
    if (peer.type === 4 && peer.strId !== undefined && peer.strId !== '') return routeToAddress(callers, peer.strId, rules, why);
    return refuse('unavailable', 'The user called has no SIP account.');
  }
  for (const target of targets) {
    const mapping = callers.find(({ sipHost }) => sipHost.toLowerCase() === target.sipHost.toLowerCase());
    if (mapping === undefined) continue;
    why?.push(`Both sides have an account at ${target.sipHost}.`);
    return place(mapping, addressOfRecord(target), dialling, true, why);
  }
  why?.push(`They have no registrar in common: ${lowest(callers[0])}.`);
  return place(callers[0], addressOfRecord(firstTarget), dialling, true, why);
}

function place(mapping: RoutableMapping, uri: string, dialling: Dialling, isOurs: boolean, why?: string[]): OutgoingDecision {
  const refusal = mayCall({ uri, home: mapping.sipHost, isOurs }, dialling, why);
  return refusal === undefined ? { place: { mapping, uri } } : { refuse: refusal };
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

/** `434@pbx.example (mapping 7)` */
function describe(mapping: RoutableMapping): string {
  return `${nameOf(mapping)} (mapping ${mapping.id})`;
}

function lowest(mapping: RoutableMapping): string {
  return `the lowest mapping id counts, ${describe(mapping)}`;
}

const peerKinds: Readonly<Record<Peer['type'], string>> = { 1: 'user', 2: 'group', 4: 'SIP peer' };

/** `user 434`, `group 7`, `SIP peer "600"` */
export function sayPeer({ type, id, strId }: Peer): string {
  return `${peerKinds[type]} ${strId === undefined ? id : JSON.stringify(shorten(strId))}`;
}

function refuse(reason: Termination['reason'], message: string): { readonly refuse: Termination } {
  return { refuse: { reason, class: 'client', message } };
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
