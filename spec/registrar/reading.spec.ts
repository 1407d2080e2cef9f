import { describe, expect, it } from 'vitest';
import { settle } from '../support/manual-clock.js';
import { granted, refused, timeout, wrongPassword } from './fake-account.js';
import { entryOf, hour, minute, startRegistrar } from './setup.js';

const ids = (statuses: readonly { mappingId: number }[]): number[] => statuses.map(({ mappingId }) => mappingId);

describe('the list of registrations', () => {
  it('is read page by page in the order of the mappings, whatever order they came in', async () => {
    const { registrar, account, add } = startRegistrar();
    for (const mappingId of [50, 7, 3_000_000_000, 8, 1]) add(mappingId, account());
    await settle();
    expect(ids(registrar.list({ limit: 2 }))).toEqual([1, 7]);
    expect(ids(registrar.list({ limit: 2, afterId: 7 }))).toEqual([8, 50]);
    expect(ids(registrar.list({ limit: 2, afterId: 50 }))).toEqual([3_000_000_000]);
    expect(registrar.list({ limit: 2, afterId: 3_000_000_000 })).toEqual([]);
    expect(ids(registrar.list({ limit: 9, afterId: 20 }))).toEqual([50, 3_000_000_000]);
  });

  it('shows what came and went between two pages', async () => {
    const { registrar, account, add } = startRegistrar();
    for (const mappingId of [1, 2, 3, 5]) add(mappingId, account());
    await settle();
    expect(ids(registrar.list({ limit: 2 }))).toEqual([1, 2]);
    add(4, account());
    await registrar.remove(3);
    expect(ids(registrar.list({ limit: 9, afterId: 2 }))).toEqual([4, 5]);
  });

  it('can be of one state alone', async () => {
    const { registrar, account, add } = startRegistrar();
    for (let mappingId = 1; mappingId <= 9; mappingId += 1) {
      const one = account();
      if (mappingId % 3 === 0) one.usual = wrongPassword;
      add(mappingId, one);
    }
    await settle();
    expect(ids(registrar.list({ state: 'parked', limit: 2 }))).toEqual([3, 6]);
    expect(ids(registrar.list({ state: 'parked', limit: 2, afterId: 6 }))).toEqual([9]);
    expect(ids(registrar.list({ state: 'registered', limit: 100 }))).toEqual([1, 2, 4, 5, 7, 8]);
  });

  it('is searched by a part of the address, in any case, some thousands at a time however few are found', async () => {
    const { registrar, account, add } = startRegistrar({ maxRate: 1 });
    for (let mappingId = 1; mappingId <= 20_002; mappingId += 1) add(mappingId, account());
    await settle();
    expect(registrar.search({ text: '@PBX.', limit: 2 })).toMatchObject({ items: [{ mappingId: 1 }, { mappingId: 2 }], next: 2 });
    const aor = registrar.find(20_001)?.aor ?? '';
    expect(registrar.search({ text: aor, limit: 2 })).toEqual({ items: [], next: 20_000 });
    expect(registrar.search({ text: aor, limit: 2, afterId: 20_000 })).toEqual({ items: [registrar.find(20_001)] });
    expect(registrar.search({ text: aor, limit: 2, afterId: 20_000, state: 'parked' })).toEqual({ items: [] });
  });

  it('shows a mapping once, while its predecessor is still being un-registered too', async () => {
    const { registrar, account, add } = startRegistrar();
    const bob = account();
    add(1, bob);
    await settle();
    bob.isHeld = true;
    void registrar.remove(1);
    expect(registrar.list({ limit: 9 })).toMatchObject([{ mappingId: 1, state: 'unregistering' }]);
    add(1, account());
    expect(registrar.list({ limit: 9 })).toMatchObject([{ mappingId: 1, state: 'waiting' }]);
    bob.answer(granted(0));
    await settle();
    expect(registrar.list({ limit: 9 })).toMatchObject([{ mappingId: 1, state: 'registered' }]);
  });
});

describe('one registration', () => {
  it('tells its state, since when, the registrar, the flow, the last code, and in words what is wrong and when it is tried next', async () => {
    const { clock, registrar, account, add } = startRegistrar();
    const bob = account();
    bob.script = [granted(1800), refused(500, 'Oops')];
    bob.flowName = 'tcp 192.0.2.4:5060';
    await clock.advance(minute + 700);
    add(7, bob, 'pbx.example.com:5060:tcp');
    await settle();
    expect(registrar.find(7)).toEqual({
      mappingId: 7,
      aor: 'sip:7@pbx.example.com',
      state: 'registered',
      since: '2026-01-01T00:01:00.000Z',
      registrar: 'pbx.example.com:5060 over tcp',
      flow: 'tcp 192.0.2.4:5060',
      lastCode: 200,
      nextTryAt: '2026-01-01T00:28:00.700Z',
    });
    bob.flowName = undefined;
    await clock.advance(27 * minute);
    expect(registrar.find(7)).toEqual({
      mappingId: 7,
      aor: 'sip:7@pbx.example.com',
      state: 'retrying',
      since: '2026-01-01T00:28:00.000Z',
      registrar: 'pbx.example.com:5060 over tcp',
      lastCode: 500,
      lastError: 'The registrar failed (500 Oops).',
      nextTryAt: '2026-01-01T00:28:15.700Z',
    });
    expect(registrar.find(8)).toBeUndefined();
  });

  it('is in trouble since it got into it, however often it was tried since; and registered since it was, however often refreshed', async () => {
    const { clock, registrar, account, add } = startRegistrar();
    const bob = account();
    bob.usual = timeout;
    add(7, bob);
    await clock.advance(3 * hour);
    expect(registrar.find(7)).toMatchObject({ state: 'retrying', since: '2026-01-01T00:00:00.000Z' });
    bob.usual = granted(1800);
    await clock.advance(hour);
    const { since } = registrar.find(7) ?? {};
    expect(since).toMatch(/^2026-01-01T03:[0-2]/);
    await clock.advance(2 * hour);
    expect(registrar.find(7)).toMatchObject({ state: 'registered', since });
  });
});

