/** Registrations as the administration interface is given them: a list that a spec fills, and what was asked of it. */
import type { AdminRegistrations } from '../../src/admin/ports.js';
import type { ListedState, RegistrationsPage, ShownRegistration } from '../../src/admin/shapes.js';
import { ExtensionError, MappingError } from '../../src/base/errors.js';

export class FakeRegistrations implements AdminRegistrations {
  readonly all: ShownRegistration[] = [];
  /** `register 7` */
  readonly asked: string[] = [];
  /** The limit of every page that was asked for. */
  readonly limits: number[] = [];

  /** Adds those with ids 1 to `count`. */
  fill(count: number, change: (id: number) => Partial<ShownRegistration> = () => ({})): void {
    for (let id = 1; id <= count; id += 1) this.all.push(registered(id, change(id)));
  }

  page({ state, afterId, limit }: { state?: ListedState; afterId: number; limit: number }): ShownRegistration[] {
    this.limits.push(limit);
    return this.all.filter((each) => each.mappingId > afterId && (state === undefined || each.state === state)).slice(0, limit);
  }

  readonly searches: Parameters<AdminRegistrations['search']>[0][] = [];
  /** Where a search goes on that did not fill its page. */
  lookedTo: number | undefined;

  search(query: Parameters<AdminRegistrations['search']>[0]): RegistrationsPage {
    this.searches.push(query);
    const { text, state, afterId, limit } = query;
    const found = this.all.filter((each) => each.mappingId > afterId && (state ?? each.state) === each.state && each.aor.toLowerCase().includes(text.toLowerCase()));
    const items = found.slice(0, limit);
    const next = found.length > limit ? items.at(-1)?.mappingId : this.lookedTo;
    return next === undefined ? { items } : { items, next };
  }

  ofUser(userId: number): ShownRegistration[] {
    return this.all.filter((each) => each.userId === userId);
  }

  find(mappingId: number): ShownRegistration {
    const found = this.all.find((each) => each.mappingId === mappingId);
    if (found === undefined) throw new MappingError('MAPPING_NOT_FOUND', `There is no mapping ${mappingId}.`);
    return found;
  }

  register(mappingId: number): ShownRegistration {
    return this.#act('register', mappingId);
  }

  unregister(mappingId: number): ShownRegistration {
    return this.#act('unregister', mappingId);
  }

  #act(action: string, mappingId: number): ShownRegistration {
    const found = this.find(mappingId);
    if (found.state === 'off') throw new ExtensionError('REGISTRATION_OFF', `Mapping ${mappingId} is off.`);
    this.asked.push(`${action} ${mappingId}`);
    return found;
  }
}

export function registered(mappingId: number, change: Partial<ShownRegistration> = {}): ShownRegistration {
  return {
    mappingId,
    aor: `sip:${mappingId}@pbx.example.com`,
    state: 'registered',
    userId: mappingId,
    since: '2026-01-01T00:00:00.000Z',
    registrar: 'pbx.example.com:5060 over udp',
    flow: 'udp 192.0.2.4:5060',
    lastCode: 200,
    nextTryAt: '2026-01-01T00:25:00.000Z',
    ...change,
  };
}
