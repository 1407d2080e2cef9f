/** The only bodies that are read: of the routes that are added in here, in one form, up to a length. Everywhere else a body is refused. */
import type { FastifyInstance } from 'fastify';
import { kilobyte, megabyte } from '../base/units.js';

const largestJson = 64 * kilobyte;
const largestCsv = 32 * megabyte;

/** @param serve adds the routes that take JSON */
export async function withJsonBodies(app: FastifyInstance, serve: (app: FastifyInstance) => void): Promise<void> {
  await app.register((scope, _options, done) => {
    // Whoever sends __proto__ is refused.
    scope.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit: largestJson }, scope.getDefaultJsonParser('error', 'error'));
    serve(scope);
    done();
  });
}

/** @param serve adds the routes that take a CSV file, which is a Buffer to them */
export async function withCsvBodies(app: FastifyInstance, serve: (app: FastifyInstance) => void): Promise<void> {
  await app.register((scope, _options, done) => {
    scope.addContentTypeParser('text/csv', { parseAs: 'buffer', bodyLimit: largestCsv }, (_request, body, parsed) => {
      parsed(null, body);
    });
    serve(scope);
    done();
  });
}
