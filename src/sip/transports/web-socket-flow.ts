/**
 * A flow over one WebSocket connection that we opened (RFC 7118), ws or wss: one SIP message in each WebSocket message.
 *
 * Liveness is the WebSocket's own ping, which every peer must answer (RFC 6455 5.5.2). CRLF keep-alives in data frames, which
 * RFC 7118 6 allows as well, are answered and go no further.
 */

import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import { type ConnectionContext, ConnectionFlow, maxUnsentBytes } from './connection-flow.js';
import { startOfMessage } from './framing.js';
import { KeepAlive } from './keep-alive.js';
import { localEnd, remoteEnd } from './stream-flow.js';
import { failNow, tellMessage } from './telling.js';
import { sayFault, transportError } from './transport-fault.js';

const normalClosure = 1000;
const crlfPing = '\r\n\r\n';

export class WebSocketFlow extends ConnectionFlow {
  readonly #keepAlive: KeepAlive | undefined;

  /**
   * @param webSocket open
   * @param socket the connection below it
   */
  constructor(
    transport: 'ws' | 'wss',
    private readonly webSocket: WebSocket,
    socket: Socket,
    context: ConnectionContext,
  ) {
    super(transport, localEnd(socket), remoteEnd(socket), context);
    webSocket.on('message', (data: RawData) => {
      this.#receive(data);
    });
    webSocket.on('pong', () => {
      this.#keepAlive?.answered();
    });
    webSocket.on('error', (error) => {
      this.goDown(`The connection was cut: ${sayFault(error)}`, 'at once');
    });
    webSocket.on('close', (code, reason) => {
      this.goDown(sayClosure(code, reason.toString()), 'at once');
      this.gone();
    });
    if (context.keepAliveMs > 0) {
      this.#keepAlive = new KeepAlive(context.clock, {
        intervalMs: context.keepAliveMs,
        expectAnswer: 'always',
        ping: () => {
          this.webSocket.ping();
        },
        lost: () => {
          this.goDown('The peer does not answer pings any more', 'at once');
        },
      });
    }
  }

  send(text: string, onError: (error: Error) => void): void {
    if (!this.isOpen) {
      this.refuse(onError, 'the connection is closed');
      return;
    }
    if (this.webSocket.bufferedAmount > maxUnsentBytes) {
      this.refuse(onError, 'the peer does not read, too much waits to be sent');
      return;
    }
    this.used();
    this.webSocket.send(text, (error) => {
      if (!error) return;
      failNow(this.context.events, onError, transportError(`Cannot send over ${this.name}: ${sayFault(error)}.`, error));
    });
  }

  protected sayGoodbye(): void {
    this.webSocket.close(normalClosure);
  }

  protected cut(): void {
    this.webSocket.terminate();
  }

  protected stop(): void {
    this.#keepAlive?.stop();
  }

  #receive(data: RawData): void {
    if (!this.isOpen) return;
    this.#keepAlive?.heard();
    const bytes = Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
    const start = startOfMessage(bytes);
    if (start >= 0) {
      this.used();
      tellMessage(this.context.events, this, start === 0 ? bytes : bytes.subarray(start));
      return;
    }
    if (bytes.length === crlfPing.length && bytes.toString('latin1') === crlfPing && this.webSocket.bufferedAmount <= maxUnsentBytes) {
      this.webSocket.send('\r\n');
    }
  }
}

/** RFC 6455 7.1.5: 1005 no code was given, 1006 there was no closing handshake. */
function sayClosure(code: number, reason: string): string {
  if (code === 1006) return 'The connection broke';
  const words = reason.replace(/[^\x20-\x7e]+/g, ' ').trim();
  return `The peer closed the connection (${[code === 1005 ? 'no code' : String(code), words].filter((part) => part !== '').join(', ')})`;
}
