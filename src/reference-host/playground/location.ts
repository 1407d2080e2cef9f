/**
 * The location service (RFC 3261 section 10): which Contacts a user has bound, until when, and the flow each came by. Only the
 * registrar writes here. Expired bindings are swept when somebody looks, so there is no timer.
 */
import type { Clock } from '../../base/clock.js';
import type { Flow } from './listeners.js';
import { parameterOf, parseUri, placeOf, type Parameters } from './sip-text.js';

export interface Binding {
  user: string;
  /** The Contact URI, as it came. */
  contact: string;
  /** The Contact's header parameters but `expires`. */
  parameters: Parameters;
  callId: string;
  sequence: number;
  /** On the clock's scale. */
  expiresAt: number;
  flow: Flow;
}

export class Location {
  /** user -> binding key -> binding */
  readonly #users = new Map<string, Map<string, Binding>>();
  /** place of a Contact URI -> binding: finds the flow of an in-dialog request. */
  readonly #places = new Map<string, Binding>();

  constructor(private readonly clock: Clock) {}

  /** The user's live bindings: the highest q first, then the newest device. */
  of(user: string): Binding[] {
    const bindings = this.#users.get(user);
    if (bindings === undefined) return [];
    for (const [key, binding] of bindings) {
      if (binding.expiresAt <= this.clock.now()) this.remove(user, key);
    }
    return [...bindings.values()].reverse().sort((a, b) => priority(b) - priority(a));
  }

  get(user: string, key: string): Binding | undefined {
    return this.of(user).find((binding) => bindingKey(binding.contact, binding.parameters) === key);
  }

  /** Whoever registered that Contact URI, by user, host and port. */
  at(contactUri: string): Binding | undefined {
    const uri = parseUri(contactUri);
    const binding = uri === undefined ? undefined : this.#places.get(placeOf(uri));
    return binding === undefined || binding.expiresAt <= this.clock.now() ? undefined : binding;
  }

  put(binding: Binding): void {
    const key = bindingKey(binding.contact, binding.parameters);
    const bindings = this.#users.get(binding.user) ?? new Map<string, Binding>();
    this.#forgetPlace(bindings.get(key));
    // A refresh keeps its place in the order: the CANCEL must find the binding that the INVITE found.
    bindings.set(key, binding);
    this.#users.set(binding.user, bindings);
    const uri = parseUri(binding.contact);
    if (uri !== undefined) this.#places.set(placeOf(uri), binding);
  }

  remove(user: string, key: string): void {
    const bindings = this.#users.get(user);
    const binding = bindings?.get(key);
    if (bindings === undefined || binding === undefined) return;
    bindings.delete(key);
    if (bindings.size === 0) this.#users.delete(user);
    this.#forgetPlace(binding);
  }

  #forgetPlace(binding: Binding | undefined): void {
    const uri = binding === undefined ? undefined : parseUri(binding.contact);
    if (uri !== undefined && this.#places.get(placeOf(uri)) === binding) this.#places.delete(placeOf(uri));
  }

  /** A Contact behind a connection that has closed cannot be reached any more. */
  dropConnection(connection: string | undefined): void {
    if (connection === undefined) return;
    for (const binding of this.all()) {
      if (binding.flow.connection === connection) {
        this.remove(binding.user, bindingKey(binding.contact, binding.parameters));
      }
    }
  }

  all(): Binding[] {
    return [...this.#users.keys()].flatMap((user) => this.of(user));
  }

  clear(): void {
    this.#users.clear();
    this.#places.clear();
  }
}

/**
 * What makes a later Contact the same binding: `+sip.instance` with `reg-id` where there are both (RFC 5626 section 6), so a
 * restarted client replaces its own binding; else the place of the URI.
 */
export function bindingKey(contact: string, parameters: Parameters): string {
  const instance = parameterOf(parameters, '+sip.instance');
  const registration = parameterOf(parameters, 'reg-id');
  if (instance !== undefined && registration !== undefined) return `${instance}#${registration}`;
  const uri = parseUri(contact);
  return uri === undefined ? contact : placeOf(uri);
}

function priority(binding: Binding): number {
  const q = Number(parameterOf(binding.parameters, 'q') ?? 1);
  return Number.isFinite(q) ? q : 1;
}
