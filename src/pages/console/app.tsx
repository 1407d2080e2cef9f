/** The whole page: the sign-in, or the views and the way between them. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { AdminSession, sentenceOf } from './admin-session.js';
import { Calls } from './calls.js';
import { Configuration } from './configuration.js';
import type { Desk } from './desk.js';
import { LadderView } from './ladder-view.js';
import { Live, type Link } from './live.js';
import { Log } from './log.js';
import { Mappings } from './mappings.js';
import { Overview } from './overview.js';
import { Registrations } from './registrations.js';
import { hrefOf, routeOf, views, type Route } from './route.js';
import { SignIn } from './sign-in.js';
import type { ExtensionStatus } from './told.js';

const kept = 'token';
const desk = signal<Desk | undefined>(undefined);
const trouble = signal('');
const isBusy = signal(false);
const route = signal(routeOf(location.hash));

async function enter(token: string): Promise<void> {
  const session = new AdminSession(token, () => {
    leave('That token is wrong.');
  });
  isBusy.value = true;
  try {
    await session.json<ExtensionStatus>('api/status');
    sessionStorage.setItem(kept, token);
    trouble.value = '';
    const live = new Live(session);
    live.start();
    desk.value = { session, live };
  } catch (thrown) {
    if (trouble.value === '' || desk.value !== undefined) trouble.value = sentenceOf(thrown);
  }
  isBusy.value = false;
}

function leave(why = ''): void {
  sessionStorage.removeItem(kept);
  desk.value?.live.close();
  desk.value = undefined;
  trouble.value = why;
}

export function App() {
  useEffect(() => {
    const token = sessionStorage.getItem(kept);
    if (token !== null) void enter(token);
    window.addEventListener('hashchange', () => {
      route.value = routeOf(location.hash);
    });
  }, []);
  if (desk.value === undefined) {
    return (
      <SignIn
        trouble={trouble.value}
        isBusy={isBusy.value}
        onToken={(token) => {
          trouble.value = '';
          void enter(token);
        }}
      />
    );
  }
  return <Views desk={desk.value} />;
}

function Views({ desk: opened }: { desk: Desk }) {
  const here = route.value;
  const title = titleOf(here);
  useEffect(() => {
    document.title = `${title} · SIP console`;
    // Who listens to the page hears where they came to; the first view is read from the top.
    if (document.activeElement !== document.body) document.getElementById('title')?.focus();
  }, [title]);
  return (
    <>
      <header class="top">
        <nav aria-label="Views">
          {views.map(({ view, name }) => (
            <a key={view} href={`#/${view}`} aria-current={here.view === view ? 'page' : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <div class="row">
          <LinkState link={opened.live.link.value} />
          <button
            type="button"
            onClick={() => {
              leave();
            }}
          >
            Sign out
          </button>
        </div>
      </header>
      <main>
        <h1 id="title" tabIndex={-1}>
          {title}
        </h1>
        <View desk={opened} here={here} />
      </main>
    </>
  );
}

function View({ desk: opened, here }: { desk: Desk; here: Route }) {
  switch (here.view) {
    case 'overview':
      return <Overview desk={opened} />;
    case 'registrations':
      return <Registrations desk={opened} state={here.state} q={here.q} />;
    case 'mappings':
      return <Mappings desk={opened} />;
    case 'calls':
      return <Calls desk={opened} which={here.which} />;
    case 'ladder':
      return <LadderView key={hrefOf(here)} desk={opened} of={here.of} />;
    case 'configuration':
      return <Configuration desk={opened} />;
    case 'log':
      return <Log desk={opened} />;
  }
}

function titleOf(here: Route): string {
  if (here.view === 'ladder') return `Ladder of ${here.of.kind === 'call' ? 'a call' : 'a registration'}`;
  return views.find(({ view }) => view === here.view)?.name ?? '';
}

const linkWords: Record<Link, string> = { connecting: 'Connecting…', live: 'Live', polling: 'Asking every 5 s', lost: 'Not reachable' };

function LinkState({ link }: { link: Link }) {
  return (
    <span role="status">
      <span class={`dot ${link}`} aria-hidden="true" /> {linkWords[link]}
    </span>
  );
}
