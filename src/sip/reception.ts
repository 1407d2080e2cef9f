/**
 * The way of a message in: parsed, checked, given to the account it is for. Whatever goes wrong with one message stays with that message.
 */
import type { URI } from 'sip.js/lib/core/index.js';
import { AddressLimit } from '../base/address-limit.js';
import { isSecured } from '../base/sip-transport.js';
import { messageOf } from '../base/errors.js';
import type { AccountCore } from './account-core.js';
import type { Account } from './account.js';
import type { Accounts } from './accounts.js';
import { accountFor, knows } from './demux.js';
import type { DropReport } from './guards/drops.js';
import type { FlowProbes } from './guards/flow-probes.js';
import { strangerRates } from './guards/stranger-rates.js';
import type { TransactionCount } from './guards/transaction-count.js';
import { InvitingCall } from './incoming-call.js';
import type { ReceivedRequest, Wire } from './internals.js';
import type { KnownSources } from './known-sources.js';
import { isParseFault, type ParseFault } from './parser/fault.js';
import { ParsedResponse, type ParsedRequest, type RawHeader } from './parser/message.js';
import { parseMessage } from './parser/parse-message.js';
import { readAddress } from './parser/uri.js';
import type { ViaValue } from './parser/via.js';
import { replacedCall } from './replaced-call.js';
import { refusalOf } from './request-checks.js';
import type { Retransmission } from './retransmission.js';
import type { StackContext } from './stack-context.js';
import { replyToFault, statelessReply } from './stateless-reply.js';
import { cancelKeyOf, transactionKey } from './transaction-key.js';
import type { Flow, Flows } from './transports/flow.js';
import type { SipStackEvents, SipWireTap } from './types.js';
import { markVia, responseEndpoint } from './via-marks.js';
import { WireBack } from './wires.js';

/** What is between the flows and the accounts. */
export interface ReceptionParts {
  readonly context: StackContext;
  readonly flows: Pick<Flows, 'existing'>;
  readonly accounts: Accounts;
  readonly sources: KnownSources;
  readonly probes: FlowProbes;
  readonly retransmission: Retransmission;
  readonly drops: DropReport;
  readonly events: Pick<SipStackEvents, 'onInvite'>;
  readonly tap: SipWireTap | undefined;
  readonly log: { warn(message: string): void };
}

/** Server transactions of one account above which its calls get no re-INVITE. */
export const mostOfOneAccount = 500;
/** When there are too many transactions, seconds. */
const overloadRetryS = 5;
const nobodyListens = (): void => undefined;

export class Reception {
  readonly #strangers: AddressLimit;

  constructor(private readonly parts: ReceptionParts) {
    this.#strangers = new AddressLimit(parts.context.clock, strangerRates);
  }

  receive(flow: Flow, bytes: Buffer): void {
    const { tap } = this.parts;
    const { address } = flow.remote;
    const isKnown = this.parts.sources.has(address);
    if (!isKnown && !this.#strangers.admits(address)) {
      this.parts.drops.note('flood', address);
      return;
    }
    try {
      const message = parseMessage(bytes);
      if (isParseFault(message)) {
        tap?.onMessage('in', flow.transport, peerOf(flow), bytes.toString('latin1'));
        this.#receiveFault(flow, message, isKnown);
        return;
      }
      tap?.onMessage('in', flow.transport, peerOf(flow), message.data);
      this.parts.probes.heard(flow);
      const isOurs = message instanceof ParsedResponse ? this.#receiveResponse(flow, message) : this.#receiveRequest(flow, message, isKnown);
      if (isOurs) flow.welcome?.();
      if (!isKnown && isOurs) this.#strangers.giveBack(address);
    } catch (thrown) {
      const why = messageOf(thrown);
      if (this.parts.drops.note('failed', address, why)) {
        this.parts.log.warn(`A message from ${peerOf(flow)} over ${flow.transport} could not be handled: ${why}`);
      }
    }
  }

