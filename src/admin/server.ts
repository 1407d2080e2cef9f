/**
 *The running extension's face for operators: a small HTTP API that the command line asks, and a monitoring system.
 *
 *   GET  /api/status                              what the extension says of itself
 *   GET  /api/registrations?state=&user=&after=&limit=
 *   GET  /api/registrations/:mappingId
 *   POST /api/registrations/:mappingId/register   tries now; ends a hold
 *   POST /api/registrations/:mappingId/unregister un-registers, and holds it so
 *   GET  /api/calls?user=&limit=                  those that go on, the longest first
 *   GET  .../ladder                               `ladders`
 *   GET  /metrics                                 Prometheus's text format
 *
 * Every request passes the gate. No request has a body; every answer is bounded; none holds a secret.
 */
import { fastify, type FastifyInstance, type FastifyReply } from 'fastify';
import type { AddressInfo } from 'node:net';
import { ExtensionError, messageOf } from '../base/errors.js';
import { checked, nothingAt, problemOf, problemType, Refusal, type Problem } from '../base/problem.js';
import { second } from '../base/units.js';
import { Gate } from './gate.js';
import { serveLadders } from './ladders.js';
import type { AdminCall, AdminDependencies, AdminRegistrations } from './ports.js';
import { callsQuery, mappingPath, pageQuery, type LiveCalls, type RegistrationsPage, type ShownCall } from './shapes.js';

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

/** @throws ExtensionError ADMIN_UNAVAILABLE, naming the key to change */
export async function openAdminServer(settings: AdminSettings, deps: AdminDependencies): Promise<AdminServer> {
  const gate = new Gate(settings.token, settings.host, deps.clock, deps.log);
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
    gate.pass(request);
    done();
  });
  answerErrors(app, deps);
  serveRegistrations(app, deps);
  serveCalls(app, deps);
  serveLadders(app, deps);
  app.get('/api/status', () => deps.status());
  app.get('/metrics', async (_request, reply) => reply.type(deps.metrics.contentType).send(await deps.metrics.text()));
  try {
    await app.listen({ host: settings.host, port: settings.port });
  } catch (thrown) {
    await app.close();
    throw unavailable(settings, thrown);
  }
  const { address, port, family } = app.server.address() as AddressInfo;
  return { url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`, close: () => app.close() };
}

function serveRegistrations(app: FastifyInstance, { registrations, log }: AdminDependencies): void {
  app.get('/api/registrations', (request): RegistrationsPage => {
    const { state, user, after, limit } = checked(pageQuery, request.query);
    // One more than asked for tells whether there is another page.
    const found =
      user === undefined
        ? registrations.page({ state, afterId: after, limit: limit + 1 })
        : registrations.ofUser(user).filter((registration) => registration.mappingId > after && (state ?? registration.state) === registration.state);
    const items = found.slice(0, limit);
    const next = found.length > limit ? items.at(-1)?.mappingId : undefined;
    return next === undefined ? { items } : { items, next };
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

function serveCalls(app: FastifyInstance, { calls }: AdminDependencies): void {
  app.get('/api/calls', (request): LiveCalls => {
    const { user, limit } = checked(callsQuery, request.query);
    const items: ShownCall[] = [];
    let total = 0;
    for (const call of calls.calls()) {
      if (user !== undefined && (call.peer.type !== 1 || call.peer.id !== user)) continue;
      total += 1;
      if (items.length < limit) items.push(show(call));
    }
    return { items, total };
  });
}

function show({ peer, startedAt, rangAt, answeredAt, codecs, ...call }: AdminCall): ShownCall {
  return {
    ...call,
    ...(peer.type === 1 ? { userId: peer.id } : {}),
    startedAt: startedAt.toISOString(),
    ...(rangAt === undefined ? {} : { rangAt: rangAt.toISOString() }),
    ...(answeredAt === undefined ? {} : { answeredAt: answeredAt.toISOString() }),
    codecs: [...codecs],
  };
}

function answerErrors(app: FastifyInstance, { log }: AdminDependencies): void {
  app.setErrorHandler((thrown, _request, reply) => {
    const problem = problemOf(thrown);
    if (problem.code === 'INTERNAL') log.error(`The administration interface failed: ${messageOf(thrown)}`, { error: thrown });
    if (thrown instanceof Refusal) void reply.headers(thrown.headers);
    return answer(reply, problem);
  });
  app.setNotFoundHandler((request, reply) => answer(reply, nothingAt(request.method, request.url.split('?')[0] ?? '')));
}

function answer(reply: FastifyReply, problem: Problem): FastifyReply {
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
