import { describe, expect, it } from 'vitest';
import { ExtensionError } from '../../src/base/errors.js';
import { Listener } from '../../src/mappings/listener.js';
import type { Listening, ListeningEvents } from '../../src/mappings/listening.js';
import { ManualClock } from '../support/manual-clock.js';

/** A session of a database that answers while it `isAlive`. */
class FakeSession implements Listening {
  isAlive = true;
  isClosed = false;
  probes = 0;

  constructor(readonly events: ListeningEvents) {}

  probe(): Promise<void> {
    this.probes += 1;
    return this.isAlive ? Promise.resolve() : new Promise(() => undefined);
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

function listen() {
  const clock = new ManualClock();
  const sessions: FakeSession[] = [];
  const told: string[] = [];
  const database = { isDown: false };
  const listener = new Listener(
    (events) => {
      if (database.isDown) return Promise.reject(new ExtensionError('DATABASE_UNAVAILABLE', 'nothing listens there.'));
      const session = new FakeSession(events);
      sessions.push(session);
      return Promise.resolve(session);
    },
    {
      onHeard: (payload) => told.push(payload),
      onUp: () => told.push('up'),
      onDown: (why) => told.push(`down: ${why}`),
    },
    clock,
    () => 1,
  );
  return { clock, sessions, told, database, listener };
}

describe('a listener', () => {
  it('says when it hears, and hands on what it hears', async () => {
    const { sessions, told, listener, clock } = listen();
    await listener.start();
    sessions[0]!.events.heard('1,2');
    expect(told).toEqual(['up', '1,2']);
    await listener.close();
    expect(clock.pending).toBe(0);
    expect(sessions[0]!.isClosed).toBe(true);
  });

  it('listens anew when its session breaks, and tells both', async () => {
    const { clock, sessions, told, listener } = listen();
    await listener.start();
    sessions[0]!.events.lost('the connection was closed.');
    expect(told).toEqual(['up', 'down: the connection was closed.']);
    await clock.advance(1_000);
    expect(told.slice(2)).toEqual(['up']);
    sessions[1]!.events.heard('7');
    expect(told.at(-1)).toBe('7');
    await listener.close();
  });

  it('tries again and again while the database is away, ever more slowly, and tells it once', async () => {
    const { clock, sessions, told, database, listener } = listen();
    database.isDown = true;
    await listener.start();
    await clock.advance(20_000);
    expect(told).toEqual(['down: nothing listens there.']);
    database.isDown = false;
    await clock.advance(11_000);
    expect(told.slice(1)).toEqual(['up']);
    expect(sessions).toHaveLength(1);
    await listener.close();
    expect(clock.pending).toBe(0);
  });

  it('finds a connection that died without a word', async () => {
    const { clock, sessions, told, listener } = listen();
    await listener.start();
    await clock.advance(95_000);
    expect(sessions[0]!.probes).toBe(3);
    sessions[0]!.isAlive = false;
    await clock.advance(36_000);
    expect(told).toEqual(['up', 'down: the database gives no sign of life.', 'up']);
    expect([sessions.length, sessions[0]!.isClosed]).toEqual([2, true]);
    await listener.close();
  });

  it('is closed for good: no session, no timer, no word after it', async () => {
    const { clock, sessions, told, listener } = listen();
    const started = listener.start();
    await listener.close();
    await started;
    expect(sessions[0]!.isClosed).toBe(true);
    sessions[0]!.events.heard('1');
    sessions[0]!.events.lost('gone.');
    await clock.advance(600_000);
    expect([told, sessions.length, clock.pending]).toEqual([[], 1, 0]);
  });
});
