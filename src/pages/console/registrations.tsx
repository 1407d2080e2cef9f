/** Every account that is to be registered: its state in words, why it is not, and what may be done about it. */
import { pathOf } from './asked-path.js';
import { useNow } from './asking.js';
import type { Desk } from './desk.js';
import { PagedList } from './paged-list.js';
import { RegistrationEntry } from './registration-entry.js';
import { hrefOf } from './route.js';
import { SearchField } from './search-field.js';
import type { RegistrationsPage, ShownRegistration } from './told.js';
import { listedStates } from './wording.js';

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
        draw={(registration, again) => <RegistrationEntry desk={desk} registration={registration} now={now} onActed={again} />}
      />
    </section>
  );
}
