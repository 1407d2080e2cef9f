import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AdminSetup, someStatus } from './setup.js';

let setup: AdminSetup;

beforeEach(async () => {
  setup = new AdminSetup();
  await setup.open();
});

afterEach(() => setup.close());

describe('the log over the administration interface', () => {
  it('is told from where one stands, down to a level', async () => {
    setup.tail.add('info', 'one');
    setup.tail.add('warn', 'two');
    setup.tail.add('error', 'three');
    const at = '2026-01-01T00:00:00.000Z';
    expect((await setup.ask('GET', '/api/log')).body).toEqual({
      items: [
        { n: 1, at, level: 'info', message: 'one' },
        { n: 2, at, level: 'warn', message: 'two' },
        { n: 3, at, level: 'error', message: 'three' },
      ],
      last: 3,
    });
    expect((await setup.ask('GET', '/api/log?after=1&level=error')).body).toMatchObject({ items: [{ n: 3 }], last: 3 });
    expect((await setup.ask('GET', '/api/log?after=3')).body).toEqual({ items: [], last: 3 });
  });

  it.each(['after=-1', 'after=x', 'level=loud', 'from=1'])('is refused for what cannot be asked: %s', async (query) => {
    expect((await setup.ask('GET', `/api/log?${query}`)).status).toBe(400);
  });
});

it('the history is told as it was sampled', async () => {
  expect((await setup.ask('GET', '/api/history')).body).toEqual({ everyMs: 10_000, samples: [] });
  await setup.clock.advance(10_000);
  expect((await setup.ask('GET', '/api/history')).body).toEqual({
    everyMs: 10_000,
    samples: [
      {
        at: '2026-01-01T00:00:10.000Z',
        byState: someStatus.registrations.byState,
        live: 2,
        callsPerSecond: 0,
        ended: 0,
        answered: 0,
        pddMs: null,
        registersPerSecond: 0,
        registerLimit: 200,
      },
    ],
  });
});
