/**
 * An embedded registrar and proxy for the demo and the specs only: one process, users in memory, no TLS, no forking.
 * A real installation points `sip_host` at its own PBX or at a registrar such as Kamailio. The playground is the
 * independent other side: it shares no SIP code with the extension.
 *
 * This file is its core: what arrives is parsed, marked with where it came from, answered by the registrar or sent on by
 * the proxy. What is not SIP is dropped without an answer.
 */
import { createHash, randomBytes } from 'node:crypto';
import { systemClock, type Clock } from '../../base/clock.js';
import { ExtensionError, messageOf } from '../../base/errors.js';
import { DigestGate } from './digest.js';
import { openListeners, type Flow, type Listeners, type Transport } from './listeners.js';
import { Location } from './location.js';
import { PlaygroundProxy } from './proxy.js';
import { PlaygroundRegistrar, userOf, type Answer } from './registrar.js';
import {
  cseqOf,
  formatSip,
  formatVia,
  headerOf,
  parameterOf,
  parseSip,
  parseUri,
  parseVia,
  replyTo,
  tagOf,
  type RequestText,
  type SipText,
} from './sip-text.js';
import { largestMessage } from './stream-framing.js';

export interface PlaygroundOptions {
  /** The address to listen on; default 127.0.0.1. */
  host?: string;
  /** 0, the default: any free port. */
  udpPort?: number;
  /** Default: the number that UDP has. 0: any free port. */
  tcpPort?: number;
  /** 0, the default: any free port. */
  wsPort?: number;
  /** The host of the AORs and the digest realm; default `host`. */
  domain?: string;
  /** Undefined: there is no such user. */
  passwordOf(user: string): string | undefined;
  /** Seconds; default 10. */
  minExpires?: number;
  /** Seconds; default 3600. */
  maxExpires?: number;
  /** Seconds until a nonce is stale; default 300. */
  nonceLifetime?: number;
  /** Default true: an INVITE from a user of ours is asked for its password (407). */
  challengeInvites?: boolean;
  /** Numbers beside the users' names: `600` rings the user it names. */
  numbers?: Readonly<Record<string, string>>;
  /** Default false: only dialogs with a WebSocket end stay on the way through here. */
  recordRoute?: boolean;
  /** Told of each message as it comes and goes. */
  onMessage?(message: PlaygroundMessage): void;
  clock?: Clock;
}

/** One message as the playground saw it, without anything secret. */
export interface PlaygroundMessage {
  direction: 'in' | 'out';
  transport: Transport;
  /** `address:port` of the other end. */
  peer: string;
  /** A response's is that of its CSeq. */
  method: string;
  /** Absent in requests. */
  status?: number;
  phrase?: string;
  callId: string;
  sequence: number;
  fromUser?: string;
  toUser?: string;
}

export interface PlaygroundBinding {
  /** `sip:user@domain` */
  aor: string;
  /** The Contact URI. */
  contact: string;
  expiresAt: Date;
  transport: Transport;
}

export interface Playground {
  readonly host: string;
  readonly udpPort: number;
  readonly tcpPort: number;
  readonly wsPort: number;
  bindings(): PlaygroundBinding[];
  /** Drops all bindings, as a registrar that was restarted. */
  forget(): void;
  stop(): Promise<void>;
}

/** How long and how many replies are kept for retransmitted REGISTERs: Timer J, 64*T1. */
const replyLifetimeMs = 32_000;
const repliesKept = 4_096;

/** @throws ExtensionError `SIP_TRANSPORT` when a port cannot be opened; its cause is the system's error */
export async function startPlayground(options: PlaygroundOptions): Promise<Playground> {
  const core = new Core(options);
  await core.open();
  return core;
}

class Core implements Playground {
  readonly host: string;
  readonly #domain: string;
  readonly #clock: Clock;
  readonly #location: Location;
  readonly #gate: DigestGate;
  readonly #registrar: PlaygroundRegistrar;
  /** Marks the To-tags of our own replies, so that the ACK of one is recognised without remembering it. */
  readonly #tagPrefix = `pg${randomBytes(4).toString('hex')}`;
  readonly #replies = new Map<string, { reply: SipText; at: number }>();
  #open: { listeners: Listeners; proxy: PlaygroundProxy } | undefined;

  constructor(private readonly options: PlaygroundOptions) {
    this.host = options.host ?? '127.0.0.1';
    this.#domain = options.domain ?? this.host;
    this.#clock = options.clock ?? systemClock;
    const passwordOf = (user: string): string | undefined => options.passwordOf(user);
    this.#location = new Location(this.#clock);
    this.#gate = new DigestGate(this.#domain, this.#clock, (options.nonceLifetime ?? 300) * 1_000, passwordOf);
    const limits = { min: options.minExpires ?? 10, max: options.maxExpires ?? 3_600 };
    this.#registrar = new PlaygroundRegistrar(this.#location, this.#gate, limits, this.#clock, passwordOf);
  }

  async open(): Promise<void> {
    const { options } = this;
    const ports = { udp: options.udpPort ?? 0, tcp: options.tcpPort, ws: options.wsPort ?? 0 };
    const events = {
      received: (flow: Flow, bytes: Buffer) => {
        this.#receive(flow, bytes);
      },
      closed: (flow: Flow) => {
        this.#location.dropConnection(flow.connection);
      },
    };
    const listeners = await openListeners(this.host, ports, events).catch((thrown: unknown) => {
      throw new ExtensionError('SIP_TRANSPORT', `The playground registrar cannot listen: ${messageOf(thrown)}.`, { cause: thrown });
    });
    const rules = {
      domain: this.#domain,
      host: this.host,
      challengeInvites: options.challengeInvites ?? true,
      recordRoute: options.recordRoute ?? false,
      numbers: options.numbers ?? {},
      passwordOf: (user: string) => options.passwordOf(user),
    };
    this.#open = { listeners, proxy: new PlaygroundProxy(rules, this.#location, this.#gate, listeners) };
  }

