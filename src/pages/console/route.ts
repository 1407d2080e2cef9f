/** Which view the address shows: everything after `#`, so that a view can be kept as a bookmark and the Back key works. */

/** What a ladder is of: a call (the host's id, or a SIP Call-ID), or a registration (a mapping's id). */
export type LadderOf = { readonly kind: 'call'; readonly id: string } | { readonly kind: 'registration'; readonly id: string };

export type Route =
  | { readonly view: 'overview' | 'configuration' | 'log' }
  | { readonly view: 'find' | 'mappings'; readonly q: string }
  /** A messenger user. */
  | { readonly view: 'user'; readonly id: number }
  | { readonly view: 'registrations'; readonly state: string; readonly q: string }
  | { readonly view: 'calls'; readonly which: CallList; readonly q: string }
  | { readonly view: 'ladder'; readonly of: LadderOf };

export type CallList = 'live' | 'ended' | 'untold';

/** The views that the navigation names, in its order. */
export const views = [
  { view: 'overview', name: 'Overview' },
  { view: 'registrations', name: 'Registrations' },
  { view: 'mappings', name: 'Mappings' },
  { view: 'calls', name: 'Calls' },
  { view: 'configuration', name: 'Configuration' },
  { view: 'log', name: 'Log' },
] as const;

const callLists: readonly CallList[] = ['live', 'ended', 'untold'];

/** What is no view is the overview. */
export function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [view, first = '', ...rest] = path.split('/').map(decoded);
  const asked = new URLSearchParams(query);
  const q = asked.get('q') ?? '';
  switch (view) {
    case 'registrations':
      return { view, state: asked.get('state') ?? '', q };
    case 'calls':
      return { view, which: callLists.find((each) => each === first) ?? 'live', q };
    case 'user':
      return isUserId(first) ? { view, id: Number(first) } : { view: 'find', q: first };
    case 'find':
    case 'mappings':
      return { view, q };
    case 'ladder': {
      const id = rest.join('/');
      if (id !== '' && (first === 'call' || first === 'registration')) return { view, of: { kind: first, id } };
      return { view: 'overview' };
    }
    case 'configuration':
    case 'log':
      return { view };
    default:
      return { view: 'overview' };
  }
}

export function hrefOf(route: Route): string {
  switch (route.view) {
    case 'registrations':
      return `#/registrations${asking({ state: route.state, q: route.q })}`;
    case 'calls':
      return `#/calls/${route.which}${asking({ q: route.q })}`;
    case 'user':
      return `#/user/${route.id}`;
    case 'find':
    case 'mappings':
      return `#/${route.view}${asking({ q: route.q })}`;
    case 'ladder':
      return `#/ladder/${route.of.kind}/${encodeURIComponent(route.of.id)}`;
    default:
      return `#/${route.view}`;
  }
}

/** What may be the number of a messenger user. */
export function isUserId(text: string): boolean {
  return /^[1-9]\d{0,14}$/.test(text);
}

/** What is empty is left out. */
function asking(words: Readonly<Record<string, string>>): string {
  const asked = new URLSearchParams(Object.entries(words).filter(([, value]) => value !== '')).toString();
  return asked === '' ? '' : `?${asked}`;
}

/** What somebody typed into the address may be no encoding at all. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
