import { createServer, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AdminSetup, someStatus, token } from './setup.js';

let setup: AdminSetup;

beforeEach(async () => {
  setup = new AdminSetup();
  await setup.open();
});

afterEach(async () => {
  await setup.close();
  expect(setup.log.join()).not.toContain(token);
});

const idsOf = (body: Record<string, unknown>): number[] => (body.items as { mappingId: number }[]).map(({ mappingId }) => mappingId);

describe('the administration interface', () => {
  it('tells what the extension says of itself', async () => {
    const { status, body, headers } = await setup.ask('GET', '/api/status');
    expect({ status, body }).toEqual({ status: 200, body: someStatus });
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('tells the metrics in Prometheus’s text format', async () => {
    const { status, text, headers } = await setup.ask('GET', '/metrics');
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text).toContain('dialog_sip_dropped_total{kind="noise"} 0\n');
  });

  it('gives registrations page by page, each once, and says when there are no more', async () => {
    setup.registrations.fill(5);
    const first = await setup.ask('GET', '/api/registrations?limit=2');
    expect([idsOf(first.body), first.body.next]).toEqual([[1, 2], 2]);
    const second = await setup.ask('GET', '/api/registrations?limit=2&after=2');
    expect([idsOf(second.body), second.body.next]).toEqual([[3, 4], 4]);
    const third = await setup.ask('GET', '/api/registrations?limit=2&after=4');
    expect(third.body).toEqual({ items: [setup.registrations.all[4]] });
  });

  it('ends with a page that is just full', async () => {
    setup.registrations.fill(4);
    const { body } = await setup.ask('GET', '/api/registrations?limit=2&after=2');
    expect([idsOf(body), body.next]).toEqual([[3, 4], undefined]);
  });

  it('gives those in one state, and those of one user in any', async () => {
    setup.registrations.fill(6, (id) => ({ userId: Math.ceil(id / 2), state: id % 2 === 0 ? 'parked' : 'registered' }));
    expect(idsOf((await setup.ask('GET', '/api/registrations?state=parked')).body)).toEqual([2, 4, 6]);
    expect(idsOf((await setup.ask('GET', '/api/registrations?user=2')).body)).toEqual([3, 4]);
    expect(idsOf((await setup.ask('GET', '/api/registrations?user=2&state=parked')).body)).toEqual([4]);
    expect(idsOf((await setup.ask('GET', '/api/registrations?user=2&after=3')).body)).toEqual([4]);
    expect((await setup.ask('GET', '/api/registrations?user=99')).body).toEqual({ items: [] });
  });

  it('finds those in whose address a text stands, in any case, and with the other wishes', async () => {
    setup.registrations.fill(12, (id) => ({ aor: `sip:${id % 2 === 0 ? 'Ann' : 'bob'}-${id}@pbx.example.com`, state: id > 6 ? 'parked' : 'registered' }));
    expect((await setup.ask('GET', '/api/registrations?q=aNN-1')).body).toEqual({ items: [setup.registrations.all[9], setup.registrations.all[11]] });
    expect(idsOf((await setup.ask('GET', '/api/registrations?q=ann&state=parked')).body)).toEqual([8, 10, 12]);
    expect(idsOf((await setup.ask('GET', '/api/registrations?q=ann&user=4')).body)).toEqual([4]);
    const first = await setup.ask('GET', '/api/registrations?q=ann&limit=2');
    const second = await setup.ask('GET', `/api/registrations?q=ann&limit=2&after=${String(first.body.next)}`);
    expect([idsOf(first.body), idsOf(second.body)]).toEqual([[2, 4], [6, 8]]);
    expect(idsOf((await setup.ask('GET', '/api/registrations?q=')).body)).toHaveLength(12);
  });

  it('says where a search goes on that found nothing yet', async () => {
    setup.registrations.fill(2);
    setup.registrations.lookedTo = 2;
    expect((await setup.ask('GET', '/api/registrations?q=needle&state=held&after=1&limit=7')).body).toEqual({ items: [], next: 2 });
    expect(setup.registrations.searches).toEqual([{ text: 'needle', state: 'held', afterId: 1, limit: 7 }]);
  });

  it('tells the configuration in force', async () => {
    expect((await setup.ask('GET', '/api/config')).body).toEqual({ lines: ['modules.sip {', '  trace-level = 0', '}'] });
  });

  it('gives one registration by its mapping', async () => {
    setup.registrations.fill(2);
    expect((await setup.ask('GET', '/api/registrations/2')).body).toEqual(setup.registrations.all[1]);
    const none = await setup.ask('GET', '/api/registrations/3');
    expect(none).toMatchObject({ status: 404, body: { code: 'MAPPING_NOT_FOUND', detail: 'There is no mapping 3.' } });
    expect(none.headers['content-type']).toMatch(/^application\/problem\+json/);
  });

  it('registers and un-registers one, and logs who asked', async () => {
    setup.registrations.fill(2);
    expect(await setup.ask('POST', '/api/registrations/2/unregister')).toMatchObject({ status: 202, body: { mappingId: 2 } });
    expect(await setup.ask('POST', '/api/registrations/2/register')).toMatchObject({ status: 202, body: { mappingId: 2 } });
    expect(setup.registrations.asked).toEqual(['unregister 2', 'register 2']);
    expect(setup.log).toEqual([
      'A person asked to unregister sip:2@pbx.example.com (mapping 2). {"mappingId":2,"address":"127.0.0.1"}',
      'A person asked to register sip:2@pbx.example.com (mapping 2). {"mappingId":2,"address":"127.0.0.1"}',
    ]);
  });

  it('refuses to register what its row keeps off, with the reason', async () => {
    setup.registrations.fill(1, () => ({ state: 'off' }));
    expect(await setup.ask('POST', '/api/registrations/1/register')).toMatchObject({ status: 409, body: { code: 'REGISTRATION_OFF', detail: 'Mapping 1 is off.' } });
  });

  it('acts on nothing that is only looked at', async () => {
    setup.registrations.fill(1);
    expect(await setup.ask('GET', '/api/registrations/1/unregister')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    expect(setup.registrations.asked).toEqual([]);
  });

  it('tells nothing of a fault of its own but that there was one, and logs it', async () => {
    setup.status = () => {
      throw new Error('secret inner matters');
    };
    const { status, text } = await setup.ask('GET', '/api/status');
    expect(status).toBe(500);
    expect(text).not.toContain('secret');
    expect(setup.log.join()).toContain('secret inner matters');
  });

  it.each([
    ['/api/registrations?limit=0', 'limit: want a whole number from 1 to 500.'],
    ['/api/registrations?limit=501', 'limit: want a whole number from 1 to 500.'],
    ['/api/registrations?limit=1e2', 'limit: want a whole number from 1 to 500.'],
    ['/api/registrations?limit=', 'limit: want a whole number from 1 to 500.'],
    ['/api/registrations?limit=1&limit=2', 'limit: want a whole number from 1 to 500.'],
    ['/api/registrations?after=-1', /^after: want a whole number from 0 to/],
    ['/api/registrations?after=99999999999999999', /^after: want a whole number/],
    ['/api/registrations?user=0', /^user: want a whole number from 1 to/],
    ['/api/registrations?state=asleep', 'state: want one of waiting, registering, registered, retrying, parked, unregistering, held.'],
    ['/api/registrations?q=a&q=b', 'q: want one text.'],
    ['/api/registrations?q=%00', 'q: contains a control character.'],
    [`/api/registrations?q=${'x'.repeat(257)}`, 'q: is longer than 256 characters.'],
    ['/api/registrations?stat=parked', /stat/],
    ['/api/registrations?__proto__=1', /__proto__/],
    ['/api/registrations/0', /^mappingId: want a whole number from 1 to/],
    ['/api/registrations/..%2f..%2fetc', /^mappingId: want a whole number/],
  ])('refuses %s and names the field', async (path, detail) => {
    setup.registrations.fill(3);
    const { status, body } = await setup.ask('GET', path);
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'REQUEST_INVALID' });
    if (typeof detail === 'string') expect(body.detail).toBe(detail);
    else expect(body.detail).toMatch(detail);
    expect(setup.registrations.limits).toEqual([]);
  });
});

