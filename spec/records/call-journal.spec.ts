import { describe, expect, it } from 'vitest';
import { ExtensionError } from '../../src/base/errors.js';
import { CallJournal } from '../../src/records/call-journal.js';
import type { JournalKey } from '../../src/records/journal-store.js';
import type { JournaledCall } from '../../src/records/live-call.js';
import { ManualClock } from '../support/manual-clock.js';
import { endedCall } from './record-store-behaviour.js';

interface FakeCall extends JournaledCall {
  looseEnd: object | undefined;
}

function liveCall(callId: string): FakeCall {
  return { callId, facts: endedCall(callId), looseEnd: { kind: 'dialog' } };
}

function world() {
  const clock = new ManualClock();
  /** What was asked of the store, in order; beats are counted apart. */
  const asked: string[] = [];
  const state = { beats: 0, tries: 0, fault: undefined as Error | undefined, hold: undefined as Promise<void> | undefined };
  const log: string[] = [];
  const checkFault = (): void => {
    if (state.fault !== undefined) throw state.fault;
  };
  const ask = async (what: string): Promise<void> => {
    checkFault();
    asked.push(what);
    await state.hold;
    checkFault();
  };
  const ids = (keys: readonly JournalKey[]): string => keys.map(({ id }) => id).join(' ');
  const journal = new CallJournal({
    store: {
      put: (calls) => ask(`put ${calls.map(({ callId, looseEnd }) => (looseEnd === undefined ? `${callId}(bare)` : callId)).join(' ')}`),
      remove: (keys) => ask(`remove ${ids(keys)}`),
      beat: () => {
        state.tries += 1;
        if (state.fault !== undefined) return Promise.reject(state.fault);
        state.beats += 1;
        return Promise.resolve();
      },
      forget: () => ask('forget'),
    },
    clock,
    log: { info: (message) => log.push(message), warn: (message) => log.push(message) },
  });
  return { journal, clock, asked, state, log };
}

