/** What the receiver of a request writes into its top Via: RFC 3261 18.2.1 and RFC 3581 4. */
import type { RawHeader } from './parser/message.js';
import type { ViaValue } from './parser/via.js';
import type { Endpoint } from './transports/flow.js';

/** Writes `received` and fills in `rport`, so that responses carry them back; what the sender says of itself there is not believed. */
export function markVia(header: RawHeader, via: ViaValue, source: Endpoint): RawHeader {
  const asksForPort = /;\s*rport\s*(?=;|$)/i.exec(header.raw);
  if (asksForPort === null && via.host === source.address) return header;
  const bare = header.raw.replace(/;\s*received\s*=[^;]*/gi, '');
  const marked = asksForPort === null ? bare : bare.replace(asksForPort[0], `;rport=${String(source.port)}`);
  return { raw: `${marked};received=${source.address}` };
}

/** Where a response goes over UDP: back to the source port when the client asked for it (RFC 3581 4), else to the port of its sent-by. */
export function responseEndpoint(header: RawHeader, via: ViaValue, source: Endpoint): Endpoint {
  if (/;\s*rport\b/i.test(header.raw)) return source;
  return { address: source.address, port: via.port ?? 5060 };
}
