/** Where a call would go and why, without placing it: the operations behind `dialog-sip explain`. The mappings are read from the database. */
import { hostname } from 'node:os';
import { ExtensionError } from '../base/errors.js';
import { toDialling } from '../calls/dialling.js';
import { notAcceptable, passDescription } from '../calls/media-passage.js';
import { routeIncoming, routeOutgoing, sayPeer, type OutgoingRules } from '../calls/routes.js';
import { readServerConf } from '../config/read.js';
import { toSipConfig, type SipConfig } from '../config/schema.js';
import type { CallTarget, Peer } from '../host/contract.js';
import { openDatabase } from '../mappings/database.js';
import { MappingDirectory } from '../mappings/directory.js';
import type { Mapping } from '../mappings/mapping.js';
import { MappingReader } from '../mappings/mapping-reader.js';
import { callerIdentityOf } from '../sip/identity.js';
import { sdpOf } from '../sip/parser/body.js';
import { isParseFault } from '../sip/parser/fault.js';
import { ParsedRequest } from '../sip/parser/message.js';
import { parseMessage } from '../sip/parser/parse-message.js';
import { parseNameAddress, toNameAddress } from '../sip/parser/uri.js';
import { databaseOf } from './mapping-operations.js';
import { unmasked } from './sdp-operations.js';
import { contactToken } from './sip-accounts.js';

export interface Explanation {
  /** What would become of the call, one sentence. */
  readonly decision: string;
  /** What it went by, a sentence each. */
  readonly why: readonly string[];
}

/** What routing goes by. */
export interface RoutesInForce {
  readonly config: Pick<SipConfig, 'calls' | 'ignoreContact' | 'webrtc'>;
  readonly mappings: MappingDirectory;
  /** By the token in the Contact that this machine registers. */
  readonly mappingIds: ReadonlyMap<string, number>;
}

/** @throws ConfigError; ExtensionError DATABASE_* */
export async function readRoutes(configFile: string): Promise<RoutesInForce> {
  const config = toSipConfig(await readServerConf(configFile));
  const database = await openDatabase(databaseOf(config, configFile));
  try {
    const mappings: Mapping[] = [];
    for await (const page of new MappingReader(database.knex).pages()) mappings.push(...page.mappings);
    return routesOf(config, mappings);
  } finally {
    await database.close();
  }
}

export function routesOf(config: RoutesInForce['config'], rows: Iterable<Mapping>): RoutesInForce {
  const mappings = new MappingDirectory();
  const mappingIds = new Map<string, number>();
  for (const mapping of rows) {
    mappings.put(mapping);
    mappingIds.set(contactToken(mapping.id, hostname()), mapping.id);
  }
  return { config, mappings, mappingIds };
}

/**
 * @param from a messenger user: its id
 * @param to what is called: `user:434`, `group:7`, or an address as it is typed
 * @throws ExtensionError COMMAND_INVALID for a caller that is no user
 */
export function explainOutgoing(routes: RoutesInForce, from: string, to: string, mappingId?: number): Explanation {
  const caller = readPeer(/^\d/.test(from) ? `user:${from}` : from);
  if (caller === undefined) throw new ExtensionError('COMMAND_INVALID', `${JSON.stringify(from)} is no user: give the id of a messenger user, like 434.`);
  const peer = readPeer(to);
  const target: CallTarget = peer === undefined ? { address: to } : { peer };
  const why: string[] = [];
  const decided = routeOutgoing({ from: caller, to: target, ...(mappingId === undefined ? {} : { mappingId }) }, rulesOf(routes), {}, why);
  if ('refuse' in decided) return { decision: `Not placed, the call ends with ${decided.refuse.reason}: ${decided.refuse.message}`, why };
  const { mapping, uri } = decided.place;
  why.push(...limitsOf(routes.config.calls, ['maxPerUser', 'maxPerMinute', 'maxTotal']));
  return { decision: `Placed: INVITE ${uri} through ${mapping.sipUser}@${mapping.sipHost} (mapping ${mapping.id}).`, why };
}

/**
 * @param invite an INVITE from the wire or from a trace
 * @throws ExtensionError SIP_MESSAGE for what is no INVITE
 */