describe('the journal of live calls', () => {
  it('notes calls that have gone on for a moment, together, and takes them out when they are over', async () => {
    const { journal, clock, asked } = world();
    const [a, b] = [liveCall('a'), liveCall('b')];
    journal.changed(a);
    journal.changed(b);
    await clock.advance(999);
    expect(asked).toEqual([]);
    await clock.advance(1);
    expect(asked).toEqual(['put a b']);
    journal.over(a);
    journal.over(b);
    await clock.advance(500);
    expect(asked).toEqual(['put a b', 'remove a b']);
    await clock.advance(60_000);
    expect([asked.length, clock.pending]).toEqual([2, 0]);
  });

  it('asks nothing of the database for calls that were short', async () => {
    const { journal, clock, asked, state } = world();
    for (let index = 0; index < 100; index += 1) {
      const call = liveCall(String(index));
      journal.changed(call);
      journal.changed(call);
      await clock.advance(100);
      journal.over(call);
    }
    await clock.advance(5_000);
    expect([asked, state.beats, clock.pending]).toEqual([[], 0, 0]);
  });

  it('notes a call anew when it has changed', async () => {
    const { journal, clock, asked } = world();
    const call = liveCall('a');
    journal.changed(call);
    await clock.advance(10_000);
    expect(asked).toEqual(['put a']);
    journal.changed(call);
    await clock.advance(600);
    journal.changed(call);
    await clock.advance(10_000);
    expect(asked).toEqual(['put a', 'put a']);
  });

  it('notes five hundred calls at once at most', async () => {
    const { journal, clock, asked } = world();
    const calls = Array.from({ length: 501 }, (_, at) => liveCall(String(at)));
    for (const call of calls) journal.changed(call);
    await clock.advance(1_000);
    for (const call of calls) journal.over(call);
    await clock.advance(1_000);
    expect(asked.map((what) => [what.split(' ', 1)[0], what.split(' ').length - 1])).toEqual([['put', 500], ['put', 1], ['remove', 500], ['remove', 1]]);
  });

  it('notes a call that nothing ends yet, and once more when something does, and not between', async () => {
    const { journal, clock, asked } = world();
    const call: FakeCall = { ...liveCall('a'), looseEnd: undefined };
    journal.changed(call);
    await clock.advance(10_000);
    expect(asked).toEqual(['put a(bare)']);
    call.looseEnd = { kind: 'invite' };
    await clock.advance(10_000);
    expect(asked).toEqual(['put a(bare)', 'put a']);
  });

  it('does not note a call again that ended before anything could end it', async () => {
    const { journal, clock, asked } = world();
    const call: FakeCall = { ...liveCall('a'), looseEnd: undefined };
    journal.changed(call);
    journal.changed(liveCall('b'));
    await clock.advance(1_000);
    journal.over(call);
    call.looseEnd = { kind: 'invite' };
    await clock.advance(10_000);
    expect(asked).toEqual(['put a(bare) b', 'remove a']);
  });

  it('says that its node lives as long as there are calls, and before it notes the first', async () => {
    const { journal, clock, state, asked } = world();
    const call = liveCall('a');
    journal.changed(call);
    await clock.advance(1_000);
    expect([state.beats, asked.length]).toEqual([1, 1]);
    await clock.advance(5_000);
    expect(state.beats).toBe(11);
    journal.over(call);
    await clock.advance(5_000);
    expect([state.beats, clock.pending]).toEqual([11, 0]);
  });

  it('takes a call out that ended while it was written', async () => {
    const { journal, clock, asked, state } = world();
    let finish: () => void = () => undefined;
    state.hold = new Promise((resolve) => (finish = resolve));
    const call = liveCall('a');
    journal.changed(call);
    await clock.advance(1_000);
    journal.over(call);
    finish();
    await clock.advance(500);
    expect(asked).toEqual(['put a', 'remove a']);
  });

  it('asks a slow database for one thing at a time', async () => {
    const { journal, clock, asked, state } = world();
    let finish: () => void = () => undefined;
    state.hold = new Promise((resolve) => (finish = resolve));
    journal.changed(liveCall('a'));
    await clock.advance(1_000);
    journal.changed(liveCall('b'));
    await clock.advance(10_000);
    expect([asked, state.tries]).toEqual([['put a'], 1]);
    finish();
    await clock.advance(1_000);
    expect(asked).toEqual(['put a', 'put b']);
  });

  it('catches up after the database was away, tells of it once, and keeps nobody waiting', async () => {
    const { journal, clock, asked, state, log } = world();
    const [a, b, c] = [liveCall('a'), liveCall('b'), liveCall('c')];
    journal.changed(a);
    await clock.advance(1_000);
    state.fault = new ExtensionError('DATABASE_UNAVAILABLE', 'It is away.');
    journal.over(a);
    journal.changed(b);
    journal.changed(c);
    const before = state.tries;
    await clock.advance(30_000);
    expect(state.tries - before).toBe(5);
    journal.over(c);
    state.fault = undefined;
    await clock.advance(10_000);
    expect(asked).toEqual(['put a', 'put b', 'remove a c']);
    expect(log).toEqual(['Live calls are not noted down, and would be left behind by a crash: It is away.', 'Live calls are noted down again.']);
  });

  it('does not note a call after all that ended while noting it came to nothing', async () => {
    const { journal, clock, asked, state } = world();
    let finish: () => void = () => undefined;
    state.hold = new Promise((resolve) => (finish = resolve));
    const call = liveCall('a');
    journal.changed(call);
    await clock.advance(1_000);
    journal.over(call);
    state.fault = new ExtensionError('DATABASE_UNAVAILABLE', 'It is away.');
    finish();
    await clock.advance(0);
    state.fault = undefined;
    await clock.advance(10_000);
    expect(asked).toEqual(['put a', 'remove a']);
  });

  it('waits for what is being written when it is closed, and writes nothing after that', async () => {
    const { journal, clock, asked, state } = world();
    let finish: () => void = () => undefined;
    state.hold = new Promise((resolve) => (finish = resolve));
    journal.changed(liveCall('a'));
    await clock.advance(1_000);
    const closed = journal.close();
    await clock.advance(0);
    expect(asked).toEqual(['put a']);
    finish();
    await closed;
    await clock.advance(10_000);
    expect([asked, state.beats, clock.pending]).toEqual([['put a', 'forget'], 1, 0]);
  });

  it('says when what it noted stays behind', async () => {
    const { journal, state, log } = world();
    state.fault = new ExtensionError('DATABASE_UNAVAILABLE', 'It is away.');
    await journal.close();
    expect(log).toEqual(['Live calls are not noted down, and would be left behind by a crash: It is away.']);
  });

  it('leaves nothing of its run when it is closed', async () => {
    const { journal, clock, asked, state } = world();
    journal.changed(liveCall('a'));
    await clock.advance(1_000);
    await journal.close();
    journal.changed(liveCall('b'));
    await clock.advance(10_000);
    expect([asked, state.beats, clock.pending]).toEqual([['put a', 'forget'], 1, 0]);
  });

  it('waits three seconds for a database that hangs when it is closed, and no longer', async () => {
    const { journal, clock, state } = world();
    state.hold = new Promise(() => undefined);
    let isClosed = false;
    void journal.close().then(() => (isClosed = true));
    await clock.advance(2_999);
    expect(isClosed).toBe(false);
    await clock.advance(1);
    expect(isClosed).toBe(true);
  });
});
