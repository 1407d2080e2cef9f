/**
 * Where a registrar sends us with a 301 or 302 (RFC 3261 8.1.3.4): its Contact with the highest q that we may follow becomes the
 * Request-URI and the target of one more REGISTER. Never from a secured way to one that is not: a proxy could else talk passwords'
 * answers out of TLS.
 */
import type { IncomingResponseMessage, NameAddrHeader, URI } from 'sip.js/lib/core/index.js';
import { isSecured, sipTransports } from '../base/sip-transport.js';
import { second } from '../base/units.js';
import type { CoreOwner } from './account-core.js';
import { makeSipUri, readUsableAddress } from './parser/uri.js';
import { readDeltaSeconds } from './response-headers.js';
import type { StackContext } from './stack-context.js';
import type { SipTarget, SipTransport } from './types.js';

export interface Redirect {
  readonly target: SipTarget;
  /** RFC 3261 10.2: without a user. */
  readonly requestUri: URI;
  /** Until when REGISTERs go there at once, on the clock's scale. */
  readonly untilMs: number;
}

const followed: ReadonlySet<number | undefined> = new Set([301, 302]);

/** The registrar of an account: its own, or the one that it was sent on to. */
export function targetOf(account: CoreOwner, context: StackContext): SipTarget {
  return context.redirects.get(account)?.target ?? account.settings.target;
}

/**
 * @param from the registrar that answered
 * @param over how it was reached
 * @returns undefined when the response sends us nowhere that we may follow
 */
export function readRedirect(response: IncomingResponseMessage, from: SipTarget, over: SipTransport, nowMs: number): Redirect | undefined {
  if (!followed.has(response.statusCode)) return undefined;
  const contacts = response.getHeaders('contact').flatMap((text) => readUsableAddress(text) ?? []);
  for (const contact of contacts.sort((one, other) => preferenceOf(other) - preferenceOf(one))) {
    const target = targetFrom(contact.uri, from, over);
    if (target === undefined || isSame(target, from)) continue;
    const { scheme, host, port } = contact.uri;
    const named = contact.uri.getParam('transport');
    const parameters = named === undefined ? undefined : { transport: named };
    return {
      target,
      requestUri: makeSipUri({ scheme: scheme === 'sips' ? 'sips' : 'sip', host, port, parameters }),
      untilMs: response.statusCode === 301 ? Infinity : nowMs + lifetimeMs(response, contact),
    };
  }
  return undefined;
}

/** RFC 3261 21.3.3: a 302 without an expiry is good for this once. */
function lifetimeMs(response: IncomingResponseMessage, contact: NameAddrHeader): number {
  const expiresS = readDeltaSeconds(contact.getParam('expires') ?? response.getHeader('expires'));
  return (expiresS ?? 0) * second;
}

/** RFC 3261 20.10: q, 1 when there is none. */
function preferenceOf(contact: NameAddrHeader): number {
  const q = Number(contact.getParam('q') ?? 1);
  return q >= 0 && q <= 1 ? q : 0;
}

function targetFrom(uri: URI, from: SipTarget, over: SipTransport): SipTarget | undefined {
  if ((uri.scheme !== 'sip' && uri.scheme !== 'sips') || uri.host === '') return undefined;
  const transport = transportFrom(uri, over);
  if (transport === undefined || (isSecured(over) && !isSecured(transport))) return undefined;
  const isWebSocket = transport === 'ws' || transport === 'wss';
  const webSocket = isWebSocket && from.webSocket !== undefined ? { webSocket: { ...from.webSocket, host: undefined } } : {};
  return { transport, host: uri.host.replace(/^\[|\]$/g, ''), port: uri.port ?? 0, ...webSocket };
}

/** What the URI names, secured when it is `sips:`; else as it went so far. RFC 7118 5.4: `ws` stands for both. */
function transportFrom(uri: URI, over: SipTransport): SipTransport | undefined {
  const name = uri.getParam('transport')?.toLowerCase() ?? over;
  const named = sipTransports.find((transport) => transport === name);
  if (named === undefined) return undefined;
  if (uri.scheme !== 'sips') return named === 'ws' && over === 'wss' ? 'wss' : named;
  return named === 'ws' || named === 'wss' ? 'wss' : 'tls';
}

function isSame(one: SipTarget, other: SipTarget): boolean {
  return one.transport === other.transport && one.port === other.port && one.host.toLowerCase() === other.host.toLowerCase();
}
