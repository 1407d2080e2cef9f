/**
 * Registrations, by ascending mapping id:
 *
 *   GET  /api/registrations?state=&user=&q=&after=&limit=
 *   GET  /api/registrations/:mappingId
 *   POST /api/registrations/:mappingId/register     tries now; ends a hold
 *   POST /api/registrations/:mappingId/unregister   un-registers, and holds it so
 */
import type { FastifyInstance } from 'fastify';
import { checked } from '../base/problem.js';
import type { AdminDependencies, AdminRegistrations } from './ports.js';
import { largestPage, mappingPath, pageQuery, type ListedState, type RegistrationsPage, type ShownRegistration } from './shapes.js';

/** How many one request looks at for a part of a text: a request of milliseconds, whatever is asked for. */
const mostLookedAt = 10 * largestPage;

interface Asked {
  readonly state?: ListedState;
  readonly q?: string;
  readonly after: number;
  readonly limit: number;
}

export function serveRegistrations(app: FastifyInstance, { registrations, log }: Pick<AdminDependencies, 'registrations' | 'log'>): void {
  app.get('/api/registrations', (request): RegistrationsPage => {
    const { user, ...asked } = checked(pageQuery, request.query);
    if (user !== undefined) return cut(registrations.ofUser(user).filter((each) => each.mappingId > asked.after && isAsked(each, asked)), asked.limit);
    // One more than asked for tells whether there is another page.
    if (asked.q === undefined) return cut(registrations.page({ state: asked.state, afterId: asked.after, limit: asked.limit + 1 }), asked.limit);
    return search(registrations, asked);
  });
  app.get('/api/registrations/:mappingId', (request) => registrations.find(checked(mappingPath, request.params).mappingId));
  for (const action of ['register', 'unregister'] as const satisfies readonly (keyof AdminRegistrations)[]) {
    app.post(`/api/registrations/:mappingId/${action}`, (request, reply) => {
      const { mappingId } = checked(mappingPath, request.params);
      const registration = registrations[action](mappingId);
      log.info(`A person asked to ${action} ${registration.aor} (mapping ${mappingId}).`, { mappingId, address: request.ip });
      return reply.code(202).send(registration);
    });
  }
}

/** Looks at a part of them: who asks goes on at `next`, whether or not anything was found. */
function search(registrations: AdminRegistrations, asked: Asked): RegistrationsPage {
  const items: ShownRegistration[] = [];
  let at = asked.after;
  for (let lookedAt = 0; lookedAt < mostLookedAt; ) {
    const found = registrations.page({ state: asked.state, afterId: at, limit: largestPage });
    for (const each of found) {
      if (items.length === asked.limit) return { items, next: at };
      at = each.mappingId;
      if (isAsked(each, asked)) items.push(each);
    }
    if (found.length < largestPage) return { items };
    lookedAt += found.length;
  }
  return { items, next: at };
}

function isAsked({ state, aor }: ShownRegistration, asked: Asked): boolean {
  return (asked.state ?? state) === state && (asked.q === undefined || aor.toLowerCase().includes(asked.q.toLowerCase()));
}

function cut(found: ShownRegistration[], limit: number): RegistrationsPage {
  const items = found.slice(0, limit);
  const next = found.length > limit ? items.at(-1)?.mappingId : undefined;
  return next === undefined ? { items } : { items, next };
}
