/**
 * One account's SIP.js core: its transactions and dialogs. It is made when the account first sends or is called and dropped when it
 * holds nothing any more. All that the account has of its own is in what it sends: From, Contact, the way to the next hop, credentials.
 */
import { isIP } from 'node:net';
import {
  ReInviteUserAgentServer,
  SessionDialog,
  TransactionState,
  UserAgentCore,
  type Body,
  type Dialog,
  type IncomingRequestMessage,
  type IncomingResponseMessage,
  type OutgoingRequestMessageOptions,
  type OutgoingResponse,
  type ResponseOptions,
  type URI,
} from 'sip.js/lib/core/index.js';
import { isSecured } from '../base/sip-transport.js';
import { sendKnownCredentials } from './challenges.js';
import type { ContactAddress } from './contact-addresses.js';
import { allowedMethods } from './corrections/allowed-methods.js';
import type { DigestSession } from './digest.js';
import { CountedMap } from './guards/transaction-count.js';
import type { Addressed, CallDelegate, ReceivedRequest, Sender, SentRequest, Wire } from './internals.js';
import { makeSipUri, readHostPort } from './parser/uri.js';
import { randomToken } from './random-token.js';
import { targetOf } from './redirect.js';
import { hasUsableContact } from './request-checks.js';
import { routed } from './route-set.js';
import type { StackContext } from './stack-context.js';
import { statelessTag } from './stateless-reply.js';
import { cancelKeyOf } from './transaction-key.js';
import type { Flow } from './transports/flow.js';
import type { AccountSettings, SipTransport } from './types.js';
import { asSips } from './where-we-are.js';
import { writeResponse } from './write-response.js';
import { writtenRequest } from './written-request.js';

const nobodyListens = (): void => undefined;

/** Of one INVITE of ours. */
export const mostBranches = 64;

/** RFC 3261 11.2: what an OPTIONS is told, beside Supported. */
const capabilities = [`Allow: ${allowedMethods.join(', ')}`, 'Accept: application/sdp', 'Accept-Encoding: identity', 'Accept-Language: en'];

/** SIP.js hides what its server transaction of an INVITE holds, and its end. */
interface AcceptedTransaction {
  lastProvisionalResponse: string | undefined;
  lastFinalResponse: string | undefined;
  timerL(): void;
}

/** SIP.js hides the end of its client transaction of an INVITE. */
interface AcceptedClient {
  timerM(): void;
}

/** What SIP.js's client of an INVITE holds, by dialog; that of a re-INVITE holds none. */
interface ForkedClient {
  readonly earlyDialogs: ReadonlyMap<string, unknown>;
  readonly confirmedDialogs: ReadonlyMap<string, unknown>;
}

/** SIP.js hides the tag of its server. */
interface TaggedServer {
  readonly toTag: string;
}

/** What an account lends its core. */
export interface CoreOwner {
  readonly settings: AccountSettings;
  readonly aor: URI;
  readonly branchPrefix: string;
  /** The flow that the account last used; undefined before the first. */
  readonly flow: Flow | undefined;
  digestFor(method: string): DigestSession;
  dropIdleCore(): void;
}

/** Where the account is reached now: a flow's address may change while the core lives. */
class OwnContact {
  readonly pubGruu: undefined;
  readonly tempGruu: undefined;

  /** Each request and response that makes or keeps a dialog says it. */
  #written: { readonly address: ContactAddress | undefined; readonly uri: URI; readonly text: string } | undefined;

  constructor(
    private readonly owner: CoreOwner,
    private readonly context: StackContext,
  ) {}

  get uri(): URI {
    return this.#current().uri;
  }

  toString(): string {
    return this.#current().text;
  }

  #current(): { readonly uri: URI; readonly text: string } {
    const { flow } = this.owner;
    const address = flow && this.context.contactOn(flow);
    if (this.#written === undefined || this.#written.address !== address) {
      const uri = contactUri(this.owner, this.context);
      this.#written = { address, uri, text: `<${uri.toString()}>` };
    }
    return this.#written;
  }
}