export function explainIncoming(routes: RoutesInForce, invite: string): Explanation {
  const message = parseMessage(Buffer.from(asReceived(invite)));
  if (isParseFault(message) || !(message instanceof ParsedRequest) || message.method !== 'INVITE') {
    throw new ExtensionError('SIP_MESSAGE', 'The file holds no SIP INVITE, from its request line to its body.');
  }
  const { config } = routes;
  const why: string[] = [];
  const called = calledMapping(message, routes, why);
  const contact = parseNameAddress(message.getHeader('contact') ?? '');
  const sdp = sdpOf(message);
  const identity = callerIdentityOf(message);
  const call = { from: toNameAddress(message.from), identity, ...(contact === undefined ? {} : { contact }), ...(sdp === undefined ? {} : { sdp }) };
  const decided = routeIncoming(call, called, { ...rulesOf(routes), ignoreContact: config.ignoreContact }, why);
  if ('refuse' in decided) {
    const { status, phrase, ending } = decided.refuse;
    return { decision: `Refused with ${status} ${phrase}: ${ending.message}`, why };
  }
  const warned = { warn: (sentence: string) => why.push(sentence) };
  const passage = passDescription({ type: 'offer', sdp: decided.offer.sdp }, 'sip', config.webrtc, warned, {});
  if ('unfit' in passage) return { decision: `Refused with ${notAcceptable.status} ${notAcceptable.phrase}: ${passage.unfit.ending.message}`, why };
  why.push(...limitsOf(config.calls, ['maxPerUser', 'maxTotal']));
  return { decision: `Offered to the messenger: to ${sayPeer(decided.offer.mapping.peer)}, from ${decided.offer.from.uri}.`, why };
}

function rulesOf({ config, mappings }: RoutesInForce): OutgoingRules {
  return { mappings, dialling: toDialling(config.calls) };
}

const limitWords = {
  maxPerUser: 'calls of one user at once (calls.max-per-user)',
  maxPerMinute: 'placed by one user in a minute (calls.max-per-minute)',
  maxTotal: 'calls in all (calls.max-total)',
} as const;

/** Those that are set; what they are held against only the running extension knows. */
function limitsOf(calls: SipConfig['calls'], names: readonly (keyof typeof limitWords)[]): string[] {
  const set = names.filter((name) => calls[name] > 0).map((name) => `${calls[name].toLocaleString('en')} ${limitWords[name]}`);
  return set.length === 0 ? [] : [`It is refused beyond ${set.join(', ')}; how many there are now, the running extension knows.`];
}

/** As a datagram: a text from a trace or an editor has other line ends, no ICE passwords, and a body of another length than it says. */
function asReceived(text: string): string {
  return unmasked(text.replace(/\r\n/g, '\n')).replace(/^(?:Content-Length|l)[ \t]*:.*\n/im, '').replace(/\n/g, '\r\n');
}

/** As the stack finds an account: by our Contact in the Request-URI, then by To; the other way round with dialog-ignore-contact-field. */
function calledMapping(message: ParsedRequest, { config, mappings, mappingIds }: RoutesInForce, why: string[]): ReturnType<MappingDirectory['get']> {
  const id = mappingIds.get(message.ruri?.user ?? '');
  const byContact = id === undefined ? undefined : mappings.get(id);
  const { user, host } = toNameAddress(message.to);
  const ofUser = user === undefined ? [] : mappings.bySipUser(user);
  const byTo = ofUser.length === 1 ? ofUser[0] : ofUser.find(({ sipHost }) => sipHost.toLowerCase() === host.toLowerCase());
  const isByTo = byTo !== undefined && (config.ignoreContact || byContact === undefined);
  if (isByTo) why.push(`The account is told by To (${config.ignoreContact ? 'dialog-ignore-contact-field is on' : 'the Request-URI is no Contact of this machine'}).`);
  else if (byContact !== undefined) why.push('The account is told by our Contact, which stands in the Request-URI.');
  else why.push('Neither the Request-URI nor To names an account of ours.');
  return isByTo ? byTo : byContact;
}

function readPeer(text: string): Peer | undefined {
  const [, kind, digits = ''] = /^(user|group):(\d{1,15})$/.exec(text) ?? [];
  return kind === undefined ? undefined : { type: kind === 'user' ? 1 : 2, id: Number(digits) };
}
