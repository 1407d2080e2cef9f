/**
 * A call that reaches us: INVITE as a UAS (RFC 3261 13.3).
 *
 * States: `waiting` (100 or 180 sent) -> `answered` (200 sent) -> `confirmed` (ACK came), or from `waiting` to `ended` by a refusal or
 * a CANCEL. This file alone changes the state.
 */
import type { IncomingByeRequest, IncomingInviteRequest, IncomingPrackRequest, IncomingRequestMessage, URI } from 'sip.js/lib/core/index.js';
import type { Timer } from '../base/clock.js';
import { second } from '../base/units.js';
import { SessionCallDialog } from './call-dialog.js';
import { callerIdentityOf } from './identity.js';
import type { Wire } from './internals.js';
import { endOfInvited, type LooseEnd } from './loose-end.js';
import { sdpOf } from './parser/body.js';
import { parseNameAddress, toNameAddress } from './parser/uri.js';
import { withoutControls } from './parser/write-uri.js';
import { ReliableProvisional } from './reliable-provisional.js';
import { readDeltaSeconds, reasonOf, requires100rel, writeReason } from './response-headers.js';
import { sessionBody } from './session-body.js';
import { allowsUpdate, answerSession, leastIntervalS } from './session-terms.js';
import type { StackContext } from './stack-context.js';
import type { CallDialog, CallerIdentity, DialogEvents, IncomingCall, IncomingCallEvents, NameAddress, ReasonValue, SipAccount } from './types.js';

/** An invitation that stands longer than this one stands longer than any call rings; timers hold no more than 24 days. */
const longestInvitationS = 86_400;

/** What a call tells the core that holds its transaction and its dialog. */
export interface CallCore {
  /** Remembers which way a dialog's messages come. */
  noteSource(dialogId: string, wire: Wire | undefined): void;
  /** The ACK of its 2xx has come. */
  acknowledged(): void;
  /** Ours, in To. */
  tag(): string;
}

/** What of the INVITE was looked at already. */
export interface Invited {
  /** The Request-URI, as it came. */
  readonly target: URI;
  /** The call that it is to take over. */
  readonly replaces: CallDialog | undefined;
}

/** Who hears of the call. */
interface Listener {
  events: IncomingCallEvents | undefined;
}

export class InvitingCall implements IncomingCall {
  readonly #listener: Listener = { events: undefined };
  #state: 'waiting' | 'answered' | 'confirmed' | 'ended' = 'waiting';
  #hasRung = false;
  readonly #reliable: ReliableProvisional | undefined;
  readonly #expiry: Timer | undefined;

