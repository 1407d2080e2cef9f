/** Mappings as an operator sees and changes them, over the real table (PGlite) and a roster that remembers what it was told. */
import { createSecretKey } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ShownMapping } from '../../src/admin/shapes.js';
import { shownMapping } from '../../src/admin/shapes.js';
import { MappingDesk } from '../../src/extension/mapping-desk.js';
import { openDatabase, type Database } from '../../src/mappings/database.js';
import { MappingImport } from '../../src/mappings/mapping-import.js';
import { migrate } from '../../src/mappings/migrate.js';
import { MappingReader } from '../../src/mappings/mapping-reader.js';
import { MappingWriter } from '../../src/mappings/mapping-writer.js';
import { Secrets } from '../../src/mappings/secrets.js';

let database: Database;
let desk: MappingDesk;
/** What the roster was told. */
let told: string[];
let problems: Map<number, string>;

const secrets = new Secrets({ key: createSecretKey(Buffer.alloc(32, 7)), previous: [] });

beforeAll(async () => {
  database = await openDatabase({ kind: 'embedded', directory: ':memory:' });
  await migrate(database.knex);
}, 60_000);

afterAll(() => database.close());

beforeEach(async () => {
  await database.knex.raw('truncate sip_user_mappings restart identity');
  told = [];
  problems = new Map();
  const roster: ConstructorParameters<typeof MappingDesk>[2] = {
    put: ({ id, sipUser, sipPassword }) => {
      told.push(`put ${id} ${sipUser} ${JSON.stringify(secrets.open(sipPassword))}`);
      return 'added';
    },
    remove: (id) => {
      told.push(`remove ${id}`);
      return true;
    },
    problemOf: (id) => problems.get(id),
  };
  desk = new MappingDesk(new MappingReader(database.knex), new MappingWriter(database.knex, secrets), roster, new MappingImport(database.knex, secrets));
});

const ann = { sipUser: '434', sipPassword: 'hush', sipHost: 'pbx.example.com', peerId: 434 };

async function stored(): Promise<Record<string, unknown>[]> {
  return database.knex('sip_user_mappings').select<Record<string, unknown>[]>('*').orderBy('id');
}

describe('a mapping that is typed', () => {
  it('is in the table with its password encrypted, is taken up at once, and is shown without its password', async () => {
    const shown = await desk.add(ann);
    const expected: ShownMapping = {
      id: 1, sipUser: '434', hasPassword: true, sipHost: 'pbx.example.com', sipPort: 5060, transport: 'udp', peerType: 1, peerId: 434, register: true, canCall: true, canBeCalled: true,
    };
    expect(shown).toEqual(expected);
    expect(told).toEqual(['put 1 434 "hush"']);
    expect((await stored())[0]).toMatchObject({ sip_user: '434', sip_password: expect.stringMatching(/^enc:v1:/) as string });
    expect(await desk.find(1)).toEqual(expected);
  });

  it('is changed in what is typed alone; an empty text clears', async () => {
    await desk.add({ ...ann, transport: 'wss', location: '/ws', hostHeader: 'h:1', displayName: 'Ann', authUser: 'a' });
    const changed = await desk.change(1, { hostHeader: '', displayName: '', method: 'POST', canCall: false });
    expect(changed).toEqual({
      id: 1, sipUser: '434', hasPassword: true, sipHost: 'pbx.example.com', sipPort: 5060, transport: 'wss', method: 'POST', location: '/ws', peerType: 1, peerId: 434,
      register: true, canCall: false, canBeCalled: true, authUser: 'a',
    });
    expect(told).toEqual(['put 1 434 "hush"', 'put 1 434 "hush"']);
    expect(await desk.change(1, { sipPassword: '' })).toMatchObject({ hasPassword: false });
  });

  it('is removed from the table, and from the roster', async () => {
    await desk.add(ann);
    expect(await desk.remove(1)).toMatchObject({ sipUser: '434' });
    expect([await stored(), told.at(-1)]).toEqual([[], 'remove 1']);
  });

  it('is refused with what is wrong, and nothing is taken up', async () => {
    await desk.add(ann);
    told = [];
    await expect(desk.add({ ...ann, sipPort: 70_000, sipHost: '' })).rejects.toMatchObject({ code: 'MAPPING_INVALID', fields: ['sip_host', 'sip_port'] });
    await expect(desk.add(ann)).rejects.toMatchObject({ code: 'MAPPING_CONFLICT' });
    for (const ask of [desk.find(9), desk.change(9, { register: false }), desk.remove(9)]) await expect(ask).rejects.toMatchObject({ code: 'MAPPING_NOT_FOUND' });
    expect(told).toEqual([]);
  });
});

