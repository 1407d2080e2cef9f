/** The calls of before, newest first, each with how it ended. */
import { clockOf } from '../shared/clock.js';
import { addressOf } from './call-view.js';
import type { ListedCall } from './host-session.js';
import type { Phone } from './phone.js';

export function CallLog({ phone }: { phone: Phone }) {
  const log = phone.log.value;
  return (
    <section class="sheet" aria-labelledby="log">
      <h2 id="log">Calls</h2>
      {log.length === 0 ? (
        <p class="faint">None yet. Call 600: an echo answers, and you hear yourself.</p>
      ) : (
        <ul class="plain log">
          {log.map((call) => (
            <Entry key={call.callId} phone={phone} call={call} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Entry({ phone, call }: { phone: Phone; call: ListedCall }) {
  const address = addressOf(call.remote ?? '');
  const name = call.name ?? address;
  const lasted = call.talkingAt === undefined || call.endedAt === undefined ? undefined : clockOf(call.endedAt - call.talkingAt);
  return (
    <li>
      <span>
        {call.direction === 'incoming' ? 'From' : 'To'} {name === '' ? 'somebody' : name}
        <small class="faint">
          {new Date(call.startedAt).toLocaleTimeString()}
          {lasted === undefined ? '' : `, ${lasted}`} · {call.ended?.message}
        </small>
      </span>
      {address !== '' && (
        <button type="button" aria-label={`Call ${name} again`} onClick={() => void phone.dial({ target: { address }, title: name }, false)}>
          Call
        </button>
      )}
    </li>
  );
}
