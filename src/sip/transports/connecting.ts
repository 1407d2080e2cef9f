/**
 * Opens connections to peers: TCP, TLS on top of it, the WebSocket handshake on top of either. One deadline holds for all steps
 * together; what goes wrong is rejected with words for a person (transport-fault.ts).
 */

import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type ClientOptions, WebSocket } from 'ws';
import type { Clock } from '../../base/clock.js';
import { sayDuration } from '../../base/units.js';
import type { Place } from '../locating/steps.js';
import type { SipTarget } from '../types.js';
import { maxMessageBytes } from './framing.js';
import { keepAliveProbeMs } from './listener.js';
import type { TlsIdentity } from './tls-identity.js';
import { hostPort, transportError } from './transport-fault.js';

/** One attempt to open a connection: it ends when it succeeds, fails, or `signal` aborts with the reason for it. */
export interface Attempt {
  readonly target: SipTarget;
  /** The server of the target that is tried. */
  readonly place: Place;
  readonly tls: TlsIdentity;
  readonly signal: AbortSignal;
}

/** Runs `open` with a signal that aborts after `timeoutMs` or together with `outer`. */
export async function withinTime<T>(
  clock: Clock,
  timeoutMs: number,
  outer: AbortSignal,
  open: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const abort = (): void => {
    controller.abort(outer.reason);
  };
  const timer = clock.after(timeoutMs, () => {
    controller.abort(transportError(`it did not answer within ${sayDuration(timeoutMs)}`));
  });
  outer.addEventListener('abort', abort, { once: true });
  try {
    if (outer.aborted) abort();
    return await open(controller.signal);
  } finally {
    timer.cancel();
    outer.removeEventListener('abort', abort);
  }
}

/** TCP or, for tls and wss, TLS to the place of the attempt. */
export function connectStream(attempt: Attempt): Promise<Socket> {
  const { target, signal } = attempt;
  const { transport, address, port } = attempt.place;
  const isSecure = transport === 'tls' || transport === 'wss';
  return new Promise((resolve, reject) => {
    const socket = isSecure
      ? connectTls({
          secureContext: attempt.tls.context,
          rejectUnauthorized: attempt.tls.verify,
          host: address,
          port,
          // RFC 6066 3: no addresses in SNI; the certificate is then checked against the address itself.
          ...(isIP(target.host) === 0 ? { servername: target.host } : {}),
        })
      : connectTcp({ host: address, port });
    const giveUp = (reason: Error): void => {
      settle();
      socket.destroy();
      reject(reason);
    };
    const abort = (): void => {
      giveUp(reasonOf(signal));
    };
    const onClose = (): void => {
      giveUp(transportError('the peer closed the connection at once'));
    };
    const onReady = (): void => {
      settle();
      resolve(socket);
    };
    const settle = (): void => {
      signal.removeEventListener('abort', abort);
      socket.off('error', giveUp).off('close', onClose).off(ready, onReady);
    };
    const ready = isSecure ? 'secureConnect' : 'connect';
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', giveUp).once('close', onClose).once(ready, onReady);
    // An error between here and the flow's own listener has its 'close' to be noticed by.
    socket.on('error', () => undefined);
    // Probes of the kernel find a peer that vanished without a word, for peers that answer no pings.
    socket.setKeepAlive(true, keepAliveProbeMs);
  });
}

/**
 * The WebSocket handshake over `socket` (RFC 7118 4.1, RFC 6455 4.1), with the verb, Host and path of the target. RFC 7118 4.1: the server must
 * agree to the subprotocol `sip`; one that does not is no SIP server.
 * @param use what to make of it once it is open; called before anything is read, as a message may come together with the handshake
 */
export function openWebSocket<T>(attempt: Attempt, socket: Socket, use: (webSocket: WebSocket) => T): Promise<T> {
  const { target, place, signal } = attempt;
  const { method, host, location } = target.webSocket ?? { method: 'GET', location: '/' };
  return new Promise((resolve, reject) => {
    if (!/^[A-Za-z]{1,20}$/.test(method)) throw transportError(`${JSON.stringify(method)} is no HTTP verb for the WebSocket handshake`);
    const options: ClientOptions & { closeTimeout: number } = {
      createConnection: () => socket,
      finishRequest: (request) => {
        // ws itself knows GET alone.
        request.method = method;
        request.end();
      },
      headers: { Host: host ?? hostPort(target.host, place.port) },
      perMessageDeflate: false,
      maxPayload: maxMessageBytes,
      skipUTF8Validation: true,
      followRedirects: false,
      closeTimeout: 1_000, // milliseconds; missing in the types
    };
    const webSocket = new WebSocket(webSocketUrl(attempt, location), 'sip', options);
    const giveUp = (reason: Error): void => {
      settle();
      webSocket.on('error', () => undefined);
      webSocket.terminate();
      socket.destroy();
      reject(reason);
    };
    const abort = (): void => {
      giveUp(reasonOf(signal));
    };
    const onClose = (): void => {
      giveUp(transportError('the peer closed the connection during the WebSocket handshake'));
    };
    const onResponse = (_request: unknown, response: { statusCode?: number; statusMessage?: string }): void => {
      giveUp(transportError(sayRefusal(response, method, location)));
    };
    const onOpen = (): void => {
      settle();
      resolve(use(webSocket));
    };
    const onError = (error: Error): void => {
      giveUp(error.message.includes('subprotocol') ? transportError('the server does not agree to the WebSocket subprotocol "sip"', error) : error);
    };
    const settle = (): void => {
      signal.removeEventListener('abort', abort);
      webSocket.off('error', onError).off('close', onClose).off('open', onOpen).off('unexpected-response', onResponse);
    };
    signal.addEventListener('abort', abort, { once: true });
    webSocket.once('error', onError).once('close', onClose).once('open', onOpen).once('unexpected-response', onResponse);
    if (signal.aborted) abort();
  });
}

function webSocketUrl({ target, place }: Attempt, location: string): string {
  const path = location.startsWith('/') ? location : `/${location}`;
  return `${place.transport}://${hostPort(target.host, place.port)}${path}`;
}

function sayRefusal(response: { statusCode?: number; statusMessage?: string }, method: string, location: string): string {
  const phrase = (response.statusMessage ?? '').replace(/[^\x20-\x7e]+/g, ' ').slice(0, 80);
  return `the server answered ${response.statusCode ?? 0} ${phrase} to the WebSocket handshake (${method} ${location})`;
}

/** Waits for what cannot be given up itself. */
export function orAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(reasonOf(signal));
    };
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort);
    });
  });
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : transportError('it was given up');
}