it('a file of mappings goes to the table, and to nobody else', async () => {
  await desk.add(ann);
  told = [];
  const file = Buffer.from('sip_user,sip_host,peer_id,display_name\n434,pbx.example.com,434,Ann\n435,pbx.example.com,435,Bob\n');
  expect(await desk.importCsv(file, { dryRun: false })).toMatchObject({ rows: 2, inserted: 1, updated: 1, errorCount: 0 });
  expect((await desk.page({ afterId: 0, limit: 9 })).map(({ displayName, hasPassword }) => [displayName, hasPassword])).toEqual([['Ann', true], ['Bob', false]]);
  expect(told).toEqual([]);
});

describe('a row that cannot be used', () => {
  beforeEach(() =>
    database.knex.raw(`insert into sip_user_mappings (sip_user, sip_password, sip_host, sip_port, sip_parameters, peer_id, display_name)
                       values ('434', 'hush', 'no host', 70000, '{"transport": "carrier pigeon"}', 434, null)`),
  );

  it('is shown as far as it can be read, with what is wrong and without its password', async () => {
    const shown = await desk.find(1);
    expect(shown).toMatchObject({ id: 1, sipUser: '434', hasPassword: true, sipHost: 'no host', sipPort: 70_000, peerId: 434, problem: expect.stringMatching(/^row 1: sip_host/) as string });
    expect(JSON.stringify(shown)).not.toContain('hush');
    expect(shownMapping.parse(shown)).toEqual(shown);
    expect(await desk.page({ afterId: 0, limit: 9 })).toEqual([shown]);
  });

  it('is set right by what is typed', async () => {
    expect(await desk.change(1, { sipHost: 'pbx', sipPort: 5060, transport: 'tcp' })).toMatchObject({ sipHost: 'pbx', transport: 'tcp' });
    expect(told).toEqual(['put 1 434 "hush"']);
  });

  it('is one of those whose account cannot be made, too', async () => {
    const { id } = await desk.add({ ...ann, sipUser: '435' });
    problems.set(id, 'row 2: its password was changed after it was encrypted');
    expect(await desk.find(id)).toMatchObject({ sipHost: 'pbx.example.com', problem: 'row 2: its password was changed after it was encrypted' });
  });
});

describe('mappings that are looked for', () => {
  it('are those in whose user, host or name the text stands in any case, or whose peer it is; nothing in it is a pattern', async () => {
    await desk.add({ ...ann, sipUser: 'Ann_1' });
    await desk.add({ ...ann, sipUser: 'b%b', sipHost: 'annex.example.com', peerId: 7 });
    await desk.add({ ...ann, sipUser: 'carol', displayName: 'Joanne', peerId: 8 });
    await desk.add({ ...ann, sipUser: 'dan', peerId: 77 });
    const idsOf = async (text?: string, afterId = 0): Promise<number[]> => (await desk.page({ text, afterId, limit: 9 })).map(({ id }) => id);
    expect(await idsOf('ANN')).toEqual([1, 2, 3]);
    expect(await idsOf('ann', 1)).toEqual([2, 3]);
    expect(await idsOf('_')).toEqual([1]);
    expect(await idsOf('%')).toEqual([2]);
    expect(await idsOf('7')).toEqual([2]);
    expect(await idsOf(`'; drop table sip_user_mappings; -- \\ ? :x`)).toEqual([]);
    expect((await desk.page({ afterId: 1, limit: 2 })).map(({ id }) => id)).toEqual([2, 3]);
  });
});
