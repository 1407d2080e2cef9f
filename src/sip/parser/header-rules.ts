/**
 * What a header's text means, rule by rule, in the shapes that SIP.js's grammar gives: one small reader each instead of its PEG
 * tables, which are rebuilt for every call (75 us).
 *
 * Where the shapes differ from SIP.js's it is on purpose: display names come without their quoted pairs, `maddr` does not replace the
 * host, `lr=on` keeps its value, and of several Vias the top one is taken, not the bottom one (RFC 3261 18.1.2, 19.1.1, 25.1).
 */
import type { NameAddrHeader } from 'sip.js/lib/core/index.js';
import type { ReasonValue } from '../types.js';
import type { ParameterTable } from './scan.js';
import { indexWithin, isDigit, isToken, readNumber, readParameters, semicolon, splitList, startsWithIgnoringCase, skipBlanks, trimmed, unquoted } from './scan.js';
import { parseUri, readUsableAddress } from './uri.js';
import { readVia } from './via.js';

/** Gives undefined when the text does not follow the rule. */
export type HeaderRule = (text: string) => unknown;

const largest32 = 0xffff_ffff;

/** One value of a list of addresses: `text.substring(offset, position)` is what was read. The names are SIP.js's. */
interface ListedAddress {
  position: number;
  offset: number;
  parsed: NameAddrHeader;
}

export interface CSeqValue {
  value: number;
  method: string;
}

function readAddressList(text: string): ListedAddress[] | undefined {
  const spans = splitList(text);
  if (spans === undefined || spans.length === 0) return undefined;
  const list: ListedAddress[] = [];
  for (const { from, to } of spans) {
    const parsed = readUsableAddress(text.substring(from, to));
    if (parsed === undefined) return undefined;
    list.push({ position: to, offset: from, parsed });
  }
  return list;
}

/** `*` stands alone in a Contact and is no address (RFC 3261 10.2.2). */
function readContacts(text: string): ListedAddress[] | undefined {
  return text.trim() === '*' ? undefined : readAddressList(text);
}

/** RFC 3261 20.16: less than 2^31. */
export function readCSeq(text: string): CSeqValue | undefined {
  let at = skipBlanks(text, 0, text.length);
  const from = at;
  while (at < text.length && isDigit(text.charCodeAt(at))) at += 1;
  const value = readNumber(text, 0x7fff_ffff, from, at);
  const methodFrom = skipBlanks(text, at, text.length);
  const method = trimmed(text, methodFrom, text.length);
  return value === undefined || methodFrom === at || !isToken(method) ? undefined : { value, method };
}

function readCallId(text: string): string | undefined {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) <= 0x20) return undefined;
  return text === '' ? undefined : text;
}

/** Seconds. More than 32 bits hold means as long as they hold (RFC 3261 20.19). */
function readSeconds(text: string): number | undefined {
  const end = indexWithin(text, semicolon, 0, text.length);
  const digits = trimmed(text, 0, end);
  if (readNumber(digits, Number.MAX_VALUE) === undefined) return undefined;
  return readNumber(digits, largest32) ?? largest32;
}

/** RFC 3261 20.33: `120 (at lunch);duration=3600`. */
function readRetryAfter(text: string): number | undefined {
  return readSeconds(text.substring(0, indexWithin(text, 0x28, 0, text.length)));
}

function readDisposition(text: string): { type: string } | undefined {
  const type = trimmed(text, 0, indexWithin(text, semicolon, 0, text.length)).toLowerCase();
  return isToken(type) ? { type } : undefined;
}

function readContentType(text: string): string | undefined {
  const type = mediaTypeOf(text);
  const slash = type.indexOf('/');
  return isToken(type, 0, slash) && isToken(type, slash + 1) ? text : undefined;
}

/** `application/sdp` of ` Application / SDP;charset=utf-8`. */
export function mediaTypeOf(contentType: string): string {
  const end = indexWithin(contentType, semicolon, 0, contentType.length);
  const slash = indexWithin(contentType, 0x2f, 0, end);
  const type = trimmed(contentType, 0, slash).toLowerCase();
  return slash === end ? type : `${type}/${trimmed(contentType, slash + 1, end).toLowerCase()}`;
}

interface TokenWithParameters {
  token: string;
  table: ParameterTable;
}

