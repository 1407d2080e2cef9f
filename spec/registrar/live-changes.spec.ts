import { describe, expect, it } from 'vitest';
import { settle } from '../support/manual-clock.js';
import { granted, noFlow, refused, timeout, wrongPassword } from './fake-account.js';
import { entryOf, hour, minute, startRegistrar } from './setup.js';

const otherKey = 'other.example.com:5060:tcp';

/** Whether a promise has resolved by now. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  await settle();
  return done;
}

describe('removing a mapping', () => {
  it('un-registers it, then knows nothing of it and leaves no timer', async () => {
    const { clock, account, add, registrar } = startRegistrar();
    const bob = account();
    add(7, bob);
    await settle();
    await registrar.remove(7);
    expect(bob.expiries).toEqual([1800, 0]);
    expect(registrar.status().total).toBe(0);
    await clock.advance(5_000);
    expect(clock.pending).toBe(0);
    await clock.advance(2 * hour);
    expect(bob.asked).toHaveLength(2);
  });

  it('during a REGISTER un-registers after its answer', async () => {
    const { account, add, registrar } = startRegistrar();
    const bob = account();
    bob.isHeld = true;
    add(7, bob);
    await settle();
    const removed = registrar.remove(7);
    expect(await isDone(removed)).toBe(false);
    expect(registrar.status().byState).toMatchObject({ registering: 0, unregistering: 1 });
    bob.isHeld = false;
    bob.answer(granted(1800));
    await removed;
    expect(bob.expiries).toEqual([1800, 0]);
    expect(bob.mostInFlight).toBe(1);
  });

  it('un-registers after a REGISTER without an answer: it may have arrived', async () => {
    const { account, add, registrar } = startRegistrar();
    const bob = account();
    bob.script = [timeout];
    add(7, bob);
    await settle();
    await registrar.remove(7);
    expect(bob.expiries).toEqual([1800, 0]);
  });

  it('is over when nothing is heard of the one attempt', async () => {
    const { clock, account, add, registrar } = startRegistrar();
    const bob = account();
    add(7, bob);
    await settle();
    bob.isHeld = true;
    void registrar.remove(7);
    await clock.advance(hour);
    expect(bob.expiries).toEqual([1800, 0]);
    expect(registrar.status().total).toBe(0);
  });

  it('asks the registrar nothing when it kept no binding, nor when there was no way there', async () => {
    const { account, add, registrar } = startRegistrar();
    const [refusing, away] = [account(), account()];
    refusing.usual = granted(0);
    away.usual = noFlow;
    add(7, refusing);
    add(8, away);
    await settle();
    await Promise.all([registrar.remove(7), registrar.remove(8)]);
    expect([refusing.expiries, away.expiries]).toEqual([[1800], [1800]]);
  });

  it('un-registers one that was granted longer than a later REGISTER asked for, which had no answer', async () => {
    const { clock, account, add, registrar } = startRegistrar({ intervalMs: 10 * minute });
    const bob = account();
    bob.script = [granted(7200), timeout];
    bob.usual = refused(500);
    add(7, bob);
    await clock.advance(50 * minute);
    const tries = bob.asked.length;
    await registrar.remove(7);
    expect(bob.expiries.slice(tries)).toEqual([0]);
  });

  it('during a REGISTER tells nobody that it is registered, or that it is not', async () => {
    const { account, add, registrar, log } = startRegistrar();
    const [bob, eve] = [account(), account()];
    bob.isHeld = eve.isHeld = true;
    add(7, bob);
    add(8, eve);
    await settle();
    void registrar.remove(7);
    void registrar.remove(8);
    bob.answer(granted(1800));
    eve.answer(refused(500));
    await settle();
    expect(log.lines).toEqual([]);
  });

  it('asks the registrar nothing when there is no binding: refused, never sent, or run out', async () => {
    const { clock, account, add, registrar } = startRegistrar({ maxInFlight: 1 });
    const [parked, stuck, queued] = [account(), account(), account()];
    parked.usual = wrongPassword;
    stuck.isHeld = true;
    add(1, parked);
    await settle();
    add(2, stuck);
    add(3, queued);
    await Promise.all([registrar.remove(1), registrar.remove(3)]);
    const lapsed = account();
    lapsed.script = [granted(60)];
    lapsed.usual = refused(500);
    add(4, lapsed, otherKey);
    await clock.advance(2 * hour);
    const before = lapsed.asked.length;
    await registrar.remove(4);
    expect([parked.asked.length, queued.asked.length, lapsed.asked.length]).toEqual([1, 0, before]);
  });

  it('still un-registers one whose refresh is refused while its old binding stands', async () => {
    const { clock, account, add, registrar } = startRegistrar();
    const bob = account();
    bob.script = [granted(1800), refused(500)];
    add(7, bob);
    await clock.advance(27 * minute);
    expect(registrar.status().byState.retrying).toBe(1);
    await registrar.remove(7);
    expect(bob.expiries.at(-1)).toBe(0);
  });

  it('gives up after one attempt that fails, and says when the binding ends', async () => {
    const { account, add, registrar, log } = startRegistrar();
    const bob = account();
    bob.script = [granted(1800), timeout];
    add(7, bob);
    await settle();
    await registrar.remove(7);
    expect(registrar.status().total).toBe(0);
    expect(log.lines.at(-1)).toBe(
      'warn: sip:7@pbx.example.com (mapping 7) could not be un-registered: ' +
        'No answer from pbx.example.com:5060 over udp within 32 s. Its binding ends by itself within 30 min.',
    );
  });

  it('that is not there, or a second time, is done with the first', async () => {
    const { account, add, registrar } = startRegistrar();
    const bob = account();
    add(7, bob);
    await settle();
    bob.isHeld = true;
    const [first, second] = [registrar.remove(7), registrar.remove(7)];
    expect(await isDone(second)).toBe(false);
    bob.answer(granted(0));
    await Promise.all([first, second, registrar.remove(99)]);
    expect(bob.expiries).toEqual([1800, 0]);
  });

  it('and adding it again registers only after the old binding is gone, else the removal would take the new one', async () => {
    const { account, add, registrar } = startRegistrar();
    const [before, after] = [account(), account()];
    add(7, before);
    await settle();
    before.isHeld = true;
    const removed = registrar.remove(7);
    add(7, after);
    await settle();
    expect(after.asked).toHaveLength(0);
    before.answer(granted(0));
    await removed;
    await settle();
    expect(after.expiries).toEqual([1800]);
    expect(registrar.status()).toMatchObject({ total: 1, byState: { registered: 1 } });
  });

  it('that waits for its own removal drops it before it ever registers', async () => {
    const { account, add, registrar } = startRegistrar();
    const [before, after] = [account(), account()];
    add(7, before);
    await settle();
    before.isHeld = true;
    void registrar.remove(7);
    add(7, after);
    const removed = registrar.remove(7);
    expect(await isDone(removed)).toBe(false);
    before.answer(granted(0));
    await removed;
    expect(after.asked).toHaveLength(0);
    expect(registrar.status().total).toBe(0);
  });
});

describe('changing a mapping', () => {
  it('wakes a parked one at once with the new account', async () => {
    const { account, add, registrar, log } = startRegistrar();
    const [wrong, right] = [account(), account()];
    wrong.usual = wrongPassword;
    add(7, wrong);
    await settle();
    void registrar.change(entryOf(7, right));
    await settle();
    expect(right.expiries).toEqual([1800]);
    expect(wrong.asked).toHaveLength(1);
    expect(log.lines.at(-1)).toMatch(/^info: .* is registered at /);
  });

  it('starts its backoff afresh', async () => {
    const { clock, account, add, registrar } = startRegistrar();
    const bob = account();
    bob.usual = refused(500);
    add(7, bob);
    await clock.advance(10 * minute);
    void registrar.change(entryOf(7, bob));
    await settle();
    const tries = bob.asked.length;
    await clock.advance(15_000);
    expect(bob.asked).toHaveLength(tries + 1);
  });

  it('during a REGISTER does not believe the answer to the old password', async () => {
    const { account, add, registrar, log } = startRegistrar();
    const [before, after] = [account(), account()];
    before.isHeld = true;
    add(7, before);
    await settle();
    void registrar.change(entryOf(7, after));
    await settle();
    expect(after.asked).toHaveLength(0);
    before.answer(wrongPassword);
    await settle();
    expect(after.expiries).toEqual([1800]);
    expect(registrar.status().byState.registered).toBe(1);
    expect(log.lines.filter((line) => line.startsWith('warn'))).toEqual([]);
  });

  it('during a REGISTER whose connection is lost as well does not believe it either', async () => {
    const { account, add, registrar } = startRegistrar();
    const [before, after] = [account(), account()];
    before.isHeld = true;
    add(7, before);
    await settle();
    void registrar.change(entryOf(7, after));
    registrar.onFlowLost([7], 'it closed the connection');
    before.answer(wrongPassword);
    await settle();
    expect(after.expiries).toEqual([1800]);
    expect(registrar.status().byState.registered).toBe(1);
  });

  it('and removing it while it waits in the queue leaves its turn to the next, however long it waited', async () => {
    const { clock, account, add, registrar } = startRegistrar({ maxInFlight: 1 });
    const [parked, stuck, next] = [account(), account(), account()];
    parked.usual = wrongPassword;
    add(1, parked);
    await settle();
    // Each of these keeps the others waiting for three minutes: longer together than the probe of the parked one was away.
    stuck.isHeld = true;
    for (let mapping = 2; mapping < 30; mapping += 1) registrar.add(entryOf(mapping, stuck), 'urgent');
    void registrar.change(entryOf(1, parked));
    await clock.advance(hour);
    expect(parked.asked).toHaveLength(1);
    await registrar.remove(1);
    stuck.isHeld = false;
    for (let mapping = 2; mapping < 30; mapping += 1) void registrar.remove(mapping);
    add(100, next);
    await clock.advance(10 * minute);
    expect(next.asked).toHaveLength(1);
  });

  it('of registrar removes the old binding first, then registers at the new one', async () => {
    const { account, add, registrar } = startRegistrar();
    const [before, after] = [account(), account()];
    add(7, before);
    await settle();
    before.isHeld = true;
    const changed = registrar.change(entryOf(7, after, otherKey));
    expect(await isDone(changed)).toBe(false);
    expect(after.asked).toHaveLength(0);
    before.answer(granted(0));
    await changed;
    await settle();
    expect([before.expiries, after.expiries]).toEqual([[1800, 0], [1800]]);
  });

  it('that is not there adds it, and adding one that is there changes it', async () => {
    const { account, add, registrar } = startRegistrar();
    const [first, second] = [account(), account()];
    void registrar.change(entryOf(7, first));
    await settle();
    add(7, second);
    await settle();
    expect([first.expiries, second.expiries]).toEqual([[1800], [1800]]);
    expect(registrar.status().total).toBe(1);
  });

  it('touches no other', async () => {
    const { account, add, registrar } = startRegistrar();
    const [bob, eve] = [account(), account()];
    add(7, bob);
    add(8, eve);
    await settle();
    void registrar.change(entryOf(7, bob));
    await registrar.remove(7);
    expect(eve.asked).toHaveLength(1);
  });
});

describe('stopping', () => {
  it('un-registers all faster than the rate, within the limit of those on their way', async () => {
    const { clock, account, add, registrar } = startRegistrar({ maxRate: 10, maxInFlight: 5 });
    const accounts = Array.from({ length: 30 }, account);
    accounts.forEach((one, index) => {
      add(index, one);
    });
    await clock.advance(5_000);
    for (const one of accounts) one.isHeld = true;
    const stopped = registrar.stop(3_000);
    await settle();
    expect(accounts.filter((one) => one.inFlight > 0)).toHaveLength(5);
    for (let round = 0; round < 6; round += 1) {
      for (const one of accounts) if (one.inFlight > 0) one.answer(granted(0));
      await settle();
    }
    expect(await stopped).toEqual([]);
    expect(accounts.every((one) => one.expiries.join() === '1800,0')).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('is over when its time is, and tells which bindings are left', async () => {
    const { clock, account, add, registrar } = startRegistrar();
    const [alive, dead, refusing, never] = [account(), account(), account(), account()];
    refusing.script = [granted(1800), refused(500, 'Oops')];
    never.usual = wrongPassword;
    [alive, dead, refusing, never].forEach((one, index) => {
      add(index, one);
    });
    await settle();
    dead.isHeld = true;
    const stopped = registrar.stop(2_000);
    await clock.advance(1_999);
    expect(await isDone(stopped)).toBe(false);
    await clock.advance(1);
    expect(await stopped).toEqual([
      expect.objectContaining({ mappingId: 2, state: 'unregistering', lastCode: 500, lastError: 'The registrar failed (500 Oops).' }),
      expect.objectContaining({ mappingId: 1, lastError: 'The time to stop was over before it was un-registered.' }),
    ]);
    expect(clock.pending).toBe(0);
    expect(registrar.status().total).toBe(0);
  });

  it('drops those that never had their turn, and waits for a REGISTER that is on its way', async () => {
    const { account, add, registrar } = startRegistrar({ maxInFlight: 1 });
    const [sent, queued] = [account(), account()];
    sent.isHeld = true;
    add(1, sent);
    add(2, queued);
    await settle();
    const stopped = registrar.stop(2_000);
    sent.isHeld = false;
    sent.answer(granted(1800));
    expect(await stopped).toEqual([]);
    expect([sent.expiries, queued.expiries]).toEqual([[1800, 0], []]);
  });

  it('waits for those that were being removed before', async () => {
    const { account, add, registrar } = startRegistrar();
    const bob = account();
    add(7, bob);
    await settle();
    bob.isHeld = true;
    void registrar.remove(7);
    const stopped = registrar.stop(minute);
    expect(await isDone(stopped)).toBe(false);
    bob.answer(granted(0));
    expect(await stopped).toEqual([]);
  });

  it('tells of no binding that ended by itself while it waited for its turn', async () => {
    const { clock, account, add, registrar } = startRegistrar({ maxInFlight: 1 });
    const [stuck, brief] = [account(), account()];
    brief.usual = granted(20);
    add(7, stuck);
    add(8, brief);
    await settle();
    stuck.isHeld = true;
    const stopped = registrar.stop(minute);
    await clock.advance(minute);
    expect((await stopped).map(({ mappingId }) => mappingId)).toEqual([7]);
    expect(brief.expiries).toEqual([1800]);
  });

  it('is final: what comes later changes nothing, and a second stop is the first', async () => {
    const { clock, account, add, registrar } = startRegistrar();
    const [bob, late] = [account(), account()];
    bob.isHeld = true;
    add(7, bob);
    await settle();
    const stopped = registrar.stop(1_000);
    expect(registrar.stop(9_000)).toBe(stopped);
    await clock.advance(1_000);
    await stopped;
    bob.answer(granted(1800));
    add(8, late);
    void registrar.change(entryOf(7, late));
    registrar.onFlowLost([7], 'gone');
    await registrar.remove(7);
    await clock.advance(hour);
    expect(late.asked).toHaveLength(0);
    expect(bob.asked).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});
