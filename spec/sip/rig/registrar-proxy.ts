/**
 * The rig's registrar and proxy (RFC 3261 10.3, 16.11): bindings, digest, and requests sent on without a transaction of its own, so
 * that what is lost is lost from end to end and the user agents must make up for it. It can be restarted in the middle of everything.
 */
import { createHash } from 'node:crypto';
import type { Endpoint } from '../../../src/sip/transports/flow.js';
import { nameOf, type ConnectionEnd, type LossyNetwork } from '../../support/lossy-network.js';
import { parameter, uriIn, WireMessage } from './wire-message.js';

export interface ProxySettings {
  readonly transport: 'udp' | 'tcp';
  /** The dialog's requests come this way too. */
  readonly recordsRoute: boolean;
  /** INVITE and BYE are challenged, not REGISTER alone. */
  readonly challengesCalls: boolean;
  /** How many good answers to a challenge are refused because the nonce has grown old, 0 to 1. */
  readonly staleRate: number;
  /** After a restart: a nonce of the time before is called stale, or just another one is given. */
  readonly knowsOldNonces: boolean;
}

export interface Binding {
  readonly uri: string;
  readonly callId: string;
  readonly cseq: number;
  readonly boundAtMs: number;
  readonly expiresAtMs: number;
}

interface Source {
  readonly remote: Endpoint;
  reply(text: string): void;
}

export const domain = 'example.test';
export const password = 'secret';
export const proxyAt: Endpoint = { address: '10.0.0.1', port: 5060 };
/** Registered, but nobody is there. */
export const ghost = 'ghost';
export const leastExpiresS = 60;

const ownTag = 'proxy';
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

export class RegistrarProxy {
  /** By user. */
  readonly bindings = new Map<string, Binding>();
  readonly #users = new Set<string>();
  readonly #connections = new Map<string, ConnectionEnd>();
  readonly #nonces = new Map<string, number>();
  /** Requests that were let in, and answers, by branch and method. */
  readonly #admitted = new Set<string>();
  readonly #answered = new Map<string, string>();
  /** Where each INVITE went, by branch: its CANCEL and its ACK go there too, whatever has become of the binding. */
  readonly #sentTo = new Map<string, string>();
  #nextNonce = 0;
  #isUp = false;

  constructor(
    private readonly network: LossyNetwork,
    private readonly random: () => number,
    private readonly settings: ProxySettings,
    users: readonly string[],
  ) {
    for (const user of users) this.#users.add(user);
    this.bindings.set(ghost, { uri: `sip:${ghost}@10.0.0.99:5060`, callId: '', cseq: 0, boundAtMs: 0, expiresAtMs: Infinity });
    this.start();
  }

