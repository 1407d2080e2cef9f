/**
 * Which of our addresses the route to a peer uses: what Contact and Via say when the socket listens on all of them.
 *
 * The kernel tells it to a UDP socket that is connected to the peer; nothing is sent. Node.js does that within the call when
 * it need not look a name up. Routes change, so an answer is good for a minute.
 */

import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Clock } from '../../base/clock.js';
import { minute } from '../../base/units.js';

const keepMs = minute;
const maxPeers = 4_096;

export class LocalAddresses {
  readonly #known = new Map<string, { address: string; until: number }>();

  constructor(private readonly clock: Clock) {}

  /** @param remote an IP address */
  towards(remote: string): string {
    const known = this.#known.get(remote);
    if (known !== undefined && known.until > this.clock.now()) return known.address;
    if (this.#known.size >= maxPeers) this.#known.clear();
    const address = askRoute(remote) ?? firstOwnAddress(isIPv6(remote));
    this.#known.set(remote, { address, until: this.clock.now() + keepMs });
    return address;
  }
}

/** True for `0.0.0.0` and `::`. */
export function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

/** `::ffff:127.0.0.1`, as a socket for both families sees IPv4, is `127.0.0.1`; everything else is itself. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}

/** @returns undefined when there is no route */
function askRoute(remote: string): string | undefined {
  const isV6 = isIPv6(remote);
  const socket = createSocket({
    type: isV6 ? 'udp6' : 'udp4',
    lookup: (host, _options, callback) => {
      callback(null, host, isV6 ? 6 : 4);
    },
  });
  try {
    // No route arrives as an event; the address that stays unspecified says the same.
    socket.on('error', () => undefined);
    socket.connect(9, remote, () => undefined);
    const { address } = socket.address();
    return isUnspecified(address) ? undefined : address;
  } catch {
    return undefined;
  } finally {
    socket.close();
  }
}

function firstOwnAddress(isV6: boolean): string {
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find((address) => !address.internal && address.family === (isV6 ? 'IPv6' : 'IPv4'));
  return own?.address ?? (isV6 ? '::1' : '127.0.0.1');
}
