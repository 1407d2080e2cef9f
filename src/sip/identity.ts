/**
 * Who is behind a message, beside what its From or To says: as the network vouches for it (P-Asserted-Identity, RFC 3325), whether that may be
 * told (Privacy, RFC 3323), and by whom a call was forwarded (Diversion, RFC 5806; History-Info, RFC 7044). Nobody but a registrar of ours or an
 * address of `listen.trusted` is heard at all (`reception`), so what is said here is said within a trust domain.
 */
import { NameAddrHeader, type IncomingMessage, type URI } from 'sip.js/lib/core/index.js';
import { parseNameAddress, readUsableAddress, toNameAddress } from './parser/uri.js';
import { splitList } from './parser/scan.js';
import type { CallerIdentity, Forwarding, NameAddress } from './types.js';

/** Whether our INVITEs name the account beside From: `none`, P-Preferred-Identity, or P-Asserted-Identity where the registrar trusts us. */
export type StatedIdentity = 'none' | 'preferred' | 'asserted';

const headerOf = { preferred: 'P-Preferred-Identity', asserted: 'P-Asserted-Identity' } as const;

/** RFC 3323 4.2, RFC 3325 9.3: what hides who calls. `session` hides where from, and is the network's affair. */
const hidesCaller: ReadonlySet<string> = new Set(['id', 'header', 'user']);

/** A call that was sent on more often says nothing new. */
const mostForwardings = 10;

export function callerIdentityOf(message: IncomingMessage): CallerIdentity {
  const asserted = assertedIdentityOf(message);
  return {
    ...(asserted === undefined ? {} : { asserted }),
    isPrivate: isPrivate(message),
    forwardedBy: forwardingsOf(message),
  };
}

/** Who answers, or rings: as the network says, unless they would rather not be named; else whom we called. */
export function remotePartyOf(response: IncomingMessage): NameAddress {
  const asserted = assertedIdentityOf(response);
  return asserted === undefined || isPrivate(response) ? toNameAddress(response.to) : asserted;
}

/** Whole lines of an INVITE of ours. */
export function identityLines(stated: StatedIdentity, aor: URI, displayName: string): string[] {
  return stated === 'none' ? [] : [`${headerOf[stated]}: ${new NameAddrHeader(aor, displayName, {}).toString()}`];
}

/** RFC 3325 9.1: one SIP address, one number, or both; the address says more. */
function assertedIdentityOf(message: IncomingMessage): NameAddress | undefined {
  const known = message.getHeaders('p-asserted-identity').map((value) => parseNameAddress(value)).filter((address) => address !== undefined);
  return known.find(({ uri }) => /^sips?:/.test(uri)) ?? known[0];
}

function isPrivate(message: IncomingMessage): boolean {
  // RFC 3323 4.1.1.3: the caller's own phone may have left the name out already.
  return privacyOf(message).some((value) => hidesCaller.has(value)) || message.from.uri.host === 'anonymous.invalid';
}

function privacyOf(message: IncomingMessage): string[] {
  return message.getHeaders('privacy').flatMap((header) => header.toLowerCase().split(/[;,]/).map((value) => value.trim()));
}

/** The first one first. Who forwarded a call and wants not to be named is left out. */
function forwardingsOf(message: IncomingMessage): Forwarding[] {
  // RFC 5806 4: the newest stands on top.
  const diverted = addressesOf(message, 'diversion').reverse().flatMap(divertedBy);
  if (diverted.length > 0) return diverted.slice(0, mostForwardings);
  if (privacyOf(message).includes('history')) return [];
  return addressesOf(message, 'history-info').flatMap(forwardedBy).slice(0, mostForwardings);
}

function divertedBy(header: NameAddrHeader): Forwarding[] {
  const isHidden = (header.getParam('privacy') ?? 'off').toLowerCase() !== 'off';
  const reason = header.getParam('reason');
  return isHidden ? [] : [{ by: toNameAddress(header), ...(typeof reason === 'string' ? { reason } : {}) }];
}

/** RFC 7044 5: an entry that says with which status it was left is one that the call was forwarded from. */
function forwardedBy(header: NameAddrHeader): Forwarding[] {
  const [reason] = header.uri.getHeader('Reason') ?? [];
  const isHidden = (header.uri.getHeader('Privacy') ?? []).length > 0;
  if (reason === undefined || isHidden) return [];
  const by = toNameAddress(header);
  const cause = /cause=(\d{3})/.exec(decoded(reason))?.[1];
  return [{ by: { ...by, uri: by.uri.split('?', 1)[0] ?? '' }, ...(cause === undefined ? {} : { reason: cause }) }];
}

function addressesOf(message: IncomingMessage, name: string): NameAddrHeader[] {
  return message.getHeaders(name).flatMap((text) =>
    (splitList(text, mostForwardings) ?? []).map(({ from, to }) => readUsableAddress(text.substring(from, to))).filter((header) => header !== undefined),
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
