/**
 * Which registrations there are: by mapping, how many in each state, which of them do not stand, in pages by ascending id. `registrar.ts`
 * alone adds to it and takes out of it, `course.ts` tells it of each move; nothing here changes a registration. Whatever is asked often is
 * kept as it changes: nothing walks over them all.
 */
import { IdTable, type ReadonlyIdTable } from '../base/id-table.js';
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

export interface SearchOptions extends PageOptions {
  /** A part of the address of record, in any case. */
  readonly text: string;
}

export interface Found<Item> {
  readonly items: Item[];
  /** After which mapping id to go on, whether or not anything was found; absent when the last was looked at. */
  readonly next?: number;
}

/** How many one search looks at: it takes milliseconds, however many there are. */
const mostLookedAt = 20_000;

/** One that is being un-registered, and who waits for the end of that. */
export interface Leaving {
  readonly registration: Registration;
  readonly departure: Departure;
}

/** Resolves when a registration is gone. */
export interface Departure {
  readonly done: Promise<void>;
  readonly resolve: () => void;
}

export class Registrations {
  readonly #current = new IdTable<Registration>();
  readonly #leaving = new Map<number, Leaving>();
  /** Those that retry or are parked, on their next try too. */
  readonly #troubled = new Set<Registration>();
  /** The others that are not registered. */
  readonly #pending = new Set<Registration>();
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
  get current(): ReadonlyIdTable<Registration> {
    return this.#current;
  }

  /** Those being un-registered, by mapping; the next registration of the same mapping waits behind. */
  get leaving(): ReadonlyMap<number, Leaving> {
    return this.#leaving;
  }

  /** A new one, which waits. */
  add(registration: Registration): void {
    this.#current.set(registration.mappingId, registration);
    this.#counts.waiting += 1;
    this.#pending.add(registration);
    this.#ordered = undefined;
  }

  /**
   * From now on it is leaving; one that waited behind its predecessor, which is leaving still, is simply gone.
   * @returns the departure of that mapping
   */
  leave(registration: Registration): Departure {
    const { mappingId } = registration;
    this.#current.delete(mappingId);
    const before = this.#leaving.get(mappingId);
    if (before !== undefined) {
      this.#counts.waiting -= 1;
      this.#pending.delete(registration);
      return before.departure;
    }
    const left = departure();
    this.#leaving.set(mappingId, { registration, departure: left });
    return left;
  }

  /** One that was leaving is gone. */
  forget({ mappingId }: Registration): void {
    const left = this.#leaving.get(mappingId);
    this.#leaving.delete(mappingId);
    left?.departure.resolve();
  }

  /** It went from one state to its present one, or stayed. */
  noteMove(registration: Registration, from: State): void {
    const { state } = registration;
    if (state === from) return;
    if (from !== 'gone') this.#counts[from] -= 1;
    if (state !== 'gone') this.#counts[state] += 1;
    switch (state) {
      case 'registered':
      case 'gone':
        this.#pending.delete(registration);
        this.#troubled.delete(registration);
        break;
      case 'retrying':
      case 'parked':
        this.#pending.delete(registration);
        this.#troubled.add(registration);
        break;
      case 'waiting':
      case 'unregistering':
        this.#troubled.delete(registration);
        this.#pending.add(registration);
        break;
      case 'registering':
        // A try: it stays with those it was with.
        break;
    }
  }

  /** All that are left are gone. */
  clear(): void {
    for (const { departure: left } of this.#leaving.values()) left.resolve();
    this.#current.clear();
    this.#leaving.clear();
    this.#troubled.clear();
    this.#pending.clear();
    this.#ordered = undefined;
    for (const state of Object.keys(this.#counts) as RegistrationState[]) this.#counts[state] = 0;
  }

  get total(): number {
    return Object.values(this.#counts).reduce((sum, count) => sum + count, 0);
  }

  get byState(): Record<RegistrationState, number> {
    return { ...this.#counts };
  }

  find(mappingId: number): Registration | undefined {
    return this.#current.get(mappingId) ?? this.#leaving.get(mappingId)?.registration;
  }

  /** Ascending mapping id. */
  page(options: PageOptions): Registration[] {
    return this.#walk(options, Infinity, () => true).items;
  }

  /** Ascending mapping id, of the next `mostLookedAt`. */
  search({ text, ...options }: SearchOptions): Found<Registration> {
    const part = text.toLowerCase();
    return this.#walk(options, mostLookedAt, ({ aor }) => aor.toLowerCase().includes(part));
  }

  #walk({ state, afterId, limit }: PageOptions, most: number, isAsked: (registration: Registration) => boolean): Found<Registration> {
    const ids = (this.#ordered ??= this.#order());
    const items: Registration[] = [];
    let at = afterId === undefined ? 0 : firstAbove(ids, afterId);
    const end = Math.min(ids.length, at + most);
    for (; at < end && items.length < limit; at += 1) {
      const registration = this.find(ids[at] ?? 0);
      if (registration !== undefined && (state === undefined || registration.state === state) && isAsked(registration)) items.push(registration);
    }
    return at === ids.length ? { items } : { items, next: ids[at - 1] };
  }

  /** Those that are not registered: those in trouble before those that only wait or leave. */
  unregistered(limit: number): Registration[] {
    const shown: Registration[] = [];
    for (const registrations of [this.#troubled, this.#pending]) {
      for (const registration of registrations) {
        if (shown.length === limit) return shown;
        shown.push(registration);
      }
    }
    return shown;
  }

  #order(): Float64Array {
    const ids = new Set(this.#current.keys());
    for (const id of this.#leaving.keys()) ids.add(id);
    return Float64Array.from(ids).sort();
  }
}

export function departure(): Departure {
  let resolve = (): void => undefined;
  const done = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { done, resolve };
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
