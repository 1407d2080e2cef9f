/**
 * Far ends of calls that may do anything at any time that the stack lets through (`sip/types`): nothing once the call is over, one offer at
 * a time, an answer to what was asked. `acts` says what is possible now; whoever plays picks.
 */
import type { CallDialog, CallRefusal } from '../../src/sip/types.js';
import { FakeRemoteOffer, type FakeIncomingCall, type FakeOutgoingCall, type FakeReferral } from '../support/fake-sip.js';
import { audioSdp } from '../support/audio-sdp.js';

export type Act = readonly [name: string, play: () => void];

/** No description that the WebRTC profile takes. */
export const unfitSdp = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';

const silence: CallRefusal = { status: 408, phrase: 'Request Timeout', local: { code: 'SIP_TIMEOUT', message: 'No answer came.' } };
const flowLost: CallRefusal = { status: 503, phrase: 'Service Unavailable', local: { code: 'SIP_TRANSPORT', message: 'The connection broke.' } };

/** So that a call comes far, now and then. */
function often(times: number, act: Act): Act[] {
  return Array.from({ length: times }, () => act);
}

/** What it offers because it was asked to: refused, the call is over (RFC 3261 13.2.2.4). */
class AskedOffer extends FakeRemoteOffer {
  constructor(
    sdp: string,
    private readonly bye: () => void,
  ) {
    super(sdp);
  }

  override reject(status: number): void {
    super.reject(status);
    this.bye();
  }
}

abstract class FarEnd {
  /** Every offer that it made in the call. */
  readonly offers: FakeRemoteOffer[] = [];
  readonly #withdrawn = new Set<FakeRemoteOffer>();
  /** It, or the network, has ended the call. */
  protected isEnded = false;
  #reinvitesAnswered = 0;
  #tonesAnswered = 0;
  #referrals = { taken: 0, settled: 0 };
  #asksAnswered = 0;
  /** Every REFER that it sent. */
  readonly #handovers: FakeReferral[] = [];
  #descriptions = 100;

  constructor(protected readonly call: FakeOutgoingCall | FakeIncomingCall) {}

  /** Nothing more happens in it. */
  abstract get isOver(): boolean;
  /** What of ours is wrong now that the host has its `ended`; '' for nothing. */
  abstract get leftOver(): string;
  abstract acts(): Act[];

  get dialog(): CallDialog {
    return this.call.dialog;
  }

