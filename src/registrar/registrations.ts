/**
 * Which registrations there are: by mapping, how many in each state, in pages by ascending id. `registrar.ts` alone adds to it and
 * takes out of it; nothing here changes a registration.
 */
import type { RegistrationState } from '../host/contract.js';
import type { Registration } from './registration.js';
import type { State } from './transitions.js';

export interface PageOptions {
  /** Only those in that state. */
  readonly state?: RegistrationState;
  /** Only those with a greater mapping id: the last of the page before. */
  readonly afterId?: number;
  /** At most so many, 1 and more. */
  readonly limit: number;
}

export class Registrations {
  readonly #current = new Map<number, Registration>();
  readonly #leaving = new Map<number, Registration>();
  readonly #counts: Record<RegistrationState, number> = {
    waiting: 0,
    registering: 0,
    registered: 0,
    retrying: 0,
    parked: 0,
    unregistering: 0,
  };
  /** The ids of all, ascending: eight bytes each, made by the first page that is asked for after one came. Those that went are passed over. */
  #ordered: Float64Array | undefined;

  /** By mapping. */
  get current(): ReadonlyMap<number, Registration> {
    return this.#current;
  }

  /** Those being un-registered, by mapping; the next registration of the same mapping waits behind. */
  get leaving(): ReadonlyMap<number, Registration> {
    return this.#leaving;
  }

  /** A new one, which waits. */
  add(registration: Registration): void {
    this.#current.set(registration.mappingId, registration);
    this.#counts.waiting += 1;
    this.#ordered = undefined;
  }

  /** From now on it is leaving; one that waited behind its predecessor, which is leaving still, is simply gone. */
  leave(registration: Registration): void {
    const { mappingId } = registration;
    this.#current.delete(mappingId);
    if (this.#leaving.has(mappingId)) this.#counts.waiting -= 1;
    else this.#leaving.set(mappingId, registration);
  }

  /** One that was leaving is gone. */
  forget(registration: Registration): void {
    this.#leaving.delete(registration.mappingId);
  }

  /** It went from one state to another, or stayed. */
  noteMove(from: State, to: State): void {
    if (from !== 'gone') this.#counts[from] -= 1;
    if (to !== 'gone') this.#counts[to] += 1;
  }

  /** All that are left are gone. */
  clear(): void {
    this.#current.clear();
    this.#leaving.clear();
    this.#ordered = undefined;
    for (const state of Object.keys(this.#counts) as RegistrationState[]) this.#counts[state] = 0;
  }

  get byState(): Record<RegistrationState, number> {
    return { ...this.#counts };
  }

  find(mappingId: number): Registration | undefined {
    return this.#current.get(mappingId) ?? this.#leaving.get(mappingId);
  }

  /** Ascending mapping id. */
  page({ state, afterId, limit }: PageOptions): Registration[] {
    const ids = (this.#ordered ??= this.#order());
    const page: Registration[] = [];
    for (let at = afterId === undefined ? 0 : firstAbove(ids, afterId); at < ids.length && page.length < limit; at += 1) {
      const registration = this.find(ids[at] ?? 0);
      if (registration !== undefined && (state === undefined || registration.state === state)) page.push(registration);
    }
    return page;
  }

  /** Those that are not registered: those in trouble before those that only wait or leave. */
  unregistered(limit: number): Registration[] {
    const troubled: Registration[] = [];
    const others: Registration[] = [];
    for (const registrations of [this.#current, this.#leaving]) {
      for (const registration of registrations.values()) {
        if (troubled.length === limit) return troubled;
        if (registration.state === 'registered') continue;
        if (registration.lastError !== undefined) troubled.push(registration);
        else if (others.length < limit) others.push(registration);
      }
    }
    return [...troubled, ...others].slice(0, limit);
  }

  #order(): Float64Array {
    const ids = new Set(this.#current.keys());
    for (const id of this.#leaving.keys()) ids.add(id);
    return Float64Array.from(ids).sort();
  }
}

/** Where the first id above that one is: binary search. */
function firstAbove(ids: Float64Array, id: number): number {
  let from = 0;
  let to = ids.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((ids[middle] ?? 0) <= id) from = middle + 1;
    else to = middle;
  }
  return from;
}
