import { describe, expect, it } from 'vitest';
import { AddressLimit } from '../../src/base/address-limit.js';
import { ManualClock } from '../support/manual-clock.js';

function limit(changes: { all?: { perSecond: number; burst: number }; mostAddresses?: number } = {}): { clock: ManualClock; strangers: AddressLimit } {
  const clock = new ManualClock();
  const rates = { each: { perSecond: 2, burst: 4 }, all: { perSecond: 100, burst: 200 }, mostAddresses: 10, ...changes };
  return { clock, strangers: new AddressLimit(clock, rates) };
}

function admitted(strangers: AddressLimit, address: string, tries: number): number {
  let count = 0;
  for (let turn = 0; turn < tries; turn += 1) if (strangers.admits(address)) count += 1;
  return count;
}

describe('strangers', () => {
  it('are looked at so often at once and so often a second, each for itself', async () => {
    const { clock, strangers } = limit();
    expect(admitted(strangers, 'a', 100)).toBe(4);
    expect(admitted(strangers, 'b', 100)).toBe(4);
    await clock.advance(1_000);
    expect(admitted(strangers, 'a', 100)).toBe(2);
    await clock.advance(60_000);
    expect(admitted(strangers, 'a', 100)).toBe(4);
  });

  it('do not outrun the limit with forged addresses', () => {
    const { strangers } = limit();
    let count = 0;
    for (let address = 0; address < 10_000; address += 1) if (strangers.admits(String(address))) count += 1;
    expect(count).toBe(200);
    expect(strangers.size).toBeLessThanOrEqual(10);
  });

  it('are forgotten in the order in which they fell silent', () => {
    const { strangers } = limit({ mostAddresses: 2 });
    expect(admitted(strangers, 'loud', 10)).toBe(4);
    strangers.admits('first');
    strangers.admits('loud');
    strangers.admits('second');
    expect(strangers.admits('loud')).toBe(false);
  });

  it('are not limited while what they send is worth it', () => {
    const { strangers } = limit();
    for (let turn = 0; turn < 1_000; turn += 1) {
      expect(strangers.admits('peer')).toBe(true);
      strangers.giveBack('peer');
    }
    expect(admitted(strangers, 'peer', 100)).toBe(4);
  });
});
