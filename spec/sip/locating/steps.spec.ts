import { beforeEach, describe, expect, it } from 'vitest';
import { SrvOrder } from '../../../src/sip/locating/srv-order.js';
import { locate } from '../../../src/sip/locating/steps.js';
import type { SipTarget } from '../../../src/sip/types.js';
import { FakeNames, naptrRecord, srvRecord } from './fake-names.js';

let names: FakeNames;

beforeEach(() => {
  names = new FakeNames();
  names.says.set('A example.com', ['192.0.2.1', '2001:db8::1']);
  names.says.set('A a.example.com', ['192.0.2.10']);
  names.says.set('A b.example.com', ['192.0.2.20']);
});

/** `udp 192.0.2.1 5060`, one after the other. */
async function places(target: Partial<SipTarget>): Promise<string[]> {
  const full: SipTarget = { transport: 'udp', host: 'example.com', port: 0, ...target };
  const located = await locate(full, names, new SrvOrder(() => 0.5));
  return located.places.map(({ transport, address, port }) => `${transport} ${address} ${String(port)}`);
}

describe('locating a server', () => {
  it.each([
    ['udp', '192.0.2.9', 5060],
    ['tcp', '192.0.2.9', 5060],
    ['tls', '2001:db8::9', 5061],
    ['ws', '192.0.2.9', 80],
    ['wss', '192.0.2.9', 443],
  ] as const)('asks nobody for a numeric host: %s', async (transport, host, port) => {
    expect(await places({ transport, host })).toEqual([`${transport} ${host} ${String(port)}`]);
    expect(await places({ transport, host, port: 7 })).toEqual([`${transport} ${host} 7`]);
    expect(names.asked).toEqual([]);
  });

  it('asks for addresses alone when there is a port', async () => {
    expect(await places({ port: 5080, isTransportOpen: true })).toEqual(['udp 192.0.2.1 5080', 'udp 2001:db8::1 5080']);
    expect(names.asked).toEqual(['A example.com']);
  });

  it.each([
    ['udp', '_sip._udp'],
    ['tcp', '_sip._tcp'],
    ['tls', '_sips._tcp'],
    ['ws', '_sip._ws'],
    ['wss', '_sips._ws'],
  ] as const)('asks for the SRV records of %s when there is no port', async (transport, label) => {
    names.says.set(`SRV ${label}.example.com`, [srvRecord('b.example.com', 5072, 2), srvRecord('a.example.com', 5071, 1)]);
    expect(await places({ transport })).toEqual([`${transport} 192.0.2.10 5071`, `${transport} 192.0.2.20 5072`]);
    expect(names.asked).not.toContain('A example.com');
  });

  it.each(['ENOTFOUND', 'ENODATA', 'ETIMEOUT', 'ESERVFAIL'])('goes on to the address and the usual port without SRV: %s', async (code) => {
    names.says.set('SRV _sips._tcp.example.com', code);
    expect(await places({ transport: 'tls', host: 'a.example.com' })).toEqual(['tls 192.0.2.10 5061']);
  });

  it('goes by NAPTR when there is no transport either: the lowest order, in the order of preference', async () => {
    names.says.set('NAPTR example.com', [
      naptrRecord('SIP+D2U', 'udp.example.com', 20, 1),
      naptrRecord('sip+d2t', 'tcp.example.com', 10, 2),
      naptrRecord('SIPS+D2T', 'tls.example.com', 10, 1),
      naptrRecord('E2U+sip', 'other.example.com', 1, 1),
      { ...naptrRecord('SIP+D2U', '', 1, 1), regexp: '!.*!sip:x@example.com!', flags: 'u' },
    ]);
    names.says.set('SRV tls.example.com', [srvRecord('a.example.com', 5061)]);
    names.says.set('SRV tcp.example.com', [srvRecord('b.example.com', 5070)]);
    expect(await places({ isTransportOpen: true })).toEqual(['tls 192.0.2.10 5061', 'tcp 192.0.2.20 5070']);
    expect(names.asked).not.toContain('SRV udp.example.com');
  });

  it('knows the services of WebSocket', async () => {
    names.says.set('NAPTR example.com', [naptrRecord('SIPS+D2W', 'wss.example.com'), naptrRecord('SIP+D2W', 'ws.example.com', 1, 2)]);
    names.says.set('SRV wss.example.com', [srvRecord('a.example.com', 443)]);
    names.says.set('SRV ws.example.com', [srvRecord('a.example.com', 80)]);
    expect(await places({ isTransportOpen: true })).toEqual(['wss 192.0.2.10 443', 'ws 192.0.2.10 80']);
  });

  it('asks for SRV over each transport when there is no NAPTR, and takes UDP when there is neither', async () => {
    expect(await places({ isTransportOpen: true })).toEqual(['udp 192.0.2.1 5060', 'udp 2001:db8::1 5060']);
    expect(names.asked.slice(0, 4)).toEqual(['NAPTR example.com', 'SRV _sip._udp.example.com', 'SRV _sip._tcp.example.com', 'SRV _sips._tcp.example.com']);
    names.says.set('SRV _sip._tcp.example.com', [srvRecord('a.example.com', 5070)]);
    expect(await places({ isTransportOpen: true })).toEqual(['tcp 192.0.2.10 5070']);
  });

  it('believes a domain that says it has no such service', async () => {
    names.says.set('SRV _sip._udp.example.com', [srvRecord('', 0)]);
    await expect(places({})).rejects.toThrow('its domain says that it takes no SIP over udp');
    names.says.set('SRV _sip._tcp.example.com', [srvRecord('a.example.com', 5070)]);
    expect(await places({ isTransportOpen: true })).toEqual(['tcp 192.0.2.10 5070']);
  });

  it('leaves out a server that has no address, and says why when none has', async () => {
    names.says.set('SRV _sip._udp.example.com', [srvRecord('gone.example.com', 1, 1), srvRecord('a.example.com', 2, 2)]);
    expect(await places({})).toEqual(['udp 192.0.2.10 2']);
    names.says.set('A a.example.com', 'ETIMEOUT');
    await expect(places({})).rejects.toMatchObject({ code: 'ETIMEOUT' });
  });

  it('takes no more than 32 places of an answer that never ends', async () => {
    names.says.set('SRV _sip._udp.example.com', Array.from({ length: 500 }, (_, port) => srvRecord('b.example.com', port + 1, 1, 1)));
    names.says.set('A b.example.com', Array.from({ length: 100 }, (_, index) => `192.0.2.${String(index)}`));
    expect(await places({})).toHaveLength(32);
  });
});
