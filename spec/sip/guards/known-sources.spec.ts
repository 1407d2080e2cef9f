import { describe, expect, it } from 'vitest';
import { KnownSources } from '../../../src/sip/known-sources.js';

describe('known sources', () => {
  it('are registrars as long as somebody uses them', () => {
    const sources = new KnownSources([]);
    sources.addUse('192.0.2.1');
    sources.addUse('192.0.2.1');
    sources.removeUse('192.0.2.1');
    expect([sources.has('192.0.2.1'), sources.has('192.0.2.2')]).toEqual([true, false]);
    sources.removeUse('192.0.2.1');
    expect(sources.has('192.0.2.1')).toBe(false);
  });

  it('are the trusted addresses and blocks, whoever uses them', () => {
    const sources = new KnownSources(['192.0.2.0/24', '2001:db8::1']);
    sources.addUse('192.0.2.1');
    sources.removeUse('192.0.2.1');
    const addresses = ['192.0.2.1', '192.0.3.1', '2001:db8::1', '2001:db8::2'];
    expect(addresses.map((address) => sources.has(address))).toEqual([true, false, true, false]);
  });

  it.each(['example.com', '192.0.2.0/33', '192.0.2.1/x', '2001:db8::/129'])('refuse %s in the settings', (entry) => {
    expect(() => new KnownSources([entry])).toThrow(/modules\.sip\.listen\.trusted/);
  });
});
