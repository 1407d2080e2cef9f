/**
 * Keeps every registration alive: which mappings are to be registered is said here, by those who own them, and told of. What happens to
 * each is `course.ts`.
 */
import type { RegistrationState, RegistrationsStatus, RegistrationStatus } from '../host/contract.js';
import { Course } from './course.js';
import { aorOf, type RegistrarDependencies, type RegistrarSettings, type RegistrationEntry, type Urgency } from './ports.js';
import { Registration } from './registration.js';
import { departure, Registrations, type Found, type PageOptions, type SearchOptions } from './registrations.js';
import { queueOf, Report, statusOf } from './report.js';

/** In `status`: who is not registered, and which registrars have a queue. */
const mostShown = 100;

export class Registrar {
  readonly #deps: RegistrarDependencies;
  readonly #report: Report;
  readonly #registrations = new Registrations();
  readonly #course: Course;
  /** The registrars there were, each key once. */
  readonly #keys = new Map<string, string>();
  /** Bindings that could not be removed since `stop` was called. */
  readonly #left: RegistrationStatus[] = [];
  #stopping: Promise<readonly RegistrationStatus[]> | undefined;

  constructor(settings: RegistrarSettings, deps: RegistrarDependencies) {
    this.#deps = deps;
    this.#report = new Report(deps.log, deps.clock);
    this.#course = new Course(settings, deps, this.#registrations, {
      onGone: (registration) => {
        this.#forget(registration);
      },
      onBindingKept: (registration, words) => {
        if (this.#stopping === undefined) this.#report.keptBinding(registration, words);
        else this.#left.push(this.#statusOf(registration));
      },
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
    const registration = new Registration(entry.mappingId, this.#sharedKey(entry.registrarKey), entry.account);
    registration.sinceS = this.#course.nowS();
    registration.urgency = urgency;
    this.#registrations.add(registration);
    if (this.#registrations.leaving.has(entry.mappingId)) registration.place = 'behind';
    else this.#course.queue(registration);
  }

  /**
   * The row changed. For the same AOR at the same registrar it is registered at once with the new account, after the REGISTER that is
   * on its way. For another the old binding is removed first, with the old account. Goes ahead of those that wait in the queue.
   * @returns resolves when no more REGISTERs will be asked of the old account
   */
  change(entry: RegistrationEntry): Promise<void> {
    if (this.#stopping !== undefined) return Promise.resolve();
    const registration = this.#registrations.current.get(entry.mappingId);
    if (registration?.aor !== aorOf(entry.account) || registration.registrarKey !== entry.registrarKey) {
      const left = this.remove(entry.mappingId);
      this.add(entry, 'urgent');
      return left;
    }
    registration.account = entry.account;
    registration.urgency = 'urgent';
    if (registration.isTroubled) registration.note({ failures: 0, isAfterFlowLoss: false, code: undefined, words: undefined });
    if (registration.isOnWire) registration.note({ deferred: 'row changed' });
    else if (registration.place !== 'behind') this.#course.happen(registration, 'row changed');
    return Promise.resolve();
  }

  /**
   * Un-registers if a binding may exist, in one attempt, and forgets the mapping. A binding that cannot be removed ends by itself.
   * @returns resolves when its account is no longer needed; at once for a mapping that is not here. Never rejects.
   */
  remove(mappingId: number): Promise<void> {
    const registration = this.#registrations.current.get(mappingId);
    const before = this.#registrations.leaving.get(mappingId);
    if (registration === undefined) return before?.departure.done ?? Promise.resolve();
    const { done } = this.#registrations.leave(registration);
    if (before !== undefined) return done;
    if (registration.trouble.deferred !== undefined) registration.note({ deferred: undefined });
    registration.urgency = 'urgent';
    this.#course.happen(registration, 'removed');
    return done;
  }

  /**
   * Tries now, whatever it waits for, ahead of those that wait in the queue; still at the registrar's rate. One whose REGISTER is on its
   * way is being tried already.
   * @returns false when the mapping is not here, or is being un-registered
   */
  registerNow(mappingId: number): boolean {
    const registration = this.#registrations.current.get(mappingId);
    if (registration === undefined) return false;
    registration.urgency = 'urgent';
    if (registration.place === 'asleep') this.#course.happen(registration, 'due');
    else if (registration.place === 'queued') this.#course.queue(registration);
    return true;
  }

  /** A connection that these mappings were registered over closed: each is registered again over a new one, at the registrar's rate. */
  onFlowLost(mappingIds: readonly number[], why: string): void {
    if (this.#stopping !== undefined) return;
    const lost = mappingIds.flatMap((mappingId) => this.#registrations.current.get(mappingId) ?? []);
    for (const registration of lost) this.#course.loseFlow(registration, why);
    const [first] = lost;
    if (first !== undefined) this.#report.flowLost(first.registrarKey, why, lost.length);
  }

  /** How many registrations there are. */
  get total(): number {
    return this.#registrations.total;
  }

  /** How many in each state: kept as they change, so that it may be asked often. */
  get byState(): Record<RegistrationState, number> {
    return this.#registrations.byState;
  }

  /** How many REGISTERs there were since the start. */
  get asked(): number {
    return this.#course.asked;
  }

  status(): RegistrationsStatus {
    const backlogs = this.#course.backlogs().sort((one, other) => (other.convergesInMs ?? Infinity) - (one.convergesInMs ?? Infinity));
    const [longest] = backlogs;
    return {
      total: this.total,
      byState: this.byState,
      troubled: this.#registrations.unregistered(mostShown).map((registration) => this.#statusOf(registration)),
      ...(longest !== undefined && longest.convergesInMs === undefined ? {} : { convergesInMs: longest?.convergesInMs ?? 0 }),
      queues: backlogs.slice(0, mostShown).map(queueOf),
    };
  }

  /** One page by ascending mapping id. What happens between two pages is in the later one. */
  list(options: PageOptions): RegistrationStatus[] {
    return this.#registrations.page(options).map((registration) => this.#statusOf(registration));
  }

  /** As `list`, by a part of the address of record; a search through many takes several calls. */
  search(options: SearchOptions): Found<RegistrationStatus> {
    const { items, ...rest } = this.#registrations.search(options);
    return { items: items.map((registration) => this.#statusOf(registration)), ...rest };
  }

  find(mappingId: number): RegistrationStatus | undefined {
    const registration = this.#registrations.find(mappingId);
    return registration && this.#statusOf(registration);
  }

  /**
   * Un-registers all, as fast as `maxInFlight` allows, and is over after `timeoutMs` at the latest. Idempotent.
   * @returns resolves with the bindings that could not be removed; they end by themselves. Never rejects.
   */
  stop(timeoutMs: number): Promise<readonly RegistrationStatus[]> {
    this.#stopping ??= this.#unregisterAll(timeoutMs);
    return this.#stopping;
  }

  #statusOf(registration: Registration): RegistrationStatus {
    return statusOf(registration, this.#course.nextTryMs(registration), this.#deps.clock);
  }

  /** The same text for all that are at one registrar: a hundred thousand of their own would be megabytes. */
  #sharedKey(registrarKey: string): string {
    const known = this.#keys.get(registrarKey);
    if (known !== undefined) return known;
    this.#keys.set(registrarKey, registrarKey);
    return registrarKey;
  }

  /** The next registration of its mapping has waited for this. */
  #forget(registration: Registration): void {
    this.#registrations.forget(registration);
    const next = this.#registrations.current.get(registration.mappingId);
    if (next?.place === 'behind') this.#course.queue(next);
  }

  async #unregisterAll(timeoutMs: number): Promise<readonly RegistrationStatus[]> {
    this.#course.liftRate();
    const departures = [...this.#registrations.current.keys()].map((mappingId) => this.remove(mappingId));
    departures.push(...[...this.#registrations.leaving.values()].map((left) => left.departure.done));
    const late = departure();
    const timer = this.#deps.clock.after(Math.max(0, timeoutMs), late.resolve);
    await Promise.race([Promise.all(departures), late.done]);
    timer.cancel();
    this.#close();
    return this.#left;
  }

  #close(): void {
    for (const { registration } of this.#registrations.leaving.values()) {
      if (!this.#course.mayBeBound(registration) && !registration.isOnWire) continue;
      this.#left.push({ ...this.#statusOf(registration), lastError: 'The time to stop was over before it was un-registered.' });
    }
    this.#course.close();
    this.#registrations.clear();
  }
}
