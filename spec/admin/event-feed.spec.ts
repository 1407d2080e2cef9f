/** What consoles are told, and when nobody is told anything. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventFeed, type Onlooker } from '../../src/admin/event-feed.js';
import type { AdminCall } from '../../src/admin/ports.js';
import type { ConsoleEvent } from '../../src/admin/shapes.js';
import { AdminSetup, someStatus } from './setup.js';

let setup: AdminSetup;
let feed: EventFeed;
/** What the clock has to do without a console. */
let idle: number;

beforeEach(() => {
  setup = new AdminSetup();
  const { clock, endings, history, tail } = setup;
  feed = new EventFeed({ status: () => setup.status(), calls: { calls: () => setup.calls }, endings, tail, history, clock });
  idle = clock.pending;
});

afterEach(async () => {
  feed.close();
  await setup.close();
});

/** A console, and what it is told: of the log its text, of calls what became of which. */
function look(): { onlooker: Onlooker; told: string[] } {
  const told: string[] = [];
  const onlooker: Onlooker = {
    send: (text) => {
      const event = JSON.parse(text) as ConsoleEvent;
      if (event.type === 'log') told.push(event.line.message);
      else if (event.type === 'call') told.push(`${event.change} ${event.call.callId}`);
      else if (event.type !== 'sample') told.push(event.type);
    },
    end: () => told.push('end'),
  };
  feed.add(onlooker);
  return { onlooker, told };
}

const call = (callId: string, state: AdminCall['state'] = 'dialling'): AdminCall => ({
  callId,
  direction: 'outgoing',
  state,
  peer: { type: 1, id: 434 },
  from: 'sip:434@pbx',
  to: 'sip:600@pbx',
  startedAt: new Date('2026-01-01T00:00:00Z'),
  codecs: [],
});

describe('consoles that look on', () => {
  it('are told of registrations within a second and of the status within two, and of time that passes not at all', async () => {
    let [uptimeMs, live] = [0, 2];
    setup.status = () => ({ ...someStatus, calls: { live }, uptimeMs: (uptimeMs += 1_000) });
    const { told } = look();
    await setup.clock.advance(1_000);
    expect(told).toEqual(['registrations']);
    await setup.clock.advance(1_000);
    expect(told).toEqual(['registrations', 'status']);
    live = 3;
    await setup.clock.advance(10_000);
    expect(told).toEqual(['registrations', 'status', 'status']);
  });

  it('are told the same, however many they are, until each looks away', async () => {
    const [first, second] = [look(), look()];
    await setup.clock.advance(2_000);
    feed.remove(first.onlooker);
    feed.remove(first.onlooker);
    setup.tail.add('info', 'later');
    setup.calls = [call('a')];
    await setup.clock.advance(1_000);
    expect([first.told, second.told]).toEqual([['registrations', 'status'], ['registrations', 'status', 'later', 'started a']]);
    feed.remove(second.onlooker);
    setup.tail.add('info', 'too late');
    expect([second.told.at(-1), setup.clock.pending]).toEqual(['started a', idle]);
  });

  it('are told all anew when they look again', async () => {
    feed.remove(look().onlooker);
    const before = look();
    await setup.clock.advance(3_000);
    feed.remove(before.onlooker);
    const { told } = look();
    await setup.clock.advance(1_000);
    expect(told).toEqual(['registrations']);
    await setup.clock.advance(1_000);
    expect(told).toEqual(['registrations', 'status']);
  });

  it('are told that a call began whose name was that of one that ended', async () => {
    const { told } = look();
    setup.calls = [call('a', 'talking')];
    await setup.clock.advance(2_000);
    setup.endings.tell({ ...call('a'), endedAt: new Date('2026-01-01T00:00:05Z'), reason: 'normal', class: 'success', message: 'Over.', node: 'node-1' });
    setup.calls = [call('a')];
    await setup.clock.advance(1_000);
    expect(told.filter((what) => what.endsWith(' a'))).toEqual(['started a', 'ended a', 'started a']);
  });

  it('are let go when the server closes, and nothing is told after that', async () => {
    const consoles = [look(), look()];
    feed.close();
    setup.tail.add('info', 'too late');
    await setup.clock.advance(5_000);
    expect([consoles.map(({ told }) => told), feed.size, setup.clock.pending]).toEqual([[['end'], ['end']], 0, idle]);
  });
});
