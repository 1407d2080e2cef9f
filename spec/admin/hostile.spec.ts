/** Requests of those who may not ask. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { wrongTokenRates } from '../../src/admin/gate.js';
import { AdminSetup, token } from './setup.js';

let setup: AdminSetup;

beforeEach(async () => {
  setup = new AdminSetup();
  setup.registrations.fill(1);
  await setup.open();
});

afterEach(() => setup.close());

const everything = [
  ['GET', '/api/status'],
  ['GET', '/api/registrations'],
  ['GET', '/api/registrations/1'],
  ['POST', '/api/registrations/1/register'],
  ['POST', '/api/registrations/1/unregister'],
  ['GET', '/api/mappings'],
  ['GET', '/api/mappings/1'],
  ['POST', '/api/mappings'],
  ['PATCH', '/api/mappings/1'],
  ['DELETE', '/api/mappings/1'],
  ['GET', '/api/calls'],
  ['GET', '/api/calls/records'],
  ['POST', '/api/mappings/import'],
  ['POST', '/api/ticket'],
  ['GET', '/api/events'],
  ['GET', '/api/log'],
  ['GET', '/api/history'],
  ['GET', '/api/config'],
  ['GET', '/metrics'],
  ['GET', '/no/such/thing'],
  ['POST', '/'],
  ['GET', '//'],
  ['GET', '/../api/status'],
  ['GET', '/assets/../api/status'],
] as const;

describe('a request without the token', () => {
  it.each(everything)('is refused at %s %s before anything else is judged', async (method, path) => {
    const { status, headers, body } = await setup.ask(method, path, { authorization: '' });
    expect({ status, code: body.code }).toEqual({ status: 401, code: 'TOKEN_REFUSED' });
    expect(headers).toMatchObject({ 'www-authenticate': 'Bearer', 'cache-control': 'no-store' });
    expect(headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(setup.registrations.asked).toEqual([]);
  });

  it.each([
    ['another token', 'Bearer another-token-of-some-length'],
    ['a part of the token', `Bearer ${token.slice(0, -1)}`],
    ['more than the token', `Bearer ${token}x`],
    ['the token in other letters', `Bearer ${token.toUpperCase()}`],
    ['the token twice', `Bearer ${token} ${token}`],
    ['the token under another scheme', `Basic ${token}`],
    ['the token behind another scheme', `Basic Bearer ${token}`],
    ['the token alone', token],
    ['a token without end', `Bearer ${'x'.repeat(8_000)}`],
  ])('is refused: %s', async (_, authorization) => {
    expect((await setup.ask('GET', '/api/status', { authorization })).status).toBe(401);
  });

  it('is refused with the token in the address', async () => {
    expect((await setup.ask('GET', `/api/status?token=${token}`, { authorization: '' })).status).toBe(401);
  });

  it('reaches the log without what it brought', async () => {
    await setup.ask('GET', '/api/status', { authorization: 'Bearer nearly-the-right-token' });
    expect(setup.log).toEqual([expect.stringMatching(/^A request for administration from 127\.0\.0\.1 was refused.*\{"address":"127\.0\.0\.1"\}$/)]);
    expect(setup.log.join()).not.toContain('nearly');
  });

  it('is soon not looked at any more, nor is the right token then; later it is again', async () => {
    const { burst } = wrongTokenRates.each;
    for (let turn = 0; turn < burst; turn += 1) expect((await setup.ask('GET', '/api/status', { authorization: 'Bearer x' })).status).toBe(401);
    const limited = await setup.ask('GET', '/api/status');
    expect(limited).toMatchObject({ status: 429, body: { code: 'TOO_MANY_WRONG_TOKENS' } });
    expect(limited.headers['retry-after']).toBe('10');
    expect(setup.log).toHaveLength(burst);
    await setup.clock.advance(10_000);
    expect((await setup.ask('GET', '/api/status')).status).toBe(200);
  });

  it('does not count against those who bring the right one', async () => {
    for (let turn = 0; turn < 50; turn += 1) expect((await setup.ask('GET', '/api/status')).status).toBe(200);
  });
});

describe('the page', () => {
  // Whether it has been built is another matter.
  it('is there for whoever has no token, and holds nothing', async () => {
    for (const method of ['GET', 'HEAD']) expect([200, 404]).toContain((await setup.ask(method, '/', { authorization: '' })).status);
    expect((await setup.ask('GET', '/', { authorization: '' })).body.code).toBeOneOf([undefined, 'PAGE_NOT_BUILT']);
    expect(setup.log).toEqual([]);
  });

  it('is not there for a name that was made to point here, nor for a page from elsewhere', async () => {
    expect((await setup.ask('GET', '/', { host: 'evil.example' })).status).toBe(421);
    expect((await setup.ask('GET', '/', { origin: 'http://evil.example' })).status).toBe(403);
  });
});

describe('a page of a browser', () => {
  it.each(['http://evil.example', 'null', 'https://127.0.0.1', 'http://127.0.0.1:1'])('from %s is refused, whatever it brings', async (origin) => {
    expect(await setup.ask('POST', '/api/registrations/1/unregister', { origin })).toMatchObject({ status: 403, body: { code: 'ORIGIN_REFUSED' } });
    expect(setup.registrations.asked).toEqual([]);
  });

  it('that a browser says is of another site is refused', async () => {
    for (const site of ['cross-site', 'same-site']) expect((await setup.ask('GET', '/metrics', { 'sec-fetch-site': site })).status).toBe(403);
    expect((await setup.ask('GET', '/metrics', { 'sec-fetch-site': 'none' })).status).toBe(200);
  });

  it('of the interface’s own address may ask', async () => {
    expect((await setup.ask('GET', '/api/status', { origin: setup.url })).status).toBe(200);
    for (const [origin, host] of [['http://LocalHost', 'localhost'], ['http://localhost', 'LocalHost']] as const) {
      expect((await setup.ask('GET', '/api/status', { origin, host })).status).toBe(200);
    }
  });

  it('gets no leave to ask from elsewhere', async () => {
    const { status, headers } = await setup.ask('OPTIONS', '/api/status', { origin: 'http://evil.example', 'access-control-request-method': 'GET', authorization: '' });
    expect(status).toBe(403);
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('the name a request asks by', () => {
  it.each(['evil.example', 'evil.example:8088', '127.0.0.1.evil.example', 'localhost.evil.example', '127.0.0.1@evil.example', '[evil]', ' '])(
    'is refused when it was made to point here: %s',
    async (host) => {
      expect(await setup.ask('GET', '/api/status', { host })).toMatchObject({ status: 421, body: { code: 'HOST_REFUSED' } });
    },
  );

  it.each(['localhost', 'LOCALHOST:1', '127.0.0.1', '[::1]:8088', '192.0.2.7:8088'])('is taken when nobody can point it elsewhere: %s', async (host) => {
    expect((await setup.ask('GET', '/api/status', { host })).status).toBe(200);
  });
});

describe('a request that is none', () => {
  it.each([
    ['application/json', '{"a":1}'],
    ['text/plain', 'x'],
    ['application/x-www-form-urlencoded', 'a=1'],
  ])('is refused for its body of %s, which is not read', async (type, body) => {
    const { status } = await setup.ask('POST', '/api/registrations/1/register', { 'content-type': type, 'content-length': String(body.length) }, body);
    expect(status).toBe(415);
    expect(setup.registrations.asked).toEqual([]);
  });

  it('is refused for a body without end', async () => {
    const head = `POST /api/registrations/1/register HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    expect(await setup.raw(`${head}ffff\r\n${'x'.repeat(65_535)}\r\n`.repeat(2))).toMatch(/^HTTP\/1\.1 4(?:13|15) /);
    expect(setup.registrations.asked).toEqual([]);
  });

  it('is refused for headers without end', async () => {
    expect(await setup.raw(`GET /api/status HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
  });

  it.each(['/%', '/api/registrations/%zz', `/api/registrations/${'9'.repeat(5_000)}`])('is refused for its path: %.30s', async (path) => {
    expect((await setup.ask('GET', path)).status).toBeGreaterThanOrEqual(400);
    expect((await setup.ask('GET', path)).status).toBeLessThan(500);
  });

  it('that tells of nothing it should not, even when its path cannot be read', async () => {
    expect(await setup.raw('GET /% HTTP/1.1\r\nHost: evil.example\r\n\r\n')).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(await setup.raw('NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect((await setup.ask('GET', '/api/status')).status).toBe(200);
  });

  it('is refused twice in one, as a smuggler would have it', async () => {
    const smuggled = `POST /api/registrations/1/register HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`;
    expect(await setup.raw(smuggled)).toMatch(/^HTTP\/1\.1 400 /);
  });
});