function readToken(text: string): TokenWithParameters | undefined {
  const end = indexWithin(text, semicolon, 0, text.length);
  const token = trimmed(text, 0, end);
  const table = readParameters(text, end);
  return isToken(token) && table !== undefined ? { token, table } : undefined;
}

/** `params` as SIP.js has them: absent when there are none. */
function withParams<Header extends object>(header: Header, table: ParameterTable): Header & { params?: ParameterTable } {
  return Object.keys(table).length === 0 ? header : { ...header, params: table };
}

/** Takes parameters that have a place of their own out of the table. */
function take(table: ParameterTable, name: string): string | undefined {
  if (!Object.hasOwn(table, name)) return undefined;
  const value = table[name];
  Reflect.deleteProperty(table, name);
  return value ?? undefined;
}

function readEvent(text: string): unknown {
  const event = readToken(text);
  return event === undefined ? undefined : withParams({ event: event.token.toLowerCase() }, event.table);
}

function readSubscriptionState(text: string): unknown {
  const state = readToken(text);
  if (state === undefined) return undefined;
  const reason = take(state.table, 'reason');
  const expires = readSeconds(take(state.table, 'expires') ?? '');
  // RFC 6665 8.4 writes `retry-after`; SIP.js reads `retry_after`.
  const retryAfter = readSeconds(take(state.table, 'retry-after') ?? take(state.table, 'retry_after') ?? '');
  return withParams(
    {
      state: state.token,
      ...(reason === undefined ? {} : { reason }),
      ...(expires === undefined ? {} : { expires }),
      ...(retryAfter === undefined ? {} : { retry_after: retryAfter }),
    },
    state.table,
  );
}

function readTokenList(text: string): string[] | undefined {
  const tokens = text.split(',').map((token) => token.trim());
  if (tokens.length === 1 && tokens[0] === '') return [];
  return tokens.every((token) => isToken(token)) ? tokens : undefined;
}

/** RFC 3891 6.1. The names are SIP.js's. */
export interface ReplacesValue {
  readonly call_id: string;
  readonly replaces_from_tag: string;
  readonly replaces_to_tag: string;
  readonly early_only?: boolean;
}

export function readReplaces(text: string): ReplacesValue | undefined {
  const end = indexWithin(text, semicolon, 0, text.length);
  const callId = readCallId(trimmed(text, 0, end));
  const table = readParameters(text, end);
  if (callId === undefined || table === undefined) return undefined;
  const fromTag = take(table, 'from-tag');
  const toTag = take(table, 'to-tag');
  const isEarlyOnly = Object.hasOwn(table, 'early-only');
  take(table, 'early-only');
  if (fromTag === undefined || toTag === undefined) return undefined;
  const replaces = { call_id: callId, replaces_from_tag: fromTag, replaces_to_tag: toTag };
  return withParams(isEarlyOnly ? { ...replaces, early_only: true } : replaces, table);
}

/** RFC 4028. */
function readSessionExpires(text: string): unknown {
  const deltaSeconds = readSeconds(text);
  const table = readParameters(text, indexWithin(text, semicolon, 0, text.length));
  if (deltaSeconds === undefined || table === undefined) return undefined;
  const refresher = take(table, 'refresher');
  return withParams({ deltaSeconds, ...(refresher === undefined ? {} : { refresher }) }, table);
}

export interface ChallengeValue {
  realm?: string;
  nonce?: string;
  opaque?: string;
  stale?: boolean;
  /** Upper case. */
  algorithm?: string;
  /** Lower case. */
  qop?: string[];
}

/**
 * `WWW-Authenticate` and `Proxy-Authenticate`, which hold one challenge each (RFC 3261 20.44). Another scheme than Digest gives an
 * empty challenge. Quoted values keep their escapes: the digest is made over them as they stand (RFC 7616 3.4).
 */
function readChallenge(text: string): ChallengeValue | undefined {
  const start = skipBlanks(text, 0, text.length);
  const schemeTo = Math.min(indexWithin(text, 0x20, start, text.length), indexWithin(text, 0x09, start, text.length));
  if (!isToken(text, start, schemeTo)) return undefined;
  if (schemeTo - start !== 6 || !startsWithIgnoringCase(text, 'digest', start)) return {};
  const spans = splitList(text.substring(schemeTo));
  if (spans === undefined) return undefined;
  const challenge: ChallengeValue = {};
  for (const { from, to } of spans) takeChallengeParameter(challenge, text.substring(schemeTo + from, schemeTo + to));
  return challenge;
}

