/** How the console stays true to a server that goes away, comes back as another, or falls silent: on the manual clock, over a server made up here. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { ConsoleEvent } from '../../src/admin/shapes.js';
import { Live, type LiveSocket, type SocketEvents } from '../../src/pages/console/live.js';
import { Refused } from '../../src/pages/console/refused.js';
import { someStatus } from '../admin/setup.js';
import { ManualClock, settle } from '../support/manual-clock.js';

class FakeSocket implements LiveSocket {
  isClosed = false;

  constructor(private readonly events: SocketEvents) {}

  open(): void {
    this.events.onOpen();
  }

  /** The connection is gone. */
  break(): void {
    this.events.onClose();
  }

  close(): void {
    this.isClosed = true;
  }

  tell(event: ConsoleEvent): void {
    this.events.onMessage(JSON.stringify(event));
  }
}

const line = (n: number, message = `line ${n}`) => ({ n, at: '2026-01-01T00:00:00.000Z', level: 'info' as const, message });

/** What the server would answer, and what it was asked. */
class FakeServer {
  isUp = true;
  takesTickets = true;
  lines = [line(1), line(2)];
  readonly asked: string[] = [];
  readonly sockets: FakeSocket[] = [];

  readonly json = async <Answer>(path: string): Promise<Answer> => {
    await Promise.resolve();
    this.asked.push(path);
    if (!this.isUp || (path === 'api/ticket' && !this.takesTickets)) throw new Refused('OFFLINE', 'The extension is not reachable right now.');
    const after = Number(/^api\/log\?after=(\d+)$/.exec(path)?.[1]);
    const answers: Record<string, unknown> = { 'api/status': someStatus, 'api/history': { everyMs: 10_000, samples: [] }, 'api/ticket': { ticket: `t${this.sockets.length}` } };
    return (answers[path] ?? { items: this.lines.filter(({ n }) => n > after), last: this.lines.at(-1)?.n ?? 0 }) as Answer;
  };

  get socket(): FakeSocket | undefined {
    return this.sockets.at(-1);
  }

  /** What was asked since the last time. */
  news(): string[] {
    return this.asked.splice(0);
  }
}

let clock: ManualClock;
let server: FakeServer;
let live: Live;

beforeEach(() => {
  clock = new ManualClock();
  server = new FakeServer();
  live = new Live(server, {
    now: () => clock.date().getTime(),
    after: (ms, act) => {
      const timer = clock.after(ms, act);
      return () => {
        timer.cancel();
      };
    },
    openSocket: (path, events) => {
      server.asked.push(path);
      const socket = new FakeSocket(events);
      server.sockets.push(socket);
      return socket;
    },
  });
});

const opened = async (): Promise<void> => {
  live.start();
  await settle();
  server.socket?.open();
  await clock.advance(1_000);
  server.news();
};

const turns = (): number[] => [live.turns.registrations.value, live.turns.calls.value, live.turns.server.value];
const shownLines = (): string[] => live.lines.value.map(({ n, message }) => `${n} ${message}`);

describe('the console and its server', () => {
  it('are joined by a WebSocket, one ticket each, and nothing is asked any more', async () => {
    live.start();
    await settle();
    expect(server.news()).toContain('api/events?ticket=t0');
    expect(live.link.value).toBe('polling');
    server.socket?.open();
    expect(live.link.value).toBe('live');
    await clock.advance(6_000);
    server.news();
    for (let round = 0; round < 6; round += 1) {
      server.socket?.tell({ type: 'status', status: { ...someStatus, uptimeMs: round } });
      await clock.advance(10_000);
    }
    expect(server.news()).toEqual([]);
    expect(live.status.value?.uptimeMs).toBe(5);
  });

  it('move a list once a second, however much happens', async () => {
    await opened();
    const [before = 0] = turns();
    for (let change = 0; change < 50; change += 1) server.socket?.tell({ type: 'registrations', byState: someStatus.registrations.byState });
    expect(turns()[0]).toBe(before);
    await clock.advance(1_000);
    expect(turns()[0]).toBe(before + 1);
  });

  it('move it once more for what happened while it waited: the record of a call is written a moment after its end', async () => {
    await opened();
    const [before = 0] = turns();
    const change: ConsoleEvent = { type: 'registrations', byState: someStatus.registrations.byState };
    server.socket?.tell(change);
    await clock.advance(999);
    server.socket?.tell(change);
    await clock.advance(1);
    expect(turns()[0]).toBe(before + 1);
    await clock.advance(1_000);
    expect(turns()[0]).toBe(before + 2);
    await clock.advance(5_000);
    expect(turns()[0]).toBe(before + 2);
  });

  it('go on by asking every five seconds while only the WebSocket is refused', async () => {
    server.takesTickets = false;
    live.start();
    await clock.advance(20_000);
    expect(live.link.value).toBe('polling');
    expect(server.news().filter((path) => path === 'api/status')).toHaveLength(5);
    server.takesTickets = true;
    await clock.advance(30_000);
    server.socket?.open();
    expect(live.link.value).toBe('live');
  });
});

