/**
 * The SIP stack: flows below, accounts with their SIP.js cores above; what comes in goes the way of `reception`.
 */
import { LoggerFactory } from 'sip.js/lib/core/index.js';
import type { Clock, Timer } from '../base/clock.js';
import { ClosableClock } from '../base/closable-clock.js';
import { second } from '../base/units.js';
import { AcceptedInvites } from './accepted-invites.js';
import { Account, type AccountOwner } from './account.js';
import { Accounts } from './accounts.js';
import type { CoreOwner } from './account-core.js';
import { AcknowledgedAnswers } from './acknowledged-answers.js';
import { ContactAddresses } from './contact-addresses.js';
import { installCorrections } from './corrections/index.js';
import { DropReport, type DropKind } from './guards/drops.js';
import { FlowProbes, writeQuestion } from './guards/flow-probes.js';
import { mostTransactions, TransactionCount } from './guards/transaction-count.js';
import type { StatedIdentity } from './identity.js';
import { Interned } from './interned.js';
import type { Wire } from './internals.js';
import { KnownSources } from './known-sources.js';
import { LeftCalls } from './left-calls.js';
import { installGrammar } from './parser/grammar.js';
import { randomToken } from './random-token.js';
import { Reception } from './reception.js';
import type { Redirect } from './redirect.js';
import { RegisterTransactions } from './register-transactions.js';
import { Retransmission } from './retransmission.js';
import type { StackContext } from './stack-context.js';
import { FlowTable, keepAliveMs, type FlowTableSettings } from './transports/flow-table.js';
import type { Endpoint, Flow, FlowEvents, Flows } from './transports/flow.js';
import { transportError } from './transports/transport-fault.js';
import type { AccountSettings, SipAccount, SipStack, SipStackEvents, SipStackUsage, SipTarget, SipWireTap } from './types.js';
import { FlowWire, PendingWire } from './wires.js';

