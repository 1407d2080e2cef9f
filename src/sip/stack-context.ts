/** What accounts and calls need of the stack round them. */
import type { LoggerFactory } from 'sip.js/lib/core/index.js';
import type { Clock } from '../base/clock.js';
import type { AcceptedInvites } from './accepted-invites.js';
import type { CoreOwner } from './account-core.js';
import type { AcknowledgedAnswers } from './acknowledged-answers.js';
import type { ContactAddress } from './contact-addresses.js';
import type { TransactionCount } from './guards/transaction-count.js';
import type { StatedIdentity } from './identity.js';
import type { Wire } from './internals.js';
import type { LeftCalls } from './left-calls.js';
import type { Redirect } from './redirect.js';
import type { RegisterTransactions } from './register-transactions.js';
import type { Flow } from './transports/flow.js';
import type { SipTarget } from './types.js';
import type { FlowWire } from './wires.js';

export interface StackContext {
  readonly clock: Clock;
  readonly userAgent: string;
  /** `dialog-ignore-contact-field` */
  readonly ignoresContact: boolean;
  /** The session interval that calls ask for (RFC 4028), seconds; 0: none. */
  readonly sessionExpiresS: number;
  readonly statedIdentity: StatedIdentity;
  readonly loggerFactory: LoggerFactory;
  /** Of all accounts together. */
  readonly clientTransactions: TransactionCount;
  readonly serverTransactions: TransactionCount;
  readonly registers: RegisterTransactions;
  readonly leftCalls: LeftCalls;
  readonly acceptedInvites: AcceptedInvites;
  readonly acknowledgedAnswers: AcknowledgedAnswers;
  /** An account goes over from one flow to another: registrars are those that an account has a flow to. */
  moveAccount(account: CoreOwner, from: Flow | undefined, to: Flow | undefined): void;
  /** The flow to a registrar, when it is there. */
  existingFlow(target: SipTarget): Flow | undefined;
  /** Rejects with SIP_TRANSPORT. */
  openFlow(target: SipTarget): Promise<Flow>;
  wireOver(flow: Flow): FlowWire;
  /** Never throws: an error arrives with what is sent. */
  wireTo(target: SipTarget): Wire;
  /** The server at the end of a flow failed: see `Flows.passOver`. */
  passOver(flow: Flow, leastMs?: number): void;
  contactOn(flow: Flow): ContactAddress;
  /** The accounts whose registrar sent them on, and where. */
  readonly redirects: WeakMap<CoreOwner, Redirect>;
  /** See `ContactAddresses.learn`. */
  learnContact(flow: Flow, received: string | undefined, rport: number | undefined): boolean;
}
