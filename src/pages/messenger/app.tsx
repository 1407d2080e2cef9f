/** The whole page: who you are, or what you can do. A reload goes on with the session of before. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { CallLog } from './call-log.js';
import { CallPanel } from './call-panel.js';
import { titleOf } from './call-view.js';
import { Contacts } from './contacts.js';
import { Dialler } from './dialler.js';
import type { User } from './host-session.js';
import { Phone } from './phone.js';
import { SignIn } from './sign-in.js';

const kept = 'session';
const phone = signal<Phone | undefined>(undefined);
const note = signal('');

async function enter(user: User, token?: string): Promise<void> {
  try {
    const opened = await Phone.open(user, token, () => {
      leave('The messaging server was started anew: sign in again.');
    });
    sessionStorage.setItem(kept, JSON.stringify({ user, token: opened.session.token }));
    note.value = '';
    phone.value = opened;
  } catch (thrown) {
    note.value = thrown instanceof Error ? thrown.message : String(thrown);
  }
}

function leave(why = ''): void {
  sessionStorage.removeItem(kept);
  phone.value?.close();
  phone.value = undefined;
  note.value = why;
}

export function App() {
  useEffect(() => {
    const before = sessionStorage.getItem(kept);
    if (before === null) return;
    const { user, token } = JSON.parse(before) as { user: User; token: string };
    void enter(user, token);
  }, []);
  const opened = phone.value;
  if (opened === undefined) return <SignIn note={note.value} onChosen={(user) => void enter(user)} />;
  const { user, online } = opened.session;
  return (
    <main>
      <div class="bar">
        <h1>{titleOf(user)}</h1>
        <div class="row">
          <span role="status">
            <span class={online.value ? 'dot on' : 'dot'} aria-hidden="true" /> {online.value ? 'Connected' : 'Connecting…'}
          </span>
          <button
            type="button"
            onClick={() => {
              leave();
            }}
          >
            Sign out
          </button>
        </div>
      </div>
      <p class="trouble" role="alert">
        {opened.trouble.value}
      </p>
      <div class="desk">
        <div class="stack">
          <Dialler phone={opened} />
          <Contacts phone={opened} />
        </div>
        <div class="stack">
          {opened.calls.value.map((call) => (
            <CallPanel key={call.view.value.callId} phone={opened} call={call} />
          ))}
          <CallLog phone={opened} />
        </div>
      </div>
    </main>
  );
}
