/** Who is meant by what somebody said: a user id, a name, a number or an account. Each answer leads to its user. */
import { pathOf } from './asked-path.js';
import { useAnswer } from './asking.js';
import type { Desk } from './desk.js';
import { PagedList } from './paged-list.js';
import { hrefOf, isUserId } from './route.js';
import type { MappingsPage, RegistrationsPage, ShownMapping } from './told.js';
import { bareAddress } from './wording.js';

export function Find({ desk, q }: { desk: Desk; q: string }) {
  return (
    <section class="sheet" aria-labelledby="title">
      {isUserId(q) && <ExactUser desk={desk} id={Number(q)} />}
      <PagedList<ShownMapping, number>
        key={q}
        label="Accounts"
        none="No account is like that: neither a user id, nor a part of an account, a host or a display name."
        turn={desk.live.turns.server.value}
        ask={(after, limit, signal) => desk.session.json<MappingsPage>(pathOf('api/mappings', { q, after, limit }), { signal })}
        keyOf={({ id }) => id}
        draw={(mapping) => <Entry mapping={mapping} />}
      />
      <p>
        Is it the other end of a call? <a href={hrefOf({ view: 'calls', which: 'ended', q })}>Calls with {q}</a>
      </p>
    </section>
  );
}

/** That very user before all those whose number only begins like it. */
function ExactUser({ desk, id }: { desk: Desk; id: number }) {
  const { answer } = useAnswer((signal) => desk.session.json<RegistrationsPage>(pathOf('api/registrations', { user: id }), { signal }), [id, desk.live.turns.server.value]);
  if (answer === undefined || answer.items.length === 0) return null;
  return (
    <p>
      <a class="button main" href={hrefOf({ view: 'user', id })}>
        User {id}
      </a>{' '}
      {answer.items.map(({ aor }) => bareAddress(aor)).join(', ')}
    </p>
  );
}

function Entry({ mapping }: { mapping: ShownMapping }) {
  const { id, sipUser, sipHost, displayName, peerType, peerId, problem } = mapping;
  const account = `${sipUser}@${sipHost}`;
  return (
    <>
      <div class="what">
        <p>
          <b>{account}</b> {displayName}
        </p>
        {problem !== undefined && <p class="trouble">{problem}</p>}
      </div>
      <div class="row acts">
        {peerType === 1 ? (
          <a class="button" aria-label={`User ${peerId}, ${account}`} href={hrefOf({ view: 'user', id: peerId })}>
            User {peerId}
          </a>
        ) : (
          <a class="button" aria-label={`Registration of ${account}`} href={hrefOf({ view: 'ladder', of: { kind: 'registration', id: String(id) } })}>
            Ladder
          </a>
        )}
      </div>
    </>
  );
}