  /** Offers that are neither answered nor taken back. */
  get openOffers(): number {
    return this.offers.filter((offer) => offer.answers.length === 0 && !this.#withdrawn.has(offer)).length;
  }

  /** Whether a REFER of its own is not refused, and its outcome not told. */
  get isHandingOver(): boolean {
    return this.#handovers.some(({ said }) => !said.some((word) => typeof word === 'number' || /^[2-6]\d\d /.test(word)));
  }

  /** Offers that were answered more than once. */
  get twiceAnswered(): number {
    return this.offers.filter(({ answers }) => answers.length > 1).length;
  }

  /** What we have sent in the call so far. */
  get sent(): string {
    const { offers, sought, tones, referrals, byes } = this.call.dialog;
    return `${offers.length + sought.length} re-INVITEs, ${tones.length} INFOs, ${referrals.length} REFERs, ${byes.length} BYEs`;
  }

  protected get isHungUp(): boolean {
    return this.isEnded || this.call.dialog.byes.length > 0;
  }

  protected act(name: string, play: () => void): Act {
    return [name, play];
  }

  /** What ends the call, or would have. */
  protected last(name: string, play: () => void): Act {
    return [
      name,
      () => {
        this.isEnded = true;
        play();
      },
    ];
  }

  protected newSdp(): string {
    return audioSdp(++this.#descriptions);
  }

  /** What may happen in an answered call. */
  protected talk(): Act[] {
    const { call } = this;
    const { dialog } = call;
    const offer = (sdp: string): void => {
      this.offers.push(call.remoteOffer(sdp));
    };
    const acts = [
      this.last('BYE', () => { call.remoteBye(); }),
      this.last('is gone', () => { call.lose({ status: 481, phrase: 'Call/Transaction Does Not Exist' }); }),
      this.last('is silent', () => { call.lose(silence); }),
      ...often(3, this.act('INFO', () => { call.remoteTone('5'); })),
      this.act('answers again', () => { call.remoteAnswer(this.newSdp()); }),
    ];
    const open = this.offers.at(-1);
    const ask = dialog.sought[this.#asksAnswered];
    // The stack refuses an offer that meets a re-INVITE of ours.
    if (this.openOffers === 0 && ask === undefined) {
      acts.push(...often(6, this.act('offers', () => { offer(this.newSdp()); })), this.act('offers what is unfit', () => { offer(unfitSdp); }));
    } else if (open !== undefined) {
      acts.push(
        this.act('takes its offer back', () => {
          this.#withdrawn.add(open);
          open.onWithdrawn?.();
        }),
      );
    }
    const reinvite = dialog.offers[this.#reinvitesAnswered];
    if (reinvite !== undefined) {
      const settle = (name: string, play: () => void): Act => this.act(name, () => {
        this.#reinvitesAnswered += 1;
        play();
      });
      const glare: CallRefusal = { status: 491, phrase: 'Request Pending' };
      acts.push(
        ...often(4, settle('answers the re-INVITE', () => { reinvite.onAnswered(this.newSdp()); })),
        ...often(4, settle('491 to the re-INVITE', () => { reinvite.onRefused(glare); })),
        settle('488 to the re-INVITE', () => { reinvite.onRefused({ status: 488, phrase: 'Not Acceptable Here' }); }),
        settle('answers the re-INVITE with what is unfit', () => { reinvite.onAnswered(unfitSdp); }),
      );
    }
    if (ask !== undefined) {
      const settle = (name: string, play: () => void): Act => this.act(name, () => {
        this.#asksAnswered += 1;
        play();
      });
      const asked = (sdp: string): void => {
        const made = new AskedOffer(sdp, () => {
          dialog.bye();
          dialog.isOver = true;
        });
        this.offers.push(made);
        ask.onOffer(made);
      };
      acts.push(
        ...often(6, settle('offers as it was asked', () => { asked(this.newSdp()); })),
        settle('offers what is unfit as it was asked', () => { asked(unfitSdp); }),
        settle('488 to being asked', () => { ask.onRefused({ status: 488, phrase: 'Not Acceptable Here' }); }),
      );
    }
    if (!this.isHandingOver) {
      for (const to of ['sip:601@pbx.example', 'sip:432@pbx.example', 'mailto:anna']) {
        acts.push(...often(2, this.act(`REFER to ${to}`, () => { this.#handovers.push(call.remoteReferral(to)); })));
      }
    }
    const tone = dialog.tones[this.#tonesAnswered];
    if (tone !== undefined) {
      for (const status of [200, 415]) {
        acts.push(this.act(`${status} to the INFO`, () => {
          this.#tonesAnswered += 1;
          tone.answer(status);
        }));
      }
    }
    const referral = dialog.referrals[this.#referrals.settled];
    if (referral !== undefined) {
      if (this.#referrals.taken === this.#referrals.settled) {
        acts.push(this.act('takes the REFER', () => {
          this.#referrals.taken += 1;
          referral.onTaken();
        }));
      }
      for (const status of [200, 486, undefined]) {
        acts.push(this.act(`NOTIFY ${status ?? 'nothing'}`, () => {
          this.#referrals.settled += 1;
          this.#referrals.taken = this.#referrals.settled;
          referral.onResult(status);
        }));
      }
    }
    return acts;
  }
}

/** Whom we called. */
export class CalledFarEnd extends FarEnd {
  #isAnswered = false;

  constructor(protected override readonly call: FakeOutgoingCall) {
    super(call);
  }

  override get isOver(): boolean {
    return this.isHungUp;
  }

  /** It rings on until it says 487. */
  get isCancelled(): boolean {
    return !this.isHungUp && !this.#isAnswered && this.call.cancels.length > 0;
  }

  override get leftOver(): string {
    if (this.isHungUp || this.isCancelled) return '';
    return this.#isAnswered ? 'the called party still talks' : 'the called party still rings';
  }

  override acts(): Act[] {
    const { call } = this;
    if (this.isOver) return [];
    if (this.#isAnswered) return this.talk();
    const refuse = (status: number, refusal: Partial<CallRefusal> = {}): Act =>
      this.last(`${status}${refusal.local === undefined ? '' : ' of the stack'}`, () => { call.refuse(status, 'Refused', refusal); });
    const given = [refuse(408, silence), refuse(503, flowLost)];
    // An answer that crosses the CANCEL is told as 487 too.
    if (this.isCancelled) return [refuse(487), ...given];
    const accept = (name: string, sdp?: string): Act => this.act(name, () => {
      this.#isAnswered = true;
      call.accept(sdp);
    });
    return [
      ...[180, 181, 183].flatMap((status) => [
        this.act(String(status), () => { call.progress(status); }),
        this.act(`${status} with media`, () => { call.progress(status, this.newSdp()); }),
      ]),
      this.act('183 with what is unfit', () => { call.progress(183, unfitSdp); }),
      ...often(12, accept('200', this.newSdp())),
      accept('200 without SDP'),
      accept('200 with what is unfit', unfitSdp),
      ...[302, 404, 480, 486, 487, 500, 603].map((status) => refuse(status)),
      ...given,
    ];
  }
}

/** Who called us. */
export class CallingFarEnd extends FarEnd {
  #isConfirmed = false;

  constructor(protected override readonly call: FakeIncomingCall) {
    super(call);
  }

  override get isOver(): boolean {
    return this.isHungUp || this.#final >= 300;
  }

  override get leftOver(): string {
    if (this.isOver) return '';
    return this.#final === 200 ? 'the caller still talks' : 'the caller still hears it ring';
  }

  /** Whether more than one final response was sent. */
  get isTwiceAnswered(): boolean {
    return this.call.statuses.filter((status) => status >= 200).length > 1;
  }

  override acts(): Act[] {
    const { call } = this;
    if (this.isOver) return [];
    if (this.#final === 0) {
      // Whoever rings waits, mostly.
      return [
        ...often(8, this.act('still rings', () => undefined)),
        this.last('CANCEL', () => { call.cancel(); }),
        this.last('CANCEL, answered elsewhere', () => { call.cancel({ protocol: 'SIP', cause: 200 }); }),
      ];
    }
    if (this.#isConfirmed) return this.talk();
    return [
      ...often(8, this.act('ACK', () => {
        this.#isConfirmed = true;
        call.confirm();
      })),
      this.last('no ACK', () => { call.lose(); }),
      this.last('BYE before the ACK', () => { call.remoteBye(); }),
      this.act('INFO before the ACK', () => { call.remoteTone('1'); }),
      this.act('offers before the ACK', () => { this.offers.push(call.remoteOffer(this.newSdp())); }),
    ];
  }

  /** Our final response; 0 for none yet. */
  get #final(): number {
    return this.call.statuses.find((status) => status >= 200) ?? 0;
  }
}
