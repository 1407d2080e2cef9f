/** A DNS server on 127.0.0.1 that says just what a spec gives it, and counts what it is asked. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { decode, encode, type Answer } from 'dns-packet';

export class DnsServer {
  /** `SRV _sip._udp.example.com`, in the order asked. */
  readonly asked: string[] = [];
  readonly #socket = createSocket('udp4');

  private constructor(public records: Answer[]) {
    this.#socket.on('message', (bytes, from) => {
      const query = decode(bytes);
      const answers = (query.questions ?? []).flatMap(({ type, name }) => {
        this.asked.push(`${type} ${name}`);
        return this.records.filter((record) => record.type === type && record.name === name);
      });
      const isKnown = this.records.some(({ name }) => name === query.questions?.[0]?.name);
      const response = encode({ type: 'response', id: query.id, flags: isKnown ? 0 : 3, questions: query.questions, answers });
      this.#socket.send(response, from.port, from.address);
    });
  }

  static async open(records: Answer[]): Promise<DnsServer> {
    const server = new DnsServer(records);
    server.#socket.bind(0, '127.0.0.1');
    await once(server.#socket, 'listening');
    return server;
  }

  get address(): string {
    return `127.0.0.1:${String(this.#socket.address().port)}`;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(resolve));
  }
}

export function a(name: string, address: string, ttl = 60): Answer {
  return { type: 'A', name, ttl, data: address };
}

export function srv(name: string, target: string, port: number, priority = 1, weight = 0): Answer {
  return { type: 'SRV', name, ttl: 60, data: { target, port, priority, weight } };
}

export function naptr(name: string, services: string, replacement: string, order = 1, preference = 1): Answer {
  return { type: 'NAPTR', name, ttl: 60, data: { order, preference, flags: 's', services, regexp: '', replacement } };
}