describe('"register now"', () => {
  it.each([
    ['a parked one', wrongPassword],
    ['one that the registrar asked to wait', refused(503, 'Busy', { retryAfterMs: 20 * minute })],
    ['one that is registered', granted(1800)],
  ])('tries %s at once', async (_name, outcome) => {
    const { registrar, account, add } = startRegistrar();
    const bob = account();
    bob.script = [outcome];
    add(7, bob);
    await settle();
    expect(registrar.registerNow(7)).toBe(true);
    await settle();
    expect(bob.asked).toHaveLength(2);
    expect(registrar.find(7)).toMatchObject({ state: 'registered' });
  });

  it('goes ahead of a queue of thousands, and says how long that takes', async () => {
    const { clock, registrar, account, add } = startRegistrar({ maxRate: 20 });
    const [many, bob] = [account(), account()];
    for (let mappingId = 1; mappingId <= 2_000; mappingId += 1) add(mappingId, many);
    add(7_000, bob);
    expect(registrar.status()).toMatchObject({
      convergesInMs: 100_000,
      queues: [{ registrar: 'pbx.example.com:5060 over udp', waiting: 2_000, convergesInMs: 100_000 }],
    });
    expect(registrar.registerNow(7_000)).toBe(true);
    await clock.advance(50);
    expect(bob.asked).toHaveLength(1);
    await clock.advance(100_000);
    expect(many.asked).toHaveLength(2_000);
  });

  it('says that nobody knows how long it takes while the registrar answers nothing, and how long again when it does', async () => {
    const { clock, registrar, account, add } = startRegistrar({ maxRate: 100, maxInFlight: 50 });
    const silent = account();
    silent.isHeld = true;
    for (let mappingId = 1; mappingId <= 2_000; mappingId += 1) add(mappingId, silent);
    await clock.advance(4_000);
    expect(registrar.status().convergesInMs).toBe(19_450);
    await clock.advance(8_000);
    expect(registrar.status()).not.toHaveProperty('convergesInMs');
    expect(registrar.status().queues).toEqual([
      { registrar: 'pbx.example.com:5060 over udp', waiting: 1_950, unknown: 'it has answered nothing for 12 s' },
    ]);
    silent.answer(granted(1800));
    await settle();
    expect(registrar.status().convergesInMs).toBeGreaterThan(19_000);
  });

  it('does nothing for a mapping that is not here, one that leaves, or one whose REGISTER is on its way', async () => {
    const { registrar, account, add } = startRegistrar();
    const [bob, eve] = [account(), account()];
    add(7, bob);
    eve.isHeld = true;
    add(8, eve);
    await settle();
    bob.isHeld = true;
    void registrar.remove(7);
    expect([registrar.registerNow(7), registrar.registerNow(8), registrar.registerNow(9)]).toEqual([false, true, false]);
    await settle();
    expect([bob.expiries, eve.expiries]).toEqual([[1800, 0], [1800]]);
  });
});

describe('a single change during a start of thousands', () => {
  it('takes effect at once: a new mapping, a changed row, a changed user, a removal', async () => {
    const { clock, registrar, account, add } = startRegistrar({ maxRate: 20 });
    const [bob, moved, gone] = [account(), account(), account()];
    [bob, moved, gone].forEach((one, index) => {
      add(index + 1, one);
    });
    await clock.advance(1_000);
    const many = account();
    for (let mappingId = 1_000; mappingId < 5_000; mappingId += 1) add(mappingId, many);
    const [fresh, bobAgain, movedTo] = [account(), account(), account()];
    registrar.add(entryOf(4, fresh), 'urgent');
    void registrar.change(entryOf(1, bobAgain));
    void registrar.change({ ...entryOf(2, movedTo), account: movedTo.as('other') });
    void registrar.remove(3);
    await clock.advance(1_000);
    expect([fresh.expiries, bobAgain.expiries, moved.expiries, movedTo.expiries, gone.expiries]).toEqual([
      [1800],
      [1800],
      [1800, 0],
      [1800],
      [1800, 0],
    ]);
  });
});
