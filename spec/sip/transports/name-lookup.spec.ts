import { describe, expect, it } from 'vitest';
import { NameLookup, systemLookup } from '../../../src/sip/transports/name-lookup.js';
import { ManualClock } from '../../support/manual-clock.js';

describe('NameLookup', () => {
  it('asks once for a name that many want at the same time, and again after 30 s', async () => {
    const clock = new ManualClock();
    let asked = 0;
    const names = new NameLookup(clock, () => Promise.resolve([{ address: `127.0.0.${(asked += 1)}`, family: 4 }]));
    const both = await Promise.all([names.resolve('pbx.example.com'), names.resolve('pbx.example.com')]);
    expect(both).toEqual([[{ address: '127.0.0.1', family: 4 }], [{ address: '127.0.0.1', family: 4 }]]);
    await clock.advance(29_999);
    expect(names.known('pbx.example.com')).toEqual(both[0]);
    await clock.advance(1);
    expect(names.known('pbx.example.com')).toBeUndefined();
    expect(await names.resolve('pbx.example.com')).toEqual([{ address: '127.0.0.2', family: 4 }]);
  });

  it('asks again after a failure', async () => {
    let asked = 0;
    const names = new NameLookup(new ManualClock(), () => {
      asked += 1;
      return asked === 1 ? Promise.reject(new Error('no answer')) : Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
    });
    await expect(names.resolve('pbx.example.com')).rejects.toThrow('no answer');
    expect(await names.resolve('pbx.example.com')).toHaveLength(1);
  });

  it('needs nobody for an address', () => {
    const names = new NameLookup(new ManualClock(), () => Promise.reject(new Error('asked')));
    expect(names.known('127.0.0.1')).toEqual([{ address: '127.0.0.1', family: 4 }]);
    expect(names.known('::1')).toEqual([{ address: '::1', family: 6 }]);
  });

  it('remembers a bounded number of names', async () => {
    const names = new NameLookup(new ManualClock(), () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]));
    for (let index = 0; index <= 4_096; index += 1) await names.resolve(`${index}.example.com`);
    expect(names.known('0.example.com')).toBeUndefined();
    expect(names.known('4096.example.com')).toBeDefined();
  });

  it('reads the hosts file of the system', async () => {
    expect((await systemLookup('localhost')).map(({ address }) => address)).toContain('127.0.0.1');
  });
});