  #receiveFault(flow: Flow, fault: ParseFault, isKnown: boolean): void {
    this.parts.drops.note('unparsable', flow.remote.address, fault.fault);
    const reply = isKnown ? replyToFault(fault) : undefined;
    if (reply !== undefined) this.parts.retransmission.sendOnce(flow, reply, nobodyListens);
  }

  /** @returns whether a request of ours waited for it */
  #receiveResponse(flow: Flow, message: ParsedResponse): boolean {
    const status = message.statusCode ?? 0;
    const key = message.viaBranch + message.method;
    // RFC 3261 8.1.3.3: with more than one Via it was for somebody on the way.
    if ((message.headers.Via?.length ?? 0) > 1) {
      this.parts.drops.note('unmatched', flow.remote.address);
      return false;
    }
    this.parts.context.wireOver(flow).responses += 1;
    if (!flow.isReliable && !this.parts.retransmission.receiveResponse(key, status)) return true;
    if (this.parts.context.registers.receive(key, message)) return true;
    if (this.parts.context.leftCalls.receive(message)) return true;
    if (this.parts.context.acknowledgedAnswers.receive(message, flow)) return true;
    const core = this.parts.accounts.byBranch(message.viaBranch)?.existingCore;
    if (core?.userAgentClients.has(key) !== true || core.isOneBranchTooMany(message)) {
      if (this.parts.probes.isAnswer(flow, message.viaBranch)) return true;
      this.parts.drops.note('unmatched', flow.remote.address);
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

    const account = accountFor(message, this.parts.accounts, this.parts.context.ignoresContact);
    const isKnown = isKnownSource || this.parts.retransmission.hasAnswered(message.viaBranch) || (account !== undefined && knows(account, message));
    if (!isKnown) {
      // Scanners get silence (behaviour 23).
      this.parts.drops.note('stranger', flow.remote.address);
      return false;
    }
    const repeatKey = method === 'CANCEL' ? cancelKeyOf(message.viaBranch) : message.viaBranch;
    if (!flow.isReliable && !this.parts.retransmission.receiveRequest(repeatKey, method)) return true;
    if (method === 'INVITE' && this.parts.context.acceptedInvites.has(message.viaBranch)) return true;

    const [top] = message.headers.Via as RawHeader[];
    if (top === undefined) return true;
    const wire = this.#wireBack(flow, top, via, account);
    message.headers.Via = [markVia(top, via, flow.remote), ...(message.headers.Via ?? []).slice(1)];
    const request: ReceivedRequest = Object.assign(message, { wire, isOfSips: isSecured(flow.transport) && asksForSips(message) });
    if (account === undefined) {
      // RFC 3261 9.2, 12.2.2: nothing is known of what it belongs to.
      this.#refuseStateless(request, method === 'CANCEL' || message.toTag ? 481 : 404);
      return true;
    }
    if (isTooMuch(message, account, this.parts.context.serverTransactions)) {
      // RFC 3261 21.5.4: "may indicate when the client should retry the request in a Retry-After header field".
      this.parts.drops.note('overload', flow.remote.address);
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
      const registrar = account !== undefined && this.parts.flows.existing(account.settings.target) === flow ? account.settings.target : undefined;
      return new WireBack(this.parts.context.wireOver(flow), () => (registrar === undefined ? this.#wireToSender(flow, via) : this.parts.context.wireTo(registrar)));
    }
    const endpoint = responseEndpoint(top, via, flow.remote);
    if (endpoint.port === flow.remote.port) return this.parts.context.wireOver(flow);
    return this.parts.context.wireTo({ transport: 'udp', host: endpoint.address, port: endpoint.port });
  }

  /** Nobody connects to a WebSocket client. */
  #wireToSender(flow: Flow, via: ViaValue): Wire {
    const { transport, remote } = flow;
    if (transport !== 'tcp' && transport !== 'tls') return this.parts.context.wireOver(flow);
    return this.parts.context.wireTo({ transport, host: remote.address, port: via.port ?? (transport === 'tls' ? 5061 : 5060) });
  }

  #deliver(account: Account, request: ReceivedRequest): void {
    const refusal = request.method === 'ACK' ? undefined : refusalOf(request);
    if (refusal !== undefined) {
      this.#refuseStateless(request, refusal.status, refusal.headers);
      return;
    }
    const target = request.ruri ?? request.to.uri;
    const { core } = account;
    // The account is found; SIP.js would refuse a Request-URI that is neither the AOR's user nor the Contact's with 404.
    request.ruri = core.configuration.contact.uri;
    core.delegate = {
      onInvite: (uas) => {
        this.#invited(account, core, uas, target, request.wire);
      },
    };
    core.receiveIncomingRequestFromTransport(request);
    core.delegate = {};
  }

  #invited(account: Account, core: AccountCore, uas: InvitingUas, target: URI, wire: Wire): void {
    const replaced = replacedCall(core, uas.message);
    if ('status' in replaced) {
      uas.reject({ statusCode: replaced.status });
      return;
    }
    const noteSource = (dialogId: string, source: Wire | undefined): void => {
      core.noteSource(dialogId, source);
    };
    const acknowledged = (): void => {
      core.acknowledged(uas.message);
    };
    const tag = (): string => core.tagOf(uas.message);
    const call = new InvitingCall(account, uas, { target, replaces: replaced.dialog }, { noteSource, acknowledged, tag }, wire, this.parts.context);
    try {
      this.parts.events.onInvite(call);
      call.tryUnlessAnswered();
    } catch (thrown) {
      call.reject(500);
      throw thrown;
    }
  }

  #refuseStateless(request: ReceivedRequest, status: number, extraHeaders: readonly string[] = []): void {
    if (request.method === 'ACK') return;
    const text = statelessReply(request, status, this.parts.context.userAgent, extraHeaders);
    request.wire.sendResponse(text, undefined, status, request.method === 'INVITE', nobodyListens);
  }
}

function peerOf({ remote }: Flow): string {
  return `${remote.address}:${String(remote.port)}`;
}

/** RFC 3261 12.1.1: a sips: URI in the Request-URI, or in the top Record-Route, or in the Contact when there is none. */
function asksForSips(message: ParsedRequest): boolean {
  if (message.ruri?.scheme === 'sips') return true;
  const first = message.getHeader('record-route') ?? message.getHeader('contact');
  return first !== undefined && readAddress(first)?.uri.scheme === 'sips';
}

/**
 * It would make a transaction that stays: one outside of dialogs, or a re-INVITE, of which the far end of one call may not take the room
 * of all. What else comes in a dialog is answered and gone.
 */
function isTooMuch({ method, toTag, viaBranch }: ParsedRequest, { existingCore }: Account, held: TransactionCount): boolean {
  const isInDialog = Boolean(toTag);
  if (method === 'ACK' || method === 'CANCEL' || (isInDialog && method !== 'INVITE')) return false;
  const ofAccount = existingCore?.userAgentServers;
  if (ofAccount?.has(viaBranch) === true) return false;
  return held.isFull || (isInDialog && (ofAccount?.size ?? 0) >= mostOfOneAccount);
}

type InvitingUas = ConstructorParameters<typeof InvitingCall>[1];
