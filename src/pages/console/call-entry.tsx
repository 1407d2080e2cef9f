/** One call of a list, live or over: who with whom, how it goes or went, and the way to its ladder. */
import type { ComponentChildren } from 'preact';
import { hrefOf } from './route.js';
import type { ShownCall, ShownRecord } from './told.js';
import { bareAddress, liveWords, talkedWords, timeWords } from './wording.js';

interface AnyEntryProps {
  readonly now: number;
  /** On the page of its user there is no need to lead there. */
  readonly isAtUser?: boolean;
}

export function LiveEntry({ call, now, isAtUser }: AnyEntryProps & { readonly call: ShownCall }) {
  return (
    <CallEntry {...call} isAtUser={isAtUser} badge={<span class={`badge ${call.state === 'talking' ? 'good' : 'calm'}`}>{liveWords(call, now)}</span>}>
      <p class="faint">
        {call.direction === 'incoming' ? 'From SIP to the messenger' : 'From the messenger to SIP'}
        {call.codecs.length > 0 && ` · ${call.codecs.join(', ')}`}
      </p>
    </CallEntry>
  );
}

export function EndedEntry({ record, now, isAtUser }: AnyEntryProps & { readonly record: ShownRecord }) {
  return (
    <CallEntry {...record} isAtUser={isAtUser} badge={<span class={`badge ${record.class === 'success' ? 'good' : 'bad'}`}>{record.reason}</span>}>
      <p>{record.message}</p>
      <p class="faint">
        <time dateTime={record.startedAt}>{timeWords(record.startedAt, now)}</time>, {talkedWords(record)}
        {record.codecs.length > 0 && ` · ${record.codecs.join(', ')}`}
      </p>
    </CallEntry>
  );
}

interface CallEntryProps {
  /** The call's, or a SIP Call-ID. */
  readonly callId: string;
  /** The messenger user whose call it is. */
  readonly userId?: number;
  readonly isAtUser?: boolean;
  readonly from: string;
  readonly to: string;
  readonly badge?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function CallEntry({ callId, userId, isAtUser = false, from, to, badge, children }: CallEntryProps) {
  const [caller, callee] = [bareAddress(from), bareAddress(to)];
  return (
    <>
      <div class="what">
        <p>
          <b>{caller}</b> to <b>{callee}</b> {badge} {userId !== undefined && !isAtUser && <a href={hrefOf({ view: 'user', id: userId })}>user {userId}</a>}
        </p>
        {children}
      </div>
      <div class="row acts">
        <a class="button" aria-label={`Ladder of the call from ${caller} to ${callee}`} href={hrefOf({ view: 'ladder', of: { kind: 'call', id: callId } })}>
          Ladder
        </a>
      </div>
    </>
  );
}
