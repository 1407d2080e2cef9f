/** How a route set shapes a request: RFC 3261 12.2.1.1, loose routers and the strict ones of RFC 2543. */
import { Grammar, type URI } from 'sip.js/lib/core/index.js';

export interface Routed {
  /** The Request-URI. */
  readonly target: URI;
  readonly routeSet: string[];
  /** Where the request goes first; undefined when the first route cannot be read. */
  readonly nextHop: URI | undefined;
}

/** @param remoteTarget where the request is to arrive in the end */
export function routed(remoteTarget: URI, routeSet: string[]): Routed {
  const [first, ...rest] = routeSet;
  if (first === undefined) return { target: remoteTarget, routeSet, nextHop: remoteTarget };
  const nextHop = Grammar.nameAddrHeaderParse(first)?.uri;
  if (nextHop === undefined || nextHop.hasParam('lr')) return { target: remoteTarget, routeSet, nextHop };
  // The first router is a strict one: it takes its own URI from the request line, and the remote target from the end of the routes.
  return { target: asRequestUri(nextHop), routeSet: [...rest, `<${remoteTarget.toRaw()}>`], nextHop };
}

/** RFC 3261 19.1.1, table 1: neither `method` nor headers stand in a Request-URI. */
function asRequestUri(uri: URI): URI {
  const target = uri.clone();
  target.deleteParam('method');
  target.headers = {};
  return target;
}
