/**
 * The reference host: a small messaging server that carries the extension, as a real one would. It shows every hook at work
 * and nothing else: users and sign-ins live in memory, and signing in asks for no password, so it listens on the loopback
 * address unless told otherwise.
 *
 *   GET    /                          the messenger page
 *   GET    /api/session               who may sign in
 *   POST   /api/session               {userId} -> {token}, for `Authorization: Bearer`
 *   GET    /api/users                 POST {name, ...}; PATCH and DELETE /api/users/:id
 *   GET    /api/calls                 POST {to, description, ...} -> {callId}
 *   POST   /api/calls/:id/<command>   ringing, answer, offer, candidates, dtmf, transfer, hangup
 *   GET    /api/events?token=         WebSocket: updates down, commands up
 *   GET    /api/status                what the extension says of itself; needs no token
 *
 * HTTP and WebSocket take the same commands, those of the contract, and give the same errors (`application/problem+json`).
 */
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'winston';
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import { servePage } from '../base/page.js';
import { checked, nothingAt, problemOf, problemType, type Problem } from '../base/problem.js';
import { takeWebSockets } from '../base/web-sockets.js';
import type { ExtensionHost, HostExtension } from '../index.js';
import { ApiError } from './api-error.js';
import { callPath, clientCommand, createBody, newUser, sessionBody, userChange, userPath } from './api-schema.js';
import { CallHub, type CallHubOptions } from './call-hub.js';
import { Devices, type Device } from './devices.js';
import { eventsPath, serveEvents } from './event-stream.js';
import { Users } from './users.js';

export interface ReferenceHostOptions {
  /** Constructed, not yet initialised. */
  extension: HostExtension;
  config: ExtensionHost['config'];
  logger: Logger;
  /** Default 8080; 0: any free port. */
  port?: number;
  /** Default 127.0.0.1. */
  host?: string;
  /** Default false: only clients on this machine may sign in. */
  signInFromAnywhere?: boolean;
  clock?: Clock;
  patienceMs?: CallHubOptions['patienceMs'];
}

export interface ReferenceHost {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  readonly users: Users;
  readonly calls: CallHub;
  readonly extension: HostExtension;
  /** Stops the extension (calls end, users are un-registered), then the server. Idempotent. */
  stop(options?: { drainMs?: number }): Promise<void>;
}

/** A body is at most this long, bytes: a session description and some. */
const largestBody = 128 * 1024;

/** @throws what the extension's `init` throws; the system's error (`EADDRINUSE`) when the port is taken */
export async function startReferenceHost(options: ReferenceHostOptions): Promise<ReferenceHost> {
  const { extension, logger } = options;
  const users = new Users(extension);
  const devices = new Devices();
  const calls = new CallHub(extension, devices, users, {
    clock: options.clock,
    patienceMs: options.patienceMs,
    report: (message) => logger.warn(message),
  });
  const app = fastify({ bodyLimit: largestBody, forceCloseConnections: true });
  await takeWebSockets(app, eventsPath, largestBody);
  answerErrors(app, logger);
  serveUsers(app, users, devices, options);
  serveCalls(app, calls, devices);
  serveEvents(app, calls, devices, (request) => signedIn(devices, request));
  app.get('/api/status', () => extension.status());
  await servePage(app, 'messenger');

  const close = async (): Promise<void> => {
    calls.stop();
    devices.closeAll();
    await app.close();
  };
  // The port first: a server that cannot listen must not have registered anybody.
  await app.listen({ port: options.port ?? 8080, host: options.host ?? '127.0.0.1' });
  try {
    await extension.init({
      config: options.config,
      logger,
      users: { find: (id) => users.find(id) },
      calls: {
        update: (update) => {
          calls.update(update);
        },
      },
    });
  } catch (thrown) {
    await close();
    throw thrown;
  }

  let stopping: Promise<void> | undefined;
  const { address, port, family } = app.server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    users,
    calls,
    extension,
    stop: (stopOptions) => {
      stopping ??= extension.stop(stopOptions).finally(close);
      return stopping;
    },
  };
}

function serveUsers(app: FastifyInstance, users: Users, devices: Devices, options: ReferenceHostOptions): void {
  const checkMaySignIn = (request: FastifyRequest): void => {
    if (options.signInFromAnywhere === true || isLocal(request)) return;
    throw new ApiError('SIGN_IN_REFUSED', 'Signing in without a password is for clients on this machine alone.');
  };
  app.get('/api/session', (request) => {
    checkMaySignIn(request);
    return users.list().map(({ id, name }) => ({ id, name }));
  });
  app.post('/api/session', (request, reply) => {
    checkMaySignIn(request);
    const user = users.require(checked(sessionBody, request.body).userId);
    const { token } = devices.signIn(user.id);
    return reply.code(201).send({ token, userId: user.id });
  });
  app.get('/api/users', (request) => {
    signedIn(devices, request);
    return users.list();
  });
  app.post('/api/users', async (request, reply) => {
    signedIn(devices, request);
    return reply.code(201).send(await users.create(checked(newUser, request.body)));
  });
  app.patch('/api/users/:id', (request) => {
    signedIn(devices, request);
    return users.update(checked(userPath, request.params).id, checked(userChange, request.body));
  });
  app.delete('/api/users/:id', async (request, reply) => {
    signedIn(devices, request);
    const { id } = checked(userPath, request.params);
    await users.delete(id);
    devices.signOutUser(id);
    return reply.code(204).send();
  });
}

function serveCalls(app: FastifyInstance, calls: CallHub, devices: Devices): void {
  app.get('/api/calls', (request) => calls.of(signedIn(devices, request)));
  app.post('/api/calls', async (request, reply) => {
    const device = signedIn(devices, request);
    const callId = await calls.command(device, { ...checked(createBody, request.body), type: 'create' });
    return reply.code(201).send({ callId });
  });
  app.post('/api/calls/:id/:action', async (request, reply) => {
    const device = signedIn(devices, request);
    const { id, action } = checked(callPath, request.params);
    const body = typeof request.body === 'object' ? request.body : {};
    await calls.command(device, checked(clientCommand, { ...body, type: action, callId: id }));
    return reply.code(204).send();
  });
}

function answerErrors(app: FastifyInstance, logger: Logger): void {
  const answer = (reply: FastifyReply, problem: Problem): FastifyReply => reply.code(problem.status).type(problemType).send(problem);
  app.setErrorHandler((thrown, _request, reply) => {
    const problem = problemOf(thrown);
    if (problem.code === 'INTERNAL') logger.error(`The reference host failed: ${messageOf(thrown)}`, { error: thrown });
    return answer(reply, problem);
  });
  app.setNotFoundHandler((request, reply) => answer(reply, nothingAt(request.method, request.url.split('?')[0] ?? '')));
}

/** @throws ApiError `NOT_SIGNED_IN` */
function signedIn(devices: Devices, request: FastifyRequest): Device {
  const bearer = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
  // A browser cannot set a header on a WebSocket: there the token comes in the address.
  const query = request.query as Record<string, unknown>;
  const token = bearer ?? (request.ws && typeof query.token === 'string' ? query.token : '');
  const device = devices.find(token);
  if (device === undefined) throw new ApiError('NOT_SIGNED_IN', 'Sign in first: POST /api/session gives a token.');
  return device;
}

/** From this machine, and not by way of a foreign page whose name was made to point here (DNS rebinding). */
function isLocal(request: FastifyRequest): boolean {
  const isLoopback = /^(?:127\.|::1$|::ffff:127\.)/.test(request.ip);
  return isLoopback && /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(request.hostname);
}
