/** One messenger user, who says that a call did not ring: whether calls can arrive, what goes on, and why each of the last calls ended. */
import { pathOf } from './asked-path.js';
import { useAnswer, useNow } from './asking.js';
import { EndedEntry, LiveEntry } from './call-entry.js';
import type { Desk } from './desk.js';
import { limitsOf } from './mapping-fields.js';
import { PagedList } from './paged-list.js';
import { RegistrationEntry } from './registration-entry.js';
import { hrefOf } from './route.js';
import type { LiveCalls, RecordsPage, RegistrationsPage, ShownMapping, ShownRecord, ShownRegistration } from './told.js';

export function User({ desk, id }: { desk: Desk; id: number }) {
  return (
    <>
      <Accounts desk={desk} id={id} />
      <LiveOnes desk={desk} id={id} />
      <section class="sheet" aria-labelledby="last">
        <h2 id="last">Last calls</h2>
        <LastCalls desk={desk} id={id} />
      </section>
    </>
  );
}

function Accounts({ desk, id }: { desk: Desk; id: number }) {
  const now = useNow();
  const { answer, trouble, isAsking, again } = useAnswer((signal) => desk.session.json<RegistrationsPage>(pathOf('api/registrations', { user: id }), { signal }), [desk.live.turns.registrations.value]);
  return (
    <section class="sheet" aria-labelledby="accounts">
      <h2 id="accounts">Accounts</h2>
      <p class="trouble" role="alert">
        {trouble}
      </p>
      {answer?.items.length === 0 && (
        <p>
          This user has no account in use, so nobody can call them by SIP. <a href={hrefOf({ view: 'mappings', q: String(id) })}>Look in the mappings</a>
        </p>
      )}
      <ul class="plain entries" aria-label="Accounts" aria-busy={isAsking}>
        {answer?.items.map((registration) => (
          <li key={registration.mappingId}>
            <RegistrationEntry desk={desk} registration={registration} now={now} onActed={again} isAtUser>
              <Row desk={desk} registration={registration} />
            </RegistrationEntry>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What the row says of it beside. */
function Row({ desk, registration: { mappingId, state } }: { desk: Desk; registration: ShownRegistration }) {
  const { answer } = useAnswer((signal) => desk.session.json<ShownMapping>(`api/mappings/${mappingId}`, { signal }), [mappingId, state]);
  if (answer === undefined) return null;
  const limits = limitsOf(answer);
  return (
    <>
      {limits.length > 0 && <p class="trouble">By its mapping: {limits.join(', ')}</p>}
      <p class="faint">
        {[answer.displayName ?? '', `mapping ${mappingId}`].filter((words) => words !== '').join(' · ')} · <a href={hrefOf({ view: 'mappings', q: answer.sipUser })}>change</a>
      </p>
    </>
  );
}

function LiveOnes({ desk, id }: { desk: Desk; id: number }) {
  const now = useNow();
  const { answer } = useAnswer((signal) => desk.session.json<LiveCalls>(pathOf('api/calls', { user: id, limit: 20 }), { signal }), [desk.live.turns.calls.value]);
  if (answer === undefined || answer.total === 0) return null;
  return (
    <section class="sheet" aria-labelledby="now">
      <h2 id="now">Calls right now</h2>
      <ul class="plain entries" aria-label="Live calls">
        {answer.items.map((call) => (
          <li key={call.callId}>
            <LiveEntry call={call} now={now} isAtUser />
          </li>
        ))}
      </ul>
    </section>
  );
}

function LastCalls({ desk, id }: { desk: Desk; id: number }) {
  const now = useNow(60_000);
  return (
    <PagedList<ShownRecord, string>
      label="Ended calls"
      none="No call of this user is kept: none came in, none was placed, or it is too long ago (modules.sip.calls.records)."
      turn={desk.live.turns.calls.value}
      ask={(before, limit, signal) => desk.session.json<RecordsPage>(pathOf('api/calls/records', { user: id, before, limit }), { signal })}
      keyOf={({ callId, startedAt }) => `${callId} ${startedAt}`}
      draw={(record) => <EndedEntry record={record} now={now} isAtUser />}
    />
  );
}
