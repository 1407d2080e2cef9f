/**
 * The event stream, `GET /api/events?token=`: JSON both ways over one WebSocket. Down come the updates of the device's calls, up go
 * the same commands as over HTTP; each gets `accepted` or `error` back with its `requestId`.
 */
import type { WebSocket } from '@fastify/websocket';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { systemClock } from '../base/clock.js';
import { problemOf } from '../base/problem.js';
import { ApiError } from './api-error.js';
import { clientCommand, requestId as requestIdSchema } from './api-schema.js';
import type { CallHub } from './call-hub.js';
import type { ClientEvent, Device, Devices } from './devices.js';

export const eventsPath = '/api/events';

/** Bytes a client may leave unread, and commands it may have under way, before it is cut off. */
const unreadAtMost = 1_000_000;
const commandsAtMost = 100;
/** How long a client may take to say goodbye, milliseconds. */
const goodbyeMs = 500;

export function serveEvents(
  app: FastifyInstance,
  calls: CallHub,
  devices: Devices,
  signedIn: (request: FastifyRequest) => Device,
): void {
  app.get(
    eventsPath,
    {
      websocket: true,
      // Before the upgrade, so that a client without a token sees a 401 rather than a closed socket.
      preValidation: (request, _reply, done) => {
        signedIn(request);
        done();
      },
    },
    (socket, request) => {
      follow(socket, signedIn(request), calls, devices);
    },
  );
}

function follow(socket: WebSocket, device: Device, calls: CallHub, devices: Devices): void {
  const stream = {
    send: (event: ClientEvent) => {
      if (socket.readyState !== socket.OPEN) return;
      if (socket.bufferedAmount > unreadAtMost) socket.terminate();
      else socket.send(JSON.stringify(event));
    },
    close: () => {
      socket.close(1001);
      systemClock.after(goodbyeMs, () => {
        socket.terminate();
      });
    },
  };
  let underWay = 0;

  const obey = async (text: string): Promise<void> => {
    const message = parsed(text);
    const { requestId, ...fields } = requestIdSchema.safeParse(message).data ?? {};
    const callId = typeof fields.callId === 'string' ? fields.callId : undefined;
    try {
      const command = clientCommand.safeParse(fields);
      if (!command.success) {
        const [issue] = command.error.issues;
        throw new ApiError('REQUEST_INVALID', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'no command'}.`);
      }
      stream.send({ type: 'accepted', requestId, callId: await calls.command(device, command.data) });
    } catch (thrown) {
      stream.send({ type: 'error', requestId, callId, problem: problemOf(thrown) });
    }
  };

  socket.on('error', () => {
    socket.terminate();
  });
  socket.on('message', (data) => {
    if (underWay >= commandsAtMost) {
      socket.close(1008, 'too many commands at once');
      return;
    }
    underWay += 1;
    // Commands start in the order they came; a slow one does not hold up the next (candidates follow their call).
    void obey((data as Buffer).toString('utf8')).finally(() => {
      underWay -= 1;
    });
  });
  socket.once('close', () => {
    if (devices.disconnect(device.token, stream)) calls.disconnected(device);
  });
  devices.connect(device.token, stream);
  calls.connected(device);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
