/** An administration server on a free port, over registrations that a spec fills, and requests as hostile as a spec likes them. */
import { request, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import type { AdminCall, AdminRecord, AdminRecords } from '../../src/admin/ports.js';
import { Listeners } from '../../src/base/listeners.js';
import { openAdminServer, type AdminServer } from '../../src/admin/server.js';
import type { ExtensionStatus } from '../../src/host/contract.js';
import { History } from '../../src/observability/history.js';
import { LogTail } from '../../src/observability/log-tail.js';
import { Metrics } from '../../src/observability/metrics.js';
import { LadderDesk } from '../../src/extension/ladder-desk.js';
import { Recording } from '../../src/ladder/recording.js';
import { ManualClock } from '../support/manual-clock.js';
import { FakeMappings } from './fake-mappings.js';
import { FakeRegistrations } from './fake-registrations.js';

export const token = 'a-token-that-nobody-guesses';

export const someStatus: ExtensionStatus = {
  ready: true,
  nodeId: 'node-1',
  uptimeMs: 90_000,
  registrations: { total: 0, byState: { waiting: 0, registering: 0, registered: 0, retrying: 0, parked: 0, unregistering: 0 }, troubled: [] },
  calls: { live: 2 },
  listening: ['udp:127.0.0.1:5060'],
  rejectedRows: [],
};

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** Of JSON. */
  body: Record<string, unknown>;
}

export class AdminSetup {
  readonly registrations = new FakeRegistrations();
  readonly mappings = new FakeMappings();
  calls: AdminCall[] = [];
  records: AdminRecord[] = [];
  readonly askedRecords: Parameters<AdminRecords['find']>[0][] = [];
  readonly recording = new Recording(1_000_000, Date.now);
  readonly clock = new ManualClock();
  readonly endings = new Listeners<AdminRecord>();
  readonly tail = new LogTail(this.clock);
  readonly history = new History({ byState: () => someStatus.registrations.byState, live: () => 2, registers: () => 0, registerLimit: 200 }, this.clock);
  readonly log: string[] = [];
  status: () => ExtensionStatus = () => someStatus;
  #server: AdminServer | undefined;

  async open(host = '127.0.0.1', port = 0): Promise<AdminServer> {
    const note = (message: string, meta: Record<string, unknown>): void => {
      this.log.push(`${message} ${JSON.stringify(meta)}`);
    };
    const metrics = new Metrics();
    metrics.counters('dialog_sip_dropped_total', 'What was dropped', 'kind', ['noise']);
    this.#server = await openAdminServer(
      { host, port, token },
      {
        registrations: this.registrations,
        mappings: this.mappings,
        calls: { calls: () => this.calls },
        records: {
          find: (query) => {
            this.askedRecords.push(query);
            const records = this.records.slice(0, query.limit);
            const next = this.records.length > query.limit ? records.at(-1) : undefined;
            return Promise.resolve({ records, ...(next === undefined ? {} : { next }) });
          },
        },
        ladders: new LadderDesk(this.recording, this.registrations),
        endings: this.endings,
        tail: this.tail,
        history: this.history,
        status: () => this.status(),
        configuration: () => ['modules.sip {', '  trace-level = 0', '}'],
        metrics,
        clock: this.clock,
        log: { info: note, warn: note, error: note },
      },
    );
    return this.#server;
  }

  get url(): string {
    return this.#server?.url ?? '';
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  close(): Promise<void> {
    this.history.close();
    return this.#server?.close() ?? Promise.resolve();
  }

  /** With the right token, unless `headers` say otherwise. */
  ask(method: string, path: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const asked = request(
        { host: '127.0.0.1', port: this.port, method, path, agent: false, headers: { authorization: `Bearer ${token}`, ...headers } },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (part: string) => (text += part));
          response.on('error', reject);
          response.on('end', () => {
            const isJson = text !== '' && (response.headers['content-type'] ?? '').includes('json');
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {} });
          });
        },
      );
      asked.on('error', reject);
      asked.end(body);
    });
  }

  /** Sends that as JSON. */
  send(method: string, path: string, value: unknown): Promise<Answer> {
    const body = JSON.stringify(value);
    return this.ask(method, path, { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }, body);
  }

  /** Sends these bytes, and gives back all that comes until the server closes. */
  raw(bytes: string): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1', () => {
        socket.end(bytes);
      });
      let text = '';
      socket.setEncoding('utf8');
      socket.on('data', (part: string) => (text += part));
      socket.on('error', () => undefined);
      socket.on('close', () => {
        resolve(text);
      });
    });
  }
}
