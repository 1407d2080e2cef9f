/** The whole page: the sign-in, or the views and the way between them. */
import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { AdminSession } from './admin-session.js';
import { browserWorld } from './browser-world.js';
import { Refused, sentenceOf } from './refused.js';
import { Calls } from './calls.js';
import { Configuration } from './configuration.js';
import type { Desk } from './desk.js';
import { Find } from './find.js';
import { LadderView } from './ladder-view.js';
import { Live, type Link, type Loss } from './live.js';
import { Log } from './log.js';
import { Mappings } from './mappings.js';
import { Overview } from './overview.js';
import { Registrations } from './registrations.js';
import { hrefOf, routeOf, views, type Route } from './route.js';
import { SignIn } from './sign-in.js';
import type { ExtensionStatus } from './told.js';
import { User } from './user.js';
import { timeWords } from './wording.js';

const kept = 'token';
const desk = signal<Desk | undefined>(undefined);
const trouble = signal('');
const isBusy = signal(false);
const route = signal(routeOf(location.hash));

/** With a token that somebody typed. */
async function enter(token: string): Promise<void> {
  isBusy.value = true;
  trouble.value = '';
  const asking = new AdminSession(token, () => undefined);
  await asking.json<ExtensionStatus>('api/status').then(
    () => {
      sessionStorage.setItem(kept, token);
      open(token);
    },
    (thrown: unknown) => {
      trouble.value = thrown instanceof Refused && thrown.code === 'TOKEN_REFUSED' ? 'That token is wrong.' : sentenceOf(thrown);
    },
  );
  isBusy.value = false;
}

/** The token was right before: whether the extension is there right now the views tell. */
function open(token: string): void {
  const session = new AdminSession(token, () => {
    leave('The extension takes this token no more: sign in with the one that server.conf names now.');
  });
  const live = new Live(session, browserWorld);
  live.start();
  desk.value = { session, live };
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
    if (token !== null) open(token);
    window.addEventListener('hashchange', () => {
      route.value = routeOf(location.hash);
    });
  }, []);
  if (desk.value === undefined) {
    return (
      <SignIn
        trouble={trouble.value}
        isBusy={isBusy.value}
        onToken={(token) => void enter(token)}
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
        <Finder q={here.view === 'find' ? here.q : ''} />
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
      <Banner loss={opened.live.loss.value} />
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
      return <Mappings desk={opened} q={here.q} />;
    case 'find':
      return <Find desk={opened} q={here.q} />;
    case 'user':
      return <User key={here.id} desk={opened} id={here.id} />;
    case 'calls':
      return <Calls desk={opened} which={here.which} q={here.q} />;
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
  if (here.view === 'user') return `User ${here.id}`;
  if (here.view === 'find') return `Who is “${here.q}”?`;
  return views.find(({ view }) => view === here.view)?.name ?? '';
}

/** Finds a user from everywhere: it is what an operator is asked about. */
function Finder({ q }: { q: string }) {
  const [typed, setTyped] = useState(q);
  useEffect(() => {
    setTyped(q);
  }, [q]);
  return (
    <form
      role="search"
      class="finder"
      onSubmit={(event) => {
        event.preventDefault();
        if (typed.trim() !== '') location.hash = hrefOf({ view: 'find', q: typed.trim() });
      }}
    >
      <input
        type="search"
        aria-label="Find a user"
        placeholder="Find a user: id, name, account"
        autocomplete="off"
        value={typed}
        onInput={(event) => {
          setTyped(event.currentTarget.value);
        }}
      />
    </form>
  );
}

/** That what is shown stands still, for as long as it does. */
function Banner({ loss }: { loss: Loss | undefined }) {
  const shown = loss === undefined || loss.shownOf === 0 ? '' : ` What is shown is of ${timeWords(new Date(loss.shownOf).toISOString(), Date.now())}.`;
  return (
    <p class="banner" role="alert">
      {loss !== undefined && `${loss.sentence}${shown} It is asked again every five seconds.`}
    </p>
  );
}

const linkWords: Record<Link, string> = { connecting: 'Connecting…', live: 'Live', polling: 'Asking every 5 s', lost: 'Not reachable' };

function LinkState({ link }: { link: Link }) {
  return (
    <span role="status">
      <span class={`dot ${link}`} aria-hidden="true" /> {linkWords[link]}
    </span>
  );
}
