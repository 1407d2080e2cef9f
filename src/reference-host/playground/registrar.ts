/**
 * The registrar (RFC 3261 section 10.3): one REGISTER in, one reply out. It alone changes the location service.
 */
import type { Clock } from '../../base/clock.js';
import type { DigestGate } from './digest.js';
import type { Flow } from './listeners.js';
import { bindingKey, type Location } from './location.js';
import {
  cseqOf,
  formatParameters,
  headerOf,
  headersOf,
  parameterOf,
  parseAddress,
  parseUri,
  type Parameters,
  type RequestText,
  type SipHeader,
} from './sip-text.js';

export interface Answer {
  status: number;
  phrase: string;
  headers?: SipHeader[];
}

export interface ExpiryLimits {
  /** Seconds; a shorter wish is refused with 423. */
  min: number;
  /** Seconds; a longer wish is cut, and granted where there is none. */
  max: number;
}

/** A user's devices; one more is refused. */
const bindingsPerUser = 20;

interface Wish {
  contact: string;
  parameters: Parameters;
  /** Seconds, 0 to remove. */
  expires: number;
}

export class PlaygroundRegistrar {
  constructor(
    private readonly location: Location,
    private readonly gate: DigestGate,
    private readonly limits: ExpiryLimits,
    private readonly clock: Clock,
    private readonly passwordOf: (user: string) => string | undefined,
  ) {}

  register(request: RequestText, flow: Flow, transaction: string): Answer {
    const user = userOf(headerOf(request, 'to'));
    if (user === undefined || this.passwordOf(user) === undefined) return { status: 404, phrase: 'Not Found' };

    const verdict = this.gate.check({
      method: 'REGISTER',
      uri: request.uri,
      transaction,
      credentials: headersOf(request, 'authorization'),
    });
    if (!verdict.accepted) {
      const headers = this.gate.challenges(verdict.stale).map((value) => ({ name: 'WWW-Authenticate', value }));
      return { status: 401, phrase: 'Unauthorized', headers };
    }
    if (verdict.user !== user) return { status: 403, phrase: 'Forbidden' };
    return this.#bind(request, user, flow);
  }

  #bind(request: RequestText, user: string, flow: Flow): Answer {
    const callId = headerOf(request, 'call-id') ?? '';
    const sequence = cseqOf(request)?.number ?? 0;
    const contacts = headersOf(request, 'contact');
    if (contacts.includes('*')) {
      // Section 10.3 step 6: `*` stands alone, and only to remove.
      if (contacts.length > 1 || headerOf(request, 'expires') !== '0') return { status: 400, phrase: 'Invalid Contact' };
      if (this.location.of(user).some((binding) => isOutdated(binding, callId, sequence))) return outOfOrder;
      for (const binding of this.location.of(user)) {
        this.location.remove(user, bindingKey(binding.contact, binding.parameters));
      }
      return this.#listing(user);
    }

    const wishes = this.#wishes(request, contacts);
    if (wishes === undefined) return { status: 400, phrase: 'Invalid Contact' };
    if (wishes.some((wish) => wish.expires > 0 && wish.expires < this.limits.min)) {
      const headers = [{ name: 'Min-Expires', value: String(this.limits.min) }];
      return { status: 423, phrase: 'Interval Too Brief', headers };
    }
    // All or nothing (step 7): every wish is checked before the first is granted.
    const known = wishes.map((wish) => this.location.get(user, bindingKey(wish.contact, wish.parameters)));
    if (known.some((binding) => binding !== undefined && isOutdated(binding, callId, sequence))) return outOfOrder;
    const added = wishes.filter((wish, at) => wish.expires > 0 && known[at] === undefined).length;
    if (this.location.of(user).length + added > bindingsPerUser) return { status: 403, phrase: 'Too Many Bindings' };

    for (const { contact, parameters, expires } of wishes) {
      if (expires === 0) this.location.remove(user, bindingKey(contact, parameters));
      else {
        const expiresAt = this.clock.now() + expires * 1_000;
        this.location.put({ user, contact, parameters, callId, sequence, expiresAt, flow });
      }
    }
    return this.#listing(user);
  }

  #wishes(request: RequestText, contacts: string[]): Wish[] | undefined {
    const general = seconds(headerOf(request, 'expires'));
    const wishes: Wish[] = [];
    for (const value of contacts) {
      const address = parseAddress(value);
      if (address === undefined || parseUri(address.uri) === undefined) return undefined;
      const asked = seconds(parameterOf(address.parameters, 'expires')) ?? general ?? this.limits.max;
      wishes.push({
        contact: address.uri,
        parameters: address.parameters.filter(([name]) => name.toLowerCase() !== 'expires'),
        expires: Math.min(asked, this.limits.max),
      });
    }
    return wishes;
  }

  /** Step 8: the 200 lists every binding with the time it has left. */
  #listing(user: string): Answer {
    const headers = this.location.of(user).map((binding) => {
      const left = Math.max(0, Math.round((binding.expiresAt - this.clock.now()) / 1_000));
      return { name: 'Contact', value: `<${binding.contact}>${formatParameters(binding.parameters)};expires=${left}` };
    });
    headers.push({ name: 'Date', value: this.clock.date().toUTCString() });
    return { status: 200, phrase: 'OK', headers };
  }
}

const outOfOrder: Answer = { status: 500, phrase: 'CSeq Out Of Order' };

function isOutdated(binding: { callId: string; sequence: number }, callId: string, sequence: number): boolean {
  return binding.callId === callId && sequence <= binding.sequence;
}

/** Undefined when there is none, or it is malformed (section 10.2.1.1: treated as absent). */
function seconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** The user part of a From or To value. */
export function userOf(value: string | undefined): string | undefined {
  const address = value === undefined ? undefined : parseAddress(value);
  return address === undefined ? undefined : parseUri(address.uri)?.user;
}
