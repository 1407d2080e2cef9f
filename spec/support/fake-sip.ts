/** A SIP stack for specs: accounts that record what they are asked, calls whose far end the spec plays. Nothing happens by itself. */
import type {
  AccountSettings,
  CallDialog,
  CallerIdentity,
  CallRefusal,
  IncomingCall,
  IncomingCallEvents,
  InviteOptions,
  LooseEnd,
  NameAddress,
  OfferEvents,
  OutgoingCall,
  OutgoingCallEvents,
  ReasonValue,
  ReceivedReferral,
  ReferEvents,
  RegisterOutcome,
  RemoteOffer,
  SipAccount,
  SoughtOfferEvents,
} from '../../src/sip/types.js';
import { audioSdp } from './audio-sdp.js';

/** `sip:434@pbx.example` as a From, To or Contact. */
export function address(uri: string, displayName?: string): NameAddress {
  const rest = uri.replace(/^sips?:/, '');
  const at = rest.indexOf('@');
  const host = (at < 0 ? rest : rest.slice(at + 1)).replace(/[;:].*$/, '');
  return {
    uri,
    host,
    ...(at < 0 ? {} : { user: rest.slice(0, at) }),
    ...(displayName === undefined ? {} : { displayName }),
  };
}

const someEnd = {
  kind: 'dialog',
  callId: 'sip-call-id',
  localTag: 'ours',
  remoteTag: 'theirs',
  localUri: 'sip:434@pbx.example',
  remoteUri: 'sip:600@pbx.example',
  remoteTarget: 'sip:600@192.0.2.9',
  routeSet: [],
  cseq: 1,
} as const satisfies LooseEnd;

export class FakeDialog implements CallDialog {
  /** One entry for each `bye`. */
  readonly byes: (ReasonValue | undefined)[] = [];
  /** Every re-INVITE, oldest first. */
  readonly offers: (OfferEvents & { sdp: string })[] = [];

  /** The last re-INVITE; the spec answers it. */
  get reinvite(): OfferEvents & { sdp: string } {
    const last = this.offers.at(-1);
    if (last === undefined) throw new Error('no re-INVITE was sent');
    return last;
  }

  /** Every INFO with a tone, oldest first; the spec says what it was answered. */
  readonly tones: { tone: string; durationMs: number; answer: (status: number) => void }[] = [];
  /** Every REFER, oldest first. */
  readonly referrals: (ReferEvents & { to: string })[] = [];
  /** Each time it was asked for an offer, oldest first; the spec makes one. */
  readonly sought: SoughtOfferEvents[] = [];
  localSdp = audioSdp(9);
  readonly replacement = 'sip:600@192.0.2.9?Replaces=call';
  looseEnd: LooseEnd = { ...someEnd, routeSet: [] };

  sendTone(tone: string, durationMs: number, answer: (status: number) => void): void {
    this.tones.push({ tone, durationMs, answer });
  }

  refer(to: string, events: ReferEvents): void {
    this.referrals.push({ to, onTaken: events.onTaken, onResult: events.onResult });
  }

  offer(sdp: string, events: OfferEvents): void {
    this.offers.push({ sdp, onAnswered: events.onAnswered, onRefused: events.onRefused });
  }

  askForOffer(events: SoughtOfferEvents): void {
    this.sought.push(events);
  }

  /** It has ended, and what is asked of it is nothing. */
  isOver = false;

  bye(reason?: ReasonValue): void {
    if (!this.isOver) this.byes.push(reason);
  }
}

/** The far end wants the call handed over; `said` is what it was answered and told since: `accepted`, a status, a status line. */
export class FakeReferral implements ReceivedReferral {
  readonly said: (string | number)[] = [];

  constructor(
    readonly target: string,
    readonly replaces?: string,
    readonly referredBy?: string,
  ) {}

  accept(): void {
    this.said.push('accepted');
  }

  reject(status: number): void {
    this.said.push(status);
  }

  notify(status: number, phrase: string): void {
    this.said.push(`${status} ${phrase}`);
  }
}

/** An offer of the far end in a call; `answers` says how it was answered, by SDP or status. */
export class FakeRemoteOffer implements RemoteOffer {
  readonly answers: (string | number)[] = [];
  onWithdrawn: (() => void) | undefined;

  constructor(readonly sdp: string) {}

  accept(sdp: string): void {
    this.answers.push(sdp);
  }

  reject(status: number): void {
    this.answers.push(status);
  }
}

/** An INVITE that an account sent; the spec answers it. */
export class FakeOutgoingCall implements OutgoingCall {
  /** One entry for each `cancel`. */
  readonly cancels: (ReasonValue | undefined)[] = [];
  readonly dialog = new FakeDialog();
  readonly callId = 'sip-call-id';
  looseEnd: LooseEnd | undefined;

  constructor(
    readonly options: InviteOptions,
    private readonly events: OutgoingCallEvents,
  ) {}

  cancel(reason?: ReasonValue): void {
    this.cancels.push(reason);
  }

  progress(status: number, sdp?: string, remote?: NameAddress, reason?: ReasonValue): void {
    this.events.onProgress({
      status,
      phrase: 'Provisional',
      ...(sdp === undefined ? {} : { sdp }),
      ...(remote === undefined ? {} : { remote }),
      ...(reason === undefined ? {} : { reason }),
    });
  }

  accept(sdp?: string, remote?: NameAddress): void {
    this.events.onAccepted({
      dialog: this.dialog,
      ...(sdp === undefined ? {} : { sdp }),
      ...(remote === undefined ? {} : { remote }),
    });
  }

