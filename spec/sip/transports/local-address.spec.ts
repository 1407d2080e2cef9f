import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { isUnspecified, LocalAddresses, plainAddress } from '../../../src/sip/transports/local-address.js';
import { ManualClock } from '../../support/manual-clock.js';
import { hasIPv6 } from './flow-harness.js';

describe('LocalAddresses', () => {
  it('names the loopback address for peers on this machine, whatever other interfaces there are', () => {
    const addresses = new LocalAddresses(new ManualClock());
    expect(addresses.towards('127.0.0.1')).toBe('127.0.0.1');
    if (hasIPv6) expect(addresses.towards('::1')).toBe('::1');
  });

  it('names an address of this machine for a peer that cannot be reached', () => {
    const own = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
    const address = new LocalAddresses(new ManualClock()).towards('255.255.255.255');
    expect(own).toContain(address);
    expect(isUnspecified(address)).toBe(false);
  });
});

describe('plainAddress', () => {
  it('takes IPv4 out of its IPv6 dress and leaves the rest', () => {
    expect(['::ffff:192.0.2.1', '::1', '192.0.2.1', '::ffff:0:1'].map(plainAddress)).toEqual(['192.0.2.1', '::1', '192.0.2.1', '::ffff:0:1']);
  });
});
