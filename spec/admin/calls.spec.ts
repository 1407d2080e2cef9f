import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AdminCall } from '../../src/admin/ports.js';
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

  it.each(['limit=0', 'limit=501', 'user=ann', 'state=talking'])('are refused for what cannot be asked: %s', async (query) => {
    expect((await setup.ask('GET', `/api/calls?${query}`)).status).toBe(400);
  });
});
