/**
 * A client of the reference host, over the same HTTP and WebSocket that any client has: what Alice, Bob and the echo use in the demonstration.
 */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { second } from '../base/units.js';
import type { ClientCommand } from './call-hub.js';
import type { ClientEvent } from './devices.js';

/** How long the demonstration waits for each step. */
const patienceMs = 10 * second;

const session = z.object({ token: z.string() });

export class DemoClient {
  readonly #events: ClientEvent[] = [];
  #wake: () => void = () => undefined;

  private constructor(
    readonly name: string,
    private readonly socket: WebSocket,
  ) {
    socket.on('message', (data) => {
      // What the host's own server sends needs no second check.
      this.#events.push(JSON.parse((data as Buffer).toString('utf8')) as ClientEvent);
      this.#wake();
    });
  }

  /** Signs in as that user and opens the event stream. */
  static async connect(url: string, user: { id: number; name: string }): Promise<DemoClient> {
    const response = await fetch(`${url}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ userId: user.id }),
    });
    const { token } = session.parse(await response.json());
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/api/events?token=${token}`);
    const client = new DemoClient(user.name, socket);
    await once(socket, 'open');
    return client;
  }

  send(command: ClientCommand): void {
    this.socket.send(JSON.stringify(command));
  }

  /** Hands over each event as it comes, from now on, in the place of `next`. */
  follow(onEvent: (event: ClientEvent) => void): void {
    this.#wake = () => {
      for (const event of this.#events.splice(0)) onEvent(event);
    };
    this.#wake();
  }

  /**
   * The next event that `wanted` accepts; others before it are passed over.
   * @param what for the error's sentence
   * @throws Error when the call ends or a command is refused instead, or nothing comes within 10 s
   */
  async next<Event extends ClientEvent>(what: string, wanted: (event: ClientEvent) => event is Event): Promise<Event> {
    const deadline = AbortSignal.timeout(patienceMs);
    for (;;) {
      const event = this.#events.shift();
      if (event === undefined) {
        if (deadline.aborted) throw new Error(`${this.name} waited ${patienceMs / second} s for ${what} in vain.`);
        await this.#newEvent(deadline);
      } else if (wanted(event)) return event;
      else if (event.type === 'error') throw new Error(`${this.name} waited for ${what}: ${event.problem.detail}`);
      else if (event.type === 'ended') throw new Error(`${this.name} waited for ${what}, but the call ended: ${event.message}`);
    }
  }

  close(): void {
    this.socket.close();
  }

  #newEvent(deadline: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        deadline.removeEventListener('abort', done);
        resolve();
      };
      this.#wake = done;
      deadline.addEventListener('abort', done);
    });
  }
}
