/**
 * Keeps every registration alive. Events go through the table (`transitions.ts`); here its actions are carried out: one schedule wakes
 * what sleeps, admission says whose turn it is, and each answer becomes the next event. Whatever happens, in whatever order, a
 * registration is asleep until a known time, in the queue, on the wire under a guard, or gone; and of one mapping at most one REGISTER is
 * on the wire at any moment.
 */
import { minute, second } from '../base/units.js';
import type { RegistrationsStatus, RegistrationStatus } from '../host/contract.js';
import type { RegisterOutcome } from '../sip/types.js';
import { Admission } from './admission.js';
import { eventOf, type Repeats } from './outcome.js';
import { sayRegistrar, type RegistrarDependencies, type RegistrarSettings, type RegistrationEntry, type Urgency } from './ports.js';
import { departure, Registration } from './registration.js';
import { Registrations, type PageOptions } from './registrations.js';
import { Report, statusOf } from './report.js';
import { Schedule } from './schedule.js';
import { Spread } from './spread.js';
import type { Action, RegistrationEvent } from './transitions.js';
import { probeWaitMs, reconnectWaitMs, refreshWindow, retryAfterWaitMs, retryWaitMs } from './waits.js';
import { sayFlowLost, sayOutcome } from './words.js';

/** The stack answers within a few times 64*T1, challenges and a connection included. Longer: its answer is not waited for. */
const guardMs = 3 * minute;

/** In `status`: who is not registered, and which registrars have a queue. */
const mostShown = 100;

export class Registrar {
  readonly #settings: RegistrarSettings;
  readonly #deps: RegistrarDependencies;
  readonly #report: Report;
  readonly #schedule: Schedule<Registration>;
  readonly #admission: Admission<Registration>;
  readonly #spread: Spread;
  readonly #registrations = new Registrations();
  /** The registrars there were, each key once. */
  readonly #keys = new Map<string, string>();
  /** Min-Expires of 423s, seconds, by registrar. */
  readonly #minExpiresS = new Map<string, number>();
  /** Bindings that could not be removed since `stop` was called. */
  readonly #left: RegistrationStatus[] = [];
  #stopping: Promise<readonly RegistrationStatus[]> | undefined;
  #isClosed = false;

