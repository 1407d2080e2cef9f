import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AdminCall, AdminRecord } from '../../src/admin/ports.js';
import { AdminSetup } from './setup.js';

let setup: AdminSetup;

beforeEach(async () => {
  setup = new AdminSetup();
  await setup.open();
});

afterEach(() => setup.close());

const liveCall = (callId: string, change: Partial<AdminCall> = {}): AdminCall => ({
  callId,
  direction: 'outgoing',
  state: 'talking',
  mappingId: 7,
  peer: { type: 1, id: 434 },
  from: 'sip:434@pbx.example.com',
  to: 'sip:600@pbx.example.com',
  startedAt: new Date('2026-01-01T00:00:00Z'),
  rangAt: new Date('2026-01-01T00:00:01Z'),
  answeredAt: new Date('2026-01-01T00:00:05Z'),
  codecs: ['opus'],
  ...change,
});

const idsOf = (body: Record<string, unknown>): string[] => (body.items as { callId: string }[]).map(({ callId }) => callId);

describe('the calls that go on, over the administration interface', () => {
  it('are told with all that is known of them', async () => {
    setup.calls = [liveCall('a')];
    const { status, body } = await setup.ask('GET', '/api/calls');
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        items: [
          {
            callId: 'a',
            direction: 'outgoing',
            state: 'talking',
            mappingId: 7,
            userId: 434,
            from: 'sip:434@pbx.example.com',
            to: 'sip:600@pbx.example.com',
            startedAt: '2026-01-01T00:00:00.000Z',
            rangAt: '2026-01-01T00:00:01.000Z',
            answeredAt: '2026-01-01T00:00:05.000Z',
            codecs: ['opus'],
          },
        ],
        total: 1,
      },
    });
  });

  it('are as many as were asked for, and counted all the same', async () => {
    setup.calls = Array.from({ length: 120 }, (_, index) => liveCall(String(index)));
    const { body } = await setup.ask('GET', '/api/calls?limit=2');
    expect([idsOf(body), body.total]).toEqual([['0', '1'], 120]);
    expect(idsOf((await setup.ask('GET', '/api/calls')).body)).toHaveLength(100);
  });

  it('are those of one user when one is named, and no group of the same number', async () => {
    setup.calls = [liveCall('a'), liveCall('b', { peer: { type: 1, id: 435 } }), liveCall('c', { peer: { type: 2, id: 435 } })];
    const { body } = await setup.ask('GET', '/api/calls?user=435');
    expect([idsOf(body), body.total]).toEqual([['b'], 1]);
  });

  it('come page by page, each on one of them, though many began at one moment and others ended meanwhile', async () => {
    const early = new Date('2025-12-31T23:00:00Z');
    setup.calls = [liveCall('d'), liveCall('b, the "2nd"'), liveCall('c'), liveCall('a'), liveCall('z', { startedAt: early })];
    const first = (await setup.ask('GET', '/api/calls?limit=3')).body;
    expect([idsOf(first), first.total]).toEqual([['z', 'a', 'b, the "2nd"'], 5]);
    // The last of the page before is gone, and so is one before it.
    setup.calls = setup.calls.filter(({ callId }) => callId !== 'b, the "2nd"' && callId !== 'z');
    const second = (await setup.ask('GET', `/api/calls?limit=3&after=${encodeURIComponent(String(first.next))}`)).body;
    expect([idsOf(second), second.total, second.next]).toEqual([['c', 'd'], 3, undefined]);
  });

  it('are found by a part of either address, in any case, and by the number of their user', async () => {
    const call = (callId: string, from: string, to: string, user: number): AdminCall => liveCall(callId, { from, to, peer: { type: 1, id: user } });
    setup.calls = [call('a', 'sip:Ann@pbx.example.com', '+4930901820', 434), call('b', 'sip:bob@pbx.example.com', 'sip:600@pbx.example.com', 901), liveCall('c', { from: 'user:1', to: '2', peer: { type: 2, id: 901 } })];
    const found = async (query: string): Promise<unknown[]> => {
      const { body } = await setup.ask('GET', `/api/calls?${query}`);
      return [...idsOf(body), body.total];
    };
    expect(await found('q=aNN@')).toEqual(['a', 1]);
    expect(await found('q=901')).toEqual(['a', 'b', 2]);
    expect(await found('q=901&user=434')).toEqual(['a', 1]);
    expect(await found('q=')).toEqual(['a', 'b', 'c', 3]);
  });

  it.each(['limit=0', 'limit=501', 'user=ann', 'state=talking', 'after=a', 'after=2026-01-01T00:00:00Z', 'after=yesterday,a', 'q=%00'])('are refused for what cannot be asked: %s', async (query) => {
    expect((await setup.ask('GET', `/api/calls?${query}`)).status).toBe(400);
  });
});