describe('an administration interface that cannot be opened', () => {
  const other = new AdminSetup();

  it('says that its port is taken, by its key and with what helps', async () => {
    await expect(other.open('127.0.0.1', setup.port)).rejects.toMatchObject({
      code: 'ADMIN_UNAVAILABLE',
      message: `modules.sip.admin.port: port ${setup.port} of 127.0.0.1 is taken by another program. Set another port, or 0 for any free one.`,
    });
  });

  it('says that its address is none of this machine', async () => {
    await expect(other.open('192.0.2.1')).rejects.toMatchObject({ code: 'ADMIN_UNAVAILABLE', message: expect.stringMatching(/^modules\.sip\.admin\.host: 192\.0\.2\.1 is no address/) as unknown });
  });
});

describe('a closed administration interface', () => {
  it('leaves its port to others, whoever was connected', async () => {
    const { port } = setup;
    const waiting = setup.raw('GET /api/status HTTP/1.1\r\nHost: 127.0.0.1\r\n');
    await setup.ask('GET', '/api/status');
    await setup.close();
    await waiting;
    const taker = createServer();
    await new Promise<void>((resolve) => taker.listen(port, '127.0.0.1', resolve));
    expect((taker.address() as AddressInfo).port).toBe(port);
    await new Promise((resolve) => taker.close(resolve));
  });
});