  get udpPort(): number {
    return this.#open?.listeners.ports.udp ?? 0;
  }

  get tcpPort(): number {
    return this.#open?.listeners.ports.tcp ?? 0;
  }

  get wsPort(): number {
    return this.#open?.listeners.ports.ws ?? 0;
  }

  bindings(): PlaygroundBinding[] {
    const now = this.#clock.now();
    return this.#location.all().map((binding) => ({
      aor: `sip:${binding.user}@${this.#domain}`,
      contact: binding.contact,
      expiresAt: new Date(this.#clock.date().getTime() + binding.expiresAt - now),
      transport: binding.flow.transport,
    }));
  }

  forget(): void {
    this.#location.clear();
  }

  async stop(): Promise<void> {
    const listeners = this.#open?.listeners;
    this.#open = undefined;
    await listeners?.close();
  }

  #receive(flow: Flow, bytes: Buffer): void {
    const message = bytes.length > largestMessage ? undefined : parseSip(bytes);
    const proxy = this.#open?.proxy;
    if (message === undefined || proxy === undefined) return;
    if (message.kind === 'request') {
      const transaction = stampVia(message, flow);
      if (transaction === undefined) return;
      this.#tell('in', flow, message);
      this.#serve(proxy, message, flow, transaction);
      return;
    }
    this.#tell('in', flow, message);
    const back = proxy.routeBack(message);
    if (back !== undefined) this.#send(back.flow, back.response);
  }

  #serve(proxy: PlaygroundProxy, request: RequestText, flow: Flow, transaction: string): void {
    // The ACK of a refusal that we gave ourselves ends here.
    if (request.method === 'ACK' && tagOf(headerOf(request, 'to'))?.startsWith(this.#tagPrefix) === true) return;
    if (request.method === 'REGISTER' && proxy.isOurs(parseUri(request.uri))) {
      this.#register(request, flow, transaction);
      return;
    }
    const onward = proxy.route(request, flow, transaction);
    if ('flow' in onward) this.#send(onward.flow, onward.request);
    else if (request.method !== 'ACK') this.#send(flow, this.#reply(request, transaction, onward.answer));
  }

  /** A retransmission gets the reply of its first copy: the same nonce count would be a replay otherwise. */
  #register(request: RequestText, flow: Flow, transaction: string): void {
    const now = this.#clock.now();
    for (const [key, { at }] of this.#replies) {
      if (now - at < replyLifetimeMs && this.#replies.size < repliesKept) break;
      this.#replies.delete(key);
    }
    const known = this.#replies.get(transaction)?.reply;
    const reply = known ?? this.#reply(request, transaction, this.#registrar.register(request, flow, transaction));
    if (known === undefined) this.#replies.set(transaction, { reply, at: now });
    this.#send(flow, reply);
  }

  #reply(request: RequestText, transaction: string, answer: Answer): SipText {
    const toTag = this.#tagPrefix + createHash('sha256').update(transaction).digest('hex').slice(0, 12);
    const headers = [...(answer.headers ?? []), { name: 'Server', value: 'playground (demo and specs only)' }];
    return replyTo(request, answer.status, answer.phrase, { toTag, headers });
  }

  #send(flow: Flow, message: SipText): void {
    this.#tell('out', flow, message);
    flow.send(formatSip(message));
  }

  #tell(direction: 'in' | 'out', flow: Flow, message: SipText): void {
    const sequence = cseqOf(message);
    this.options.onMessage?.({
      direction,
      transport: flow.transport,
      peer: `${flow.address}:${flow.port}`,
      method: sequence?.method ?? '',
      ...(message.kind === 'response' ? { status: message.status, phrase: message.phrase } : {}),
      callId: headerOf(message, 'call-id') ?? '',
      sequence: sequence?.number ?? 0,
      fromUser: userOf(headerOf(message, 'from')),
      toUser: userOf(headerOf(message, 'to')),
    });
  }
}

/**
 * Writes into the topmost Via where the request really came from (RFC 3261 section 18.2.1, RFC 3581 section 4).
 * @returns the name of its transaction (branch and sent-by; the method apart from ACK and CANCEL, which share their
 *   INVITE's), undefined when there is no usable Via
 */
function stampVia(request: RequestText, flow: Flow): string | undefined {
  const top = request.headers.find((header) => header.name.toLowerCase() === 'via');
  const via = top === undefined ? undefined : parseVia(top.value);
  const branch = via === undefined ? undefined : parameterOf(via.parameters, 'branch');
  if (top === undefined || via === undefined || branch === undefined) return undefined;
  const wantsPort = via.parameters.some(([name]) => name.toLowerCase() === 'rport');
  via.parameters = via.parameters.filter(([name]) => !['received', 'rport'].includes(name.toLowerCase()));
  if (wantsPort) via.parameters.push(['rport', String(flow.port)]);
  if (wantsPort || via.host !== flow.address) via.parameters.push(['received', flow.address]);
  top.value = formatVia(via);
  const method = request.method === 'ACK' || request.method === 'CANCEL' ? 'INVITE' : request.method;
  return `${branch}|${via.host}:${via.port ?? ''}|${method}`;
}
