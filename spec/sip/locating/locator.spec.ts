import { beforeEach, describe, expect, it } from 'vitest';
import { Locator } from '../../../src/sip/locating/locator.js';
import type { Place } from '../../../src/sip/locating/steps.js';
import type { SipTarget } from '../../../src/sip/types.js';
import { ManualClock } from '../../support/manual-clock.js';
import { FakeNames, srvRecord } from './fake-names.js';

const target: SipTarget = { transport: 'udp', host: 'example.com', port: 5060 };
const domain: SipTarget = { transport: 'tcp', host: 'example.com', port: 0 };

let clock: ManualClock;
let names: FakeNames;
let locator: Locator;

beforeEach(() => {
  clock = new ManualClock();
  names = new FakeNames();
  names.says.set('A example.com', ['192.0.2.1']);
  names.says.set('SRV _sip._tcp.example.com', [srvRecord('a.example.com', 1, 1), srvRecord('b.example.com', 2, 2)]);
  names.says.set('A a.example.com', ['192.0.2.10']);
  names.says.set('A b.example.com', ['192.0.2.20']);
  locator = new Locator(clock, names, () => 0.5, ({ address }) => (address.includes(':') ? 'no IPv6 here' : undefined));
});

const addresses = (places: readonly Place[]): string[] => places.map(({ address }) => address);

describe('a locator', () => {
  it('asks once for a name that many want at the same time', async () => {
    await Promise.all([locator.candidates(target), locator.candidates(target)]);
    expect(names.asked).toEqual(['A example.com']);
    expect(locator.chosen(target)).toEqual({ transport: 'udp', address: '192.0.2.1', port: 5060 });
  });

  it.each([
    [undefined, 30_000],
    [90_000, 90_000],
    [0, 5_000],
    [7 * 24 * 3_600_000, 3_600_000],
  ])('keeps an address with a TTL of %s ms for %s ms', async (ttlMs, keepMs) => {
    names.ttlMs = ttlMs;
    await locator.candidates(target);
    await clock.advance(keepMs - 1);
    expect(locator.chosen(target)).toBeDefined();
    await clock.advance(1);
    expect(locator.chosen(target)).toBeUndefined();
  });

  it('keeps servers from SRV for a minute at most', async () => {
    names.ttlMs = 3_600_000;
    await locator.candidates(domain);
    await clock.advance(59_999);
    expect(locator.chosen(domain)?.port).toBe(1);
    await clock.advance(1);
    expect(locator.chosen(domain)).toBeUndefined();
  });

  it('needs nobody for an address', () => {
    expect(locator.chosen({ transport: 'tls', host: '127.0.0.1', port: 0 })).toEqual({ transport: 'tls', address: '127.0.0.1', port: 5061 });
    expect(names.asked).toEqual([]);
  });

  it('does not ask again at once for what is not there', async () => {
    const nowhere: SipTarget = { ...target, host: 'nowhere.example.com' };
    await expect(locator.candidates(nowhere)).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(locator.candidates(nowhere)).rejects.toMatchObject({ code: 'ENOTFOUND' });
    expect(names.asked).toHaveLength(1);
    await clock.advance(5_000);
    names.says.set('A nowhere.example.com', ['192.0.2.7']);
    expect(addresses(await locator.candidates(nowhere))).toEqual(['192.0.2.7']);
  });

  it('goes on with what it knew when no name server answers, but not with what is gone', async () => {
    await locator.candidates(target);
    await clock.advance(30_000);
    names.says.set('A example.com', 'EAI_AGAIN');
    expect(addresses(await locator.candidates(target))).toEqual(['192.0.2.1']);
    await clock.advance(5_000);
    names.says.set('A example.com', 'ENOTFOUND');
    await expect(locator.candidates(target)).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('passes a server over that failed, for a minute, and puts it last', async () => {
    const [first] = await locator.candidates(domain);
    locator.failed(first!);
    expect(locator.chosen(domain)?.address).toBe('192.0.2.20');
    expect(addresses(await locator.candidates(domain))).toEqual(['192.0.2.20', '192.0.2.10']);
    await clock.advance(60_000);
    expect(addresses(await locator.candidates(domain))).toEqual(['192.0.2.10', '192.0.2.20']);
  });

  it('passes a server over for longer when it fails again, and for as long as it asks', async () => {
    const [first, second] = await locator.candidates(domain);
    locator.failed(first!);
    await clock.advance(60_000);
    locator.failed(first!);
    locator.failed(first!); // the same failure, told by another
    await clock.advance(119_999);
    expect(locator.isPassedOver(first!)).toBe(true);
    await clock.advance(1);
    expect(locator.isPassedOver(first!)).toBe(false);
    locator.failed(second!, 300_000);
    await clock.advance(299_999);
    expect(locator.isPassedOver(second!)).toBe(true);
  });

  it('tries all when all failed', async () => {
    for (const place of await locator.candidates(domain)) locator.failed(place);
    expect(locator.chosen(domain)?.address).toBe('192.0.2.10');
    expect(await locator.candidates(domain)).toHaveLength(2);
  });

  it('leaves out what cannot be reached from here, and says why when that is all', async () => {
    names.says.set('A example.com', ['2001:db8::1', '192.0.2.1']);
    expect(addresses(await locator.candidates(target))).toEqual(['192.0.2.1']);
    names.says.set('A six.example.com', ['2001:db8::1']);
    await expect(locator.candidates({ ...target, host: 'six.example.com' })).rejects.toThrow('no IPv6 here');
  });

  it('remembers by which transport a domain was reached', async () => {
    const open: SipTarget = { transport: 'udp', host: 'example.com', port: 0, isTransportOpen: true };
    expect(locator.transportOf(open)).toBe('udp');
    await locator.candidates(open);
    await clock.advance(3_600_000);
    expect(locator.transportOf(open)).toBe('tcp');
  });

  it('remembers a bounded number of names', async () => {
    for (let index = 0; index <= 4_096; index += 1) {
      names.says.set(`A ${String(index)}.example.com`, ['192.0.2.1']);
      await locator.candidates({ ...target, host: `${String(index)}.example.com` });
    }
    expect(locator.chosen({ ...target, host: '0.example.com' })).toBeUndefined();
    expect(locator.chosen({ ...target, host: '4096.example.com' })).toBeDefined();
  });
});
