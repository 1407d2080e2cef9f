/** Calls: those that go on, those that are over, and those that the messenger was never told of. Each opens its ladder. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { pathOf } from './admin-session.js';
import { useAnswer, useNow } from './asking.js';
import type { Desk } from './desk.js';
import { PagedList } from './paged-list.js';
import { hrefOf, type CallList } from './route.js';
import type { LiveCalls, RecordsPage, ShownRecord, UntoldCalls } from './told.js';
import { bareAddress, counted, liveWords, talkedWords, timeWords } from './wording.js';

const lists: readonly [CallList, string][] = [
  ['live', 'Live'],
  ['ended', 'Ended'],
  ['untold', 'Refused at the door'],
];

export function Calls({ desk, which }: { desk: Desk; which: CallList }) {
  return (
    <section class="sheet" aria-labelledby="title">
      <nav class="row tabs" aria-label="Which calls">
        {lists.map(([each, name]) => (
          <a key={each} href={hrefOf({ view: 'calls', which: each })} aria-current={each === which ? 'page' : undefined}>
            {name}
          </a>
        ))}
      </nav>
      {which === 'live' && <LiveList desk={desk} />}
      {which === 'ended' && <EndedList desk={desk} />}
      {which === 'untold' && <UntoldList desk={desk} />}
    </section>
  );
}

function LiveList({ desk }: { desk: Desk }) {
  const now = useNow();
  const { answer, trouble } = useAnswer((signal) => desk.session.json<LiveCalls>(pathOf('api/calls', { limit: 200 }), { signal }), [desk.live.turns.calls.value]);
  return (
    <>
      <p class="trouble" role="alert">
        {trouble}
      </p>
      {answer !== undefined && (
        <p class="faint" role="status">
          {answer.total === 0 ? 'Nobody talks right now.' : `${counted(answer.total, 'call')}${answer.total > answer.items.length ? `, of which the longest ${answer.items.length} are here` : ''}.`}
        </p>
      )}
      <ul class="plain entries" aria-label="Live calls">
        {answer?.items.map((call) => (
          <li key={call.callId}>
            <CallEntry id={call.callId} from={call.from} to={call.to} badge={<span class={`badge ${call.state === 'talking' ? 'good' : 'calm'}`}>{liveWords(call, now)}</span>}>
              <p class="faint">
                {call.direction === 'incoming' ? 'From SIP to the messenger' : 'From the messenger to SIP'}
                {call.codecs.length > 0 && ` · ${call.codecs.join(', ')}`}
              </p>
            </CallEntry>
          </li>
        ))}
      </ul>
    </>
  );
}

function EndedList({ desk }: { desk: Desk }) {
  const [until, setUntil] = useState('');
  const now = useNow(60_000);
  const newest = until === '' ? undefined : new Date(until).toISOString();
  return (
    <>
      <div class="row filters">
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
        key={until}
        label="Ended calls"
        none="No call has ended yet, or none is kept (modules.sip.calls.records)."
        turn={desk.live.turns.calls.value}
        ask={(before = newest, limit, signal) => desk.session.json<RecordsPage>(pathOf('api/calls/records', { before, limit }), { signal })}
        keyOf={({ callId, startedAt }) => `${callId} ${startedAt}`}
        draw={(record) => (
          <CallEntry id={record.callId} from={record.from} to={record.to} badge={<span class={`badge ${record.class === 'success' ? 'good' : 'bad'}`}>{record.reason}</span>}>
            <p>{record.message}</p>
            <p class="faint">
              <time dateTime={record.startedAt}>{timeWords(record.startedAt, now)}</time>, {talkedWords(record)}
              {record.codecs.length > 0 && ` · ${record.codecs.join(', ')}`}
            </p>
          </CallEntry>
        )}
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
            <CallEntry id={sipCallId} from={from} to={to}>
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

interface CallEntryProps {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly badge?: ComponentChildren;
  readonly children: ComponentChildren;
}

function CallEntry({ id, from, to, badge, children }: CallEntryProps) {
  const [caller, callee] = [bareAddress(from), bareAddress(to)];
  return (
    <>
      <div class="what">
        <p>
          <b>{caller}</b> to <b>{callee}</b> {badge}
        </p>
        {children}
      </div>
      <div class="row acts">
        <a class="button" aria-label={`Ladder of the call from ${caller} to ${callee}`} href={hrefOf({ view: 'ladder', of: { kind: 'call', id } })}>
          Ladder
        </a>
      </div>
    </>
  );
}
