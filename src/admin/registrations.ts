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
import { mappingPath, pageQuery, type ListedState, type RegistrationsPage, type ShownRegistration } from './shapes.js';

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
    const { state, q: text, after: afterId, limit } = asked;
    if (text !== undefined) return registrations.search({ text, state, afterId, limit });
    // One more than asked for tells whether there is another page.
    return cut(registrations.page({ state, afterId, limit: limit + 1 }), limit);
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

function isAsked({ state, aor }: ShownRegistration, asked: Asked): boolean {
  return (asked.state ?? state) === state && (asked.q === undefined || aor.toLowerCase().includes(asked.q.toLowerCase()));
}

function cut(found: ShownRegistration[], limit: number): RegistrationsPage {
  const items = found.slice(0, limit);
  const next = found.length > limit ? items.at(-1)?.mappingId : undefined;
  return next === undefined ? { items } : { items, next };
}
