/** Which view the address shows: everything after `#`, so that a view can be kept as a bookmark and the Back key works. */

/** What a ladder is of: a call (the host's id, or a SIP Call-ID), or a registration (a mapping's id). */
export type LadderOf = { readonly kind: 'call'; readonly id: string } | { readonly kind: 'registration'; readonly id: string };

export type Route =
  | { readonly view: 'overview' | 'mappings' | 'configuration' | 'log' }
  | { readonly view: 'registrations'; readonly state: string; readonly q: string }
  | { readonly view: 'calls'; readonly which: CallList }
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
  switch (view) {
    case 'registrations': {
      const asked = new URLSearchParams(query);
      return { view, state: asked.get('state') ?? '', q: asked.get('q') ?? '' };
    }
    case 'calls':
      return { view, which: callLists.find((each) => each === first) ?? 'live' };
    case 'ladder': {
      const id = rest.join('/');
      if (id !== '' && (first === 'call' || first === 'registration')) return { view, of: { kind: first, id } };
      return { view: 'overview' };
    }
    case 'mappings':
    case 'configuration':
    case 'log':
      return { view };
    default:
      return { view: 'overview' };
  }
}

export function hrefOf(route: Route): string {
  switch (route.view) {
    case 'registrations': {
      const asked = new URLSearchParams(Object.entries({ state: route.state, q: route.q }).filter(([, value]) => value !== '')).toString();
      return `#/registrations${asked === '' ? '' : `?${asked}`}`;
    }
    case 'calls':
      return `#/calls/${route.which}`;
    case 'ladder':
      return `#/ladder/${route.of.kind}/${encodeURIComponent(route.of.id)}`;
    default:
      return `#/${route.view}`;
  }
}

/** What somebody typed into the address may be no encoding at all. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
