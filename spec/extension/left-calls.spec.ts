import { describe, expect, it } from 'vitest';
import { endLeftCalls } from '../../src/extension/left-calls.js';
import type { LeftCall } from '../../src/records/live-call.js';
import { FakeAccount, FakeDialog } from '../support/fake-sip.js';
import { ManualClock } from '../support/manual-clock.js';

const end = new FakeDialog().looseEnd;

function world() {
  const clock = new ManualClock();
  const account = new FakeAccount('434');
  const log: string[] = [];
  const ports = { accounts: { accountOf: (id: number) => (id === 7 ? account : undefined) }, clock, log: { warn: (message: string) => log.push(message) } };
  return { clock, account, log, run: (calls: LeftCall[]) => endLeftCalls(calls, ports) };
}

describe('calls that a run before left', () => {
  it('are ended through the accounts of their mappings, a hundred at a time', async () => {
    const { run, account, clock, log } = world();
    const done = run(Array.from({ length: 250 }, (_, index) => ({ callId: String(index), mappingId: 7, looseEnd: end })));
    expect(account.left).toHaveLength(100);
    await clock.advance(25);
    expect(account.left).toHaveLength(200);
    await clock.advance(25);
    await done;
    expect([account.left.length, account.left[0], log]).toEqual([250, end, []]);
  });

  it('are counted when they cannot be ended, and keep no other from it', async () => {
    const { run, account, log } = world();
    await run([
      { callId: 'a', mappingId: 7, looseEnd: null },
      { callId: 'b', mappingId: 7, looseEnd: { ...end, callId: 'x\r\ny' } },
      { callId: 'c', mappingId: 8, looseEnd: end },
      { callId: 'd', looseEnd: end },
      { callId: 'e', mappingId: 7, looseEnd: end },
    ]);
    expect([account.left, log]).toEqual([[end], ['4 of them cannot be ended from here: they had not gone out yet, or their mappings are gone.']]);
  });
});
