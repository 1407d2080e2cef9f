/**
 * The SIP stack: flows below, accounts with their SIP.js cores above, and between them the way of each message: parsed, checked, given
 * to the account it is for. Whatever goes wrong with one message stays with that message.
 */
import { LoggerFactory, type IncomingRequestMessage } from 'sip.js/lib/core/index.js';
import type { Clock, Timer } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import { second } from '../base/units.js';
import { Account, type AccountOwner } from './account.js';
import { Accounts } from './accounts.js';
import type { AccountCore, CoreOwner } from './account-core.js';
import { ContactAddresses } from './contact-addresses.js';
import { installCorrections } from './corrections/index.js';
import { accountFor, knows } from './demux.js';
import { DropReport, type DropKind } from './guards/drops.js';
import { FlowProbes, writeQuestion } from './guards/flow-probes.js';
import { StrangerLimit } from './guards/stranger-limit.js';
import { mostTransactions, TransactionCount } from './guards/transaction-count.js';
import { InvitingCall } from './incoming-call.js';
import { Interned } from './interned.js';
import type { ReceivedRequest, Wire } from './internals.js';
import { KnownSources } from './known-sources.js';
import { isParseFault, type ParseFault } from './parser/fault.js';
import { installGrammar } from './parser/grammar.js';
import { ParsedResponse, type ParsedRequest, type RawHeader } from './parser/message.js';
import { parseMessage } from './parser/parse-message.js';
import { toNameAddress, parseNameAddress } from './parser/uri.js';
import type { ViaValue } from './parser/via.js';
import { randomToken } from './random-token.js';
import { refusalOf } from './request-checks.js';
import { Retransmission } from './retransmission.js';
import type { StackContext } from './stack-context.js';
import { statelessReply, replyToFault } from './stateless-reply.js';
import { cancelKeyOf, transactionKey } from './transaction-key.js';
import { FlowTable, keepAliveMs, type FlowTableSettings } from './transports/flow-table.js';
import type { Endpoint, Flow, FlowEvents, Flows } from './transports/flow.js';
import type { AccountSettings, NameAddress, SipAccount, SipStack, SipStackEvents, SipStackUsage, SipTarget, SipWireTap } from './types.js';
import { markVia, responseEndpoint } from './via-marks.js';
import { FlowWire, PendingWire, WireBack } from './wires.js';

export interface SipStackSettings {
  readonly flows: FlowTableSettings;
  readonly advertisedHost?: string;
  /** Addresses or CIDRs whose requests are taken, beside the registrars'. */
  readonly trusted: readonly string[];
  /** `dialog-ignore-contact-field` */
  readonly ignoresContact: boolean;
  /** Client transactions and server transactions held at once, of all accounts. Default 50,000 of each. */
  readonly maxTransactions?: number;
  /** `User-Agent` and `Server`. */
  readonly userAgent: string;
}

export interface SipStackDependencies {
  readonly clock: Clock;
  readonly events: SipStackEvents;
  readonly tap?: SipWireTap;
  /** For what is wrong on the wire and harms one message: the sentence quotes nothing that could be a secret. */
  readonly log: { debug(message: string): void; warn(message: string): void };
  /** Counts what is dropped. */
  readonly metrics?: { dropped(kind: DropKind): void };
  /** Where flows come from; real sockets when absent. */
  readonly openFlows?: (settings: FlowTableSettings, events: FlowEvents, clock: Clock) => Promise<Flows>;
}

/** How often cores that hold nothing any more are dropped. */
const coreSweepMs = second / 2;
/** When there are too many transactions, seconds. */
const overloadRetryS = 5;
const nobodyListens = (): void => undefined;

/** Binds the sockets. Rejects with SIP_TRANSPORT or CONFIG_INVALID. */
export async function openSipStack(settings: SipStackSettings, dependencies: SipStackDependencies): Promise<SipStack> {
  installGrammar();
  installCorrections();
  return Stack.open(settings, dependencies);
}

class Stack implements SipStack, AccountOwner {
  /** Another after a restart, when CSeq begins anew (RFC 3261 10.3). */
  readonly registerCallIdPrefix = `${randomToken(12)}.`;
  readonly clock: Clock;
  readonly userAgent: string;
  readonly ignoresContact: boolean;
  readonly loggerFactory = new LoggerFactory();
  readonly clientTransactions: TransactionCount;
  readonly serverTransactions: TransactionCount;
  readonly #accounts = new Accounts();
  readonly drops: DropReport;
  readonly #sources: KnownSources;
  readonly #strangers: StrangerLimit;
  readonly #probes: FlowProbes;
  readonly #contacts: ContactAddresses;
  readonly #retransmission: Retransmission;
  readonly #wires = new WeakMap<Flow, FlowWire>();
  readonly #targets = new Interned<SipTarget>();
  #nextAccountId = 1;
  #sweep: Timer | undefined;

