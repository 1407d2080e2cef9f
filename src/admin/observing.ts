/**
 * What happened lately:
 *
 *   GET /api/log?after=&level=   the end of the log
 *   GET /api/history             a sample each ten seconds, of an hour
 */
import type { FastifyInstance } from 'fastify';
import { checked } from '../base/problem.js';
import type { AdminDependencies, AdminLogLine, AdminSample } from './ports.js';
import { logQuery, type ShownHistory, type ShownLogLine, type ShownLogTail, type ShownSample } from './shapes.js';

export function serveObserving(app: FastifyInstance, { tail, history }: Pick<AdminDependencies, 'tail' | 'history'>): void {
  app.get('/api/log', (request): ShownLogTail => {
    const { after, level } = checked(logQuery, request.query);
    return { items: tail.after(after, level).map(showLine), last: tail.last };
  });
  app.get('/api/history', (): ShownHistory => ({ everyMs: history.everyMs, samples: history.samples.map(showSample) }));
}

export function showLine({ n, at, level, message }: AdminLogLine): ShownLogLine {
  return { n, at: at.toISOString(), level, message };
}

export function showSample({ at, byState, pddMs, ...sample }: AdminSample): ShownSample {
  return { at: at.toISOString(), byState: { ...byState }, pddMs: pddMs === null ? null : { ...pddMs }, ...sample };
}
