/**
 * Keeps the session of one call refreshed (RFC 4028), and the far end told of where we are: what each request that does so says and is
 * answered, and those that nobody else has a reason to send: UPDATE where the far end takes it, else a re-INVITE with what we said last.
 */
import type { IncomingMessage, IncomingRequestMessage, IncomingResponseMessage, SessionDialog } from 'sip.js/lib/core/index.js';
import type { Clock } from '../base/clock.js';
import { allowsUpdate, answerSession, sessionRequestLines, termsOfResponse, type SessionTerms, type SessionWish } from './session-terms.js';
import { SessionTimer } from './session-timer.js';
import { sendSessionUpdate } from './session-update.js';
import { ToldContact } from './told-contact.js';
import type { Flow } from './transports/flow.js';
import type { CallRefusal, ReasonValue } from './types.js';
import { whereWeAre } from './where-we-are.js';

/** How the session begins: what the INVITE and its 2xx said. */
export interface SessionStart {
  readonly wish: SessionWish;
  readonly terms: SessionTerms | undefined;
  /** The far end lists UPDATE in Allow. */
  readonly takesUpdate: boolean;
  /** Of the Contact that the far end was told; absent: the account's flow of now. */
  readonly toldFlow?: Flow | undefined;
}

export interface RefreshedCall {
  /** A re-INVITE with what was said last. @returns false when it cannot be sent now; nothing has happened then */
  offerAgain(onRefused: (refusal: CallRefusal) => void): boolean;
  /** The far end is gone. */
  lose(refusal: CallRefusal, reason?: ReasonValue): void;
}

/** RFC 3261 12.2.1.2: "the UAC SHOULD terminate the dialog". */
const endsDialog: ReadonlySet<number> = new Set([408, 481]);

const sessionExpired: CallRefusal = {
  status: 408,
  phrase: 'Request Timeout',
  local: { code: 'SIP_SESSION_EXPIRED', message: 'Nobody refreshed the session in time' },
};
const timerExpiry: ReasonValue = { protocol: 'Q.850', cause: 102, text: 'Recovery on timer expiry' };

export class SessionRefresher {
  readonly #timer: SessionTimer;
  readonly #contact: ToldContact;
  #wish: SessionWish;
  #takesUpdate: boolean;
  #isOver = false;

  constructor(
    private readonly dialog: SessionDialog,
    clock: Clock,
    start: SessionStart,
    private readonly call: RefreshedCall,
  ) {
    this.#wish = start.wish;
    this.#takesUpdate = start.takesUpdate;
    this.#timer = new SessionTimer(clock, {
      refresh: () => {
        this.#refresh();
      },
      giveUp: () => {
        call.lose(sessionExpired, timerExpiry);
      },
    });
    this.#contact = new ToldContact(dialog, clock, start.toldFlow, () => {
      this.#refresh();
    });
    this.#timer.agree(start.terms);
    this.#contact.moved();
  }

  /** The account is registered. */
  registered(): void {
    this.#contact.moved();
  }

  /** Whole lines of a re-INVITE or UPDATE of ours. */
  requestLines(): string[] {
    this.#contact.saying();
    return [...whereWeAre(this.dialog.userAgentCore), ...sessionRequestLines(this.#wish, this.#timer.terms)];
  }

  /** The 2xx to one of those. */
  accepted(response: IncomingResponseMessage): void {
    this.#hear(response);
    this.#contact.accepted();
    this.#timer.agree(termsOfResponse(response, this.#wish));
  }

  /** A re-INVITE or UPDATE of the far end is accepted. @returns whole lines of the 2xx */
  answer(request: IncomingRequestMessage): string[] {
    this.#hear(request);
    this.#contact.answered();
    const { terms, lines } = answerSession(request, this.#wish, this.#timer.terms);
    this.#timer.agree(terms);
    return [...whereWeAre(this.dialog.userAgentCore), ...lines];
  }

  /** RFC 4028 7.3. @returns whether the request is to be sent again, with a longer interval than before */
  takesInterval({ minSeS = 0 }: CallRefusal): boolean {
    const { expiresS, minSeS: before } = this.#wish;
    if (minSeS <= Math.max(this.#timer.terms?.intervalS ?? expiresS, before)) return false;
    this.#wish = { expiresS, minSeS };
    return true;
  }

  /**
   * Of a request that is sent now: whether what it is refused with is the end of the call. Of a connection that is lost meanwhile nothing
   * else was to be expected than silence.
   */
  judgeEnd(): (refusal: CallRefusal) => boolean {
    const { flow } = this.#contact;
    return ({ status, local }) => endsDialog.has(status) && (local === undefined || flow?.isOpen === true);
  }

  /** The call has ended. */
  end(): void {
    this.#isOver = true;
    this.#timer.end();
    this.#contact.end();
  }

  #refresh(): void {
    if (this.#takesUpdate) this.#update();
    else if (!this.call.offerAgain((refusal) => { this.#refused(refusal); })) {
      this.#timer.refused();
      this.#contact.refused();
    }
  }

  #update(): void {
    const isEnd = this.judgeEnd();
    sendSessionUpdate(this.dialog, this.requestLines(), {
      onAccepted: (response) => {
        if (!this.#isOver) this.accepted(response);
      },
      onRefused: (refusal) => {
        if (this.#isOver) return;
        if (isEnd(refusal)) this.call.lose(refusal);
        else if (this.takesInterval(refusal)) this.#update();
        else if (refusesMethod(refusal)) {
          this.#takesUpdate = false;
          this.#refresh();
        } else this.#refused(refusal);
      },
    });
  }

  #refused(refusal: CallRefusal): void {
    this.#contact.refused(refusal);
    const { terms } = this.#timer;
    // Who keeps no time but answers is there: that is all we wanted to know.
    if (terms?.isAgreed === false && refusal.local === undefined) this.#timer.agree(terms);
    else this.#timer.refused(refusal.retryAfterMs);
  }

  #hear(message: IncomingMessage): void {
    this.#takesUpdate = allowsUpdate(message) ?? this.#takesUpdate;
  }
}

/** Whatever it is that the far end, or a proxy on the way, has against UPDATE. */
function refusesMethod({ status, local }: CallRefusal): boolean {
  return local === undefined && status !== 491 && (status < 500 || status === 501);
}
