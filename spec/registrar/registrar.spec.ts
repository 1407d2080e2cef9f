import { describe, expect, it } from 'vitest';
import { settle } from '../support/manual-clock.js';
import { granted, noFlow, refused, timeout, wrongPassword } from './fake-account.js';
import { entryOf, hour, minute, registrarKey, startRegistrar } from './setup.js';

describe('a registration', () => {
  it('is made at once and shows as registered', async () => {
    const { registrar, account, add, log } = startRegistrar();
    const bob = account();
    add(7, bob);
    await settle();
    expect(bob.expiries).toEqual([1800]);
    expect(registrar.status()).toEqual({
      total: 1,
      byState: { waiting: 0, registering: 0, registered: 1, retrying: 0, parked: 0, unregistering: 0 },
      troubled: [],
      convergesInMs: 0,
      queues: [],
    });
    expect(log.lines).toEqual(['info: sip:7@pbx.example.com (mapping 7) is registered at pbx.example.com:5060 over udp for 30 min.']);
  });

  it('is refreshed well before the expiry that was granted, however long the interval', async () => {
    const { clock, account, add, log } = startRegistrar({ intervalMs: hour });
    const bob = account();
    bob.usual = granted(600);
    add(7, bob);
    await clock.advance(540_000 - 1);
    expect(bob.asked).toHaveLength(1);
    await clock.advance(1);
    expect(bob.asked).toHaveLength(2);
    await clock.advance(540_000 * 3);
    expect(bob.asked).toHaveLength(5);
    expect(log.lines).toHaveLength(1);
  });

  it('is refreshed at the interval when that is sooner', async () => {
    const { registrar, clock, account, add } = startRegistrar({ intervalMs: minute });
    const bob = account();
    add(7, bob);
    await clock.advance(10 * minute);
    expect(bob.asked).toHaveLength(11);
    expect(registrar.asked).toBe(11);
  });

  it('that gets no answer is tried for ever, less and less often, never less than every 30 minutes', async () => {
    const { clock, account, add, statusOf, log } = startRegistrar({}, () => 0.999);
    const bob = account();
    bob.usual = timeout;
    add(7, bob);
    await clock.advance(24 * hour);
    const gaps = bob.asked.slice(1).map(({ atMs }, index) => Math.round((atMs - bob.asked[index]!.atMs) / 1_000));
    expect(gaps.slice(0, 8)).toEqual([30, 60, 120, 240, 480, 960, 1799, 1799]);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1_800);
    expect(statusOf(7)).toMatchObject({
      state: 'retrying',
      lastError: 'No answer from pbx.example.com:5060 over udp within 32 s.',
      nextTryAt: expect.stringMatching(/^2026-01-02T00:/) as string,
    });
    expect(statusOf(7)).not.toHaveProperty('lastCode');
    expect(log.lines).toEqual([
      'warn: sip:7@pbx.example.com (mapping 7) is not registered: No answer from pbx.example.com:5060 over udp within 32 s. Next try in 30 s.',
    ]);
    bob.usual = granted(1800);
    await clock.advance(30 * minute);
    expect(log.lines[1]).toMatch(/^info: .* is registered at /);
  });

  it.each([
    ['a wrong password', wrongPassword, 401, 'The registrar refused the password (401 Unauthorized).'],
    ['403', refused(403, 'Forbidden'), 403, 'The registrar forbids this user to register (403 Forbidden).'],
    ['404', refused(404, 'Not Found'), 404, 'The registrar does not know this user (404 Not Found).'],
  ])('that is refused with %s is parked and probed once an hour', async (_name, outcome, lastCode, lastError) => {
    const { clock, account, add, statusOf, log } = startRegistrar({}, () => 0.5);
    const bob = account();
    bob.usual = outcome;
    add(7, bob);
    await settle();
    expect(statusOf(7)).toEqual({
      mappingId: 7,
      aor: 'sip:7@pbx.example.com',
      state: 'parked',
      since: '2026-01-01T00:00:00.000Z',
      registrar: 'pbx.example.com:5060 over udp',
      flow: 'udp 192.0.2.4:5060',
      lastCode,
      lastError,
      nextTryAt: '2026-01-01T01:00:00.000Z',
    });
    await clock.advance(hour - 1);
    expect(bob.asked).toHaveLength(1);
    await clock.advance(1);
    expect(bob.asked).toHaveLength(2);
    expect(log.lines).toEqual([
      `warn: sip:7@pbx.example.com (mapping 7) is not registered: ${lastError} Parked: asked again in 60 min, or when its row changes.`,
    ]);
  });

  it('recovers from 500 and says so once', async () => {
    const { clock, account, add, log } = startRegistrar();
    const bob = account();
    bob.script = [granted(1800), refused(500, 'Oops'), refused(500, 'Oops'), refused(502, 'Bad Gateway')];
    add(7, bob);
    await clock.advance(2 * hour);
    expect(log.lines.map((line) => line.replace('sip:7@pbx.example.com (mapping 7)', 'it'))).toEqual([
      'info: it is registered at pbx.example.com:5060 over udp for 30 min.',
      'warn: it is not registered: The registrar failed (500 Oops). Next try in 15 s.',
      'warn: it is not registered: A proxy could not reach the registrar (502 Bad Gateway). Next try in 60 s.',
      'info: it is registered again at pbx.example.com:5060 over udp for 30 min.',
    ]);
    expect(log.metas[1]).toEqual({ mappingId: 7, aor: 'sip:7@pbx.example.com', registrar: 'pbx.example.com:5060:udp', status: 500 });
  });

  it('starts its backoff afresh after each success', async () => {
    const { clock, account, add, log } = startRegistrar();
    const bob = account();
    bob.script = [refused(500), refused(500), refused(500), granted(1800), refused(502)];
    add(7, bob);
    await clock.advance(hour);
    expect(log.lines.filter((line) => line.startsWith('warn')).map((line) => /Next try.*/.exec(line)?.[0])).toEqual([
      'Next try in 15 s.',
      'Next try in 15 s.',
    ]);
  });

  it('waits as long as Retry-After asks', async () => {
    const { clock, account, add } = startRegistrar();
    const bob = account();
    bob.script = [refused(503, 'Busy', { retryAfterMs: 10 * minute })];
    add(7, bob);
    await clock.advance(10 * minute - 1);
    expect(bob.asked).toHaveLength(1);
    await clock.advance(1);
    expect(bob.asked).toHaveLength(2);
  });

  it('is backed off from a registrar that always says "at once"', async () => {
    const { clock, account, add } = startRegistrar();
    const bob = account();
    bob.usual = refused(503, 'Busy', { retryAfterMs: 0 });
    add(7, bob);
    await clock.advance(10 * minute);
    expect(bob.asked.length).toBeLessThan(30);
  });

  it('takes the Min-Expires of a 423 at once, and the registrar is asked for it by all from then on', async () => {
    const { account, add } = startRegistrar();
    const [bob, eve] = [account(), account()];
    bob.script = [refused(423, 'Interval Too Brief', { minExpiresS: 3600 })];
    add(7, bob);
    await settle();
    expect(bob.expiries).toEqual([1800, 3600]);
    add(8, eve);
    await settle();
    expect(eve.expiries).toEqual([3600]);
  });

  it('does not run after a registrar whose Min-Expires grows with every try', async () => {
    const { account, add, statusOf } = startRegistrar();
    const bob = account();
    bob.script = [2000, 3000, 4000, 5000].map((minExpiresS) => refused(423, 'Interval Too Brief', { minExpiresS }));
    add(7, bob);
    await settle();
    expect(bob.expiries).toEqual([1800, 2000, 3000]);
    expect(statusOf(7)).toMatchObject({ state: 'retrying', lastCode: 423 });
  });

  it('may be too brief again after a wait, and its Contact be corrected again', async () => {
    const { clock, account, add } = startRegistrar();
    const [brief, moved] = [account(), account()];
    brief.script = [2000, 3000, 4000, 5000, 6000].map((minExpiresS) => refused(423, 'Interval Too Brief', { minExpiresS }));
    add(7, brief);
    await clock.advance(minute);
    expect(brief.expiries).toEqual([1800, 2000, 3000, 4000, 5000, 6000]);
    moved.script = [granted(1800, true), refused(500), granted(1800, true)];
    add(8, moved);
    await clock.advance(minute);
    expect(moved.asked).toHaveLength(4);
  });

  it('keeps to the greatest Min-Expires, though the answer with a lesser one comes later', async () => {
    const { account, add } = startRegistrar();
    const [bob, eve, next] = [account(), account(), account()];
    bob.isHeld = eve.isHeld = true;
    add(7, bob);
    add(8, eve);
    await settle();
    bob.answer(refused(423, 'Interval Too Brief', { minExpiresS: 7200 }));
    eve.answer(refused(423, 'Interval Too Brief', { minExpiresS: 3600 }));
    await settle();
    add(9, next);
    await settle();
    expect(next.expiries).toEqual([7200]);
  });

  it('never asks for an expiry of 0, which would remove it', async () => {
    const { account, add } = startRegistrar({ expiresMs: 0 });
    const bob = account();
    add(7, bob);
    await settle();
    expect(bob.expiries[0]).toBe(1);
  });

  it.each([
    ['is what we asked for already', 1800],
    ['is above a week', 8 * 24 * 3600],
  ])('is tried later when the Min-Expires of a 423 %s', async (_name, minExpiresS) => {
    const { account, add, statusOf } = startRegistrar();
    const bob = account();
    bob.usual = refused(423, 'Interval Too Brief', { minExpiresS });
    add(7, bob);
    await settle();
    expect(bob.expiries).toEqual([1800]);
    expect(statusOf(7)).toMatchObject({ state: 'retrying', lastCode: 423, nextTryAt: '2026-01-01T00:00:15.000Z' });
  });

  it('is registered once more when its Contact was corrected, and not in a loop', async () => {
    const { account, add, registrar } = startRegistrar();
    const bob = account();
    bob.usual = granted(1800, true);
    add(7, bob);
    await settle();
    expect(bob.asked).toHaveLength(2);
    expect(registrar.status().byState.registered).toBe(1);
  });

  it('has its Contact corrected again when a later refresh shows another address', async () => {
    const { clock, account, add } = startRegistrar();
    const bob = account();
    bob.script = [granted(1800, true), granted(1800), granted(1800, true), granted(1800)];
    add(7, bob);
    await clock.advance(27 * minute);
    expect(bob.asked).toHaveLength(4);
  });

  it('takes a Min-Expires that grows later on too', async () => {
    const { clock, account, add } = startRegistrar();
    const bob = account();
    const tooBrief = (minExpiresS: number) => refused(423, 'Interval Too Brief', { minExpiresS });
    bob.script = [tooBrief(2000), tooBrief(3000), granted(3000), tooBrief(4000)];
    add(7, bob);
    await clock.advance(30 * minute);
    expect(bob.expiries).toEqual([1800, 2000, 3000, 3000, 4000]);
  });

  it('that the registrar accepts for no time at all is tried again with backoff', async () => {
    const { clock, account, add, statusOf } = startRegistrar();
    const bob = account();
    bob.usual = granted(0);
    add(7, bob);
    await clock.advance(10_000);
    expect(bob.asked).toHaveLength(1);
    expect(statusOf(7)).toMatchObject({ state: 'retrying', lastError: expect.stringContaining('keeps no binding') as string });
  });

  it('survives a stack that throws, and tells it in the log', async () => {
    const { clock, account, add, registrar, log } = startRegistrar();
    const bob = account();
    bob.script = [new Error('boom')];
    add(7, bob);
    await settle();
    expect(log.lines[0]).toBe('error: The REGISTER of sip:7@pbx.example.com (mapping 7) failed inside this program: boom');
    await clock.advance(minute);
    expect(registrar.status().byState.registered).toBe(1);
  });

  it('survives a stack that never answers; what it answers later is not believed', async () => {
    const { clock, account, add, registrar, log } = startRegistrar();
    const bob = account();
    bob.isHeld = true;
    add(7, bob);
    await clock.advance(3 * minute);
    expect(log.lines[0]).toMatch(/^error: .* had no outcome after 3 min/);
    bob.answer(granted(1800));
    await settle();
    expect(registrar.status().byState.retrying).toBe(1);
    bob.isHeld = false;
    await clock.advance(minute);
    expect(registrar.status().byState.registered).toBe(1);
  });
});

