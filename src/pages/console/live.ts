/**
 * What the console shows without being asked: over a WebSocket as it happens, and while there is none, by asking every few seconds. Views
 * that list things ask anew when a `turn` moves.
 *
 *   link         what is shown                            leaves by
 *   connecting   nothing yet                              an answer, a WebSocket, or neither
 *   live         what is, as it happens                   the WebSocket closes, or says nothing for longer than samples come
 *   polling      what was a few seconds ago               a WebSocket; an answer that does not come
 *   lost         what was when something came last        an answer
 *
 * The server may be another one after each break: whatever was counted on with the one before is asked for whole.
 */
import { signal, type Signal } from '@preact/signals';
import type { AdminSession } from './admin-session.js';
import { pathOf } from './asked-path.js';
import { sentenceOf } from './refused.js';
import type { ConsoleEvent, ExtensionStatus, IssuedTicket, ShownHistory, ShownLogLine, ShownLogTail, ShownSample } from './told.js';

/** How what is shown came here last. */
export type Link = 'connecting' | 'live' | 'polling' | 'lost';

/** A WebSocket, as far as it is needed. */
export interface LiveSocket {
  close(): void;
}

/** What is told of it; nothing before it was handed out. */
export interface SocketEvents {
  readonly onOpen: () => void;
  readonly onMessage: (text: string) => void;
  readonly onClose: () => void;
}

/** What the browser lends. */
export interface LiveWorld {
  /** Milliseconds since 1970. */
  now(): number;
  /** @returns calls it off */
  after(ms: number, act: () => void): () => void;
  openSocket(path: string, events: SocketEvents): LiveSocket;
}

/** That nothing answers, why, and since when what is shown stands still: milliseconds since 1970, 0 when nothing came yet. */
export interface Loss {
  readonly sentence: string;
  readonly shownOf: number;
}

const pollMs = 5_000;
const longestWaitMs = 30_000;
/** A sample comes each ten seconds: a connection that brings none is dead, though nobody closed it. */
const longestSilenceMs = 25_000;
/** Turns move at most once in this time: a start of many thousands changes something each millisecond. */
const turnMs = 1_000;
/** An hour of ten seconds, as the server keeps it. */
const mostSamples = 360;
const mostLines = 1_000;

export class Live {
  readonly link = signal<Link>('connecting');
  /** While `link` is `lost`. */
  readonly loss = signal<Loss | undefined>(undefined);
  readonly status = signal<ExtensionStatus | undefined>(undefined);
  /** Oldest first. */
  readonly samples = signal<readonly ShownSample[]>([]);
  /** Oldest first. */
  readonly lines = signal<readonly ShownLogLine[]>([]);
  /** `server` moves when it is there again after it was not. */
  readonly turns = { registrations: signal(0), calls: signal(0), server: signal(0) };
  readonly #waiting = new Map<string, () => void>();
  /** Turns that wait to move, and what they are for has happened again. */
  readonly #moveAgain = new Set<'registrations' | 'calls'>();
  #socket: LiveSocket | undefined;
  #isClosed = false;
  #tries = 0;
  #heardAt = 0;
  /** Lines may be missing, or be another server's. */
  #hasGap = true;

  constructor(
    private readonly session: Pick<AdminSession, 'json'>,
    private readonly world: LiveWorld,
  ) {}

  start(): void {
    void this.#poll();
    void this.#connect();
  }

  close(): void {
    this.#isClosed = true;
    for (const callOff of this.#waiting.values()) callOff();
    this.#waiting.clear();
    this.#socket?.close();
  }

  /** One round; others follow while no WebSocket brings the same. */
  async #poll(): Promise<void> {
    const isWhole = this.#hasGap;
    const last = isWhole ? 0 : this.#lastLine;
    const [status, history, log] = await Promise.allSettled([
      this.session.json<ExtensionStatus>('api/status'),
      this.session.json<ShownHistory>('api/history'),
      this.session.json<ShownLogTail>(pathOf('api/log', { after: last })),
    ]);
    if (this.#isClosed) return;
    if (history.status === 'fulfilled') this.samples.value = history.value.samples.slice(-mostSamples);
    if (log.status === 'fulfilled') {
      if (isWhole) this.lines.value = [];
      this.#addLines(log.value.items);
      // A server that was started anew counts from 1 again.
      this.#hasGap = log.value.last < last;
    }
    if (status.status === 'fulfilled') {
      this.#heardAt = this.world.now();
      this.status.value = status.value;
    }
    if (this.link.value === 'live') return;
    if (status.status === 'fulfilled') this.#found();
    else this.#lose(status.reason);
    this.#later('poll', pollMs, () => void this.#poll());
  }

  #found(): void {
    const wasLost = this.link.value === 'lost';
    this.link.value = 'polling';
    this.loss.value = undefined;
    this.#move('registrations');
    this.#move('calls');
    if (!wasLost) return;
    this.turns.server.value += 1;
    this.#tries = 0;
    this.#later('connect', 0, () => void this.#connect());
  }