  refuse(status: number, phrase: string, more: Partial<CallRefusal> = {}): void {
    this.events.onRefused({ status, phrase, ...more });
  }

  remoteBye(reason?: ReasonValue): void {
    this.events.onBye(reason);
  }

  remoteOffer(sdp: string): FakeRemoteOffer {
    const offer = new FakeRemoteOffer(sdp);
    this.events.onOffer(offer);
    return offer;
  }

  remoteTone(tone: string): void {
    this.events.onTone(tone);
  }

  remoteReferral(target: string, replaces?: string, referredBy?: string): FakeReferral {
    const referral = new FakeReferral(target, replaces, referredBy);
    this.events.onReferral(referral);
    return referral;
  }

  remoteAnswer(sdp: string): void {
    this.events.onAnswer(sdp);
  }

  lose(refusal?: CallRefusal): void {
    this.events.onLost(refusal);
  }
}

export class FakeAccount implements SipAccount {
  readonly settings: AccountSettings;
  readonly flowName = undefined;
  /** Every INVITE, oldest first. */
  readonly invites: FakeOutgoingCall[] = [];
  /** Thrown by the next `invite`. */
  fault: Error | undefined;

  constructor(user: string, domain = 'pbx.example') {
    this.settings = {
      token: `t${user}`,
      user,
      domain,
      password: 'secret',
      target: { transport: 'udp', host: domain, port: 5060 },
    };
  }

  /** The last INVITE. */
  get call(): FakeOutgoingCall {
    const call = this.invites.at(-1);
    if (call === undefined) throw new Error(`account ${this.settings.user} sent no INVITE`);
    return call;
  }

  register(): Promise<RegisterOutcome> {
    return Promise.resolve({ kind: 'registered', expiresS: 1_800, contactChanged: false });
  }

  invite(options: InviteOptions, events: OutgoingCallEvents): OutgoingCall {
    if (this.fault !== undefined) throw this.fault;
    const call = new FakeOutgoingCall(options, events);
    this.invites.push(call);
    return call;
  }

  /** What it was asked to end. */
  readonly left: LooseEnd[] = [];

  endLeft(end: LooseEnd): void {
    this.left.push(end);
  }

  remove(): void {
    // Nothing is held.
  }
}

export interface SentResponse {
  status: number;
  phrase?: string;
  reason?: ReasonValue;
  retryAfterS?: number;
  sdp?: string;
}

/** An INVITE for an account; the spec plays the caller. */
export class FakeIncomingCall implements IncomingCall {
  readonly callId = 'sip-call-id';
  readonly requestUri: NameAddress;
  readonly from: NameAddress;
  readonly to: NameAddress;
  readonly contact?: NameAddress;
  readonly identity?: CallerIdentity;
  readonly sdp?: string;
  readonly replaces?: CallDialog;
  events: IncomingCallEvents | undefined;
  /** Every response of ours, in order. */
  readonly sent: SentResponse[] = [];
  readonly dialog = new FakeDialog();
  looseEnd: LooseEnd | undefined = { kind: 'invited', key: 'k', vias: ['v'], from: 'f', to: 't', callId: 'c', cseq: 1 };
  /** The call is over on the SIP side: `accept` gives no dialog. */
  over = false;

  constructor(
    readonly account: SipAccount,
    options: { from?: NameAddress; contact?: NameAddress; identity?: CallerIdentity; sdp?: string | null; replaces?: CallDialog } = {},
  ) {
    this.requestUri = address(`sip:${account.settings.token}@127.0.0.1`);
    this.to = address(`sip:${account.settings.user}@${account.settings.domain}`);
    this.from = options.from ?? address('sip:600@pbx.example', 'Reception');
    if (options.contact !== undefined) this.contact = options.contact;
    if (options.replaces !== undefined) this.replaces = options.replaces;
    if (options.identity !== undefined) this.identity = options.identity;
    if (options.sdp !== null) this.sdp = options.sdp ?? audioSdp(3);
  }

  get statuses(): number[] {
    return this.sent.map(({ status }) => status);
  }

  ring(): void {
    this.sent.push({ status: 180 });
  }

  accept(sdp: string): CallDialog | undefined {
    if (this.over) return undefined;
    this.sent.push({ status: 200, sdp });
    return this.dialog;
  }

  reject(status: number, options: { phrase?: string; reason?: ReasonValue; retryAfterS?: number } = {}): void {
    this.sent.push({ status, ...options });
  }

  cancel(reason?: ReasonValue): void {
    this.over = true;
    this.events?.onCancelled(reason);
  }

  confirm(): void {
    this.events?.onConfirmed();
  }

  remoteOffer(sdp: string): FakeRemoteOffer {
    const offer = new FakeRemoteOffer(sdp);
    this.events?.onOffer(offer);
    return offer;
  }

  remoteTone(tone: string): void {
    this.events?.onTone(tone);
  }

  remoteReferral(target: string, replaces?: string, referredBy?: string): FakeReferral {
    const referral = new FakeReferral(target, replaces, referredBy);
    this.events?.onReferral(referral);
    return referral;
  }

  remoteAnswer(sdp: string): void {
    this.events?.onAnswer(sdp);
  }

  lose(refusal?: CallRefusal): void {
    this.events?.onLost(refusal);
  }

  remoteBye(reason?: ReasonValue): void {
    this.events?.onBye(reason);
  }
}