  static async open(settings: SipStackSettings, dependencies: SipStackDependencies): Promise<Stack> {
    // The first datagram may be here before the stack is.
    const receiver: { stack?: Stack } = {};
    const openFlows = dependencies.openFlows ?? FlowTable.open.bind(FlowTable);
    const flows = await openFlows(
      settings.flows,
      {
        onMessage: (flow, bytes) => receiver.stack?.receive(flow, bytes),
        onClosed: (flow, why) => receiver.stack?.flowClosed(flow, why),
        onFault: (error) => {
          dependencies.log.warn(error.message);
        },
        onDropped: (kind, address, why) => receiver.stack?.drops.note(kind, address, why),
      },
      dependencies.clock,
    );
    receiver.stack = new Stack(settings, dependencies, flows);
    return receiver.stack;
  }

  private constructor(
    settings: SipStackSettings,
    private readonly dependencies: SipStackDependencies,
    private readonly flows: Flows,
  ) {
    this.clock = dependencies.clock;
    this.userAgent = settings.userAgent;
    this.ignoresContact = settings.ignoresContact;
    this.#sources = new KnownSources(settings.trusted);
    this.clientTransactions = new TransactionCount(settings.maxTransactions ?? mostTransactions);
    this.serverTransactions = new TransactionCount(settings.maxTransactions ?? mostTransactions);
    this.#strangers = new StrangerLimit(dependencies.clock);
    this.#probes = new FlowProbes(dependencies.clock, {
      intervalMs: settings.flows.keepAliveMs ?? keepAliveMs,
      ask: (flow, question) => {
        const text = writeQuestion(question, this.contactOn(flow).hostPort, this.userAgent);
        this.#retransmission.sendOnce(flow, text, nobodyListens);
      },
      lost: (flow, why) => {
        this.#lost(why, (account) => account.flow?.transport === 'udp' && isSameEndpoint(account.flow.remote, flow.remote));
      },
    });
    this.drops = new DropReport(dependencies.clock, dependencies.log, (kind) => dependencies.metrics?.dropped(kind));
    this.#contacts = new ContactAddresses(flows.localPorts, settings.advertisedHost);
    this.#retransmission = new Retransmission(dependencies.clock, (flow, text, onError) => {
      dependencies.tap?.onMessage('out', flow.transport, `${flow.remote.address}:${String(flow.remote.port)}`, text);
      flow.send(text, onError);
    });
    this.loggerFactory.builtinEnabled = false;
  }

  // ---- SipStack -------------------------------------------------------------------------------------

  get listening(): readonly string[] {
    return this.flows.listening;
  }

  addAccount(settings: AccountSettings): SipAccount {
    const own = { ...settings, target: this.#targets.of(settings.target) };
    const account = new Account(this.#nextAccountId, own, this);
    this.#accounts.add(account);
    this.#nextAccountId += 1;
    return account;
  }

  usage(): SipStackUsage {
    let transactions = 0;
    let dialogs = 0;
    for (const { existingCore: core } of this.#accounts.active.values()) {
      if (core === undefined) continue;
      transactions += core.userAgentClients.size + core.userAgentServers.size;
      dialogs += core.dialogs.size;
    }
    const { size: retransmissions } = this.#retransmission;
    return { accounts: this.#accounts.size, cores: this.#accounts.active.size, transactions, dialogs, retransmissions };
  }

  async close(): Promise<void> {
    this.#sweep?.cancel();
    for (const account of this.#accounts.active.values()) {
      account.disposeCore();
      this.#accounts.rest(account);
    }
    this.#retransmission.close();
    this.drops.close();
    this.#probes.close();
    await this.flows.close();
  }

  // ---- AccountOwner ----------------------------------------------------------------------------------

  hasCore(account: Account): void {
    this.#accounts.activate(account);
    this.#sweep ??= this.clock.after(coreSweepMs, this.#dropIdleCores);
  }

  removeAccount(account: Account): void {
    this.#accounts.hide(account);
    if (account.existingCore === undefined) account.flow = undefined;
  }

  // ---- StackContext -----------------------------------------------------------------------------------

  existingFlow(target: SipTarget): Flow | undefined {
    return this.flows.existing(target);
  }

  openFlow(target: SipTarget): Promise<Flow> {
    return this.flows.to(target);
  }

  moveAccount({ settings }: CoreOwner, from: Flow | undefined, to: Flow | undefined): void {
    if (to !== undefined) {
      this.#sources.addUse(to.remote.address);
      this.#probes.use(to, settings.domain);
    }
    if (from !== undefined) {
      this.#sources.removeUse(from.remote.address);
      this.#probes.leave(from);
    }
  }

  wireOver(flow: Flow): FlowWire {
    let wire = this.#wires.get(flow);
    if (wire === undefined) {
      wire = new FlowWire(flow, this.#retransmission);
      this.#wires.set(flow, wire);
    }
    return wire;
  }

  wireTo(target: SipTarget): Wire {
    const flow = this.flows.existing(target);
    if (flow !== undefined) return this.wireOver(flow);
    return new PendingWire(
      this.flows.transportOf?.(target) ?? target.transport,
      this.flows.to(target).then((opened) => this.wireOver(opened)),
    );
  }

  passOver(flow: Flow, leastMs?: number): void {
    this.flows.passOver?.(flow, leastMs);
  }

  contactOn(flow: Flow): ReturnType<StackContext['contactOn']> {
    return this.#contacts.of(flow);
  }

  learnContact(flow: Flow, received: string | undefined, rport: number | undefined): boolean {
    return this.#contacts.learn(flow, received, rport);
  }

  // ---- from the wire ------------------------------------------------------------------------------------

  receive(flow: Flow, bytes: Buffer): void {
    const { tap } = this.dependencies;
    const { address } = flow.remote;
    const isKnown = this.#sources.has(address);
    if (!isKnown && !this.#strangers.admits(address)) {
      this.drops.note('flood', address);
      return;
    }
    const peer = `${address}:${String(flow.remote.port)}`;
    try {
      const message = parseMessage(bytes);
      if (isParseFault(message)) {
        tap?.onMessage('in', flow.transport, peer, bytes.toString('latin1'));
        this.#receiveFault(flow, message, isKnown);
        return;
      }
      tap?.onMessage('in', flow.transport, peer, message.data);
      if (!flow.isReliable) this.#probes.heard(flow);
      const isOurs = message instanceof ParsedResponse ? this.#receiveResponse(flow, message) : this.#receiveRequest(flow, message, isKnown);
      if (!isKnown && isOurs) this.#strangers.giveBack(address);
    } catch (thrown) {
      const why = messageOf(thrown);
      if (this.drops.note('failed', address, why)) {
        this.dependencies.log.warn(`A message from ${peer} over ${flow.transport} could not be handled: ${why}`);
      }
    }
  }

  flowClosed(flow: Flow, why: string): void {
    this.#lost(why, (account) => account.flow === flow);
  }

  #lost(why: string, isOver: (account: Account) => boolean): void {
    const lost: Account[] = [];
    for (const account of this.#accounts) if (isOver(account)) lost.push(account);
    if (lost.length > 0) this.dependencies.events.onFlowLost(lost, why);
  }

  #receiveFault(flow: Flow, fault: ParseFault, isKnown: boolean): void {
    this.drops.note('unparsable', flow.remote.address, fault.fault);
    const reply = isKnown ? replyToFault(fault) : undefined;
    if (reply !== undefined) this.#retransmission.sendOnce(flow, reply, nobodyListens);
  }

  /** @returns whether a request of ours waited for it */
  #receiveResponse(flow: Flow, message: ParsedResponse): boolean {
    const status = message.statusCode ?? 0;
    const key = message.viaBranch + message.method;
    const wire = this.#wires.get(flow);
    if (wire !== undefined) wire.responses += 1;
    if (!flow.isReliable && !this.#retransmission.receiveResponse(key, status)) return true;
    const core = this.#accounts.byBranch(message.viaBranch)?.existingCore;
    if (core?.userAgentClients.has(key) !== true) {
      if (this.#probes.isAnswer(flow, message.viaBranch)) return true;
      this.drops.note('unmatched', flow.remote.address);
      return false;
    }
    core.receiveIncomingResponseFromTransport(message);
    return true;
  }

  /** @returns whether it is for us to handle */
  #receiveRequest(flow: Flow, message: ParsedRequest, isKnownSource: boolean): boolean {
    const { method } = message;
    const via = message.parseHeader('via') as ViaValue;
    // SIP.js looks transactions up by this field alone.
    message.viaBranch = transactionKey(message, via);

    const account = accountFor(message, this.#accounts, this.ignoresContact);
    const isKnown = isKnownSource || this.#retransmission.hasAnswered(message.viaBranch) || (account !== undefined && knows(account, message));
    if (!isKnown) {
      // Scanners get silence (behaviour 23).
      this.drops.note('stranger', flow.remote.address);
      return false;
    }
    const repeatKey = method === 'CANCEL' ? cancelKeyOf(message.viaBranch) : message.viaBranch;
    if (!flow.isReliable && !this.#retransmission.receiveRequest(repeatKey, method)) return true;

    const [top] = message.headers.Via as RawHeader[];
    if (top === undefined) return true;
    const wire = this.#wireBack(flow, top, via, account);
    message.headers.Via = [markVia(top, via, flow.remote), ...(message.headers.Via ?? []).slice(1)];
    const request: ReceivedRequest = Object.assign(message, { wire });
    if (account === undefined) {
      // RFC 3261 9.2, 12.2.2: nothing is known of what it belongs to.
      this.#refuseStateless(request, method === 'CANCEL' || message.toTag ? 481 : 404);
      return true;
    }
    if (this.serverTransactions.isFull && isNew(message, account)) {
      // RFC 3261 21.5.4: "may indicate when the client should retry the request in a Retry-After header field".
      this.drops.note('overload', flow.remote.address);
      this.#refuseStateless(request, 503, [`Retry-After: ${String(overloadRetryS)}`]);
      return true;
    }
    // Before it ever sent, an account is where its first caller found it.
    account.flow ??= flow;
    this.#deliver(account, request);
    return true;
  }

  /** RFC 3261 18.2.2: over a connection as the request came, or a new one to its sender; over UDP as Via says. */
  #wireBack(flow: Flow, top: RawHeader, via: ViaValue, account: Account | undefined): Wire {
    if (flow.isReliable) {
      // A registrar is found by its own name and handshake, which its address does not tell.
      const registrar = account !== undefined && this.flows.existing(account.settings.target) === flow ? account.settings.target : undefined;
      return new WireBack(this.wireOver(flow), () => (registrar === undefined ? this.#wireToSender(flow, via) : this.wireTo(registrar)));
    }
    const endpoint = responseEndpoint(top, via, flow.remote);
    if (endpoint.port === flow.remote.port) return this.wireOver(flow);
    return this.wireTo({ transport: 'udp', host: endpoint.address, port: endpoint.port });
  }

  /** Nobody connects to a WebSocket client. */
  #wireToSender(flow: Flow, via: ViaValue): Wire {
    const { transport, remote } = flow;
    if (transport !== 'tcp' && transport !== 'tls') return this.wireOver(flow);
    return this.wireTo({ transport, host: remote.address, port: via.port ?? (transport === 'tls' ? 5061 : 5060) });
  }

  #deliver(account: Account, request: ReceivedRequest): void {
    const refusal = request.method === 'ACK' ? undefined : refusalOf(request);
    if (refusal !== undefined) {
      this.#refuseStateless(request, refusal.status, refusal.headers);
      return;
    }
    const requestUri = requestUriOf(request);
    const { core } = account;
    // The account is found; SIP.js would refuse a Request-URI that is neither the AOR's user nor the Contact's with 404.
    request.ruri = core.configuration.contact.uri;
    core.delegate = {
      onInvite: (uas) => {
        this.#invited(account, core, uas, requestUri, request.wire);
      },
    };
    core.receiveIncomingRequestFromTransport(request);
  }

  #invited(account: Account, core: AccountCore, uas: InvitingUas, requestUri: NameAddress, wire: Wire): void {
    const noteSource = (dialogId: string, source: Wire | undefined): void => {
      core.noteSource(dialogId, source);
    };
    const call = new InvitingCall(account, uas, requestUri, noteSource, wire, this.clock);
    try {
      this.dependencies.events.onInvite(call);
    } catch (thrown) {
      call.reject(500);
      throw thrown;
    }
  }

  #refuseStateless(request: ReceivedRequest, status: number, extraHeaders: readonly string[] = []): void {
    if (request.method === 'ACK') return;
    const text = statelessReply(request, status, this.userAgent, extraHeaders);
    request.wire.sendResponse(text, undefined, status, request.method === 'INVITE', nobodyListens);
  }

  readonly #dropIdleCores = (): void => {
    this.#sweep = undefined;
    for (const account of this.#accounts.active.values()) {
      if (account.dropIdleCore()) continue;
      this.#accounts.rest(account);
      if (account.isRemoved) account.flow = undefined;
    }
    if (this.#accounts.active.size > 0) this.#sweep = this.clock.after(coreSweepMs, this.#dropIdleCores);
  };
}

/** It belongs to no dialog and no transaction yet. */
function isNew({ method, toTag, viaBranch }: ParsedRequest, { existingCore }: Account): boolean {
  return method !== 'ACK' && method !== 'CANCEL' && !toTag && existingCore?.userAgentServers.has(viaBranch) !== true;
}

function isSameEndpoint(one: Endpoint, other: Endpoint): boolean {
  return one.port === other.port && one.address === other.address;
}

type InvitingUas = ConstructorParameters<typeof InvitingCall>[1];

function requestUriOf(request: IncomingRequestMessage): NameAddress {
  const text = request.ruri?.toString() ?? '';
  return parseNameAddress(`<${text}>`) ?? toNameAddress(request.to);
}
