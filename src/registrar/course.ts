/**
 * The course of a registration. Events go through the table (`transitions.ts`); here its actions are carried out: one schedule wakes
 * what sleeps, admission says whose turn it is, and each answer becomes the next event. Whatever happens, in whatever order, a
 * registration is asleep until a known time, in the queue, on the wire under a guard, or gone; and of one mapping at most one REGISTER is
 * on the wire at any moment.
 */
import { minute, second } from '../base/units.js';
import type { RegisterOutcome } from '../sip/types.js';
import { Admission, type Backlog } from './admission.js';
import { Arrivals } from './arrivals.js';
import { eventOf, leastExpiryS } from './outcome.js';
import type { RegistrarDependencies, RegistrarSettings } from './ports.js';
import type { Registration } from './registration.js';
import type { Registrations } from './registrations.js';
import { Report } from './report.js';
import { Schedule } from './schedule.js';
import { Spread } from './spread.js';
import type { Action, RegistrationEvent } from './transitions.js';
import { probeWaitMs, reconnectWaitMs, refreshWindow, retryAfterWaitMs, retryWaitMs } from './waits.js';
import { sayFlowLost, sayOutcome } from './words.js';

/** The stack answers within a few times 64*T1, challenges and a connection included. Longer: its answer is not waited for. */
const guardMs = 3 * minute;

export interface CourseEvents {
  /** It is un-registered, or never was registered: nothing more will be asked of its account. */
  onGone(registration: Registration): void;
  /** Its binding could not be removed, and ends by itself. */
  onBindingKept(registration: Registration, words: string): void;
}

export class Course {
  readonly #settings: RegistrarSettings;
  readonly #deps: RegistrarDependencies;
  readonly #events: CourseEvents;
  readonly #registrations: Registrations;
  readonly #report: Report;
  readonly #arrivals: Arrivals;
  readonly #schedule: Schedule<Registration>;
  readonly #admission: Admission<Registration>;
  readonly #spread: Spread;
  /** Min-Expires of 423s, seconds, by registrar. */
  readonly #minExpiresS = new Map<string, number>();
  #isClosed = false;
  #asked = 0;

