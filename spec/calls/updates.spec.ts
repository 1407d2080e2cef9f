import { describe, expect, it } from 'vitest';
import type { CallState, CallUpdate } from '../../src/host/contract.js';
import { Deliveries, UpdateQueue } from '../../src/calls/updates.js';
import { settle } from '../support/manual-clock.js';

const state = (callId: string, name: CallState, sdp?: string): CallUpdate => ({
  type: 'state',
  callId,
  state: name,
  ...(sdp === undefined ? {} : { description: { type: 'answer', sdp } }),
});

const word = (update: CallUpdate): string =>
  update.type === 'state' ? `${update.callId} ${update.state}${update.description === undefined ? '' : ` ${update.description.sdp}`}` : update.type;

function host(update: (update: CallUpdate) => void | Promise<void>): { deliveries: Deliveries; errors: string[]; quiet: () => number } {
  const errors: string[] = [];
  let quiet = 0;
  const log = { info: () => undefined, warn: () => undefined, error: (message: string, about?: { callId?: string }) => errors.push(`${about?.callId ?? ''}: ${message}`) };
  const deliveries = new Deliveries({ update }, log, () => {
    quiet += 1;
  });
  return { deliveries, errors, quiet: () => quiet };
}

describe('updates to the host', () => {
  it('are handed over before tell returns when the host does not wait', () => {
    const seen: string[] = [];
    const { deliveries } = host((update) => void seen.push(word(update)));
    const queue = new UpdateQueue(deliveries);
    queue.tell(state('a', 'trying'));
    queue.tell(state('a', 'ringing'));
    expect(seen).toEqual(['a trying', 'a ringing']);
    expect(deliveries.busy).toBe(0);
  });

  it('of a call that has ended are not told, not even when the host ends it while it is told one of two things', async () => {
    const seen: string[] = [];
    const made = host((update) => {
      seen.push(word(update));
      if (update.type === 'offerRejected') queue.tell({ type: 'ended', callId: 'a', reason: 'normal', message: 'The call was ended here.' });
    });
    const queue = new UpdateQueue(made.deliveries);
    queue.tell({ type: 'offerRejected', callId: 'a', status: 491 });
    queue.tell({ type: 'offer', callId: 'a', description: { type: 'offer', sdp: 'v=0' } });
    await settle();
    expect([seen, made.deliveries.busy]).toEqual([['offerRejected', 'ended'], 0]);
  });

  it('of one call wait for the one before, and never for another call', async () => {
    const seen: string[] = [];
    const done: (() => void)[] = [];
    const { deliveries, quiet } = host((update) => {
      seen.push(word(update));
      return update.callId === 'slow' ? new Promise<void>((resolve) => done.push(resolve)) : undefined;
    });
    const slow = new UpdateQueue(deliveries);
    const quick = new UpdateQueue(deliveries);
    slow.tell(state('slow', 'trying'));
    slow.tell(state('slow', 'ringing'));
    slow.tell(state('slow', 'talking'));
    quick.tell(state('quick', 'trying'));
    await settle();
    expect(seen).toEqual(['slow trying', 'quick trying']);
    expect(deliveries.busy).toBe(1);
    for (const expected of ['slow ringing', 'slow talking']) {
      done.shift()?.();
      await settle();
      expect(seen.at(-1)).toBe(expected);
    }
    done.shift()?.();
    await settle();
    expect([deliveries.busy, quiet()]).toEqual([0, 1]);
    slow.tell(state('slow', 'finished'));
    expect(seen.at(-1)).toBe('slow finished');
  });

  it('are all taken when the slowest call has no more under way', async () => {
    const done = new Map<string, () => void>();
    const { deliveries, quiet } = host(({ callId }) => new Promise<void>((resolve) => done.set(callId, resolve)));
    for (const callId of ['a', 'b']) new UpdateQueue(deliveries).tell(state(callId, 'trying'));
    done.get('a')?.();
    await settle();
    expect([deliveries.busy, quiet()]).toEqual([1, 0]);
    done.get('b')?.();
    await settle();
    expect([deliveries.busy, quiet()]).toEqual([0, 1]);
  });

  it('that the host fails to take are logged, and the next still come', async () => {
    const seen: string[] = [];
    const { deliveries, errors } = host((update) => {
      seen.push(word(update));
      if (seen.length === 1) throw new Error('down');
      return seen.length === 2 ? Promise.reject(new Error('late')) : undefined;
    });
    const queue = new UpdateQueue(deliveries);
    queue.tell(state('a', 'trying'));
    queue.tell(state('a', 'ringing'));
    queue.tell(state('a', 'talking'));
    await settle();
    expect(seen).toEqual(['a trying', 'a ringing', 'a talking']);
    expect(errors).toEqual([
      'a: The host failed to take an update of a call (state trying): down',
      'a: The host failed to take an update of a call (state ringing): late',
    ]);
  });

  it('that are told while the host is in update come after it, not within', async () => {
    const seen: string[] = [];
    let depth = 0;
    const { deliveries } = host((update) => {
      depth += 1;
      seen.push(`${word(update)} at depth ${String(depth)}`);
      if (seen.length === 1) queue.tell(state('a', 'ringing'));
      depth -= 1;
    });
    const queue = new UpdateQueue(deliveries);
    queue.tell(state('a', 'trying'));
    await settle();
    expect(seen).toEqual(['a trying at depth 1', 'a ringing at depth 1']);
  });

  it('of early media that a slow host has not taken yet give way to the newest', async () => {
    const seen: string[] = [];
    let release = (): void => undefined;
    const { deliveries } = host((update) => {
      seen.push(word(update));
      return new Promise<void>((resolve) => (release = resolve));
    });
    const queue = new UpdateQueue(deliveries);
    queue.tell(state('a', 'trying'));
    queue.tell(state('a', 'ringing'));
    for (let repeat = 0; repeat < 1_000; repeat += 1) queue.tell(state('a', 'progress', String(repeat)));
    queue.tell(state('a', 'talking'));
    for (let turn = 0; turn < 4; turn += 1) {
      release();
      await settle();
    }
    expect(seen).toEqual(['a trying', 'a ringing', 'a progress 999', 'a talking']);
  });
});
