/**
 * The running extension's face for operators: the console page, and the HTTP API that it, the command line and a monitoring system ask.
 *
 *   GET  /, /assets/*      the page, which holds nothing and needs no token
 *   GET  /api/status       what the extension says of itself
 *   GET  /api/config       the configuration in force, secrets masked
 *   ...  /api/registrations, /api/mappings, /api/calls, .../ladder, /api/log, /api/history, /api/events: a file each
 *   GET  /api/openapi.json
 *   GET  /metrics          Prometheus's text format
 *
 * Every request passes the gate. A body is read of the few routes that take one; every answer is bounded; none holds a secret.
 */
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { AddressInfo } from 'node:net';
import { ExtensionError, MappingError, messageOf } from '../base/errors.js';
import { servePage } from '../base/page.js';
import { nothingAt, problemOf, problemType, Refusal, type Problem } from '../base/problem.js';
import { second } from '../base/units.js';
import { serveCalls } from './calls.js';
import { EventFeed } from './event-feed.js';
import { serveEvents } from './events.js';
import { Gate } from './gate.js';
import { serveLadders } from './ladders.js';
import { serveMappingImport } from './mapping-import.js';
import { serveMappings } from './mappings.js';
import { serveObserving } from './observing.js';
import { openApi } from './openapi.js';
import type { AdminDependencies } from './ports.js';
import { serveRegistrations } from './registrations.js';
import { fieldOf, ticketQuery, type EffectiveConfiguration } from './shapes.js';
import { Tickets } from './tickets.js';

export interface AdminSettings {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly token: string;
}

export interface AdminServer {
  /** `http://127.0.0.1:8088` */
  readonly url: string;
  close(): Promise<void>;
}

/** How long a request may take to arrive whole, milliseconds. */
const requestTimeoutMs = 10 * second;

/** Programs that an operator runs, a monitoring system, and some. */
const mostConnections = 64;

/** The page: whoever has no token may have it. As routes have them, whatever their address was written like. */
const openRoutes: ReadonlySet<string | undefined> = new Set(['/', '/assets/*']);

/** An address that climbs out of a folder is none of the page's. */
function isOpen({ routeOptions, url }: Pick<FastifyRequest, 'routeOptions' | 'url'>): boolean {
  return openRoutes.has(routeOptions.url) && !url.includes('..');
}

/** @throws ExtensionError ADMIN_UNAVAILABLE, naming the key to change */
export async function openAdminServer(settings: AdminSettings, deps: AdminDependencies): Promise<AdminServer> {
  const tickets = new Tickets(deps.clock);
  const feed = new EventFeed(deps);
  const gate = new Gate(settings.token, settings.host, tickets, deps.clock, deps.log);
  const app = fastify({
    // Not 0, which would be no limit; without a parser no body is read at all.
    bodyLimit: 1,
    forceCloseConnections: true,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: requestTimeoutMs,
    frameworkErrors: (thrown, _request, reply) => {
      answer(reply, problemOf(thrown));
    },
  });
  app.server.maxConnections = mostConnections;
  app.removeAllContentTypeParsers();
  app.addHook('onRequest', (request, reply, done) => {
    void reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    const { url } = request.routeOptions;
    gate.pass({ ip: request.ip, headers: request.headers, ticket: url === '/api/events' ? ticketQuery.safeParse(request.query).data?.ticket : undefined }, isOpen(request) ? 'anybody' : 'token');
    done();
  });
  answerErrors(app, deps);
  await servePage(app, 'console');
  serveRegistrations(app, deps);
  await serveMappings(app, deps);
  await serveMappingImport(app, deps);
  serveCalls(app, deps);
  serveLadders(app, deps);
  serveObserving(app, deps);
  await serveEvents(app, feed, tickets);
  app.get('/api/status', () => deps.status());
  app.get('/api/config', (): EffectiveConfiguration => ({ lines: [...deps.configuration()] }));
  const document = openApi();
  app.get('/api/openapi.json', () => document);
  app.get('/metrics', async (_request, reply) => reply.type(deps.metrics.contentType).send(await deps.metrics.text()));
  const close = (): Promise<void> => {
    feed.close();
    return app.close();
  };
  try {
    await app.listen({ host: settings.host, port: settings.port });
  } catch (thrown) {
    await app.close();
    throw unavailable(settings, thrown);
  }
  const { address, port, family } = app.server.address() as AddressInfo;
  return { url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`, close };
}

function answerErrors(app: FastifyInstance, { log }: AdminDependencies): void {
  app.setErrorHandler((thrown, _request, reply) => {
    const problem = problemOf(thrown);
    if (problem.code === 'INTERNAL') log.error(`The administration interface failed: ${messageOf(thrown)}`, { error: thrown });
    if (thrown instanceof Refusal) void reply.headers(thrown.headers);
    return answer(reply, thrown instanceof MappingError && thrown.fields.length > 0 ? { ...problem, fields: thrown.fields.map(fieldOf) } : problem);
  });
  app.setNotFoundHandler((request, reply) => answer(reply, nothingAt(request.method, request.url.split('?')[0] ?? '')));
}

function answer(reply: FastifyReply, problem: Problem & { fields?: string[] }): FastifyReply {
  return reply.code(problem.status).type(problemType).send(problem);
}

function unavailable({ host, port }: AdminSettings, thrown: unknown): ExtensionError {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  const sentences: Record<string, string> = {
    EADDRINUSE: `modules.sip.admin.port: port ${port} of ${host} is taken by another program. Set another port, or 0 for any free one.`,
    EACCES: `modules.sip.admin.port: this program may not listen on port ${port}. Set one above 1023.`,
    EADDRNOTAVAIL: `modules.sip.admin.host: ${host} is no address of this machine. Set one that is, or 127.0.0.1.`,
    ENOTFOUND: `modules.sip.admin.host: nobody knows the name ${host}. Set an address of this machine, or 127.0.0.1.`,
  };
  const sentence = sentences[code] ?? `modules.sip.admin: ${host} port ${port} cannot be listened on: ${messageOf(thrown)}`;
  return new ExtensionError('ADMIN_UNAVAILABLE', sentence, { cause: thrown });
}