  constructor(settings: RegistrarSettings, deps: RegistrarDependencies) {
    this.#settings = settings;
    this.#deps = deps;
    this.#report = new Report(deps.log, deps.clock);
    this.#spread = new Spread(deps.random);
    this.#schedule = new Schedule(deps.clock, (registration) => {
      this.#wake(registration);
    });
    this.#admission = new Admission(settings, deps.clock, (registration) => {
      this.#happen(registration, 'turn');
    });
  }

  /**
   * Starts to keep a mapping registered; one that is there already is changed. Ignored after `stop`.
   * @param urgency `urgent` for a single one that somebody waits for, `ordinary` for one of many
   */
  add(entry: RegistrationEntry, urgency: Urgency = 'ordinary'): void {
    if (this.#stopping !== undefined) return;
    if (this.#registrations.current.has(entry.mappingId)) {
      void this.change(entry);
      return;
    }
    const registration = new Registration(entry, this.#sharedKey(entry.registrarKey));
    registration.sinceS = this.#nowS();
    registration.urgency = urgency;
    this.#registrations.add(registration);
    if (this.#registrations.leaving.has(entry.mappingId)) registration.place = 'behind';
    else this.#queue(registration);
  }

  /**
   * The row changed. For the same AOR at the same registrar it is registered at once with the new account, after the REGISTER that is
   * on its way. For another the old binding is removed first, with the old account. Goes ahead of those that wait in the queue.
   * @returns resolves when no more REGISTERs will be asked of the old account
   */
  change(entry: RegistrationEntry): Promise<void> {
    if (this.#stopping !== undefined) return Promise.resolve();
    const registration = this.#registrations.current.get(entry.mappingId);
    if (registration?.aor !== entry.aor || registration.registrarKey !== entry.registrarKey) {
      const left = this.remove(entry.mappingId);
      this.add(entry, 'urgent');
      return left;
    }
    registration.account = entry.account;
    registration.urgency = 'urgent';
    registration.failures = 0;
    registration.isAfterFlowLoss = false;
    registration.lastCode = undefined;
    registration.lastError = undefined;
    if (registration.place === 'wire') registration.deferred = 'row changed';
    else if (registration.place !== 'behind') this.#happen(registration, 'row changed');
    return Promise.resolve();
  }

  /**
   * Un-registers if a binding may exist, in one attempt, and forgets the mapping. A binding that cannot be removed ends by itself.
   * @returns resolves when its account is no longer needed; at once for a mapping that is not here. Never rejects.
   */
  remove(mappingId: number): Promise<void> {
    const registration = this.#registrations.current.get(mappingId);
    const before = this.#registrations.leaving.get(mappingId);
    if (registration !== undefined) this.#registrations.leave(registration);
    if (before !== undefined) return before.departure.done;
    if (registration === undefined) return Promise.resolve();
    registration.deferred = undefined;
    registration.urgency = 'urgent';
    this.#happen(registration, 'removed');
    return registration.departure.done;
  }

  /**
   * Tries now, whatever it waits for, ahead of those that wait in the queue; still at the registrar's rate. One whose REGISTER is on its
   * way is being tried already.
   * @returns false when the mapping is not here, or is being un-registered
   */
  registerNow(mappingId: number): boolean {
    const registration = this.#registrations.current.get(mappingId);
    if (registration === undefined || this.#stopping !== undefined) return false;
    registration.urgency = 'urgent';
    if (registration.place === 'asleep') this.#happen(registration, 'due');
    else if (registration.place === 'queued') this.#queue(registration);
    return true;
  }

  /** A connection that these mappings were registered over closed: each is registered again over a new one, at the registrar's rate. */
  onFlowLost(mappingIds: readonly number[], why: string): void {
    if (this.#stopping !== undefined) return;
    const lost = mappingIds.flatMap((mappingId) => this.#registrations.current.get(mappingId) ?? []);
    for (const registration of lost) this.#loseFlow(registration, why);
    const [first] = lost;
    if (first !== undefined) this.#report.flowLost(first.registrarKey, why, lost.length);
  }

  status(): RegistrationsStatus {
    const { byState } = this.#registrations;
    const backlogs = this.#admission.backlogs().sort((one, other) => other.convergesInMs - one.convergesInMs);
    return {
      total: Object.values(byState).reduce((sum, count) => sum + count, 0),
      byState,
      troubled: this.#registrations.unregistered(mostShown).map((registration) => statusOf(registration, this.#deps.clock)),
      convergesInMs: backlogs[0]?.convergesInMs ?? 0,
      queues: backlogs.slice(0, mostShown).map(({ registrarKey, waiting, convergesInMs }) => {
        return { registrar: sayRegistrar(registrarKey), waiting, convergesInMs };
      }),
    };
  }

  /** One page by ascending mapping id. What happens between two pages is in the later one. */
  list(options: PageOptions): RegistrationStatus[] {
    return this.#registrations.page(options).map((registration) => statusOf(registration, this.#deps.clock));
  }

  find(mappingId: number): RegistrationStatus | undefined {
    const registration = this.#registrations.find(mappingId);
    return registration && statusOf(registration, this.#deps.clock);
  }

  /**
   * Un-registers all, as fast as `maxInFlight` allows, and is over after `timeoutMs` at the latest. Idempotent.
   * @returns resolves with the bindings that could not be removed; they end by themselves. Never rejects.
   */
  stop(timeoutMs: number): Promise<readonly RegistrationStatus[]> {
    this.#stopping ??= this.#unregisterAll(timeoutMs);
    return this.#stopping;
  }

  // ---- events ---------------------------------------------------------------------------------

  #happen(registration: Registration, event: RegistrationEvent, outcome?: RegisterOutcome): void {
    const before = registration.state;
    if (before === 'registered' && registration.place === 'asleep') this.#spread.cancel(registration.dueMs);
    const actions = registration.take(event);
    const after = registration.state;
    this.#registrations.noteMove(before, after);
    if (after !== 'registering' && after !== registration.settled) {
      registration.settled = after;
      registration.isSpread = false;
      registration.sinceS = this.#nowS();
    }
    for (const action of actions) this.#act(registration, action, outcome);
  }

  #act(registration: Registration, action: Action, outcome: RegisterOutcome | undefined): void {
    const { random } = this.#deps;
    switch (action) {
      case 'queue':
        this.#queue(registration);
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
        const { failures, isAfterFlowLoss } = registration;
        const retryAfterMs = outcome?.kind === 'refused' ? outcome.retryAfterMs : undefined;
        registration.failures += 1;
        this.#sleep(
          registration,
          retryAfterMs === undefined
            ? retryWaitMs(failures, isAfterFlowLoss, random())
            : retryAfterWaitMs(retryAfterMs, failures, random()),
        );
        break;
      }
      case 'wait to reconnect':
        registration.isAfterFlowLoss = true;
        registration.failures = 1;
        this.#sleep(registration, reconnectWaitMs(random()));
        break;
      case 'wait to probe':
        registration.failures += 1;
        this.#sleep(registration, probeWaitMs(random()));
        break;
      case 'unbind':
        this.#unbind(registration);
        break;
      case 'forget':
        this.#forget(registration);
        break;
    }
  }

  #wake(registration: Registration): void {
    if (registration.place !== 'wire') {
      registration.place = 'nowhere';
      this.#happen(registration, 'due');
      return;
    }
    this.#report.noOutcome(registration, guardMs);
    this.#settle(registration, registration.attempt, { kind: 'unreachable', code: 'SIP_TIMEOUT', message: '' });
  }

  // ---- where a registration is --------------------------------------------------------------------

  #leavePlace(registration: Registration): void {
    if (registration.place === 'queued') this.#admission.cancel(registration.registrarKey, registration);
    this.#schedule.delete(registration);
    registration.place = 'nowhere';
  }

  #sleep(registration: Registration, waitMs: number): void {
    this.#sleepUntil(registration, this.#deps.clock.now() + waitMs);
  }

  #sleepUntil(registration: Registration, momentMs: number): void {
    this.#leavePlace(registration);
    registration.place = 'asleep';
    registration.urgency = 'ordinary';
    registration.briefRepeats = 0;
    registration.isCorrected = false;
    this.#schedule.set(registration, momentMs);
  }

  /** One that is in the queue already keeps its place in it. */
  #queue(registration: Registration): void {
    this.#schedule.delete(registration);
    registration.place = 'queued';
    this.#admission.enter(registration.registrarKey, registration, registration.urgency);
  }

  async #send(registration: Registration): Promise<void> {
    const attempt = (registration.attempt += 1);
    registration.place = 'wire';
    registration.askedS = registration.state === 'unregistering' ? 0 : this.#expiresS(registration.registrarKey);
    this.#schedule.set(registration, this.#deps.clock.now() + guardMs);
    let outcome: RegisterOutcome;
    try {
      outcome = await registration.account.register(registration.askedS);
    } catch (thrown) {
      this.#report.threw(registration, thrown);
      const message = 'The REGISTER failed inside this program; its log says how.';
      outcome = { kind: 'unreachable', code: 'SIP_TRANSPORT', message };
    }
    this.#settle(registration, attempt, outcome);
  }

  // ---- answers ------------------------------------------------------------------------------------

  /** The answer to a REGISTER, or what stands in for one. */
  #settle(registration: Registration, attempt: number, outcome: RegisterOutcome): void {
    // Given up before, or the registrar is closed.
    if (attempt !== registration.attempt || registration.place !== 'wire' || this.#isClosed) return;
    this.#leavePlace(registration);
    this.#admission.leave(registration.registrarKey);
    this.#noteBinding(registration, outcome);
    if (registration.askedS === 0) {
      this.#noteRemoval(registration, outcome);
      this.#happen(registration, 'unbound');
    } else if (registration.deferred === 'row changed') {
      // It was asked with the credentials of before: whatever came of it says nothing about the new ones.
      registration.deferred = undefined;
      this.#happen(registration, 'row changed');
    } else {
      this.#answer(registration, outcome);
    }
  }

  #answer(registration: Registration, outcome: RegisterOutcome): void {
    const repeats: Repeats = registration;
    let event = eventOf(outcome, registration.askedS, repeats);
    if (event === 'too brief' && outcome.kind === 'refused' && outcome.minExpiresS !== undefined) {
      const known = this.#minExpiresS.get(registration.registrarKey) ?? 0;
      this.#minExpiresS.set(registration.registrarKey, Math.max(known, outcome.minExpiresS));
      registration.briefRepeats += 1;
    }
    if (event === 'corrected') registration.isCorrected = true;
    // A way that led there at the last REGISTER and no longer does is a flow that was lost.
    const isBroken = outcome.kind === 'unreachable' && outcome.code === 'SIP_TRANSPORT' && registration.state === 'registered';
    if (event === 'unanswered' && isBroken) event = 'flow lost';
    if (outcome.kind === 'refused') registration.isAfterFlowLoss = false;
    if (event === 'accepted' || event === 'corrected') this.#succeed(registration, outcome);
    this.#happen(registration, event, outcome);
    if (event !== 'accepted' && event !== 'corrected' && event !== 'too brief') this.#fail(registration, outcome);
    if (registration.deferred === 'flow lost') {
      registration.deferred = undefined;
      this.#loseFlow(registration);
    }
  }

  #succeed(registration: Registration, outcome: RegisterOutcome): void {
    const isFirst = !registration.wasRegistered;
    const isNews = isFirst || registration.isTroubleTold;
    registration.failures = 0;
    registration.isAfterFlowLoss = false;
    registration.lastCode = 200;
    registration.lastError = undefined;
    registration.isTroubleTold = false;
    registration.wasRegistered = true;
    if (!isNews || outcome.kind !== 'registered' || registration.state === 'unregistering') return;
    this.#report.registered(registration, outcome.expiresS, isFirst);
  }

  /** Logs a trouble once: not again while it stays the same. */
  #fail(registration: Registration, outcome: RegisterOutcome): void {
    const words = sayOutcome(outcome, registration.registrarKey);
    const isNews = !registration.isTroubleTold || words !== registration.lastError;
    registration.lastCode = outcome.kind === 'refused' ? outcome.status : outcome.kind === 'registered' ? 200 : undefined;
    registration.lastError = words;
    if (!isNews || words === undefined || registration.state === 'unregistering') return;
    registration.isTroubleTold = true;
    this.#report.troubled(registration, words);
  }

  #loseFlow(registration: Registration, why?: string): void {
    if (registration.place === 'wire') {
      registration.isAfterFlowLoss = true;
      registration.deferred ??= 'flow lost';
      return;
    }
    const wasRegistered = registration.state === 'registered';
    this.#happen(registration, 'flow lost');
    if (wasRegistered) registration.lastError = sayFlowLost(registration.registrarKey, why);
  }

  /** The same text for all that are at one registrar: a hundred thousand of their own would be megabytes. */
  #sharedKey(registrarKey: string): string {
    const known = this.#keys.get(registrarKey);
    if (known !== undefined) return known;
    this.#keys.set(registrarKey, registrarKey);
    return registrarKey;
  }

  #nowS(): number {
    return Math.floor(this.#deps.clock.now() / second);
  }

  #expiresS(registrarKey: string): number {
    return Math.max(1, Math.ceil(this.#settings.expiresMs / second), this.#minExpiresS.get(registrarKey) ?? 0);
  }

  /** A REGISTER without an answer may have arrived all the same; one that is refused leaves the binding of before. */
  #noteBinding(registration: Registration, outcome: RegisterOutcome): void {
    const nowMs = this.#deps.clock.now();
    if (outcome.kind === 'registered') {
      registration.bindingUntilMs = nowMs + outcome.expiresS * second;
    } else if (outcome.kind === 'unreachable' && outcome.code === 'SIP_TIMEOUT') {
      registration.bindingUntilMs = Math.max(registration.bindingUntilMs, nowMs + registration.askedS * second);
    }
  }

  // ---- leaving ------------------------------------------------------------------------------------

  #unbind(registration: Registration): void {
    if (registration.place === 'wire') return;
    this.#leavePlace(registration);
    if (registration.bindingUntilMs > this.#deps.clock.now()) this.#queue(registration);
    else this.#happen(registration, 'unbound');
  }

  #noteRemoval(registration: Registration, outcome: RegisterOutcome): void {
    if (outcome.kind === 'registered') return;
    const words = sayOutcome(outcome, registration.registrarKey);
    registration.lastCode = outcome.kind === 'refused' ? outcome.status : undefined;
    registration.lastError = words;
    if (this.#stopping === undefined) this.#report.keptBinding(registration, words ?? '');
    else this.#left.push(statusOf(registration, this.#deps.clock));
  }

  #forget(registration: Registration): void {
    this.#registrations.forget(registration);
    registration.departure.resolve();
    const next = this.#registrations.current.get(registration.mappingId);
    if (next?.place === 'behind') this.#queue(next);
  }

  async #unregisterAll(timeoutMs: number): Promise<readonly RegistrationStatus[]> {
    this.#admission.liftRate();
    const departures = [...this.#registrations.current.keys()].map((mappingId) => this.remove(mappingId));
    departures.push(...[...this.#registrations.leaving.values()].map((registration) => registration.departure.done));
    const late = departure();
    const timer = this.#deps.clock.after(Math.max(0, timeoutMs), late.resolve);
    await Promise.race([Promise.all(departures), late.done]);
    timer.cancel();
    this.#close();
    return this.#left;
  }

  #close(): void {
    this.#isClosed = true;
    for (const registration of this.#registrations.leaving.values()) {
      if (registration.bindingUntilMs > this.#deps.clock.now() || registration.place === 'wire') {
        this.#left.push({ ...statusOf(registration, this.#deps.clock), lastError: 'The time to stop was over before it was un-registered.' });
      }
      registration.departure.resolve();
    }
    this.#registrations.clear();
    this.#schedule.clear();
    this.#admission.close();
  }
}