export class AccountCore extends UserAgentCore implements Sender {
  /** Whoever challenged a request in a dialog wants the next ones to have credentials too; the others are not shown any. */
  isChallengedInDialogs = false;
  /** Where each dialog's messages come from: the way of requests when no Contact is to be believed. */
  #sources: WeakMap<Dialog, Wire> | undefined;
  readonly #owner: CoreOwner;
  readonly #context: StackContext;

  constructor(owner: CoreOwner, context: StackContext) {
    super({
      aor: owner.aor,
      contact: new OwnContact(owner, context),
      displayName: owner.settings.displayName ?? '',
      loggerFactory: context.loggerFactory,
      hackViaTcp: false,
      routeSet: [],
      sipjsId: '',
      supportedOptionTags: [],
      supportedOptionTagsResponse: ['outbound', '100rel', 'timer', 'norefersub', 'replaces'],
      userAgentHeaderFieldValue: context.userAgent,
      viaForceRport: true,
      viaHost: '',
      authenticationFactory: () => undefined,
      transportAccessor: () => undefined,
    });
    this.#owner = owner;
    this.#context = context;
    this.userAgentClients = new CountedMap(context.clientTransactions);
    this.userAgentServers = new CountedMap(context.serverTransactions);
  }

  get branchPrefix(): string {
    return this.#owner.branchPrefix;
  }

  /** Our Contact is of this one; undefined before the first. */
  get flow(): Flow | undefined {
    return this.#owner.flow;
  }

  /** The account is registered: calls that began on another flow tell their far ends of it. */
  registered(): void {
    for (const dialog of this.dialogs.values()) {
      const delegate: CallDelegate | undefined = dialog instanceof SessionDialog ? dialog.delegate : undefined;
      delegate?.onRegistered?.();
    }
  }

  digestFor(method: string): DigestSession {
    return this.#owner.digestFor(method);
  }

  /** Nothing lives in it: it can be dropped. */
  get isIdle(): boolean {
    return this.userAgentClients.size === 0 && this.userAgentServers.size === 0 && this.dialogs.size === 0;
  }

  transactionEnded(): void {
    if (this.isIdle) this.#owner.dropIdleCore();
  }

  override makeOutgoingRequestMessage(
    method: string,
    requestUri: URI,
    from: URI,
    to: URI,
    { callId = randomToken(12), cseq = 1, fromTag = randomToken(8), toTag, fromDisplayName = this.configuration.displayName, routeSet = [] }: OutgoingRequestMessageOptions,
    extraHeaders: string[] = [],
    body?: Body,
  ): SentRequest {
    // RFC 3261 8.1.1.4, 19.3: nobody can guess Call-ID and tag.
    const { flow } = this.#owner;
    const { target, routeSet: routes, nextHop } = routed(requestUri, routeSet);
    const isOfSips = requestUri.scheme === 'sips' || nextHop?.scheme === 'sips';
    const message = writtenRequest(this, {
      method,
      target,
      from: { uri: from, displayName: fromDisplayName, tag: fromTag },
      to: { uri: to, tag: toTag },
      callId,
      cseq,
      routeSet: routes,
      nextHop,
      viaHost: flow === undefined ? '' : this.#context.contactOn(flow).hostPort,
      userAgent: this.#context.userAgent,
      lines: isOfSips && isSecured(flow?.transport) ? asSips(extraHeaders) : extraHeaders,
      body,
    });
    // RFC 3261 22.1, 13.2.2.4: nobody challenges a CANCEL; an ACK has the credentials of its INVITE.
    if (this.isChallengedInDialogs && toTag && method !== 'ACK' && method !== 'CANCEL') sendKnownCredentials(message);
    return message;
  }

