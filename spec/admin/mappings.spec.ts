import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MappingError } from '../../src/base/errors.js';
import { AdminSetup, token } from './setup.js';

let setup: AdminSetup;

beforeEach(async () => {
  setup = new AdminSetup();
  await setup.open();
});

afterEach(async () => {
  await setup.close();
  expect(setup.log.join()).not.toMatch(/hush/);
});

const idsOf = (body: Record<string, unknown>): number[] => (body.items as { id: number }[]).map(({ id }) => id);

describe('mappings over the administration interface', () => {
  it('come page by page, and those in which a text stands', async () => {
    setup.mappings.fill(5);
    const first = await setup.ask('GET', '/api/mappings?limit=2');
    expect([idsOf(first.body), first.body.next]).toEqual([[1, 2], 2]);
    expect(idsOf((await setup.ask('GET', '/api/mappings?limit=2&after=4')).body)).toEqual([5]);
    expect((await setup.ask('GET', '/api/mappings?q=404')).body).toEqual({ items: [setup.mappings.all[3]] });
    expect(setup.mappings.asked.map(({ limit }) => limit)).toEqual([3, 3, 101]);
  });

  it('are shown, added, changed and removed one by one, and the log says by whom', async () => {
    setup.mappings.fill(1);
    expect((await setup.ask('GET', '/api/mappings/1')).body).toEqual(setup.mappings.all[0]);
    expect(await setup.send('POST', '/api/mappings', { sipUser: '500', sipPassword: 'hush', sipHost: 'pbx', peerId: 500, displayName: null })).toMatchObject({
      status: 201,
      body: { id: 2, sipUser: '500', hasPassword: true },
    });
    expect(await setup.send('PATCH', '/api/mappings/2', { sipPort: '5062', register: false, authUser: '' })).toMatchObject({ status: 200, body: { id: 2 } });
    expect(setup.mappings.typed).toEqual([
      { sipUser: '500', sipPassword: 'hush', sipHost: 'pbx', peerId: 500, displayName: '' },
      { sipPort: '5062', register: false, authUser: '' },
    ]);
    expect(await setup.ask('DELETE', '/api/mappings/2')).toMatchObject({ status: 204, text: '' });
    expect(await setup.ask('DELETE', '/api/mappings/2')).toMatchObject({ status: 404, body: { code: 'MAPPING_NOT_FOUND' } });
    expect(setup.log).toEqual([
      'A person added mapping 2 (500@pbx.example.com). {"mappingId":2,"address":"127.0.0.1"}',
      'A person changed mapping 2 (500@pbx.example.com). {"mappingId":2,"address":"127.0.0.1"}',
      'A person removed mapping 2 (500@pbx.example.com). {"mappingId":2,"address":"127.0.0.1"}',
    ]);
  });

  it.each([
    [new MappingError('MAPPING_INVALID', 'sip_port 70000 is not a port', { fields: ['sip_port', 'sip_parameters', 'sip_headers'] }), 422, ['sipPort', 'transport', 'location']],
    [new MappingError('MAPPING_CONFLICT', 'it is there already', { fields: ['sip_user', 'peer_id'] }), 409, ['sipUser', 'peerId']],
  ])('that cannot be are refused with the fields of the form', async (refusal, status, fields) => {
    setup.mappings.refusal = refusal;
    const answer = await setup.send('POST', '/api/mappings', { sipUser: '500' });
    expect(answer).toMatchObject({ status, body: { code: refusal.code, detail: refusal.message, fields } });
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  });

  it.each([
    ['a field that there is not', { sipUser: '1', sipPasswort: 'hush' }],
    ['a value of another kind', { sipUser: '1', sipPassword: ['hush'] }],
    ['a text without end', { sipUser: 'x'.repeat(1_025) }],
    ['no object', ['hush']],
    ['nothing', null],
  ])('are refused for %s, and nothing of it is quoted', async (_, body) => {
    const { status, text } = await setup.send('POST', '/api/mappings', body);
    expect(status).toBe(400);
    expect(text).not.toContain('hush');
    expect(setup.mappings.typed).toEqual([]);
  });

  it('are not changed by nothing', async () => {
    setup.mappings.fill(1);
    expect(await setup.send('PATCH', '/api/mappings/1', {})).toMatchObject({ status: 400, body: { detail: 'The request: want at least one field to change.' } });
  });
});