describe('an answer that comes after its REGISTER was given up', () => {
  it('is not taken for that to the next one', async () => {
    const { clock, account, add, registrar } = startRegistrar();
    const bob = account();
    bob.isHeld = true;
    add(7, bob);
    await clock.advance(4 * minute);
    expect(bob.inFlight).toBe(2);
    bob.answer(granted(1800));
    await settle();
    expect(registrar.status().byState).toMatchObject({ registered: 0, registering: 1 });
    bob.answer(wrongPassword);
    await settle();
    expect(registrar.status().byState.parked).toBe(1);
  });
});

describe('a lost connection', () => {
  it('makes each of its mappings register again about a second later, and says so in one line', async () => {
    const { clock, account, add, registrar, log, statusOf } = startRegistrar();
    const accounts = Array.from({ length: 20 }, account);
    accounts.forEach((one, index) => {
      add(index, one);
    });
    await settle();
    log.lines.length = 0;
    registrar.onFlowLost(
      accounts.map((_, index) => index),
      'it closed the connection',
    );
    expect(statusOf(3)).toMatchObject({
      state: 'retrying',
      lastError: 'The connection to pbx.example.com:5060 over udp was lost (it closed the connection).',
      nextTryAt: '2026-01-01T00:00:00.500Z',
    });
    await clock.advance(1_000);
    expect(accounts.every((one) => one.asked.length === 2)).toBe(true);
    expect(registrar.status().byState.registered).toBe(20);
    expect(log.lines).toEqual([
      'warn: The connection to pbx.example.com:5060 over udp was lost (it closed the connection). Registrations to renew: 20.',
    ]);
  });

  it('is not met with a storm: they come back at the rate of the registrar', async () => {
    const { clock, account, add, registrar } = startRegistrar({ maxRate: 10 });
    const accounts = Array.from({ length: 50 }, account);
    accounts.forEach((one, index) => {
      add(index, one);
    });
    await clock.advance(5_000);
    registrar.onFlowLost(
      accounts.map((_, index) => index),
      'it closed the connection',
    );
    await clock.advance(500 + 2_000);
    const renewed = accounts.filter((one) => one.asked.length === 2).length;
    expect(renewed).toBeGreaterThan(15);
    expect(renewed).toBeLessThanOrEqual(21);
    await clock.advance(4_000);
    expect(accounts.every((one) => one.asked.length === 2)).toBe(true);
  });

  it('is tried again often while the registrar is away', async () => {
    const { clock, account, add, registrar } = startRegistrar({}, () => 0.999);
    const bob = account();
    add(7, bob);
    await settle();
    bob.usual = noFlow;
    registrar.onFlowLost([7], 'it closed the connection');
    await clock.advance(10 * minute);
    expect(bob.asked.length).toBeGreaterThan(12);
    bob.usual = granted(1800);
    await clock.advance(minute);
    expect(registrar.status().byState.registered).toBe(1);
  });

  it('is over once the registrar answers: from then on its refusals are backed off from as ever', async () => {
    const { clock, account, add, registrar, statusOf } = startRegistrar();
    const bob = account();
    bob.script = [granted(1800), refused(500, 'Oops')];
    add(7, bob);
    await settle();
    registrar.onFlowLost([7], 'it closed the connection');
    await clock.advance(500);
    expect(statusOf(7)).toMatchObject({ lastCode: 500, nextTryAt: '2026-01-01T00:00:30.500Z' });
  });

  it('is over once it is registered again: a timeout much later is no flow that was lost', async () => {
    const { clock, account, add, registrar, log } = startRegistrar();
    const bob = account();
    bob.script = [granted(1800), granted(1800), timeout];
    add(7, bob);
    await settle();
    registrar.onFlowLost([7], 'it closed the connection');
    await clock.advance(28 * minute);
    expect(log.lines.at(-2)).toMatch(/No answer from .* Next try in 15 s\.$/);
  });

  it('during a REGISTER waits for its answer, so that never two are on their way', async () => {
    const { clock, account, add, registrar } = startRegistrar();
    const bob = account();
    bob.isHeld = true;
    add(7, bob);
    await settle();
    registrar.onFlowLost([7], 'it closed the connection');
    await clock.advance(5_000);
    expect(bob.asked).toHaveLength(1);
    bob.answer(granted(1800));
    await clock.advance(1_000);
    expect(bob.asked).toHaveLength(2);
    expect(bob.mostInFlight).toBe(1);
  });

  it('during a REGISTER that comes to nothing is followed by a quick try', async () => {
    const { clock, account, add, registrar } = startRegistrar();
    const bob = account();
    bob.isHeld = true;
    add(7, bob);
    await settle();
    registrar.onFlowLost([7], 'it closed the connection');
    bob.answer(noFlow);
    await clock.advance(1_000);
    expect(bob.asked).toHaveLength(2);
  });

  it('that shows only at the refresh counts as one: the next try is soon', async () => {
    const { clock, account, add } = startRegistrar();
    const bob = account();
    bob.script = [granted(1800), noFlow];
    add(7, bob);
    await clock.advance(27 * minute + 1_000);
    expect(bob.asked).toHaveLength(3);
  });

  it('does not wake a parked registration, nor one that a registrar asked to wait', async () => {
    const { clock, account, add, registrar } = startRegistrar();
    const [bob, eve] = [account(), account()];
    bob.usual = wrongPassword;
    eve.usual = refused(503, 'Busy', { retryAfterMs: 20 * minute });
    add(7, bob);
    add(8, eve);
    await settle();
    registrar.onFlowLost([7, 8, 99], 'it closed the connection');
    await clock.advance(10 * minute);
    expect([bob.asked.length, eve.asked.length]).toEqual([1, 1]);
  });
});

