/**
 * Where peers find us, by flow: the sent-by of our Via and the host and port of our Contact (RFC 3261 18.1.1, 8.1.1.8; RFC 7118 5).
 *
 * Over UDP, TCP and TLS it is `advertised-host`, else the address that the registrar saw us at (Via's received and rport, RFC 3581),
 * else our end of the flow; the port is the one we listen on. Over WebSocket nobody can connect back, so it is `<random>.invalid`.
 */
import { makeSipUri } from './parser/uri.js';
import { randomToken } from './random-token.js';
import type { Flow } from './transports/flow.js';

export interface ContactAddress {
  /** `192.0.2.4:5060`, `[2001:db8::1]:5060`, `f3a0.invalid` */
  readonly hostPort: string;
  readonly host: string;
  readonly port: number | undefined;
  /** What Contact's `transport` says: `ws` over both WebSocket flows (RFC 7118 5.4). */
  readonly transport: string;
  /** What follows the token in our Contact: `@192.0.2.4:5060;transport=udp` */
  readonly uriFromHost: string;
}

export class ContactAddresses {
  readonly #byFlow = new WeakMap<Flow, ContactAddress>();

  constructor(
    private readonly listening: { readonly udp: number; readonly tcp: number; readonly tls?: number },
    private readonly advertisedHost: string | undefined,
  ) {}

  of(flow: Flow): ContactAddress {
    let address = this.#byFlow.get(flow);
    if (address === undefined) {
      address = this.#make(flow);
      this.#byFlow.set(flow, address);
    }
    return address;
  }

  /**
   * A registrar says where it sees us. Over UDP that is where it must reach us; connections are used both ways, so their addresses
   * do not matter. An advertised host is never overruled.
   * @returns whether our Contact changes by it
   */
  learn(flow: Flow, received: string | undefined, rport: number | undefined): boolean {
    if (flow.transport !== 'udp' || this.advertisedHost !== undefined) return false;
    const current = this.of(flow);
    const host = received ?? current.host;
    const port = rport ?? current.port;
    if (host === current.host && port === current.port) return false;
    this.#byFlow.set(flow, contactAddress(host, port, flow.transport));
    return true;
  }

  #make(flow: Flow): ContactAddress {
    if (flow.transport === 'ws' || flow.transport === 'wss') {
      return contactAddress(`${randomToken(8)}.invalid`, undefined, 'ws');
    }
    const port = this.listening[flow.transport] ?? flow.local.port;
    return contactAddress(this.advertisedHost ?? flow.local.address, port, flow.transport);
  }
}

function contactAddress(host: string, port: number | undefined, transport: string): ContactAddress {
  const bracketed = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  const uri = makeSipUri({ user: 't', host, port, parameters: { transport } }).toString();
  return {
    host,
    port,
    transport,
    hostPort: port === undefined ? bracketed : `${bracketed}:${String(port)}`,
    uriFromHost: uri.slice(uri.indexOf('@')),
  };
}