describe('a file of mappings', () => {
  const csv = { 'content-type': 'text/csv' };
  const file = 'sip_user,sip_host,peer_id\n500,pbx,500\n';

  it('is imported, and the log says by whom; one that is tried leaves no line', async () => {
    expect(await setup.ask('POST', '/api/mappings/import?dryRun=true', csv, file)).toMatchObject({ status: 200, body: { ...setup.mappings.outcome, dryRun: true } });
    expect(setup.log).toEqual([]);
    expect(await setup.ask('POST', '/api/mappings/import', { 'content-type': 'text/csv; charset=utf-8' }, file)).toMatchObject({ status: 200, body: { dryRun: false } });
    expect(setup.mappings.imported).toEqual([true, false].map((dryRun) => ({ bytes: file.length, start: 'sip_user,sip_host,pe', dryRun })));
    expect(setup.log).toEqual(['A person imported mappings: 1 added, 1 changed. {"address":"127.0.0.1"}']);
  });

  it('with errors is told line by line, by the fields of the form', async () => {
    const errors = [{ line: 3, column: 'sip_port', problem: 'sip_port 70000 is not a port' }, { line: 4, problem: '2 cells, the header has 3' }];
    setup.mappings.outcome = { ...setup.mappings.outcome, errorCount: 2, errors };
    expect((await setup.ask('POST', '/api/mappings/import', csv, file)).body).toMatchObject({
      errorCount: 2,
      errors: [{ line: 3, field: 'sipPort', problem: 'sip_port 70000 is not a port' }, { line: 4, problem: '2 cells, the header has 3' }],
    });
    expect(setup.log).toEqual([]);
  });

  it('of megabytes is taken, and one of more than 32 is not', async () => {
    const megabytes = (count: number): string => `${file}${'x'.repeat(count * 1_048_576 - file.length)}`;
    expect((await setup.ask('POST', '/api/mappings/import', csv, megabytes(32))).status).toBe(200);
    const tooLong = { ...csv, 'content-length': String(32 * 1_048_576 + 1) };
    expect(await setup.raw(`POST /api/mappings/import HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n${Object.entries(tooLong).map((pair) => pair.join(': ')).join('\r\n')}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 413 /,
    );
    expect(setup.mappings.imported.map(({ bytes }) => bytes)).toEqual([32 * 1_048_576]);
  });

  it('waits for no other: the second is refused before it is read, until the first is through', async () => {
    let finish = (): void => undefined;
    setup.mappings.importing = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const first = setup.ask('POST', '/api/mappings/import', csv, file);
    await vi.waitUntil(() => setup.mappings.imported.length === 1);
    expect(await setup.ask('POST', '/api/mappings/import', csv, file)).toMatchObject({ status: 409, body: { code: 'IMPORT_RUNNING' } });
    finish();
    expect((await first).status).toBe(200);
    await vi.waitUntil(async () => (await setup.ask('POST', '/api/mappings/import', csv, file)).status === 200);
  });

  it.each([
    ['/api/mappings/import?dryRun=maybe', csv, file, 400],
    ['/api/mappings/import', {}, '', 400],
    ['/api/mappings/import', { 'content-type': 'application/json' }, '{}', 415],
    ['/api/mappings', csv, file, 415],
  ])('is refused at %s as %o', async (path, headers, body, status) => {
    expect((await setup.ask('POST', path, headers, body)).status).toBe(status);
    expect(setup.mappings.imported).toEqual([]);
  });
});

describe('the body of a mapping', () => {
  const json = { 'content-type': 'application/json' };

  it.each([
    ['is no JSON', json, '{"sipUser": "hush', 400],
    ['would change what all objects have', json, '{"__proto__": {"sipUser": "1"}}', 400],
    ['is of another type', { 'content-type': 'text/plain' }, '{"sipUser": "1"}', 415],
    ['is a form of a foreign page', { 'content-type': 'application/x-www-form-urlencoded' }, 'sipUser=1', 415],
    ['is longer than 64 KB', json, JSON.stringify({ sipUser: 'x'.repeat(65_536) }), 413],
    ['is empty', json, '', 400],
  ])('is refused when it %s', async (_, headers, body, status) => {
    const answer = await setup.ask('POST', '/api/mappings', { ...headers, 'content-length': String(body.length) }, body);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.text).not.toContain('hush');
    expect(setup.mappings.typed).toEqual([]);
  });

  it('without end is refused before it is read', async () => {
    const head = `POST /api/mappings HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    expect(await setup.raw(`${head}${`ffff\r\n${'x'.repeat(65_535)}\r\n`.repeat(3)}`)).toMatch(/^HTTP\/1\.1 413 /);
  });
});
