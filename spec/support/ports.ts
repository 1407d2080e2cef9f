/**
 * Free ports of 127.0.0.1: for servers of other people, which must be told their port before they start, and for servers that
 * are closed in the middle of a spec. Taken below the range from which the system gives ports, so that nobody else comes to sit
 * on the port of a server that is being restarted.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const lowest = 11_000;
const highest = 29_999;
const given = new Set<number>();

/** A port on which nobody listens, neither on udp nor on tcp; never the same one twice. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (given.has(port)) continue;
    if ((await isFree('udp', port)) && (await isFree('tcp', port))) {
      given.add(port);
      return port;
    }
  }
  throw new Error(`no free port between ${lowest} and ${highest} on 127.0.0.1`);
}

/** Whether a socket can be bound to that port of 127.0.0.1. */
function isFree(protocol: 'udp' | 'tcp', port: number): Promise<boolean> {
  return new Promise((resolve) => {
    if (protocol === 'udp') {
      const socket = createSocket('udp4');
      socket.once('error', () => {
        socket.close();
        resolve(false);
      });
      socket.bind(port, '127.0.0.1', () => {
        socket.close(() => {
          resolve(true);
        });
      });
      return;
    }
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
