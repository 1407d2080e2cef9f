/**
 * One account: an AOR with its credentials at a registrar. Idle, it is a plain record; a core is made when it sends or is called, and
 * dropped when nothing lives in it (`dropIdleCore`). A node has a hundred thousand of them: each field counts.
 */
import type { URI } from 'sip.js/lib/core/index.js';
import { AccountCore, type CoreOwner } from './account-core.js';
import { DigestSession } from './digest.js';
import type { LooseEnd } from './loose-end.js';
import { placeCall } from './outgoing-call.js';
import { makeSipUri } from './parser/uri.js';
import { registerOnce, type RegisteringAccount } from './registering.js';
import type { StackContext } from './stack-context.js';
import type { Flow } from './transports/flow.js';
import { hostPort } from './transports/transport-fault.js';
import type { AccountSettings, OutgoingCall, OutgoingCallEvents, InviteOptions, RegisterOutcome, SipAccount } from './types.js';

/** The stack, as its accounts see it. */
export interface AccountOwner extends StackContext {
  /** Begins each Call-ID of a REGISTER; the account's id follows. */
  readonly registerCallIdPrefix: string;
  /** The account has a core now: it is looked at again until the core is idle. */
  hasCore(account: Account): void;
  removeAccount(account: Account): void;
}

export class Account implements SipAccount, CoreOwner, RegisteringAccount {
  /** The last CSeq of its REGISTERs. */
  registerCSeq = 0;
  isRemoved = false;
  #flow: Flow | undefined;
  #core: AccountCore | undefined;
  #registerDigest: DigestSession | undefined;
  #callDigest: DigestSession | undefined;

  /** @param id unique in the stack; it stands in the branch of every request */
  constructor(
    readonly id: number,
    readonly settings: AccountSettings,
    private readonly stack: AccountOwner,
  ) {}

  /** RFC 3261 10.2: the Call-ID of all its REGISTERs. */
  get registerCallId(): string {
    return `${this.stack.registerCallIdPrefix}${this.id.toString(36)}`;
  }

  /** The flow that the account last used. */
  get flow(): Flow | undefined {
    return this.#flow;
  }

  set flow(flow: Flow | undefined) {
    if (flow === this.#flow) return;
    this.stack.moveAccount(this, this.#flow, flow);
    this.#flow = flow;
  }

  get flowName(): string | undefined {
    const flow = this.#flow;
    return flow?.isOpen === true ? `${flow.transport} ${hostPort(flow.remote.address, flow.remote.port)}` : undefined;
  }

  get aor(): URI {
    return makeSipUri({ user: this.settings.user, host: this.settings.domain });
  }

  get branchPrefix(): string {
    return `z9hG4bK${this.id.toString(36)}.`;
  }

  /** Credentials for the registrar are not shown to whom we call. */
  digestFor(method: string): DigestSession {
    if (method === 'REGISTER') return (this.#registerDigest ??= new DigestSession(this.settings));
    return (this.#callDigest ??= new DigestSession(this.settings));
  }

  get core(): AccountCore {
    if (this.#core === undefined) {
      this.#core = new AccountCore(this, this.stack);
      this.stack.hasCore(this);
    }
    return this.#core;
  }

  /** The core, if there is one. */
  get existingCore(): AccountCore | undefined {
    return this.#core;
  }

  /** @returns whether there is a core still */
  dropIdleCore(): boolean {
    if (this.#core?.isIdle === true) this.#core = undefined;
    return this.#core !== undefined;
  }

  disposeCore(): void {
    this.#core?.dispose();
    this.#core = undefined;
  }

  register(expiresS: number): Promise<RegisterOutcome> {
    return registerOnce(this, this.stack, expiresS);
  }

  registered(): void {
    this.#core?.registered();
  }

  invite(options: InviteOptions, events: OutgoingCallEvents): OutgoingCall {
    return placeCall(this, this.stack, options, events);
  }

  endLeft(end: LooseEnd): void {
    this.stack.leftCalls.end(this, this.stack, end);
  }

  remove(): void {
    if (this.isRemoved) return;
    this.isRemoved = true;
    this.stack.removeAccount(this);
  }
}
