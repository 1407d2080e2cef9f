/**
 * What becomes of a registration: state x event -> next state and what is done. Pure data: `registration.ts` walks it,
 * `course.ts` carries the actions out, docs/registrations.md is printed from it, and its spec goes through it row by row.
 *
 * Two rules hold beside the table. At most one REGISTER of a registration is on its way; while one is, `flow lost` and `row changed`
 * wait for its answer. What a row does not name changes nothing.
 */
import type { RegistrationState } from '../host/contract.js';

/** `gone`: un-registered and forgotten. */
export type State = RegistrationState | 'gone';

export type RegistrationEvent =
  | 'due' // the time it waited for has come
  | 'turn' // admission lets it send
  | 'accepted' // 2xx, the binding stands
  | 'corrected' // 2xx, but the registrar sees us at another address than our Contact said
  | 'too brief' // 423 with a Min-Expires that we can ask for
  | 'refused' // another final response, or a 2xx that keeps no binding
  | 'denied' // wrong password, 403 or 404: asking again soon is of no use
  | 'unanswered' // no answer, or no way there
  | 'flow lost' // the connection that it was registered over closed
  | 'row changed' // other credentials, another name: try with them
  | 'removed' // the row, its user or its `register` is gone, or the extension stops
  | 'unbound'; // no binding is left to remove, or the one attempt to remove it is over

export type Action =
  | 'queue' // line up for a turn at the registrar's rate
  | 'send' // one REGISTER
  | 'wait for refresh' // sleep until well before the granted expiry
  | 'wait to retry' // sleep: Retry-After, else backoff
  | 'wait to reconnect' // sleep a second or so, then go over a new connection
  | 'wait to probe' // sleep an hour, in case somebody set it right at the registrar
  | 'unbind' // as soon as none is on its way: line up for a REGISTER with expiry 0, if a binding may exist
  | 'forget'; // nothing of it is left here

export interface Transition {
  readonly next: State;
  readonly actions: readonly Action[];
}

const go = (next: State, ...actions: Action[]): Transition => ({ next, actions });

/** Alike from everywhere: the answer to a REGISTER that is on its way when it happens leads here again. */
const unbind = go('unregistering', 'unbind');

export const transitions: Record<RegistrationState, Partial<Record<RegistrationEvent, Transition>>> = {
  waiting: {
    turn: go('registering', 'send'),
    removed: unbind,
  },
  registering: {
    accepted: go('registered', 'wait for refresh'),
    corrected: go('registered', 'queue'),
    'too brief': go('waiting', 'queue'),
    refused: go('retrying', 'wait to retry'),
    denied: go('parked', 'wait to probe'),
    unanswered: go('retrying', 'wait to retry'),
    'row changed': go('waiting', 'queue'),
    removed: unbind,
  },
  registered: {
    due: go('registered', 'queue'),
    turn: go('registered', 'send'),
    accepted: go('registered', 'wait for refresh'),
    corrected: go('registered', 'queue'),
    'too brief': go('registered', 'queue'),
    refused: go('retrying', 'wait to retry'),
    denied: go('parked', 'wait to probe'),
    unanswered: go('retrying', 'wait to retry'),
    'flow lost': go('retrying', 'wait to reconnect'),
    'row changed': go('waiting', 'queue'),
    removed: unbind,
  },
  retrying: {
    due: go('retrying', 'queue'),
    turn: go('registering', 'send'),
    'row changed': go('waiting', 'queue'),
    removed: unbind,
  },
  parked: {
    due: go('parked', 'queue'),
    turn: go('registering', 'send'),
    'row changed': go('waiting', 'queue'),
    removed: unbind,
  },
  unregistering: {
    turn: go('unregistering', 'send'),
    // The answer to the REGISTER that was on its way when the registration was removed: it may have made a binding.
    accepted: unbind,
    corrected: unbind,
    'too brief': unbind,
    refused: unbind,
    denied: unbind,
    unanswered: unbind,
    unbound: go('gone', 'forget'),
  },
};