describe('many registrations', () => {
  it('start in the order of their coming at the rate of the registrar', async () => {
    const { clock, account, add } = startRegistrar({ maxRate: 100 });
    const accounts = Array.from({ length: 300 }, account);
    accounts.forEach((one, index) => {
      add(index, one);
    });
    await clock.advance(1_000);
    const started = accounts.filter((one) => one.asked.length > 0);
    expect(started.length).toBe(105);
    expect(started).toEqual(accounts.slice(0, started.length));
    await clock.advance(2_000);
    expect(accounts.every((one) => one.asked.length === 1)).toBe(true);
  });

  it('never have more than the limit on their way to one registrar, and a dead one holds up no other', async () => {
    const { clock, account, add, registrar } = startRegistrar({ maxInFlight: 5 });
    const dead = Array.from({ length: 20 }, account);
    dead.forEach((one, index) => {
      one.isHeld = true;
      add(index, one, 'dead.example.com:5060:udp');
    });
    const alive = account();
    add(100, alive);
    await clock.advance(1_000);
    expect(dead.filter((one) => one.inFlight > 0)).toHaveLength(5);
    expect(registrar.status().byState).toMatchObject({ registering: 5, waiting: 15, registered: 1 });
    dead[0]!.answer(timeout);
    await settle();
    expect(dead.filter((one) => one.asked.length > 0)).toHaveLength(6);
  });

  it('foretell nothing while the registrar answers none of them, though one is given up', async () => {
    const { clock, account, add, registrar } = startRegistrar({ maxInFlight: 2 });
    const many = account();
    many.isHeld = true;
    for (let mapping = 1; mapping <= 4; mapping += 1) add(mapping, many);
    await clock.advance(10_000);
    many.answer(timeout);
    await settle();
    const status = registrar.status();
    expect(status.queues).toEqual([{ registrar: 'pbx.example.com:5060 over udp', waiting: 1, unknown: 'it has answered nothing for 10 s' }]);
    expect(status.convergesInMs).toBeUndefined();
  });

  it('show the hundred in trouble first, with reasons before those that only wait', async () => {
    const { clock, account, add, registrar } = startRegistrar({ maxInFlight: 1 });
    const bob = account();
    bob.usual = wrongPassword;
    const stuck = account();
    stuck.isHeld = true;
    for (let index = 0; index < 150; index += 1) add(index, stuck);
    add(777, bob, 'other.example.com:5060:udp');
    await clock.advance(1_000);
    const { troubled, total } = registrar.status();
    expect(total).toBe(151);
    expect(troubled).toHaveLength(100);
    expect(troubled[0]).toMatchObject({ mappingId: 777, state: 'parked' });
  });

  it('have a line of the log each few seconds while they start, not one each, and a single one that comes later has its own', async () => {
    const { clock, log, account, add, registrar } = startRegistrar({ maxRate: 20 });
    const many = account();
    for (let mappingId = 1; mappingId <= 1_200; mappingId += 1) add(mappingId, many);
    await clock.advance(70_000);
    expect(log.lines[0]).toMatch(/^info: sip:1@.* is registered at /);
    expect(log.lines[1]).toBe('info: 100 of 1,200 mappings are registered.');
    expect(log.lines.at(-1)).toBe('info: All 1,200 mappings are registered.');
    expect(log.lines).toHaveLength(13);
    registrar.add(entryOf(7_000, account()), 'urgent');
    await clock.advance(20_000);
    expect(log.lines.slice(13)).toEqual(['info: sip:7000@pbx.example.com (mapping 7000) is registered at pbx.example.com:5060 over udp for 30 min.']);
  });

  it('come in the order of their refreshes, whether somebody waited for their first turn or not', async () => {
    const { clock, account, add, registrar } = startRegistrar({ maxInFlight: 1 });
    const [changed, first, second] = [account(), account(), account()];
    registrar.add(entryOf(1, changed), 'urgent');
    await clock.advance(26 * minute);
    first.isHeld = second.isHeld = true;
    add(2, first);
    add(3, second);
    await clock.advance(1.5 * minute);
    first.answer(granted(1800));
    await settle();
    expect([second.asked.length, changed.asked.length]).toEqual([1, 1]);
    second.answer(granted(1800));
    await settle();
    expect(changed.asked).toHaveLength(2);
  });

  it('that get into trouble while they start are told each, and so is the end of that', async () => {
    const { clock, log, account, add } = startRegistrar();
    const [many, bob] = [account(), account()];
    bob.script = [refused(500, 'Oops')];
    for (let mappingId = 1; mappingId <= 50; mappingId += 1) add(mappingId, mappingId === 25 ? bob : many);
    await clock.advance(minute);
    expect(log.lines.slice(1)).toEqual([
      'warn: sip:25@pbx.example.com (mapping 25) is not registered: The registrar failed (500 Oops). Next try in 15 s.',
      'info: 49 of 50 mappings are registered.',
      'info: sip:25@pbx.example.com (mapping 25) is registered at pbx.example.com:5060 over udp for 30 min.',
    ]);
  });

  it('cost one timer together while all of a hundred thousand are idle', async () => {
    const { clock, registrar } = startRegistrar({ maxRate: 10_000_000, maxInFlight: 1_000_000 }, Math.random);
    const account = { settings: { user: 'many', domain: 'pbx.example.com' }, register: () => Promise.resolve(granted(1800)) };
    for (let mappingId = 0; mappingId < 100_000; mappingId += 1) {
      registrar.add({ mappingId, registrarKey, account });
    }
    await clock.advance(10_000);
    expect(registrar.status().byState.registered).toBe(100_000);
    expect(clock.pending).toBe(1);
  });
});
