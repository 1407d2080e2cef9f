/**
 * Has an HTTP server take WebSockets, at one path. A connection that asked for one and got none is nobody's any more: it is ended with the
 * answer, as the server would wait for it when it closes.
 */
import websocket from '@fastify/websocket';
import type { FastifyInstance } from 'fastify';
import { Refusal } from './problem.js';

/**
 * Before the routes are told.
 * @param largestMessage bytes
 */
export async function takeWebSockets(app: FastifyInstance, path: string, largestMessage: number): Promise<void> {
  await app.register(websocket, { options: { maxPayload: largestMessage } });
  // Where nothing takes it, the library would open it all the same, and then wait half a minute for the client to agree to its end.
  app.addHook('onRequest', (request, _reply, done) => {
    const isElsewhere = request.headers.upgrade !== undefined && request.routeOptions.url !== path;
    done(isElsewhere ? new Refusal(400, 'NO_WEB_SOCKET', `WebSockets are taken at ${path} alone.`) : undefined);
  });
  app.addHook('onResponse', (request, _reply, done) => {
    if (request.headers.upgrade !== undefined) request.raw.socket.destroySoon();
    done();
  });
}