  override receiveIncomingRequestFromTransport(message: IncomingRequestMessage): void {
    // RFC 3261 12.2.2: a request in a dialog refreshes its target if it has a Contact; SIP.js wants one of every INVITE.
    if (message.method === 'INVITE' && message.toTag && !hasUsableContact(message)) {
      const target = this.dialogs.get(message.callId + message.toTag + message.fromTag)?.remoteTarget;
      if (target !== undefined) message.setHeader('contact', `<${target.toString()}>`);
    }
    // RFC 6026 7.1: an ACK with the branch of its accepted INVITE is for the dialog; SIP.js drops it.
    if (message.method === 'ACK' && this.userAgentServers.get(message.viaBranch)?.transaction.state === TransactionState.Accepted) {
      message.viaBranch += ' ACK';
    }
    if (this.#refusesAccepted(message)) return;
    super.receiveIncomingRequestFromTransport(message);
    // RFC 3261 9.2: a re-INVITE is cancelled as any INVITE; SIP.js answers the CANCEL and does nothing.
    const uas = message.method === 'CANCEL' ? this.userAgentServers.get(message.viaBranch) : undefined;
    if (uas instanceof ReInviteUserAgentServer && uas.transaction.state === TransactionState.Proceeding) uas.receiveCancel(message);
  }

  /** @returns whether it was for a call that is answered and acknowledged, and has its reply */
  #refusesAccepted(message: IncomingRequestMessage): boolean {
    const { acceptedInvites } = this.#context;
    // RFC 3261 9.2: a CANCEL has no effect on what is answered; 8.2.2.2: the same request came by another way.
    if (message.method === 'CANCEL' && acceptedInvites.has(message.viaBranch)) this.replyStateless(message, { statusCode: 200 });
    else if (message.method === 'INVITE' && !message.toTag && acceptedInvites.isMerged(this.branchPrefix, message)) this.replyStateless(message, { statusCode: 482 });
    else return false;
    return true;
  }

  /** A 1xx or 2xx to INVITE would make a dialog more than any fork has branches. */
  isOneBranchTooMany({ viaBranch, method, callId, fromTag, toTag, statusCode = 0 }: IncomingResponseMessage): boolean {
    if (method !== 'INVITE' || statusCode === 100 || statusCode >= 300 || !toTag) return false;
    const { earlyDialogs, confirmedDialogs } = this.userAgentClients.get(viaBranch + method) as unknown as Partial<ForkedClient>; // SIP.js hides them
    if (earlyDialogs === undefined || confirmedDialogs === undefined || earlyDialogs.size + confirmedDialogs.size < mostBranches) return false;
    const id = callId + fromTag + toTag;
    return !earlyDialogs.has(id) && !confirmedDialogs.has(id);
  }

