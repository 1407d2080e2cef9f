/**
 * A call that we place: INVITE as a UAC (RFC 3261 13.2, 9.1).
 *
 * | state     | until                | on cancel()                     | on 2xx                  | on a final refusal | on a BYE in the last early dialog |
 * |-----------|----------------------|---------------------------------|-------------------------|--------------------|-----------------------------------|
 * | opening   | the flow is there    | -> ended, told 487              | -                       | -                  | -                                 |
 * | calling   | a final response     | CANCEL, once a 1xx came -> cancelling | ACK -> answered   | -> ended           | CANCEL -> ended, told 487         |
 * | cancelling| a final response, at most 64*T1 | -                    | ACK, BYE -> ended, told 487 | -> ended       | -> ended, told 487                |
 * | answered  | the dialog's end     | BYE                             | another fork: ACK, BYE  | -                  | -                                 |
 * | ended     |                      | -                               | ACK, BYE                | -                  | -                                 |
 *
 * A far end that ended its dialog with BYE gets no BYE of ours, only the ACK of a 2xx that came late. This file alone changes the state.
 */
import type {
  AckableIncomingResponseWithSession,
  IncomingByeRequest,
  OutgoingInviteRequest,
  PrackableIncomingResponseWithSession,
  Session,
  URI,
} from 'sip.js/lib/core/index.js';
import { messageOf } from '../base/errors.js';
import type { Timer } from '../base/clock.js';
import { isSecured } from '../base/sip-transport.js';
import type { AccountCore, CoreOwner } from './account-core.js';
import { SessionCallDialog } from './call-dialog.js';
import { callRefusalOf } from './call-refusal.js';
import { credentialLines, sendKnownCredentials } from './challenges.js';
import { identityLines, remotePartyOf } from './identity.js';
import type { SentRequest, Wire } from './internals.js';
import { endOfInvite, type LooseEnd } from './loose-end.js';
import { sdpOf } from './parser/body.js';
import { parseUri, withoutControls } from './parser/uri.js';
import { judgeServer } from './registering.js';
import { readDeltaSeconds, reasonOf, requires100rel, writeReason } from './response-headers.js';
import { sessionBody } from './session-body.js';
import { allowsUpdate, leastIntervalS, sessionRequestLines, termsOfResponse, type SessionWish } from './session-terms.js';
import type { StackContext } from './stack-context.js';
import type { Flow } from './transports/flow.js';
import type { CallRefusal, DialogEvents, InviteOptions, OutgoingCall, OutgoingCallEvents, ReasonValue } from './types.js';
import { whereWeAre } from './where-we-are.js';
import { randomToken } from './random-token.js';

/** RFC 3261 table 4: 64*T1. */
const cancelTimeoutMs = 32_000;

const nothing = (): void => undefined;
/** Another branch of a fork is ended at once. */
const nobody: DialogEvents = { onBye: nothing, onOffer: nothing, onAnswer: nothing, onReferral: nothing, onTone: nothing, onLost: nothing };

const givenUp: CallRefusal = { status: 487, phrase: 'Request Terminated' };

export interface CallingAccount extends CoreOwner {
  readonly core: AccountCore;
  flow: Flow | undefined;
}

/** Never throws. */
export function placeCall(account: CallingAccount, context: StackContext, options: InviteOptions, events: OutgoingCallEvents): OutgoingCall {
  return new InvitedCall(account, context, options, events);
}

class InvitedCall implements OutgoingCall {
  readonly callId = randomToken(12);
  #state: 'opening' | 'calling' | 'cancelling' | 'answered' | 'ended' = 'opening';
  #request: SentRequest | undefined;
  /** Of the Contact in it. */
  #toldFlow: Flow | undefined;
  #uac: OutgoingInviteRequest | undefined;
  /** Those of the INVITE that was answered. */
  #credentials: string[] | undefined;
  #hasProvisional = false;
  #isCancelSent = false;
  #cancelReason: ReasonValue | undefined;
  #cancelTimer: Timer | undefined;
  #wish: SessionWish;
  #dialog: SessionCallDialog | undefined;
  /** Dialogs that began with a 1xx, one for each branch of a fork that rings, and those of them that the far end has ended. */
  readonly #early = new Set<Session>();
  readonly #over = new Set<Session>();

