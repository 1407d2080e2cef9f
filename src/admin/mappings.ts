/**
 * Mappings, the rows of sip_user_mappings, by ascending id. What is written takes effect at once.
 *
 *   GET    /api/mappings?q=&after=&limit=
 *   GET    /api/mappings/:mappingId
 *   POST   /api/mappings               adds one
 *   PATCH  /api/mappings/:mappingId    changes what is given
 *   DELETE /api/mappings/:mappingId    un-registers and removes it
 */
import type { FastifyInstance } from 'fastify';
import { checked } from '../base/problem.js';
import { withJsonBodies } from './bodies.js';
import type { AdminDependencies } from './ports.js';
import { mappingBody, mappingChange, mappingPath, mappingsQuery, type MappingsPage, type ShownMapping } from './shapes.js';

export async function serveMappings(app: FastifyInstance, { mappings, log }: Pick<AdminDependencies, 'mappings' | 'log'>): Promise<void> {
  const tell = (what: string, { id, sipUser, sipHost }: Pick<ShownMapping, 'id' | 'sipUser' | 'sipHost'>, address: string): void => {
    log.info(`A person ${what} mapping ${id} (${sipUser}@${sipHost}).`, { mappingId: id, address });
  };
  app.get('/api/mappings', async (request): Promise<MappingsPage> => {
    const { q, after, limit } = checked(mappingsQuery, request.query);
    const found = await mappings.page({ text: q, afterId: after, limit: limit + 1 });
    const items = found.slice(0, limit);
    const next = found.length > limit ? items.at(-1)?.id : undefined;
    return next === undefined ? { items } : { items, next };
  });
  app.get('/api/mappings/:mappingId', (request) => mappings.find(checked(mappingPath, request.params).mappingId));
  app.delete('/api/mappings/:mappingId', async (request, reply) => {
    const mapping = await mappings.remove(checked(mappingPath, request.params).mappingId);
    tell('removed', mapping, request.ip);
    return reply.code(204).send();
  });
  await withJsonBodies(app, (scope) => {
    scope.post('/api/mappings', async (request, reply) => {
      const mapping = await mappings.add(checked(mappingBody, request.body));
      tell('added', mapping, request.ip);
      return reply.code(201).send(mapping);
    });
    scope.patch('/api/mappings/:mappingId', async (request) => {
      const { mappingId } = checked(mappingPath, request.params);
      const mapping = await mappings.change(mappingId, checked(mappingChange, request.body));
      tell('changed', mapping, request.ip);
      return mapping;
    });
  });
}