  #lose(reason: unknown): void {
    this.link.value = 'lost';
    this.loss.value = { sentence: sentenceOf(reason), shownOf: this.#heardAt };
    this.#hasGap = true;
  }

  async #connect(): Promise<void> {
    const ticket = await this.session.json<IssuedTicket>('api/ticket', { method: 'POST' }).catch(() => undefined);
    if (this.#isClosed || this.#socket !== undefined) return;
    if (ticket === undefined) {
      this.#tryAgain();
      return;
    }
    const socket = this.world.openSocket(pathOf('api/events', { ...ticket }), {
      onOpen: () => {
        if (this.#socket === socket) this.#opened(socket);
      },
      onMessage: (text) => {
        if (this.#socket !== socket) return;
        this.#watch(socket);
        this.#hear(JSON.parse(text) as ConsoleEvent);
      },
      onClose: () => {
        this.#broke(socket);
      },
    });
    this.#socket = socket;
    // One that never opens, nor closes, is given up as well.
    this.#watch(socket);
  }

  #opened(socket: LiveSocket): void {
    this.#watch(socket);
    this.#tries = 0;
    if (this.link.value !== 'connecting') this.turns.server.value += 1;
    this.link.value = 'live';
    this.loss.value = undefined;
    // What happened between two connections.
    this.#move('registrations');
    this.#move('calls');
    void this.#poll();
  }

  #broke(socket: LiveSocket): void {
    if (this.#isClosed || this.#socket !== socket) return;
    this.#socket = undefined;
    this.#callOff('silence');
    this.#hasGap = true;
    if (this.link.value === 'live') {
      this.link.value = 'polling';
      void this.#poll();
    }
    this.#tryAgain();
  }

  #watch(socket: LiveSocket): void {
    this.#heardAt = this.world.now();
    this.#later('silence', longestSilenceMs, () => {
      socket.close();
      // What closes a dead connection is heard of much later.
      this.#broke(socket);
    });
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
        // They count up by one: what is between is asked for.
        if (event.line.n > this.#lastLine + 1) void this.#poll();
        else this.#addLines([event.line]);
        break;
      case 'sample':
        this.samples.value = [...this.samples.value, event.sample].slice(-mostSamples);
        break;
    }
  }

  get #lastLine(): number {
    return this.lines.value.at(-1)?.n ?? 0;
  }

  /** Both ways may bring the same line. */
  #addLines(items: readonly ShownLogLine[]): void {
    const added = items.filter(({ n }) => n > this.#lastLine);
    if (added.length > 0) this.lines.value = [...this.lines.value, ...added].slice(-mostLines);
  }

  #move(which: 'registrations' | 'calls'): void {
    const turn: Signal<number> = this.turns[which];
    if (this.#waiting.has(which)) {
      this.#moveAgain.add(which);
      return;
    }
    this.#later(which, turnMs, () => {
      turn.value += 1;
      // The record of a call is written a moment after its end: what came late is asked for once more.
      if (this.#moveAgain.delete(which)) this.#move(which);
    });
  }

  #later(name: string, ms: number, act: () => void): void {
    this.#callOff(name);
    const callOff = this.world.after(ms, () => {
      this.#waiting.delete(name);
      act();
    });
    this.#waiting.set(name, callOff);
  }

  #callOff(name: string): void {
    this.#waiting.get(name)?.();
    this.#waiting.delete(name);
  }
}