function takeChallengeParameter(challenge: ChallengeValue, text: string): void {
  const equals = indexWithin(text, 0x3d, 0, text.length);
  const name = trimmed(text, 0, equals).toLowerCase();
  const value = withoutQuotes(trimmed(text, Math.min(equals + 1, text.length), text.length));
  if (name === 'realm' || name === 'nonce' || name === 'opaque') challenge[name] = value;
  else if (name === 'algorithm') challenge.algorithm = value.toUpperCase();
  else if (name === 'stale') challenge.stale = value.toLowerCase() === 'true';
  else if (name === 'qop') challenge.qop = value.split(',').map((option) => option.trim().toLowerCase());
}

function withoutQuotes(text: string): string {
  return text.startsWith('"') ? text.substring(1, text.length - 1) : text;
}

/** RFC 3326: a list, one value per protocol. A text whose quote is not closed is one that was cut off: it ends with the header. */
function readReasons(header: string): ReasonValue[] | undefined {
  const reasons: ReasonValue[] = [];
  const text = splitList(header) === undefined ? `${header}"` : header;
  for (const { from, to } of splitList(text) ?? []) {
    const reason = readToken(text.substring(from, to));
    if (reason === undefined) continue;
    const cause = readNumber(take(reason.table, 'cause') ?? '', 9999);
    const said = take(reason.table, 'text');
    reasons.push({
      protocol: reason.token,
      ...(cause === undefined ? {} : { cause }),
      ...(said === undefined ? {} : { text: unquoted(said) }),
    });
  }
  return reasons.length === 0 ? undefined : reasons;
}

/** RFC 3262 7.2: `RAck: 776656 1 INVITE`. */
function readRAck(text: string): unknown {
  const end = indexWithin(text, 0x20, 0, text.length);
  const rseq = readNumber(text, largest32, 0, end);
  const cseq = readCSeq(text.substring(end));
  return rseq === undefined || cseq === undefined ? undefined : { rseq, cseq: cseq.value, method: cseq.method };
}

/** The first of the values in the header. */
function readTopVia(text: string): unknown {
  const top = splitList(text)?.[0];
  return top === undefined ? undefined : readVia(text.substring(top.from, top.to));
}

const number32 = (text: string): number | undefined => readNumber(text.trim(), largest32);

/** Rules by the names that SIP.js asks for: the header's name with `_` for `-`. */
export const headerRules: ReadonlyMap<string, HeaderRule> = new Map<string, HeaderRule>([
  ['Contact', readContacts],
  ['Record_Route', readAddressList],
  ['Name_Addr_Header', (text) => (text.includes('<') ? readUsableAddress(text) : undefined)],
  ...['From', 'To', 'Refer_To', 'Referred_By', 'Route', 'Path', 'Service_Route', 'P_Asserted_Identity', 'P_Preferred_Identity', 'Diversion', 'Reply_To', 'Remote_Party_ID'].map(
    (name): [string, HeaderRule] => [name, readUsableAddress],
  ),
  ['SIP_URI', (text) => (startsWithIgnoringCase(text, 'sip', 0) ? parseUri(text) : undefined)],
  ['Via', readTopVia],
  ['CSeq', readCSeq],
  ['Call_ID', readCallId],
  ['Content_Length', number32],
  ['Content_Type', readContentType],
  ['Content_Disposition', readDisposition],
  ['Max_Forwards', number32],
  ['Expires', readSeconds],
  ['Min_Expires', readSeconds],
  ['Min_SE', readSeconds],
  ['Session_Expires', readSessionExpires],
  ['Retry_After', readRetryAfter],
  ['RSeq', number32],
  ['RAck', readRAck],
  ['WWW_Authenticate', readChallenge],
  ['Proxy_Authenticate', readChallenge],
  ['challenge', readChallenge],
  ['Event', readEvent],
  ['Subscription_State', readSubscriptionState],
  ['Supported', readTokenList],
  ['Require', readTokenList],
  ['Replaces', readReplaces],
  ['Reason', readReasons],
]);
