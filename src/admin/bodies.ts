/** The only bodies that are read: of the routes that are added in here, in one form, up to a length. Everywhere else a body is refused. */
import type { FastifyInstance } from 'fastify';
import { kilobyte } from '../base/units.js';

const largestJson = 64 * kilobyte;

/** @param serve adds the routes that take JSON */
export async function withJsonBodies(app: FastifyInstance, serve: (app: FastifyInstance) => void): Promise<void> {
  await app.register((scope, _options, done) => {
    // Whoever sends __proto__ is refused.
    scope.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit: largestJson }, scope.getDefaultJsonParser('error', 'error'));
    serve(scope);
    done();
  });
}