  constructor(settings: RegistrarSettings, deps: RegistrarDependencies, registrations: Registrations, events: CourseEvents) {
    this.#settings = settings;
    this.#deps = deps;
    this.#events = events;
    this.#registrations = registrations;
    this.#report = new Report(deps.log, deps.clock);
    this.#arrivals = new Arrivals(deps.clock, () => {
      this.#report.arrived(registrations.byState.registered, registrations.total);
    });
    this.#spread = new Spread(deps.random);
    this.#schedule = new Schedule(deps.clock, (registration) => {
      this.#wake(registration);
    });
    this.#admission = new Admission(settings, deps.clock, (registration) => {
      this.happen(registration, 'turn');
    });
  }

  /** When it is tried next, on the clock's scale; undefined when it waits for no time. */
  nextTryMs(registration: Registration): number | undefined {
    return registration.place === 'asleep' ? this.#schedule.dueMsOf(registration) : undefined;
  }

  /** How many REGISTERs there were, one that is asked again for its digest counted once. */
  get asked(): number {
    return this.#asked;
  }

  /** Whole seconds on the clock's scale. */
  nowS(): number {
    return Math.floor(this.#deps.clock.now() / second);
  }

  /** The registrars at which somebody waits. */
  backlogs(): Backlog[] {
    return this.#admission.backlogs();
  }

  /** From now on only the number on their way is limited. */
  liftRate(): void {
    this.#admission.liftRate();
  }

  /** Nothing happens any more. */
  close(): void {
    this.#isClosed = true;
    this.#schedule.clear();
    this.#admission.close();
    this.#arrivals.close();
  }

  // ---- events ---------------------------------------------------------------------------------

  happen(registration: Registration, event: RegistrationEvent, outcome?: RegisterOutcome): void {
    const before = registration.state;
    const settled = before === 'registering' ? registration.trouble.settled : before;
    if (before === 'registered') this.#spread.cancel(this.nextTryMs(registration) ?? 0);
    const actions = registration.take(event);
    const after = registration.state;
    this.#registrations.noteMove(registration, before);
    if (after !== 'registering' && after !== settled) {
      registration.isSpread = false;
      registration.sinceS = this.nowS();
      if (after === 'retrying' || after === 'parked' || after === 'waiting') registration.note({ settled: after });
    }
    for (const action of actions) this.#act(registration, action, outcome);
  }

  #act(registration: Registration, action: Action, outcome: RegisterOutcome | undefined): void {
    const { random } = this.#deps;
    const { failures, isAfterFlowLoss } = registration.trouble;
    switch (action) {
      case 'queue':
        this.queue(registration);
        break;
      case 'send':
        void this.#send(registration);
        break;
      case 'wait for refresh': {
        const grantedMs = outcome?.kind === 'registered' ? outcome.expiresS * second : this.#settings.expiresMs;
        const window = refreshWindow(grantedMs, this.#settings.intervalMs, !registration.isSpread);
        registration.isSpread = true;
        this.#sleepUntil(registration, this.#spread.plan(this.#deps.clock.now(), window));
        break;
      }
      case 'wait to retry': {
        const retryAfterMs = outcome?.kind === 'refused' ? outcome.retryAfterMs : undefined;
        registration.note({ failures: failures + 1 });
        this.#sleep(
          registration,
          retryAfterMs === undefined
            ? retryWaitMs(failures, isAfterFlowLoss, random())
            : retryAfterWaitMs(retryAfterMs, failures, random()),
        );
        break;
      }
      case 'wait to reconnect':
        registration.note({ isAfterFlowLoss: true, failures: 1 });
        this.#sleep(registration, reconnectWaitMs(random()));
        break;
      case 'wait to probe':
        registration.note({ failures: failures + 1 });
        this.#sleep(registration, probeWaitMs(random()));
        break;
      case 'unbind':
        this.#unbind(registration);
        break;
      case 'forget':
        this.#events.onGone(registration);
        break;
    }
  }

  /** The connection that it was registered over closed. */
  loseFlow(registration: Registration, why?: string): void {
    if (registration.isOnWire) {
      registration.note({ isAfterFlowLoss: true, deferred: registration.trouble.deferred ?? 'flow lost' });
      return;
    }
    const wasRegistered = registration.state === 'registered';
    this.happen(registration, 'flow lost');
    if (wasRegistered) registration.note({ code: 200, words: sayFlowLost(registration.registrarKey, why) });
  }

  #wake(registration: Registration): void {
    if (!registration.isOnWire) {
      registration.place = 'nowhere';
      this.happen(registration, 'due');
      return;
    }
    this.#report.noOutcome(registration, guardMs);
    const askedS = registration.place === 'wire' ? this.#expiresS(registration.registrarKey) : 0;
    this.#settle(registration, registration.attempt, askedS, { kind: 'unreachable', code: 'SIP_TIMEOUT', message: '' });
  }

  // ---- where a registration is --------------------------------------------------------------------

  /** One that is in the queue already keeps its place in it. */
  queue(registration: Registration): void {
    this.#schedule.delete(registration);
    registration.place = 'queued';
    this.#admission.enter(registration.registrarKey, registration, registration.urgency);
  }

  #leavePlace(registration: Registration): void {
    if (registration.place === 'queued') this.#admission.cancel(registration.registrarKey, registration);
    this.#schedule.delete(registration);
    registration.place = 'nowhere';
  }

  #sleep(registration: Registration, waitMs: number): void {
    this.#sleepUntil(registration, this.#deps.clock.now() + waitMs);
  }

  #sleepUntil(registration: Registration, momentMs: number): void {
    const { briefRepeats, isCorrected } = registration.trouble;
    this.#leavePlace(registration);
    registration.place = 'asleep';
    registration.urgency = 'ordinary';
    if (briefRepeats > 0 || isCorrected) registration.note({ briefRepeats: 0, isCorrected: false });
    this.#schedule.set(registration, momentMs);
  }

  async #send(registration: Registration): Promise<void> {
    const attempt = (registration.attempt += 1);
    this.#asked += 1;
    const isRemoval = registration.state === 'unregistering';
    const askedS = isRemoval ? 0 : this.#expiresS(registration.registrarKey);
    registration.place = isRemoval ? 'leaving wire' : 'wire';
    this.#schedule.set(registration, this.#deps.clock.now() + guardMs);
    let outcome: RegisterOutcome;
    try {
      outcome = await registration.account.register(askedS);
    } catch (thrown) {
      this.#report.threw(registration, thrown);
      const message = 'The REGISTER failed inside this program; its log says how.';
      outcome = { kind: 'unreachable', code: 'SIP_TRANSPORT', message };
    }
    this.#settle(registration, attempt, askedS, outcome);
  }

  // ---- answers ------------------------------------------------------------------------------------

  /** The answer to a REGISTER, or what stands in for one. */
  #settle(registration: Registration, attempt: number, askedS: number, outcome: RegisterOutcome): void {
    // Given up before, or all is closed.
    if (attempt !== registration.attempt || !registration.isOnWire || this.#isClosed) return;
    const { deferred } = registration.trouble;
    if (deferred !== undefined) registration.note({ deferred: undefined });
    this.#leavePlace(registration);
    this.#admission.leave(registration.registrarKey, outcome.kind !== 'unreachable');
    this.#noteBinding(registration, askedS, outcome);
    if (askedS === 0) {
      this.#noteRemoval(registration, outcome);
      this.happen(registration, 'unbound');
    } else if (deferred === 'row changed') {
      // It was asked with the credentials of before: whatever came of it says nothing about the new ones.
      this.happen(registration, 'row changed');
    } else {
      this.#answer(registration, askedS, outcome);
      if (deferred === 'flow lost') this.loseFlow(registration);
    }
  }

  #answer(registration: Registration, askedS: number, outcome: RegisterOutcome): void {
    let event = eventOf(outcome, askedS, registration.trouble);
    const leastS = leastExpiryS(outcome, askedS);
    if (leastS !== undefined) this.#minExpiresS.set(registration.registrarKey, Math.max(this.#minExpiresS.get(registration.registrarKey) ?? 0, leastS));
    if (event === 'too brief') registration.note({ briefRepeats: registration.trouble.briefRepeats + 1 });
    // A way that led there at the last REGISTER and no longer does is a flow that was lost.
    const isBroken = outcome.kind === 'unreachable' && outcome.code === 'SIP_TRANSPORT' && registration.state === 'registered';
    if (event === 'unanswered' && isBroken) event = 'flow lost';
    if (outcome.kind === 'refused' && registration.trouble.isAfterFlowLoss) registration.note({ isAfterFlowLoss: false });
    if (event === 'accepted' || event === 'corrected') {
      this.#succeed(registration, event, outcome);
    } else {
      this.happen(registration, event, outcome);
      if (event !== 'too brief') this.#fail(registration, outcome);
    }
  }

  #succeed(registration: Registration, event: 'accepted' | 'corrected', outcome: RegisterOutcome): void {
    const isFirst = !registration.wasRegistered;
    const wasTold = registration.trouble.isTold;
    const isLeaving = registration.state === 'unregistering';
    registration.forgetTrouble();
    registration.wasRegistered = true;
    if (event === 'corrected') registration.note({ isCorrected: true });
    this.happen(registration, event, outcome);
    if (isLeaving || outcome.kind !== 'registered') return;
    if (wasTold || (isFirst && this.#arrivals.note())) this.#report.registered(registration, outcome.expiresS, isFirst);
  }

  /** Logs a trouble once: not again while it stays the same. */
  #fail(registration: Registration, outcome: RegisterOutcome): void {
    const { isTold, words: toldWords } = registration.trouble;
    const words = sayOutcome(outcome, registration.registrarKey);
    const isLeaving = registration.state === 'unregistering' || registration.state === 'gone';
    const isNews = (!isTold || words !== toldWords) && words !== undefined && !isLeaving;
    const code = outcome.kind === 'refused' ? outcome.status : outcome.kind === 'registered' ? 200 : undefined;
    registration.note({ code, words, isTold: isTold || isNews });
    if (isNews) this.#report.troubled(registration, words, this.nextTryMs(registration));
  }

  #expiresS(registrarKey: string): number {
    return Math.max(1, Math.ceil(this.#settings.expiresMs / second), this.#minExpiresS.get(registrarKey) ?? 0);
  }

  /** A REGISTER without an answer may have arrived all the same; one that is refused leaves the binding of before. */
  #noteBinding(registration: Registration, askedS: number, outcome: RegisterOutcome): void {
    if (outcome.kind === 'registered') {
      registration.bindingUntilS = outcome.expiresS > 0 ? this.nowS() + 1 + outcome.expiresS : 0;
    } else if (outcome.kind === 'unreachable' && outcome.code === 'SIP_TIMEOUT' && askedS > 0) {
      registration.bindingUntilS = Math.max(registration.bindingUntilS, this.nowS() + 1 + askedS);
    }
  }

  // ---- leaving ------------------------------------------------------------------------------------

  /** Whether a binding of it may stand at the registrar. */
  mayBeBound(registration: Registration): boolean {
    return registration.bindingUntilS * second > this.#deps.clock.now();
  }

  #unbind(registration: Registration): void {
    if (registration.isOnWire) return;
    this.#leavePlace(registration);
    if (this.mayBeBound(registration)) this.queue(registration);
    else this.happen(registration, 'unbound');
  }

  #noteRemoval(registration: Registration, outcome: RegisterOutcome): void {
    if (outcome.kind === 'registered') return;
    const words = sayOutcome(outcome, registration.registrarKey) ?? '';
    registration.note({ code: outcome.kind === 'refused' ? outcome.status : undefined, words });
    this.#events.onBindingKept(registration, words);
  }
}
