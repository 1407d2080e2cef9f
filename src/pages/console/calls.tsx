/** Calls: those that go on, those that are over, and those that the messenger was never told of. Each opens its ladder. */
import { useState } from 'preact/hooks';
import { pathOf } from './asked-path.js';
import { useAnswer, useNow } from './asking.js';
import { CallEntry, EndedEntry, LiveEntry } from './call-entry.js';
import type { Desk } from './desk.js';
import { PagedList } from './paged-list.js';
import { hrefOf, type CallList } from './route.js';
import { SearchField } from './search-field.js';
import type { LiveCalls, RecordsPage, ShownCall, ShownRecord, UntoldCalls } from './told.js';
import { counted, dialledPart, timeWords } from './wording.js';

const lists: readonly [CallList, string][] = [
  ['live', 'Live'],
  ['ended', 'Ended'],
  ['untold', 'Refused at the door'],
];

export function Calls({ desk, which, q }: { desk: Desk; which: CallList; q: string }) {
  return (
    <section class="sheet" aria-labelledby="title">
      <nav class="row tabs" aria-label="Which calls">
        {lists.map(([each, name]) => (
          <a key={each} href={hrefOf({ view: 'calls', which: each, q })} aria-current={each === which ? 'page' : undefined}>
            {name}
          </a>
        ))}
      </nav>
      {which === 'live' && <LiveList desk={desk} q={q} />}
      {which === 'ended' && <EndedList desk={desk} q={q} />}
      {which === 'untold' && <UntoldList desk={desk} />}
    </section>
  );
}

function CallSearch({ which, q }: { which: CallList; q: string }) {
  return (
    <SearchField
      label="Number, address or user id"
      value={q}
      onValue={(value) => {
        location.replace(hrefOf({ view: 'calls', which, q: value }));
      }}
    />
  );
}

function LiveList({ desk, q }: { desk: Desk; q: string }) {
  const now = useNow();
  const live = desk.live.status.value?.calls.live ?? 0;
  return (
    <>
      <div role="search" class="row filters">
        <CallSearch which="live" q={q} />
      </div>
      {live > 0 && <p class="faint">{counted(live, 'call')} in all, the longest first.</p>}
      <PagedList<ShownCall, string>
        key={q}
        label="Live calls"
        none={q === '' ? 'Nobody talks right now.' : 'No call that goes on is like that.'}
        turn={desk.live.turns.calls.value}
        ask={(after, limit, signal) => desk.session.json<LiveCalls>(pathOf('api/calls', { q: dialledPart(q), after, limit }), { signal })}
        keyOf={({ callId }) => callId}
        draw={(call) => <LiveEntry call={call} now={now} />}
      />
    </>
  );
}

function EndedList({ desk, q }: { desk: Desk; q: string }) {
  const [until, setUntil] = useState('');
  const now = useNow(60_000);
  const newest = until === '' ? undefined : new Date(until).toISOString();
  return (
    <>
      <div role="search" class="row filters">
        <CallSearch which="ended" q={q} />
        <label class="field">
          Ended before
          <input
            type="datetime-local"
            value={until}
            onChange={(event) => {
              setUntil(event.currentTarget.value);
            }}
          />
        </label>
      </div>
      <PagedList<ShownRecord, string>
        key={`${until} ${q}`}
        label="Ended calls"
        none={q === '' ? 'No call has ended yet, or none is kept (modules.sip.calls.records).' : 'No call that is kept is like that.'}
        turn={desk.live.turns.calls.value}
        ask={(before = newest, limit, signal) => desk.session.json<RecordsPage>(pathOf('api/calls/records', { q: dialledPart(q), before, limit }), { signal })}
        keyOf={({ callId, startedAt }) => `${callId} ${startedAt}`}
        draw={(record) => <EndedEntry record={record} now={now} />}
      />
    </>
  );
}

function UntoldList({ desk }: { desk: Desk }) {
  const now = useNow(60_000);
  const { answer, trouble } = useAnswer((signal) => desk.session.json<UntoldCalls>('api/untold-calls', { signal }), [desk.live.turns.calls.value]);
  return (
    <>
      <p class="faint">SIP calls that came in and were refused before the messenger heard of them.</p>
      <p class="trouble" role="alert">
        {trouble}
      </p>
      {answer?.items.length === 0 && <p>There were none lately.</p>}
      <ul class="plain entries" aria-label="Refused calls">
        {answer?.items.map(({ at, sipCallId, from, to }) => (
          <li key={sipCallId}>
            <CallEntry callId={sipCallId} from={from} to={to}>
              <p class="faint">
                <time dateTime={at}>{timeWords(at, now)}</time>
              </p>
            </CallEntry>
          </li>
        ))}
      </ul>
    </>
  );
}