  constructor(
    private readonly account: CallingAccount,
    private readonly context: StackContext,
    private readonly options: InviteOptions,
    private readonly events: OutgoingCallEvents,
  ) {
    this.#wish = { expiresS: context.sessionExpiresS, minSeS: leastIntervalS };
    const to = parseUri(options.to);
    const { target } = account.settings;
    const flow = context.existingFlow(target);
    if (to === undefined) this.#later(() => { this.#refuse({ status: 484, phrase: 'Address Incomplete' }); });
    else if (to.scheme === 'sips' && !isSecured(target.transport)) {
      // RFC 3261 8.1.2: TLS all the way, the first hop too.
      const message = `A sips: address is called over TLS alone, and the registrar ${target.host} is reached over ${target.transport}`;
      this.#later(() => { this.#refuse({ status: 503, phrase: 'Service Unavailable', local: { code: 'SIP_TRANSPORT', message } }); });
    } else if (context.clientTransactions.isFull) {
      const message = 'Too many SIP transactions are under way: the call was not placed';
      this.#later(() => { this.#refuse({ status: 503, phrase: 'Service Unavailable', local: { code: 'SIP_TRANSPORT', message } }); });
    } else if (flow !== undefined) this.#invite(to, flow);
    else {
      context.openFlow(target).then(
        (opened) => { if (this.#state === 'opening') this.#invite(to, opened); },
        (thrown: unknown) => { this.#refuse({ status: 503, phrase: 'Service Unavailable', local: { code: 'SIP_TRANSPORT', message: messageOf(thrown) } }); },
      );
    }
  }

  cancel(reason?: ReasonValue): void {
    switch (this.#state) {
      case 'opening':
        this.#later(() => { this.#refuse(givenUp); });
        return;
      case 'calling':
        this.#cancelReason = reason;
        this.#giveUp();
        return;
      case 'answered':
        this.#dialog?.bye(reason);
        return;
      case 'cancelling':
      case 'ended':
    }
  }

  get looseEnd(): LooseEnd | undefined {
    switch (this.#state) {
      case 'calling':
      case 'cancelling':
        return this.#request && endOfInvite(this.#request);
      case 'answered':
        return this.#dialog?.looseEnd;
      case 'opening':
      case 'ended':
        return undefined;
    }
  }

  #invite(to: URI, flow: Flow): void {
    this.account.flow = flow;
    this.#state = 'calling';
    this.#send(to, flow);
  }

  #send(to: URI, flow: Flow): void {
    const { account, context, options } = this;
    const { aor, core } = account;
    const displayName = options.displayName ?? account.settings.displayName ?? '';
    const message = core.makeOutgoingRequestMessage(
      'INVITE',
      to,
      aor,
      to,
      { fromDisplayName: displayName, callId: this.callId, ...sameCall(this.#request) },
      [...whereWeAre(core), ...sessionRequestLines(this.#wish), ...identityLines(context.statedIdentity, aor, displayName), ...transferLines(options), 'Supported: replaces'],
      sessionBody(options.sdp),
    );
    sendKnownCredentials(message);
    this.#request = message;
    this.#toldFlow = account.flow;
    const judge = judgeServer(flow, context);
    this.#uac = core.invite(message, {
      onTrying: () => { this.#provisional(); },
      onProgress: (response) => { this.#progress(response); },
      onAccept: (response) => { this.#accepted(response); },
      onRedirect: ({ message: response }) => { this.#refuse(callRefusalOf(response)); },
      onReject: ({ message: response }) => {
        judge(response, { isRegistrar: false });
        const refusal = callRefusalOf(response);
        if (!this.#takesInterval(refusal)) this.#refuse(refusal);
        else this.#send(to, flow);
      },
    });
  }

  /** RFC 4028 7.3: who finds the session interval too small says what he takes. Each such interval is longer than the one before. */
  #takesInterval({ minSeS = 0 }: CallRefusal): boolean {
    const { expiresS, minSeS: before } = this.#wish;
    if (this.#state !== 'calling' || expiresS === 0 || minSeS <= Math.max(expiresS, before)) return false;
    this.#wish = { expiresS, minSeS };
    this.#hasProvisional = false;
    return true;
  }

  #provisional(): void {
    this.#hasProvisional = true;
    if (this.#state === 'cancelling') this.#sendCancel();
  }

  #progress(response: PrackableIncomingResponseWithSession): void {
    const { message } = response;
    this.#provisional();
    if (message.toTag && !this.#watch(response.session)) return;
    const rseq = requires100rel(message) ? readDeltaSeconds(message.getHeader('rseq')) : undefined;
    // RFC 3262 4: a reliable response is acknowledged, though we never ask for one.
    if (rseq !== undefined && message.toTag) response.prack({ extraHeaders: [`RAck: ${String(rseq)} ${String(message.cseq)} INVITE`] });
    if (this.#state !== 'calling') return;
    this.events.onProgress({
      status: message.statusCode ?? 0,
      phrase: message.reasonPhrase ?? '',
      sdp: sdpOf(message),
      remote: remotePartyOf(message),
      reason: reasonOf(message),
    });
  }

  /** @returns false when the far end has ended this dialog */
  #watch(session: Session): boolean {
    if (this.#over.has(session)) return false;
    if (!this.#early.has(session)) {
      this.#early.add(session);
      session.delegate = { ...session.delegate, onBye: (request) => { this.#hungUp(session, request); } };
    }
    return true;
  }

  /**
   * RFC 3261 15: who is called sends BYE in a dialog that it has confirmed. It is early here because no 2xx came, and none may come any more:
   * the far end has waited for our ACK long enough. CANCEL ends what the proxies on the way still hold (9.1).
   */
  #hungUp(session: Session, request: IncomingByeRequest): void {
    request.accept();
    this.#early.delete(session);
    this.#over.add(session);
    if (this.#early.size > 0) return;
    if (this.#state === 'calling') this.#giveUp();
    if (this.#state !== 'cancelling') return;
    this.#state = 'ended';
    this.events.onRefused({ ...givenUp, reason: reasonOf(request.message) });
  }

  #accepted(response: AckableIncomingResponseWithSession): void {
    this.#credentials ??= credentialLines(this.#request);
    const ack = response.ack({ extraHeaders: this.#credentials }).message as SentRequest; // made by the account's core, as all are
    this.#early.delete(response.session);
    if (this.#over.has(response.session)) {
      this.#refuse(givenUp);
      return;
    }
    const events = this.#isFork() ? nobody : this.events;
    const dialog = new SessionCallDialog(response.session, events, this.context.clock, {
      awaitsAck: false,
      localSdp: this.options.sdp,
      remoteSdp: sdpOf(response.message),
      start: {
        wish: this.#wish,
        terms: termsOfResponse(response.message, this.#wish),
        takesUpdate: allowsUpdate(response.message) === true,
        toldFlow: this.#toldFlow,
      },
    });
    this.account.core.noteSource(response.session.id, this.#wire());
    if (this.#state !== 'calling') {
      // Another branch of a fork answered too (13.2.2.4), or the answer crossed our CANCEL (9.1).
      dialog.bye();
      this.#refuse(givenUp);
      return;
    }
    this.#state = 'answered';
    this.#dialog = dialog;
    this.#endTransaction(ack);
    // What may be asked from here on is asked of the dialog.
    this.#request = undefined;
    this.#uac = undefined;
    this.events.onAccepted({ dialog, sdp: sdpOf(response.message), remote: remotePartyOf(response.message) });
  }

  /** Branches of a fork that were heard of may answer too: then it stays until timer M. */
  #endTransaction(ack: SentRequest): void {
    const branch = this.#request?.branch;
    if (branch === undefined || this.#early.size + this.#over.size > 0) return;
    if (this.context.acknowledgedAnswers.add(this.account, branch, ack)) this.account.core.endAccepted(branch);
  }

  #isFork(): boolean {
    return this.#state !== 'calling';
  }

  #wire(): Wire | undefined {
    return this.account.flow && this.context.wireOver(this.account.flow);
  }

  /** RFC 3261 9.1: a CANCEL is sent once a provisional response came, and the INVITE is forgotten 64*T1 later. */
  #giveUp(): void {
    this.#state = 'cancelling';
    if (this.#request !== undefined) this.#request.isGivenUp = true;
    this.#cancelTimer = this.context.clock.after(cancelTimeoutMs, () => { this.#abandon(); });
    if (this.#hasProvisional) this.#sendCancel();
  }

  #sendCancel(): void {
    if (this.#isCancelSent) return;
    this.#isCancelSent = true;
    this.#uac?.cancel(this.#cancelReason && writeReason(this.#cancelReason));
  }

  /** No final response within 64*T1 of the CANCEL (RFC 3261 9.1): the call is over all the same. */
  #abandon(): void {
    this.account.core.forgetClient(this.#uac);
    this.#refuse({ status: 408, phrase: 'Request Timeout', local: { code: 'SIP_TIMEOUT', message: 'Nobody answered the CANCEL within 32 s' } });
  }

  /** Tells the end once; after an answer there is nothing to tell. */
  #refuse(refusal: CallRefusal): void {
    this.#cancelTimer?.cancel();
    if (this.#state === 'answered' || this.#state === 'ended') return;
    const isGivenUp = this.#state === 'cancelling' && refusal.local === undefined;
    this.#state = 'ended';
    this.events.onRefused(isGivenUp ? { ...refusal, ...(refusal.status === 401 || refusal.status === 407 ? givenUp : {}) } : refusal);
  }

  #later(action: () => void): void {
    setImmediate(action);
  }
}

/**
 * Of a call that follows from a transfer. RFC 3891 6.2 leaves Require to the caller, as RFC 5589 7 does it: without it whoever knows nothing of
 * Replaces would ring, though the person there is in the very call that is to be taken over.
 */
function transferLines({ replaces, referredBy }: InviteOptions): string[] {
  return [
    ...(replaces === undefined ? [] : [`Replaces: ${withoutControls(replaces)}`, 'Require: replaces']),
    ...(referredBy === undefined ? [] : [`Referred-By: ${withoutControls(referredBy)}`]),
  ];
}

/** RFC 3261 8.1.3.5: what is tried again keeps Call-ID and From, and counts CSeq on. */
function sameCall(before: SentRequest | undefined): { fromTag?: string; cseq?: number } {
  return before === undefined ? {} : { fromTag: before.fromTag, cseq: before.cseq + 1 };
}
