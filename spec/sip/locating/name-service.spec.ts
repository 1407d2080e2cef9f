import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DnsNames, SystemNames } from '../../../src/sip/locating/name-service.js';
import { a, DnsServer, naptr, srv } from './dns-server.js';

let server: DnsServer;
let names: DnsNames;

beforeEach(async () => {
  server = await DnsServer.open([
    a('a.example.com', '192.0.2.10', 300),
    a('a.example.com', '192.0.2.11', 120),
    { type: 'AAAA', name: 'a.example.com', ttl: 600, data: '2001:db8::1' },
    srv('_sip._udp.example.com', 'a.example.com', 5070, 3, 4),
    srv('_sip._tcp.example.com', '.', 0),
    naptr('example.com', 'SIP+D2U', '_sip._udp.example.com', 5, 6),
  ]);
  names = new DnsNames([server.address]);
});

afterEach(async () => {
  names.close();
  await server.close();
});

describe('a name server', () => {
  it('is asked for addresses of both families, good for as long as the shortest TTL says', async () => {
    const { addresses, ttlMs } = await names.addresses('a.example.com');
    expect(addresses.map(({ address }) => address).sort()).toEqual(['192.0.2.10', '192.0.2.11', '2001:db8::1']);
    expect(ttlMs).toBe(120_000);
  });

  it('is asked for SRV and NAPTR', async () => {
    expect(await names.srv('_sip._udp.example.com')).toMatchObject([{ name: 'a.example.com', port: 5070, priority: 3, weight: 4 }]);
    expect(await names.srv('_sip._tcp.example.com')).toMatchObject([{ name: '' }]);
    expect(await names.naptr('example.com')).toMatchObject([
      { flags: 's', service: 'SIP+D2U', regexp: '', replacement: '_sip._udp.example.com', order: 5, preference: 6 },
    ]);
  });

  it('says for certain when there is nothing', async () => {
    await expect(names.addresses('nowhere.example.com')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(names.srv('a.example.com')).rejects.toMatchObject({ code: 'ENODATA' });
  });
});

describe('the system', () => {
  it('knows what its hosts file has', async () => {
    const system = new SystemNames();
    expect((await system.addresses('localhost')).addresses.map(({ address }) => address)).toContain('127.0.0.1');
    system.close();
  });
});