  /** The ACK of our 2xx has come: of the transaction of its INVITE no more is kept than that it was. */
  acknowledged(invite: IncomingRequestMessage): void {
    const server = this.userAgentServers.get(invite.viaBranch);
    if (server === undefined || !this.#context.acceptedInvites.add(this.branchPrefix, invite)) return;
    const transaction = server.transaction as unknown as AcceptedTransaction; // the same object, seen with its private parts
    transaction.timerL();
    transaction.lastProvisionalResponse = undefined;
    transaction.lastFinalResponse = undefined;
  }

  /** Of the client transaction of an INVITE nothing more is wanted: its 2xx is acknowledged, and the ACK is kept elsewhere. */
  endAccepted(branch: string): void {
    const transaction = this.userAgentClients.get(`${branch}INVITE`)?.transaction as unknown as AcceptedClient | undefined; // seen with its private parts
    transaction?.timerM();
  }

  /** A reply that the core makes without a transaction. */
  override replyStateless(message: IncomingRequestMessage, options: ResponseOptions): OutgoingResponse {
    const { supportedOptionTagsResponse: supported } = this.configuration;
    const { method, viaBranch, toTag } = message;
    const isCapable = method === 'OPTIONS' && options.statusCode === 200;
    const response = {
      message: writeResponse(message, {
        ...options,
        ...(isCapable ? { extraHeaders: capabilities } : {}),
        toTag: this.tagOf(message),
        userAgent: this.#context.userAgent,
        supported,
      }),
    };
    // RFC 3261 17: an ACK is never answered.
    if (method === 'ACK') return response;
    // What changed something is answered the same way when it comes again over UDP (timer J); the rest is worked out anew (8.2.7).
    const key = method === 'CANCEL' ? cancelKeyOf(viaBranch) : toTag ? viaBranch : undefined;
    (message as ReceivedRequest).wire.sendResponse(response.message, key, options.statusCode, method === 'INVITE', nobodyListens);
    return response;
  }

  /** Our tag in responses. RFC 3261 9.2: a CANCEL is answered with that of its INVITE; 8.2.7: the same request without a transaction gets the same tag. */
  tagOf(message: IncomingRequestMessage): string {
    const server: unknown = this.userAgentServers.get(message.viaBranch);
    return (server as TaggedServer | undefined)?.toTag ?? statelessTag(message.callId);
  }

  /** Where the messages of a dialog come from. */
  noteSource(dialogId: string, wire: Wire | undefined): void {
    if (!this.#context.ignoresContact) return;
    const dialog = this.dialogs.get(dialogId);
    if (dialog !== undefined && wire !== undefined) (this.#sources ??= new WeakMap()).set(dialog, wire);
  }

  /** Drops a client that will get no final response; SIP.js drops those alone that end by themselves. */
  forgetClient(client: unknown): void {
    for (const [id, known] of this.userAgentClients) {
      if (known !== client) continue;
      this.userAgentClients.delete(id);
      known.dispose();
    }
  }

  wireFor(message: Addressed): Wire {
    if (message.toTag === undefined || message.toTag === '') return this.#registrarWire();
    const { transport } = targetOf(this.#owner, this.#context);
    if (transport === 'ws' || transport === 'wss') return this.#registrarWire();
    if (message.getHeader('route') === undefined && this.#context.ignoresContact) {
      const dialog = this.dialogs.get(message.callId + message.fromTag + message.toTag);
      return (dialog && this.#sources?.get(dialog)) ?? this.#registrarWire();
    }
    const { nextHop } = message;
    // A `tel:` names no host: the registrar knows where it is (RFC 3261 19.1.6).
    return nextHop === undefined || nextHop.host === '' ? this.#registrarWire() : this.#wireToHop(nextHop);
  }

  #registrarWire(): Wire {
    const target = targetOf(this.#owner, this.#context);
    const flow = this.#context.existingFlow(target);
    return flow === undefined ? this.#context.wireTo(target) : this.#context.wireOver(flow);
  }

  /** RFC 3263 4: its `maddr` before its host; the transport that it names, else what NAPTR says of a name without a port, else UDP. */
  #wireToHop(hop: URI): Wire {
    const target = targetOf(this.#owner, this.#context);
    const secure = hop.scheme === 'sips';
    const named = hop.getParam('transport')?.toLowerCase();
    const transport: SipTransport = named === 'tls' || secure ? 'tls' : named === 'tcp' ? 'tcp' : 'udp';
    const maddr = hop.getParam('maddr') ?? '';
    const host = (readHostPort(maddr, 0, maddr.length)?.host ?? hop.host).replace(/^\[|\]$/g, '');
    const port = hop.port ?? (transport === 'tls' ? 5061 : 5060);
    const flow = this.#owner.flow;
    if (flow?.isOpen === true && port === flow.remote.port && host === flow.remote.address) return this.#context.wireOver(flow);
    if (port === (flow?.remote.port ?? target.port) && host === target.host.toLowerCase()) return this.#registrarWire();
    if (isIP(host) !== 0) return this.#context.wireTo({ transport, host, port });
    const isTransportOpen = hop.port === undefined && named === undefined && !secure;
    return this.#context.wireTo({ transport, host, port: hop.port ?? 0, ...(isTransportOpen ? { isTransportOpen } : {}) });
  }
}

/** `sip:<token>@<where we are on that flow>`; before the first flow there is nothing to be reached at. */
export function contactUri(owner: CoreOwner, context: StackContext): URI {
  const address: ContactAddress | undefined = owner.flow && context.contactOn(owner.flow);
  return makeSipUri({
    user: owner.settings.token,
    host: address?.host ?? 'unreachable.invalid',
    port: address?.port,
    parameters: { transport: address?.transport ?? owner.settings.target.transport },
  });
}
