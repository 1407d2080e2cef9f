/** Every account that is to be registered: its state in words, why it is not, and what may be done about it. */
import { useState } from 'preact/hooks';
import { pathOf, sentenceOf } from './admin-session.js';
import { useNow } from './asking.js';
import type { Desk } from './desk.js';
import { PagedList } from './paged-list.js';
import { hrefOf } from './route.js';
import { SearchField } from './search-field.js';
import type { RegistrationsPage, ShownRegistration } from './told.js';
import { bareAddress, listedStates, nextWords, sinceWords, stateMeanings, toneOf } from './wording.js';

export function Registrations({ desk, state, q }: { desk: Desk; state: string; q: string }) {
  const now = useNow();
  const go = (to: { state?: string; q?: string }): void => {
    location.replace(hrefOf({ view: 'registrations', state, q, ...to }));
  };
  return (
    <section class="sheet" aria-labelledby="title">
      <div role="search" class="row filters">
        <SearchField
          label="SIP account holds"
          value={q}
          onValue={(value) => {
            go({ q: value });
          }}
        />
        <label class="field">
          State
          <select
            value={state}
            onChange={(event) => {
              go({ state: event.currentTarget.value });
            }}
          >
            <option value="">all</option>
            {listedStates.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
        </label>
      </div>
      <PagedList<ShownRegistration, number>
        key={`${state} ${q}`}
        label="Registrations"
        none={state === '' && q === '' ? 'No account is to be registered. Mappings are where accounts come from.' : 'Nothing is like that.'}
        turn={desk.live.turns.registrations.value}
        ask={(after, limit, signal) => desk.session.json<RegistrationsPage>(pathOf('api/registrations', { state, q, after, limit }), { signal })}
        keyOf={({ mappingId }) => mappingId}
        draw={(registration, again) => <Entry desk={desk} registration={registration} now={now} onActed={again} />}
      />
    </section>
  );
}

interface EntryProps {
  readonly desk: Desk;
  readonly registration: ShownRegistration;
  readonly now: number;
  readonly onActed: () => void;
}

function Entry({ desk, registration, now, onActed }: EntryProps) {
  const [trouble, setTrouble] = useState('');
  const { mappingId, aor, state, since, lastError, note, registrar, flow } = registration;
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
          <b>{account}</b> <span class={`badge ${toneOf(state)}`}>{state}</span>
        </p>
        <p>
          {note ?? lastError ?? stateMeanings[state]} <span class="faint">{sinceWords(since, now)}</span>
        </p>
        <p class="faint">
          {[nextWords(registration, now), flow ?? registrar].filter((words) => words !== '').join(' · ')}
        </p>
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
