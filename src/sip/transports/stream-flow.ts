/**
 * A flow over one TCP or TLS connection, opened or taken.
 *
 * Messages of one turn of the event loop leave in one system call. CRLFs between messages are keep-alives (RFC 5626 4.4.1): the
 * answer to our ping, or a ping of the peer to be answered. A message that has begun must end in time.
 */

import type { Socket } from 'node:net';
import type { Timer } from '../../base/clock.js';
import { sayDuration, second } from '../../base/units.js';
import { type ConnectionContext, ConnectionFlow, maxUnsentBytes } from './connection-flow.js';
import type { Endpoint } from './flow.js';
import { StreamFramer } from './framing.js';
import { KeepAlive } from './keep-alive.js';
import { plainAddress } from './local-address.js';
import { failNow, tellDropped, tellMessage } from './telling.js';
import { sayFault, transportError } from './transport-fault.js';

/** How long a message may take from its first byte to its last, milliseconds: else one that stops half way holds its connection for ever. */
export const longestMessageMs = 30 * second;
/** Two CRLFs further apart than this are not one ping but two signs of life, milliseconds. */
const pingSpreadMs = 1 * second;

export class StreamFlow extends ConnectionFlow {
  readonly #framer: StreamFramer;
  readonly #keepAlive: KeepAlive | undefined;
  #isCorked = false;
  /** CRLFs in a row in the bytes being read. */
  #crlfs = 0;
  /** A lone CRLF answers our ping. */
  #isPongDue = false;
  /** When a lone CRLF came in that may be half of the peer's ping. */
  #loneCrlfAt: number | undefined;
  #owesPong = false;
  #isWelcome = false;
  /** Runs while a message has begun and not ended. */
  #unfinished: Timer | undefined;

  /** @param socket connected, for TLS after the handshake */
  constructor(
    transport: 'tcp' | 'tls',
    private readonly socket: Socket,
    context: ConnectionContext,
  ) {
    super(transport, localEnd(socket), remoteEnd(socket), context);
    this.#framer = new StreamFramer(() => {
      this.#crlfs += 1;
    });
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#receive(chunk);
    });
    socket.on('error', (error) => {
      this.goDown(sentence(sayFault(error)), 'at once');
    });
    socket.on('end', () => {
      this.goDown('The peer closed the connection', 'politely');
    });
    socket.on('close', () => {
      this.gone();
    });
    if (context.keepAliveMs > 0) {
      this.#keepAlive = new KeepAlive(context.clock, {
        intervalMs: context.keepAliveMs,
        expectAnswer: 'proven',
        ping: () => {
          this.socket.write('\r\n\r\n');
        },
        lost: () => {
          this.goDown('The peer does not answer keep-alives any more', 'at once');
        },
      });
    }
  }

  get answersPings(): boolean {
    return this.#keepAlive?.peerAnswers ?? false;
  }

  get isWelcome(): boolean {
    return this.#isWelcome;
  }

  welcome(): void {
    this.#isWelcome = true;
  }

  send(text: string, onError: (error: Error) => void): void {
    if (!this.isOpen) {
      this.refuse(onError, 'the connection is closed');
      return;
    }
    if (this.socket.writableLength > maxUnsentBytes) {
      this.refuse(onError, 'the peer does not read, too much waits to be sent');
      return;
    }
    this.used();
    this.#cork();
    this.socket.write(text, 'utf8', (error) => {
      if (!error) return;
      failNow(this.context.events, onError, transportError(`Cannot send over ${this.name}: ${sayFault(error)}.`, error));
    });
  }

  protected sayGoodbye(): void {
    this.socket.end();
  }

  protected cut(): void {
    this.socket.destroy();
  }

  protected stop(): void {
    this.#keepAlive?.stop();
    this.#ended();
  }

  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.socket.cork();
    process.nextTick(this.#uncork);
  }

  readonly #uncork = (): void => {
    this.#isCorked = false;
    this.socket.uncork();
  };

  #receive(chunk: Buffer): void {
    if (!this.isOpen) return;
    this.#isPongDue = this.#keepAlive?.isWaiting ?? false;
    this.#keepAlive?.heard();
    const fault = this.#framer.push(chunk, this.#deliver);
    if (fault !== undefined) {
      this.#cutOff(fault);
      return;
    }
    this.#takeCrlfs();
    if (this.#owesPong) this.#answerPings();
    this.#timeMessage();
  }

  /** @param fault of what came, without full stop */
  #cutOff(fault: string): void {
    tellDropped(this.context.events, 'unparsable', this.remote.address, fault);
    this.goDown(`The connection was cut, as ${fault}`, 'at once');
  }

  #timeMessage(): void {
    if (!this.isOpen) return;
    if (this.#framer.held === 0) {
      this.#ended();
      return;
    }
    this.#unfinished ??= this.context.clock.after(longestMessageMs, () => {
      this.#cutOff(`it began a message and did not end it within ${sayDuration(longestMessageMs)}`);
    });
  }

  /** The message that had begun is whole, or will never be. */
  #ended(): void {
    this.#unfinished?.cancel();
    this.#unfinished = undefined;
  }

  /** One pong for all the pings of a chunk: whoever floods us with CRLFs is not answered in kind. */
  #answerPings(): void {
    this.#owesPong = false;
    if (!this.isOpen || this.socket.writableLength > maxUnsentBytes) return;
    this.#cork();
    this.socket.write('\r\n');
  }

  readonly #deliver = (message: Buffer): void => {
    if (!this.isOpen) return;
    this.#ended();
    this.#takeCrlfs();
    this.#loneCrlfAt = undefined;
    this.used();
    tellMessage(this.context.events, this, message);
  };

  /**
   * A run of CRLFs has ended. A ping is two of them, a pong one: an odd one answers our ping when that waits. Two pongs, a rest between
   * them, must never be taken for a ping: our answer would be the start of a broken message to the peer.
   */
  #takeCrlfs(): void {
    let count = this.#crlfs;
    this.#crlfs = 0;
    if (count % 2 === 1 && this.#isPongDue) {
      this.#isPongDue = false;
      this.#keepAlive?.answered();
      count -= 1;
    }
    if (count >= 2) this.#owesPong = true;
    if (count !== 1) return;
    const now = this.context.clock.now();
    if (this.#loneCrlfAt !== undefined && now - this.#loneCrlfAt <= pingSpreadMs) {
      this.#loneCrlfAt = undefined;
      this.#owesPong = true;
    } else {
      this.#loneCrlfAt = now;
    }
  }
}

export function localEnd(socket: Socket): Endpoint {
  return { address: plainAddress(socket.localAddress ?? ''), port: socket.localPort ?? 0 };
}

export function remoteEnd(socket: Socket): Endpoint {
  return { address: plainAddress(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 };
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
