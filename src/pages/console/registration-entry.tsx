/** One registration: its state in words, why it is so, when it is tried next, and what may be done about it. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Desk } from './desk.js';
import { sentenceOf } from './refused.js';
import { hrefOf } from './route.js';
import type { ShownRegistration } from './told.js';
import { bareAddress, nextWords, sinceWords, stateMeanings, toneOf } from './wording.js';

interface RegistrationEntryProps {
  readonly desk: Desk;
  readonly registration: ShownRegistration;
  readonly now: number;
  readonly onActed: () => void;
  /** On the page of its user there is no need to lead there. */
  readonly isAtUser?: boolean;
  /** What else is known of it. */
  readonly children?: ComponentChildren;
}

export function RegistrationEntry({ desk, registration, now, onActed, isAtUser = false, children }: RegistrationEntryProps) {
  const [trouble, setTrouble] = useState('');
  const { mappingId, aor, state, userId, since, lastError, note, registrar, flow } = registration;
  const account = bareAddress(aor);
  const again = state === 'registered' ? 'Re-register' : 'Register';
  const act = (action: 'register' | 'unregister'): void => {
    desk.session.json<ShownRegistration>(`api/registrations/${mappingId}/${action}`, { method: 'POST' }).then(
      () => {
        setTrouble('');
        onActed();
      },
      (thrown: unknown) => {
        setTrouble(sentenceOf(thrown));
      },
    );
  };
  return (
    <>
      <div class="what">
        <p>
          <b>{account}</b> <span class={`badge ${toneOf(state)}`}>{state}</span> <span class="faint">{sinceWords(since, now)}</span> {userId !== undefined && !isAtUser && <a href={hrefOf({ view: 'user', id: userId })}>user {userId}</a>}
        </p>
        <p>{note ?? lastError ?? stateMeanings[state]}</p>
        <p class="faint">
          {[nextWords(registration, now), flow ?? registrar].filter((words) => words !== '').join(' · ')}
        </p>
        {children}
        {trouble !== '' && (
          <p class="trouble" role="alert">
            {trouble}
          </p>
        )}
      </div>
      <div class="row acts">
        <button
          type="button"
          aria-label={`${again} ${account}`}
          onClick={() => {
            act('register');
          }}
        >
          {again}
        </button>
        <button
          type="button"
          aria-label={`Un-register ${account}`}
          disabled={state === 'held' || state === 'unregistering'}
          onClick={() => {
            act('unregister');
          }}
        >
          Un-register
        </button>
        <a class="button" aria-label={`Ladder of ${account}`} href={hrefOf({ view: 'ladder', of: { kind: 'registration', id: String(mappingId) } })}>
          Ladder
        </a>
      </div>
    </>
  );
}