  start(): void {
    if (this.#isUp) return;
    this.#isUp = true;
    this.network.bind(proxyAt, (remote, text) => {
      this.#receive(text, {
        remote,
        reply: (response) => {
          this.network.sendDatagram(proxyAt, remote, response);
        },
      });
    });
    this.network.listen(proxyAt, (end) => {
      this.#keep(end);
    });
  }

  /**
   * Nonces and connections are gone; bindings stay, as they do in a database, and so does what was let in: to challenge an INVITE
   * again that was sent on is to make two calls of one.
   */
  stop(): void {
    this.#isUp = false;
    this.network.bind(proxyAt, undefined);
    this.network.listen(proxyAt, undefined);
    this.network.cut(proxyAt.address);
    this.#nonces.clear();
  }

  #keep(end: ConnectionEnd): void {
    this.#connections.set(nameOf(end.remote), end);
    end.onText = (text) => {
      this.#receive(text, { remote: end.remote, reply: (response) => { end.send(response); } });
    };
    end.onClosed = () => this.#connections.delete(nameOf(end.remote));
  }

  #receive(text: string, source: Source): void {
    const message = WireMessage.parse(text);
    const { method } = message;
    if (method === undefined) {
      this.#relayResponse(message);
      return;
    }
    message.set('Via', `${message.get('Via').replace(/;rport(?!=)/, `;rport=${source.remote.port}`)};received=${source.remote.address}`);
    // RFC 3261 17.2.2: what comes again is answered the same, whatever has changed meanwhile.
    const answered = this.#answered.get(`${message.branch} ${method}`);
    if (answered !== undefined) source.reply(answered);
    else if (method === 'REGISTER') this.#answer(message, source, this.#answerRegister(message));
    else this.#relayRequest(message, method, source);
  }

  #answer(message: WireMessage, source: Source, text: string): void {
    this.#answered.set(`${message.branch} ${message.method ?? ''}`, text);
    source.reply(text);
  }

  // ---- registering ----------------------------------------------------------------------------------

  #answerRegister(message: WireMessage): string {
    const { user } = uriIn(message.get('To'));
    const challenge = this.#challenge(message, 'Authorization');
    if (challenge !== undefined) return message.answer(401, ownTag, [`WWW-Authenticate: ${challenge}`]);
    const expiresS = Number(message.get('Expires'));
    if (expiresS > 0 && expiresS < leastExpiresS) return message.answer(423, ownTag, [`Min-Expires: ${leastExpiresS}`]);
    const known = this.bindings.get(user);
    const callId = message.get('Call-ID');
    // RFC 3261 10.3 step 7: out of order, nothing is changed.
    if (known?.callId === callId && message.cseq <= known.cseq) return message.answer(500, ownTag);
    const boundAtMs = this.network.clock.now();
    const expiresAtMs = boundAtMs + expiresS * 1_000;
    const uri = /<([^>]*)>/.exec(message.get('Contact'))?.[1] ?? '';
    this.bindings.set(user, { uri, callId, cseq: message.cseq, boundAtMs, expiresAtMs });
    return message.answer(200, ownTag, expiresS > 0 ? [`Contact: <${uri}>;expires=${expiresS}`] : []);
  }

  // ---- digest ---------------------------------------------------------------------------------------

  /** @returns the challenge; undefined when the request may pass */
  #challenge(message: WireMessage, header: string): string | undefined {
    const key = `${message.branch} ${message.method ?? ''}`;
    if (this.#admitted.has(key)) return undefined;
    const credentials = message.get(header);
    const field = (name: string): string => new RegExp(`\\b${name}="?([^",]*)`).exec(credentials)?.[1] ?? '';
    const nonce = field('nonce');
    const count = Number.parseInt(field('nc'), 16);
    const last = this.#nonces.get(nonce);
    const isRight = field('response') === this.#response(message.method ?? '', field);
    const isFresh = last !== undefined && count > last && this.random() >= this.settings.staleRate;
    if (isRight && isFresh) {
      this.#nonces.set(nonce, count);
      this.#admitted.add(key);
      return undefined;
    }
    this.#nonces.delete(nonce);
    this.#nextNonce += 1;
    const fresh = `n${this.#nextNonce}`;
    this.#nonces.set(fresh, 0);
    return `Digest realm="${domain}", nonce="${fresh}", qop="auth"${isRight && (last !== undefined || this.settings.knowsOldNonces) ? ', stale=true' : ''}`;
  }

  /** RFC 7616 3.4.1. */
  #response(method: string, field: (name: string) => string): string {
    const ha1 = md5(`${field('username')}:${domain}:${password}`);
    const ha2 = md5(`${method}:${field('uri')}`);
    return md5(`${ha1}:${field('nonce')}:${field('nc')}:${field('cnonce')}:auth:${ha2}`);
  }

  // ---- relaying -------------------------------------------------------------------------------------

  #relayRequest(message: WireMessage, method: string, source: Source): void {
    // RFC 3261 16.4: the route that names us has served.
    if (message.get('Route').includes(nameOf(proxyAt))) message.pop('Route');
    const answer = (status: number, headers: string[] = []): void => {
      if (method !== 'ACK') this.#answer(message, source, message.answer(status, ownTag, headers));
    };
    // The ACK of what we refused ourselves.
    if (method === 'ACK' && message.get('To').includes(`;tag=${ownTag}`)) return;
    if (this.settings.challengesCalls && (method === 'INVITE' || method === 'BYE')) {
      const challenge = this.#challenge(message, 'Proxy-Authorization');
      if (challenge !== undefined) {
        answer(407, [`Proxy-Authenticate: ${challenge}`]);
        return;
      }
    }
    if (method === 'OPTIONS' && message.uri === `sip:${domain}`) {
      answer(200);
      return;
    }
    const { user, host } = uriIn(message.uri);
    const sentTo = method === 'CANCEL' || method === 'ACK' || method === 'INVITE' ? this.#sentTo.get(message.branch) : undefined;
    if (sentTo !== undefined) message.uri = sentTo;
    else if (host === domain) {
      const binding = this.bindings.get(user);
      if (!this.#users.has(user) && binding === undefined) {
        answer(404);
        return;
      }
      if (binding === undefined || binding.expiresAtMs <= this.network.clock.now()) {
        answer(480);
        return;
      }
      message.uri = binding.uri;
    }
    const { transport, recordsRoute } = this.settings;
    if (method === 'INVITE') this.#sentTo.set(message.branch, message.uri);
    if (recordsRoute && method === 'INVITE') {
      message.push('Record-Route', `<sip:${nameOf(proxyAt)};lr;transport=${transport}>`);
    }
    // RFC 3261 16.11: the same branch for the same request, and for its CANCEL and ACK.
    message.push('Via', `SIP/2.0/${transport.toUpperCase()} ${nameOf(proxyAt)};branch=${message.branch}p`);
    const { host: address, port } = uriIn(message.uri);
    this.#send({ address, port }, message.toString());
  }

  #relayResponse(message: WireMessage): void {
    message.pop('Via');
    const via = message.get('Via');
    const address = parameter(via, 'received');
    if (address === undefined) return;
    const connection = this.#connections.get(nameOf({ address, port: Number(parameter(via, 'rport')) }));
    // RFC 3261 18.2.2: when the connection is gone, to the port of sent-by.
    if (this.settings.transport === 'tcp' && connection === undefined) {
      this.#send({ address, port: Number(/:(\d+);/.exec(via)?.[1] ?? 5060) }, message.toString());
    } else if (connection !== undefined) connection.send(message.toString());
    else this.network.sendDatagram(proxyAt, { address, port: Number(parameter(via, 'rport')) }, message.toString());
  }

  #send(to: Endpoint, text: string): void {
    if (this.settings.transport === 'udp') {
      this.network.sendDatagram(proxyAt, to, text);
      return;
    }
    const existing = [...this.#connections.values()].find(({ remote }) => nameOf(remote) === nameOf(to) || this.#isFlowOf(remote, to));
    if (existing !== undefined) {
      existing.send(text);
      return;
    }
    this.network.connect(proxyAt.address, to, (end) => {
      if (end === undefined) return;
      this.#keep(end);
      end.send(text);
    });
  }

  /** RFC 5626: over the connection that the user agent opened. */
  #isFlowOf(remote: Endpoint, contact: Endpoint): boolean {
    return remote.address === contact.address;
  }
}
