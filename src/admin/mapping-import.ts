/**
 *   POST /api/mappings/import?dryRun=true|false   text/csv, the columns of `dialog-sip mappings import`
 *
 * One at a time, so that one file at most is held in memory: the next is refused before its body is read.
 */
import type { FastifyInstance } from 'fastify';
import { checked, Refusal } from '../base/problem.js';
import { minute } from '../base/units.js';
import { withCsvBodies } from './bodies.js';
import type { AdminDependencies } from './ports.js';
import { fieldOf, importQuery, type ImportReport } from './shapes.js';

/** How long an import may keep its connection waiting, milliseconds. */
const patienceMs = 10 * minute;

export async function serveMappingImport(app: FastifyInstance, { mappings, log }: Pick<AdminDependencies, 'mappings' | 'log'>): Promise<void> {
  let isRunning = false;
  /** Ends even when nobody waits for its answer any more. */
  let work: Promise<unknown> = Promise.resolve();
  const release = (): void => {
    isRunning = false;
  };
  await withCsvBodies(app, (scope) => {
    scope.post(
      '/api/mappings/import',
      {
        onRequest: (_request, reply, done) => {
          if (isRunning) throw new Refusal(409, 'IMPORT_RUNNING', 'Another import is under way: wait until it is through.');
          isRunning = true;
          reply.raw.once('close', () => {
            void work.then(release, release);
          });
          done();
        },
      },
      async (request): Promise<ImportReport> => {
        const { dryRun } = checked(importQuery, request.query);
        if (!Buffer.isBuffer(request.body)) throw new Refusal(400, 'REQUEST_INVALID', 'The request: want a CSV file as its body, of the type text/csv.');
        request.raw.socket.setTimeout(patienceMs);
        const importing = mappings.importCsv(request.body, { dryRun });
        work = importing;
        const { errors, ...outcome } = await importing;
        if (!dryRun && outcome.errorCount === 0) log.info(`A person imported mappings: ${outcome.inserted} added, ${outcome.updated} changed.`, { address: request.ip });
        return { ...outcome, errors: errors.map(({ line, column, problem }) => ({ line, ...(column === undefined ? {} : { field: fieldOf(column) }), problem })), dryRun };
      },
    );
  });
}
