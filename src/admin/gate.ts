/**
 * Who may ask: a program that knows the token, and no page of a browser that was lured here. Everything is judged before the request is
 * routed or its body read, and a refusal tells nothing of what is behind.
 */
import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { AddressLimit, type AddressRates } from '../base/address-limit.js';
import type { Clock } from '../base/clock.js';
import { Refusal } from '../base/problem.js';
import type { Tickets } from './tickets.js';

/** Wrong tokens that are looked at: ten at once, then one in ten seconds from each address. */
export const wrongTokenRates: AddressRates = {
  each: { perSecond: 0.1, burst: 10 },
  all: { perSecond: 1, burst: 100 },
  mostAddresses: 1_024,
};

/** All requests, of those too who know the token: a program that runs wild must not keep the calls from their turn. */
const requestRates: AddressRates = {
  each: { perSecond: 50, burst: 200 },
  all: { perSecond: 500, burst: 2_000 },
  mostAddresses: 1_024,
};

export interface Asking {
  /** The address that the request came from. */
  readonly ip: string;
  readonly headers: IncomingHttpHeaders;
  /** In place of the token, where a ticket is taken. */
  readonly ticket?: string;
}

export class Gate {
  readonly #digest: Buffer;
  readonly #requests: AddressLimit;
  readonly #wrongTokens: AddressLimit;

  /** @param host the name or address that the server listens on */
  constructor(
    token: string,
    private readonly host: string,
    private readonly tickets: Pick<Tickets, 'take'>,
    clock: Clock,
    private readonly log: { warn(message: string, meta: Record<string, unknown>): unknown },
  ) {
    this.#digest = digestOf(token);
    this.#requests = new AddressLimit(clock, requestRates);
    this.#wrongTokens = new AddressLimit(clock, wrongTokenRates);
  }

  /**
   * @param need `anybody`: the page, which holds nothing; `token`: all else
   * @throws Refusal 421, 403, 429 or 401
   */
  pass({ ip, headers, ticket }: Asking, need: 'anybody' | 'token'): void {
    if (!this.#requests.admits(ip)) throw new Refusal(429, 'TOO_MANY_REQUESTS', `Too many requests came from ${ip}: wait a second.`, { 'retry-after': '1' });
    this.#checkHost(headers.host ?? '');
    checkOrigin(headers);
    if (need === 'anybody') return;
    if (!this.#wrongTokens.admits(ip)) {
      const retryAfterS = String(Math.ceil(1 / wrongTokenRates.each.perSecond));
      throw new Refusal(429, 'TOO_MANY_WRONG_TOKENS', `Too many wrong tokens came from ${ip}: wait ${retryAfterS} seconds.`, { 'retry-after': retryAfterS });
    }
    if (!this.#isToken(headers.authorization) && (ticket === undefined || !this.tickets.take(ticket))) {
      this.log.warn(`A request for administration from ${ip} was refused: its token is wrong or missing.`, { address: ip });
      throw new Refusal(401, 'TOKEN_REFUSED', 'Send the token of modules.sip.admin as `Authorization: Bearer TOKEN`.', { 'www-authenticate': 'Bearer' });
    }
    this.#wrongTokens.giveBack(ip);
  }

  /**
   * A page whose name was made to point here (DNS rebinding) asks under that name. Addresses cannot be made to point elsewhere, and the
   * name that the operator configured is the operator's.
   */
  #checkHost(header: string): void {
    const name = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::\d{1,5})?$/i.exec(header)?.[1]?.replace(/^\[|\]$/g, '').toLowerCase() ?? '';
    if (isIP(name) !== 0 || name === 'localhost' || name === this.host.toLowerCase()) return;
    throw new Refusal(421, 'HOST_REFUSED', 'Ask by the address that the server listens on: this Host header names another server.');
  }

  /** Digests are compared: alike in length, whatever came, and in a time that tells nothing. */
  #isToken(authorization: string | undefined): boolean {
    const token = /^Bearer +([!-~]+)$/i.exec(authorization ?? '')?.[1];
    return timingSafeEqual(digestOf(token ?? ''), this.#digest);
  }
}

/** Its own page asks from its own origin (RFC 6454 section 7); another page has nothing to ask here. */
function checkOrigin({ origin, host, 'sec-fetch-site': site }: IncomingHttpHeaders): void {
  const isForeign = (origin !== undefined && origin.toLowerCase() !== `http://${host ?? ''}`.toLowerCase()) || site === 'cross-site' || site === 'same-site';
  if (isForeign) throw new Refusal(403, 'ORIGIN_REFUSED', 'A page from elsewhere may not ask here.');
}

function digestOf(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}
