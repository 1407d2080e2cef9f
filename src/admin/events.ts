/**
 *   POST /api/ticket           {ticket}: lets one WebSocket in, within 30 s
 *   GET  /api/events?ticket=   WebSocket, down alone: JSON, a `ConsoleEvent` a message
 */
import type { WebSocket } from '@fastify/websocket';
import type { FastifyInstance } from 'fastify';
import { Refusal } from '../base/problem.js';
import { megabyte } from '../base/units.js';
import { takeWebSockets } from '../base/web-sockets.js';
import type { EventFeed, Onlooker } from './event-feed.js';
import type { IssuedTicket } from './shapes.js';
import type { Tickets } from './tickets.js';

const eventsPath = '/api/events';
const mostOnlookers = 32;
/** What an onlooker may leave unread, bytes. */
const mostUnread = megabyte;

export async function serveEvents(app: FastifyInstance, feed: EventFeed, tickets: Tickets): Promise<void> {
  await takeWebSockets(app, eventsPath, 1);
  app.post('/api/ticket', (): IssuedTicket => ({ ticket: tickets.issue() }));
  app.get(
    eventsPath,
    {
      websocket: true,
      preValidation: (_request, _reply, done) => {
        if (feed.size >= mostOnlookers) throw new Refusal(503, 'TOO_MANY_CONSOLES', `${mostOnlookers} consoles look on already: close one.`);
        done();
      },
    },
    (socket) => {
      follow(socket, feed);
    },
  );
}

function follow(socket: WebSocket, feed: EventFeed): void {
  const onlooker: Onlooker = {
    send: (text) => {
      if (socket.readyState !== socket.OPEN) return;
      if (socket.bufferedAmount > mostUnread) socket.terminate();
      else socket.send(text);
    },
    end: () => {
      socket.terminate();
    },
  };
  socket.on('error', () => {
    socket.terminate();
  });
  // Nothing is wanted of it.
  socket.on('message', () => {
    socket.close(1008);
  });
  socket.once('close', () => {
    feed.remove(onlooker);
  });
  feed.add(onlooker);
}