  constructor(
    readonly account: SipAccount,
    private readonly uas: IncomingInviteRequest,
    private readonly invited: Invited,
    private readonly core: CallCore,
    private readonly wire: Wire,
    private readonly context: Pick<StackContext, 'clock' | 'sessionExpiresS'>,
  ) {
    uas.delegate = {
      onCancel: (request) => {
        this.#cancelled(request);
      },
    };
    // RFC 3262 3: provisional responses are reliable for a caller that requires it.
    if (requires100rel(uas.message)) {
      this.#reliable = new ReliableProvisional(context.clock, uas, wire, () => {
        this.#neverHeard();
      });
    }
    // RFC 3261 13.3.1: an invitation may say for how long it stands.
    const expiresS = readDeltaSeconds(uas.message.getHeader('expires'));
    if (expiresS !== undefined && expiresS <= longestInvitationS) this.#expiry = context.clock.after(expiresS * second, () => { this.#expired(); });
  }

  get events(): IncomingCallEvents | undefined {
    return this.#listener.events;
  }

  set events(events: IncomingCallEvents | undefined) {
    this.#listener.events = events;
  }

  get callId(): string {
    return this.uas.message.callId;
  }

  get requestUri(): NameAddress {
    return toNameAddress({ uri: this.invited.target, displayName: '' });
  }

  get from(): NameAddress {
    return toNameAddress(this.uas.message.from);
  }

  get to(): NameAddress {
    return toNameAddress(this.uas.message.to);
  }

  get contact(): NameAddress | undefined {
    const header = this.uas.message.getHeader('contact');
    return header === undefined ? undefined : parseNameAddress(header);
  }

  get identity(): CallerIdentity {
    return callerIdentityOf(this.uas.message);
  }

  get replaces(): CallDialog | undefined {
    return this.invited.replaces;
  }

  get sdp(): string | undefined {
    return sdpOf(this.uas.message);
  }

  get looseEnd(): LooseEnd | undefined {
    return this.#state === 'waiting' ? endOfInvited(this.uas.message, this.core.tag()) : undefined;
  }

  /** RFC 3261 17.2.1: 100 stops the caller's retransmissions while the host is asked; who has rung, answered or refused at once has no need of it. */
  tryUnlessAnswered(): void {
    if (this.#state === 'waiting' && !this.#hasRung) this.uas.trying();
  }

  ring(): void {
    if (this.#state !== 'waiting') return;
    this.#hasRung = true;
    const session = this.#reliable === undefined ? this.uas.progress({ statusCode: 180 }).session : this.#reliable.send(180);
    if (session !== undefined) session.delegate = { onBye: (request) => { this.#endedEarly(request); }, onPrack: this.#onPrack };
  }

  accept(sdp: string): CallDialog | undefined {
    if (this.#state !== 'waiting') return undefined;
    this.#state = 'answered';
    this.#settled();
    const { message } = this.uas;
    const wish = { expiresS: this.context.sessionExpiresS, minSeS: leastIntervalS };
    const { terms, lines } = answerSession(message, wish);
    const { session } = this.uas.accept({
      statusCode: 200,
      extraHeaders: [...lines],
      body: sessionBody(sdp),
    });
    this.core.noteSource(session.id, this.wire);
    session.delegate = {
      onPrack: this.#onPrack,
      onAck: () => {
        this.#confirmed(dialog);
      },
      onAckTimeout: () => {
        this.#lost(dialog);
      },
    };
    const dialog = new SessionCallDialog(session, eventsFor(this.#listener), this.context.clock, {
      awaitsAck: true,
      localSdp: sdp,
      remoteSdp: this.sdp,
      start: { wish, terms, takesUpdate: allowsUpdate(message) === true },
    });
    return dialog;
  }

  reject(status: number, options: { phrase?: string; reason?: ReasonValue; retryAfterS?: number } = {}): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'ended';
    this.#settled();
    const extraHeaders: string[] = [];
    if (options.reason !== undefined) extraHeaders.push(`Reason: ${writeReason(options.reason)}`);
    if (options.retryAfterS !== undefined) extraHeaders.push(`Retry-After: ${String(Math.trunc(options.retryAfterS))}`);
    this.uas.reject({ statusCode: status, reasonPhrase: options.phrase && withoutControls(options.phrase), extraHeaders });
  }

  /** The INVITE gets its final response. */
  #settled(): void {
    this.#reliable?.stop();
    this.#expiry?.cancel();
  }

  #expired(): void {
    this.reject(487);
    this.events?.onCancelled();
  }

  /** RFC 3261 9.2: the INVITE is answered 487. */
  #cancelled(request: IncomingRequestMessage): void {
    if (this.#state !== 'waiting') return;
    this.reject(487);
    this.events?.onCancelled(reasonOf(request));
  }

  /** RFC 3261 15, 15.1.2: a caller may end an early dialog with BYE; the INVITE is then answered 487. */
  #endedEarly(request: IncomingByeRequest): void {
    request.accept();
    this.#cancelled(request.message);
  }

  /** RFC 3262 3: no PRACK within 64*T1: the caller does not hear us. */
  #neverHeard(): void {
    this.reject(504);
    this.events?.onCancelled();
  }

  readonly #onPrack = (request: IncomingPrackRequest): void => {
    if (this.#reliable?.takes(request.message) === true) request.accept();
    else request.reject({ statusCode: 481 });
  };

  #confirmed(dialog: SessionCallDialog): void {
    if (this.#state !== 'answered') return;
    this.#state = 'confirmed';
    this.core.acknowledged();
    dialog.confirm();
    if (dialog.isOpen) this.events?.onConfirmed();
  }

  /** RFC 3261 13.3.1.4: no ACK within 64*T1: the session is ended with a BYE. */
  #lost(dialog: SessionCallDialog): void {
    if (this.#state !== 'answered') return;
    this.#state = 'ended';
    dialog.confirm();
    if (!dialog.isOpen) return;
    dialog.bye();
    this.events?.onLost();
  }
}

/** What the dialog tells. It leads to the listener and not to the call, whose INVITE nobody asks for once it is answered. */
function eventsFor(listener: Listener): DialogEvents {
  return {
    onBye: (reason) => listener.events?.onBye(reason),
    onOffer: (offer) => listener.events?.onOffer(offer),
    onAnswer: (answer) => listener.events?.onAnswer(answer),
    onReferral: (referral) => listener.events?.onReferral(referral),
    onTone: (tone) => listener.events?.onTone(tone),
    onLost: (refusal) => listener.events?.onLost(refusal),
  };
}