const record = (callId: string, change: Partial<AdminRecord> = {}): AdminRecord => ({
  callId,
  direction: 'incoming',
  peer: { type: 1, id: 434 },
  from: 'sip:600@pbx.example.com',
  to: 'sip:434@pbx.example.com',
  startedAt: new Date('2026-01-01T00:00:00Z'),
  answeredAt: new Date('2026-01-01T00:00:05Z'),
  endedAt: new Date('2026-01-01T00:01:05Z'),
  reason: 'hangup',
  class: 'success',
  message: 'The other side hung up.',
  codecs: ['opus'],
  node: 'node-1',
  ...change,
});

describe('the records of calls, over the administration interface', () => {
  it('are told with all that is known of them', async () => {
    setup.records = [record('a', { status: 200 }), record('b', { peer: { type: 2, id: 7 }, answeredAt: undefined })];
    const { body } = await setup.ask('GET', '/api/calls/records');
    expect(body).toEqual({
      items: [
        {
          callId: 'a',
          direction: 'incoming',
          userId: 434,
          from: 'sip:600@pbx.example.com',
          to: 'sip:434@pbx.example.com',
          startedAt: '2026-01-01T00:00:00.000Z',
          answeredAt: '2026-01-01T00:00:05.000Z',
          endedAt: '2026-01-01T00:01:05.000Z',
          durationMs: 60_000,
          reason: 'hangup',
          class: 'success',
          status: 200,
          message: 'The other side hung up.',
          codecs: ['opus'],
          node: 'node-1',
        },
        expect.not.objectContaining({ userId: 7, durationMs: 0 }),
      ],
    });
  });

  it('are asked for by time and user', async () => {
    await setup.ask('GET', '/api/calls/records?since=2026-01-01T00:00:00Z&before=2026-01-02T00:00:00%2B01:00&user=7&limit=3');
    expect(setup.askedRecords).toEqual([{ since: new Date('2026-01-01T00:00:00Z'), before: { endedAt: new Date('2026-01-01T23:00:00Z') }, user: 7, text: undefined, limit: 3 }]);
  });

  it('are asked for by a part of an address', async () => {
    await setup.ask('GET', '/api/calls/records?q=%20%2B4930%20&limit=3');
    expect(setup.askedRecords).toEqual([{ text: '+4930', limit: 3 }]);
  });

  it('lead on to the next page by its last call, however many ended at that moment', async () => {
    setup.records = [record('a'), record('b, the "2nd"'), record('c')];
    const { body } = await setup.ask('GET', '/api/calls/records?limit=2');
    expect(idsOf(body)).toEqual(['a', 'b, the "2nd"']);
    await setup.ask('GET', `/api/calls/records?limit=2&before=${encodeURIComponent(String(body.next))}`);
    expect(setup.askedRecords[1]?.before).toEqual({ endedAt: record('').endedAt, startedAt: record('').startedAt, callId: 'b, the "2nd"' });
    expect((await setup.ask('GET', '/api/calls/records?limit=3')).body).not.toHaveProperty('next');
  });

  it.each(['since=yesterday', 'since=2026-01-01', 'before=x', 'before=2026-01-01T00:00:00Z,x,y', 'before=2026-01-01T00:00:00Z,', 'limit=501', 'state=talking'])(
    'are refused for what cannot be asked: %s',
    async (query) => {
      expect(await setup.ask('GET', `/api/calls/records?${query}`)).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } });
      expect(setup.askedRecords).toEqual([]);
    },
  );
});
