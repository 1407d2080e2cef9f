/** The other users of the messenger, each a call away. */
import { titleOf } from './call-view.js';
import type { Phone } from './phone.js';

export function Contacts({ phone }: { phone: Phone }) {
  return (
    <section class="sheet" aria-labelledby="contacts">
      <h2 id="contacts">Contacts</h2>
      <ul class="plain people">
        {phone.contacts.value.map((user) => {
          const title = titleOf(user);
          const callee = { target: { peer: { type: 1 as const, id: user.id } }, title };
          return (
            <li key={user.id}>
              <span class={user.disabled === true ? 'faint' : ''}>{title}</span>
              <span class="row">
                <button type="button" aria-label={`Call ${title}`} onClick={() => void phone.dial(callee, false)}>
                  Call
                </button>
                <button type="button" aria-label={`Video call to ${title}`} onClick={() => void phone.dial(callee, true)}>
                  Video
                </button>
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