export interface SipStackSettings {
  readonly flows: FlowTableSettings;
  readonly advertisedHost?: string;
  /** Addresses or CIDRs whose requests are taken, beside the registrars'. */
  readonly trusted: readonly string[];
  /** `dialog-ignore-contact-field` */
  readonly ignoresContact: boolean;
  /** The session interval that calls ask for (RFC 4028), seconds; 0, the default: none. */
  readonly sessionExpiresS?: number;
  /** Default: none. */
  readonly statedIdentity?: StatedIdentity;
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
  readonly clock: ClosableClock;
  readonly userAgent: string;
  readonly ignoresContact: boolean;
  readonly sessionExpiresS: number;
  readonly statedIdentity: StatedIdentity;
  readonly loggerFactory = new LoggerFactory();
  readonly acceptedInvites: AcceptedInvites;
  readonly acknowledgedAnswers: AcknowledgedAnswers;
  readonly clientTransactions: TransactionCount;
  readonly serverTransactions: TransactionCount;
  readonly registers: RegisterTransactions;
  readonly leftCalls: LeftCalls;
  readonly #accounts = new Accounts();
  readonly redirects = new WeakMap<CoreOwner, Redirect>();
  readonly drops: DropReport;
  readonly reception: Reception;
  readonly #sources: KnownSources;
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
        onMessage: (flow, bytes) => receiver.stack?.reception.receive(flow, bytes),
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
    this.clock = new ClosableClock(dependencies.clock);
    this.userAgent = settings.userAgent;
    this.ignoresContact = settings.ignoresContact;
    this.sessionExpiresS = settings.sessionExpiresS ?? 0;
    this.statedIdentity = settings.statedIdentity ?? 'none';
    this.#sources = new KnownSources(settings.trusted);
    this.acceptedInvites = new AcceptedInvites(dependencies.clock);
    this.acknowledgedAnswers = new AcknowledgedAnswers(dependencies.clock);
    this.clientTransactions = new TransactionCount(settings.maxTransactions ?? mostTransactions);
    this.serverTransactions = new TransactionCount(settings.maxTransactions ?? mostTransactions);
    this.registers = new RegisterTransactions(this.clock, this.clientTransactions);
    this.leftCalls = new LeftCalls(this.clock);
    this.#probes = new FlowProbes(dependencies.clock, {
      intervalMs: settings.flows.keepAliveMs ?? keepAliveMs,
      ask: (flow, question) => {
        const text = writeQuestion(question, flow.transport, this.contactOn(flow).hostPort, this.userAgent);
        this.#retransmission.sendOnce(flow, text, nobodyListens);
      },
      lost: (flow, why) => {
        if (flow.isReliable) flow.abandon?.(why);
        else this.#lost(why, (account) => account.flow?.transport === 'udp' && isSameEndpoint(account.flow.remote, flow.remote));
      },
    });
    this.drops = new DropReport(dependencies.clock, dependencies.log, (kind) => dependencies.metrics?.dropped(kind));
    this.#contacts = new ContactAddresses(flows.localPorts, settings.advertisedHost);
    this.#retransmission = new Retransmission(dependencies.clock, (flow, text, onError) => {
      dependencies.tap?.onMessage('out', flow.transport, `${flow.remote.address}:${String(flow.remote.port)}`, text);
      flow.send(text, onError);
    });
    this.loggerFactory.builtinEnabled = false;
    this.reception = new Reception({
      context: this,
      flows,
      accounts: this.#accounts,
      sources: this.#sources,
      probes: this.#probes,
      retransmission: this.#retransmission,
      drops: this.drops,
      events: dependencies.events,
      tap: dependencies.tap,
      log: dependencies.log,
    });
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

  accountOf(token: string): SipAccount | undefined {
    return this.#accounts.byToken(token);
  }

  usage(): SipStackUsage {
    let transactions = this.registers.size + this.leftCalls.size;
    let dialogs = 0;
    for (const { existingCore: core } of this.#accounts.active.values()) {
      if (core === undefined) continue;
      transactions += core.userAgentClients.size + core.userAgentServers.size;
      dialogs += core.dialogs.size;
    }
    const retransmissions = this.#retransmission.size + this.acceptedInvites.size + this.acknowledgedAnswers.size;
    return { accounts: this.#accounts.size, cores: this.#accounts.active.size, transactions, dialogs, retransmissions };
  }

  async close(): Promise<void> {
    this.clock.close();
    for (const account of this.#accounts.active.values()) {
      account.disposeCore();
      this.#accounts.rest(account);
    }
    this.registers.close();
    this.leftCalls.close();
    this.#retransmission.close();
    this.acceptedInvites.close();
    this.acknowledgedAnswers.close();
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

  async openFlow(target: SipTarget): Promise<Flow> {
    const flow = await this.flows.to(target);
    // Meanwhile everything may be over: nothing is begun any more.
    if (this.clock.isClosed) throw transportError('The SIP stack is closed.');
    return flow;
  }

  moveAccount({ settings }: CoreOwner, from: Flow | undefined, to: Flow | undefined): void {
    if (to !== undefined) {
      this.#sources.addUse(to.remote.address);
      this.#probes.use(to, settings.domain);
      this.flows.hold?.(to, 1);
    }
    if (from !== undefined) {
      this.#sources.removeUse(from.remote.address);
      this.#probes.leave(from);
      this.flows.hold?.(from, -1);
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
      this.openFlow(target).then((opened) => this.wireOver(opened)),
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

  // ---- flows ----------------------------------------------------------------------------------------------

  flowClosed(flow: Flow, why: string): void {
    this.#lost(why, (account) => account.flow === flow);
  }

  #lost(why: string, isOver: (account: Account) => boolean): void {
    const lost: Account[] = [];
    for (const account of this.#accounts) if (isOver(account)) lost.push(account);
    if (lost.length > 0) this.dependencies.events.onFlowLost(lost, why);
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

function isSameEndpoint(one: Endpoint, other: Endpoint): boolean {
  return one.port === other.port && one.address === other.address;
}