describe('a server that goes away', () => {
  beforeEach(opened);

  it('is told of with the reason, and since when what is shown stands still', async () => {
    server.isUp = false;
    const brokeAt = clock.date().getTime();
    server.socket?.break();
    await clock.advance(12_000);
    expect(live.link.value).toBe('lost');
    expect(live.loss.value?.sentence).toBe('The extension is not reachable right now.');
    expect(live.loss.value?.shownOf).toBeLessThanOrEqual(brokeAt);
    expect(live.status.value).toEqual(someStatus);
  });

  it('is found again within five seconds of its return, however long it was away, and every view asks anew', async () => {
    server.isUp = false;
    server.socket?.break();
    await clock.advance(600_000);
    const [registrations = 0, calls = 0, again = 0] = turns();
    server.isUp = true;
    server.news();
    await clock.advance(5_000);
    expect(server.news()).toContain('api/events?ticket=t1');
    server.socket?.open();
    expect([live.link.value, live.loss.value]).toEqual(['live', undefined]);
    await clock.advance(1_000);
    expect(turns()[0]).toBeGreaterThan(registrations);
    expect(turns()[1]).toBeGreaterThan(calls);
    expect(turns()[2]).toBeGreaterThan(again);
  });

  it('may be another one when it is back, whose log counts from 1 again', async () => {
    expect(shownLines()).toEqual(['1 line 1', '2 line 2']);
    server.lines = [line(1, 'started')];
    server.socket?.break();
    await clock.advance(2_000);
    server.socket?.open();
    await clock.advance(1);
    expect(shownLines()).toEqual(['1 started']);
    server.socket?.tell({ type: 'log', line: line(2, 'ready') });
    expect(shownLines()).toEqual(['1 started', '2 ready']);
  });

  it('may come back as another between two questions: its log is asked for whole the next time', async () => {
    server.takesTickets = false;
    server.lines = [1, 2, 3, 4].map((n) => line(n));
    server.socket?.break();
    await clock.advance(1);
    server.lines = [line(1, 'started'), line(2, 'ready')];
    await clock.advance(10_000);
    expect(shownLines()).toEqual(['1 started', '2 ready']);
  });

  it('has its WebSocket tried at longer and longer waits, each with a ticket of its own', async () => {
    server.socket?.break();
    for (let tries = 0; tries < 3; tries += 1) {
      await clock.advance(8_000);
      server.socket?.break();
    }
    expect(server.news().filter((path) => path.startsWith('api/events'))).toEqual(['api/events?ticket=t1', 'api/events?ticket=t2', 'api/events?ticket=t3']);
    await clock.advance(7_999);
    expect(server.news().filter((path) => path.startsWith('api/events'))).toEqual([]);
    await clock.advance(1);
    expect(server.news().filter((path) => path.startsWith('api/events'))).toEqual(['api/events?ticket=t4']);
  });
});

describe('a connection that nobody closed', () => {
  beforeEach(opened);

  it('is given up when no sample came for so long, and another is opened', async () => {
    const dead = server.socket;
    await clock.advance(27_000);
    expect(dead?.isClosed).toBe(true);
    expect(server.sockets).toHaveLength(2);
    server.socket?.open();
    expect(live.link.value).toBe('live');
    // What the dead one says at last is not for anybody.
    dead?.break();
    expect(live.link.value).toBe('live');
  });

  it('stands as long as something comes', async () => {
    for (let round = 0; round < 10; round += 1) {
      server.socket?.tell({ type: 'registrations', byState: someStatus.registrations.byState });
      await clock.advance(20_000);
    }
    expect(server.sockets).toHaveLength(1);
  });

  it('that lost a line has it asked for', async () => {
    server.lines = [1, 2, 3, 4].map((n) => line(n));
    server.socket?.tell({ type: 'log', line: line(4) });
    await clock.advance(1);
    expect(shownLines()).toEqual(['1 line 1', '2 line 2', '3 line 3', '4 line 4']);
    expect(server.news()).toContain('api/log?after=2');
  });
});

it('a console that was closed asks no more and waits for nothing', async () => {
  await opened();
  live.close();
  server.socket?.break();
  await clock.advance(60_000);
  expect([server.news(), clock.pending, server.socket?.isClosed]).toEqual([[], 0, true]);
});
