/**
 * What the console shows without being asked: over a WebSocket as it happens, and while there is none, by asking every few seconds. Views
 * that list things ask anew when a `turn` moves.
 */
import { signal, type Signal } from '@preact/signals';
import { pathOf, type AdminSession } from './admin-session.js';
import type { ConsoleEvent, ExtensionStatus, IssuedTicket, ShownHistory, ShownLogLine, ShownLogTail, ShownSample } from './told.js';

/** How what is shown came here last. */
export type Link = 'connecting' | 'live' | 'polling' | 'lost';

const pollMs = 5_000;
const longestWaitMs = 30_000;
/** Turns move at most once in this time: a start of many thousands changes something each millisecond. */
const turnMs = 1_000;
/** An hour of ten seconds, as the server keeps it. */
const mostSamples = 360;
const mostLines = 1_000;

export class Live {
  readonly link = signal<Link>('connecting');
  readonly status = signal<ExtensionStatus | undefined>(undefined);
  /** Oldest first. */
  readonly samples = signal<readonly ShownSample[]>([]);
  /** Oldest first. */
  readonly lines = signal<readonly ShownLogLine[]>([]);
  readonly turns = { registrations: signal(0), calls: signal(0) };
  readonly #timers = new Map<string, number>();
  #socket: WebSocket | undefined;
  #isClosed = false;
  #tries = 0;

  constructor(private readonly session: AdminSession) {}

  start(): void {
    void this.#poll();
    void this.#connect();
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers.values()) window.clearTimeout(timer);
    this.#socket?.close();
  }

  /** One round; others follow while no WebSocket brings the same. */
  async #poll(): Promise<void> {
    const last = this.lines.value.at(-1)?.n;
    const [status, history, log] = await Promise.allSettled([
      this.session.json<ExtensionStatus>('api/status'),
      this.session.json<ShownHistory>('api/history'),
      this.session.json<ShownLogTail>(pathOf('api/log', { after: last })),
    ]);
    if (this.#isClosed) return;
    if (status.status === 'fulfilled') this.status.value = status.value;
    if (history.status === 'fulfilled') this.samples.value = history.value.samples.slice(-mostSamples);
    if (log.status === 'fulfilled') this.#addLines(log.value.items);
    if (this.link.value === 'live') return;
    this.link.value = status.status === 'fulfilled' ? 'polling' : 'lost';
    this.#move('registrations');
    this.#move('calls');
    this.#later('poll', pollMs, () => void this.#poll());
  }

  async #connect(): Promise<void> {
    const ticket = await this.session.json<IssuedTicket>('api/ticket', { method: 'POST' }).catch(() => undefined);
    if (this.#isClosed) return;
    if (ticket === undefined) {
      this.#tryAgain();
      return;
    }
    const url = new URL(pathOf('api/events', ticket), document.baseURI);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.onopen = () => {
      this.#tries = 0;
      this.link.value = 'live';
      // What happened between two connections.
      void this.#poll();
    };
    socket.onmessage = ({ data }: MessageEvent<string>) => {
      this.#hear(JSON.parse(data) as ConsoleEvent);
    };
    socket.onclose = () => {
      if (this.#isClosed) return;
      if (this.link.value === 'live') {
        this.link.value = 'polling';
        void this.#poll();
      }
      this.#tryAgain();
    };
  }

  #tryAgain(): void {
    this.#later('connect', Math.min(longestWaitMs, 1_000 * 2 ** this.#tries), () => void this.#connect());
    this.#tries += 1;
  }

  #hear(event: ConsoleEvent): void {
    switch (event.type) {
      case 'status':
        this.status.value = event.status;
        break;
      case 'registrations':
        this.#move('registrations');
        break;
      case 'call':
        this.#move('calls');
        break;
      case 'log':
        this.#addLines([event.line]);
        break;
      case 'sample':
        this.samples.value = [...this.samples.value, event.sample].slice(-mostSamples);
        break;
    }
  }

  /** Both ways may bring the same line. */
  #addLines(items: readonly ShownLogLine[]): void {
    const last = this.lines.value.at(-1)?.n ?? 0;
    const added = items.filter(({ n }) => n > last);
    if (added.length > 0) this.lines.value = [...this.lines.value, ...added].slice(-mostLines);
  }

  #move(which: keyof Live['turns']): void {
    const turn: Signal<number> = this.turns[which];
    if (this.#timers.has(which)) return;
    this.#later(which, turnMs, () => {
      turn.value += 1;
    });
  }

  #later(name: string, ms: number, act: () => void): void {
    window.clearTimeout(this.#timers.get(name));
    const timer = window.setTimeout(() => {
      this.#timers.delete(name);
      if (!this.#isClosed) act();
    }, ms);
    this.#timers.set(name, timer);
  }
}
