/** What the tables do, whatever holds them: run over PGlite (writer.spec.ts) and over a real server (spec/interop). */
import { createSecretKey } from 'node:crypto';
import { readdirSync } from 'node:fs';
import type { Knex } from 'knex';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listeningOver, type Listening } from '../../src/mappings/listening.js';
import type { Mapping, MappingDraft } from '../../src/mappings/mapping.js';
import type { RejectedRow } from '../../src/mappings/parse-mapping.js';
import { migrate } from '../../src/mappings/migrate.js';
import { MappingReader, type RowStamp } from '../../src/mappings/mapping-reader.js';
import { MappingWriter } from '../../src/mappings/mapping-writer.js';
import { Secrets } from '../../src/mappings/secrets.js';
import { ordinaryDraft } from '../support/mapping-draft.js';

export interface DatabaseUnderTest {
  /** Two ways to one database; where there is but one session, twice the same. */
  first: Knex;
  second: Knex;
  close(): Promise<void>;
}

/** The names of the files in `schema/`, in order. */
const steps = readdirSync(new URL('../../schema/', import.meta.url)).filter((file) => file.endsWith('.sql')).map((file) => file.slice(0, -'.sql'.length)).sort();

export const guidesInsert = `insert into sip_user_mappings
  (sip_user, sip_password, sip_host, sip_port, sip_parameters, sip_headers, peer_type, peer_id, peer_str_id, register, can_call, can_be_called)
  values ('434', 'secret', 'pbx.example.com', 5060, '{"transport": "udp"}', '{}', 1, 434, null, true, true, true)`;

const draft: MappingDraft = { ...ordinaryDraft, sipPassword: 'secret' };

const noKey = new Secrets({ previous: [] });

export function describeTables(open: () => Promise<DatabaseUnderTest>): void {
  let database: DatabaseUnderTest;
  let knex: Knex;
  let reader: MappingReader;
  let writer: MappingWriter;
  let elsewhere: MappingWriter;

  beforeAll(async () => {
    database = await open();
    knex = database.first;
    reader = new MappingReader(database.first);
    writer = new MappingWriter(database.first, noKey);
    elsewhere = new MappingWriter(database.second, noKey);
  }, 60_000);

  beforeEach(async () => {
    await knex.raw('drop schema public cascade; create schema public');
  });

  afterAll(async () => {
    await database.close();
  });

  async function readAll(size?: number): Promise<{ mappings: Mapping[]; rejected: RejectedRow[]; pages: number }> {
    const all = { mappings: [] as Mapping[], rejected: [] as RejectedRow[], pages: 0 };
    for await (const page of reader.pages(size)) {
      all.mappings.push(...page.mappings);
      all.rejected.push(...page.rejected);
      all.pages++;
    }
    return all;
  }

  describe('migration', () => {
    it('makes a table that takes the INSERT of the guide', async () => {
      await migrate(knex);
      await knex.raw(guidesInsert);
      expect((await readAll()).mappings).toEqual([{ id: 1, ...draft }]);
    });

    it('makes a table whose defaults fill what an INSERT leaves out', async () => {
      await migrate(knex);
      await knex.raw(`insert into sip_user_mappings (sip_user, sip_host, peer_id) values ('434', 'pbx.example.com', 434)`);
      expect((await readAll()).mappings).toEqual([{ id: 1, ...draft, sipPassword: '' }]);
    });

    it('does each step once, however often it is asked', async () => {
      const { applied } = await migrate(knex);
      expect(applied).toEqual(steps);
      await knex.raw(guidesInsert);
      expect(await migrate(knex)).toEqual({ applied: [] });
      expect((await readAll()).mappings).toHaveLength(1);
    });

    it('succeeds for two processes at once, and one of them does it', async () => {
      const reports = await Promise.all([migrate(database.first), migrate(database.second)]);
      expect(reports.map(({ applied }) => applied.length).sort()).toEqual([0, steps.length]);
    });

    it('leaves nothing behind when a step fails', async () => {
      await knex.raw('create view sip_user_mappings as select 1 as sip_user');
      await expect(migrate(knex)).rejects.toMatchObject({ code: 'DATABASE_FAILED' });
      expect(await knex.schema.hasTable('sip_migrations')).toBe(false);
    });

    it('refuses a database of a newer version with a sentence that says so', async () => {
      await migrate(knex);
      await knex('sip_migrations').insert({ name: '999_from_the_future', batch: 9 });
      await expect(migrate(knex)).rejects.toMatchObject({
        code: 'DATABASE_FAILED',
        message: expect.stringContaining('newer version of dialog-sip-extension (999_from_the_future') as unknown,
      });
    });

    it("never touches the host's own migrations", async () => {
      await knex.raw(`create table knex_migrations (id serial, name varchar(255), batch int, migration_time timestamptz)`);
      await knex('knex_migrations').insert({ name: 'of_the_host', batch: 1 });
      await migrate(knex);
      expect(await knex('knex_migrations').pluck('name')).toEqual(['of_the_host']);
    });

    it('turns updated_at by itself', async () => {
      await migrate(knex);
      await knex.raw(guidesInsert);
      await knex.raw(`update sip_user_mappings set updated_at = 'epoch', sip_port = 5062`);
      const rows = await knex('sip_user_mappings').select<{ turned: boolean }[]>(knex.raw('updated_at >= created_at as turned'));
      expect(rows).toEqual([{ turned: true }]);
    });
  });

  describe('who listens', () => {
    const insert = (from: number, to: number): string =>
      `insert into sip_user_mappings (sip_user, sip_host, peer_id) select n, 'pbx.example.com', n from generate_series(${from}, ${to}) n`;
    let listening: Listening;
    let heard: string[];

    /** Every id that was heard, ascending, each once; or `all`. */
    const heardIds = (): string => (heard.includes('all') ? 'all' : [...new Set(heard.join().split(','))].map(Number).sort((a, b) => a - b).join());

    beforeEach(async () => {
      await migrate(knex);
      heard = [];
      const open = listeningOver(database.first);
      if (open === undefined) throw new Error('there is no way to listen');
      listening = await open({
        heard: (payload) => heard.push(payload),
        lost: (why) => heard.push(`lost: ${why}`),
      });
    });

    afterEach(async () => {
      await listening.close();
    });

    it('hears which rows an INSERT, UPDATE and DELETE touched, whoever did it', async () => {
      await database.second.raw(insert(1, 3));
      await expect.poll(heardIds).toBe('1,2,3');
      heard = [];
      await database.second.raw(`update sip_user_mappings set sip_port = 5062 where sip_user = '2'`);
      await expect.poll(heardIds).toBe('2');
      heard = [];
      await database.second.raw('update sip_user_mappings set id = 30 where id = 3');
      await expect.poll(heardIds).toBe('3,30');
      heard = [];
      await database.second.raw('delete from sip_user_mappings where id in (1, 30)');
      await expect.poll(heardIds).toBe('1,30');
    });

    it('hears each of ten thousand rows that one statement changed', async () => {
      await database.second.raw(insert(1, 10_000));
      await expect.poll(heardIds).toBe(Array.from({ length: 10_000 }, (_, n) => n + 1).join());
      expect(Math.max(...heard.map((payload) => payload.length))).toBeLessThan(8_000);
      heard = [];
      await database.second.raw('update sip_user_mappings set can_call = false');
      await expect.poll(heardIds).toBe(Array.from({ length: 10_000 }, (_, n) => n + 1).join());
    });

    it('hears that anything may have changed after more than that, and after TRUNCATE', async () => {
      await database.second.raw(insert(1, 10_001));
      await expect.poll(() => heard).toEqual(['all']);
      await database.second.raw('truncate sip_user_mappings');
      await expect.poll(() => heard).toEqual(['all', 'all']);
    });

    it('hears nothing of what was rolled back or touched no row, nor after it stopped listening', async () => {
      await database.second.raw(insert(1, 1)).then(() => expect.poll(heardIds).toBe('1'));
      heard = [];
      const changedMind = database.second.transaction(async (transaction) => {
        await transaction('sip_user_mappings').delete();
        throw new Error('changed my mind');
      });
      await expect(changedMind).rejects.toThrow('changed my mind');
      await database.second.raw('delete from sip_user_mappings where id = 7');
      await database.second.raw(insert(2, 2));
      await expect.poll(heardIds).toBe('2');
      await listening.close();
      await database.second.raw(insert(3, 3));
      expect(heard).toHaveLength(1);
    });
  });

  describe('stamps', () => {
    async function readStamps(): Promise<RowStamp[]> {
      const all: RowStamp[] = [];
      for await (const page of reader.stampPages(2)) all.push(...page);
      return all;
    }

    it('of all rows are those that the rows are read with, page by page', async () => {
      await migrate(knex);
      for (const id of [1, 2, 3]) await writer.insert({ ...draft, peer: { type: 1, id } });
      await knex.raw(`insert into sip_user_mappings (sip_user, sip_host, sip_port, peer_id) values ('bad', 'pbx', 70000, 4)`);
      const rows = await reader.stampedRows([1, 2, 3, 4, 5]);
      const pages: unknown[] = [];
      for await (const page of reader.stampedPages(3)) pages.push(page);
      expect(pages.flat()).toEqual(rows);
      expect(pages).toHaveLength(2);
      expect(await readStamps()).toEqual(rows.map(({ id, hash }) => ({ id, hash })));
      expect(rows.map(({ judged }) => ('mapping' in judged ? judged.mapping.peer.id : judged.rejected.id))).toEqual([1, 2, 3, 4]);
    });

    it('are others when a column is, and the same when none is', async () => {
      await migrate(knex);
      const { id } = await writer.insert(draft);
      const seen = new Set<number>();
      for (const change of [
        {}, { sip_user: 'x' }, { sip_password: 'x' }, { sip_host: 'x' }, { sip_port: 1 }, { sip_parameters: '{"transport":"tcp"}' }, { sip_headers: '{"host":"x"}' },
        { peer_type: 2 }, { peer_id: 9 }, { peer_str_id: '' }, { register: false }, { can_call: false }, { can_be_called: false }, { auth_user: 'x' }, { display_name: 'x' },
      ]) {
        if (Object.keys(change).length > 0) await knex('sip_user_mappings').update(change);
        const [stamp] = await readStamps();
        expect(stamp).toMatchObject({ id });
        expect(seen.has(stamp!.hash), JSON.stringify(change)).toBe(false);
        seen.add(stamp!.hash);
      }
      const before = await readStamps();
      await knex.raw(`update sip_user_mappings set display_name = 'x', created_at = 'epoch'`);
      expect(await readStamps()).toEqual(before);
    });
  });

  describe('adoption of a table that the original made', () => {
    const originalTable = `create table sip_user_mappings (
      sip_user varchar(255) not null, sip_password varchar(255) not null, sip_host varchar(255) not null, sip_port integer not null,
      sip_parameters text not null default '{}', sip_headers text not null, peer_type integer not null, peer_id integer not null,
      peer_str_id varchar(255), register boolean not null, can_call boolean not null, can_be_called boolean not null,
      primary key (sip_user, sip_host, peer_id))`;

    async function originalRows(): Promise<void> {
      await knex.raw(originalTable);
      await knex.raw(`insert into sip_user_mappings values
        ('1', 'p1', 'a.example', 5060, '{"transport":"tcp"}', '{}', 1, 1, null, true, true, true),
        ('2', 'p2', 'a.example', 8089, '{"transport":"wss","method":"GET"}', '{"host":"a.example:8089","location":"/ws"}', 1, 2, '', false, true, false),
        ('3', 'p3', 'a.example', 5060, 'transport=udp', '{}', 1, 3, null, true, true, true),
        ('4', 'p4', 'a.example', 5060, '', ' ', 1, 4, null, true, true, true),
        ('1', 'p5', 'a.example', 5060, '{}', '{}', 1, 5, null, true, true, true)`);
    }

    it('keeps every row, and shows the one whose JSON is none as rejected', async () => {
      await originalRows();
      await migrate(knex);
      const { mappings, rejected } = await readAll();
      expect(mappings.map(({ id, sipUser, transport, peer }) => [id, sipUser, transport, peer.id])).toEqual([
        [1, '1', 'tcp', 1],
        [2, '2', 'wss', 2],
        [4, '4', 'udp', 4],
        [5, '1', 'udp', 5],
      ]);
      expect(mappings[1]).toMatchObject({
        sipPassword: 'p2',
        register: false,
        canBeCalled: false,
        webSocket: { method: 'GET', host: 'a.example:8089', location: '/ws' },
      });
      expect(rejected).toEqual([{ id: 3, problem: 'row 3: sip_parameters "transport=udp" is not a JSON object' }]);
    });

    it('lets a rejected row be set right', async () => {
      await originalRows();
      await migrate(knex);
      await writer.update(3, { sip_parameters: '{"transport":"udp"}' });
      expect((await readAll()).rejected).toEqual([]);
    });

    it('takes the INSERT of the guide, JSON as jsonb and ids beyond 32 bits afterwards', async () => {
      await originalRows();
      await migrate(knex);
      await knex.raw(guidesInsert.replaceAll('434', '4294967297'));
      const types = await knex('information_schema.columns')
        .where({ table_name: 'sip_user_mappings' })
        .whereIn('column_name', ['sip_parameters', 'sip_headers', 'peer_id'])
        .orderBy('column_name')
        .pluck('data_type');
      expect(types).toEqual(['bigint', 'jsonb', 'jsonb']);
      expect((await readAll()).mappings.filter(({ peer }) => peer.id === 4294967297).map(({ id }) => id)).toEqual([6]);
    });

    it('says it as a conflict when a key of the original refuses a row', async () => {
      await originalRows();
      await migrate(knex);
      const taken = { ...draft, sipUser: '1', sipHost: 'a.example', peer: { type: 2 as const, id: 1 } };
      await expect(writer.insert(taken)).rejects.toMatchObject({ code: 'MAPPING_CONFLICT' });
    });

    it('keeps an id of its own and goes on counting after it', async () => {
      await knex.raw(originalTable.replace('sip_user varchar', 'id integer not null unique, sip_user varchar'));
      await knex.raw(`insert into sip_user_mappings values (7, '1', 'p1', 'a.example', 5060, '{}', '{}', 1, 1, null, true, true, true)`);
      await migrate(knex);
      const added = await writer.insert(draft);
      expect((await readAll()).mappings.map(({ id }) => id)).toEqual([7, added.id]);
      expect(added.id).toBeGreaterThan(7);
    });

    it('gives ids to a table whose own id tells no rows apart, and keeps those values too', async () => {
      await knex.raw(originalTable.replace('sip_user varchar', 'id varchar(10), sip_user varchar'));
      await knex.raw(`insert into sip_user_mappings values ('x', '1', 'p1', 'a.example', 5060, '{}', '{}', 1, 1, null, true, true, true)`);
      await migrate(knex);
      expect((await readAll()).mappings.map(({ id }) => id)).toEqual([1]);
      expect(await knex('sip_user_mappings').pluck('original_id')).toEqual(['x']);
    });

    it('does it for two processes at once', async () => {
      await originalRows();
      await Promise.all([migrate(database.first), migrate(database.second)]);
      const { mappings, rejected } = await readAll();
      expect(mappings.length + rejected.length).toBe(5);
    });
  });

  describe('what is written and read', () => {
    beforeEach(() => migrate(knex));

    it('gives back what was inserted, in every part', async () => {
      const full: MappingDraft = {
        ...draft,
        transport: 'wss',
        webSocket: { method: 'GET', host: 'ws.example.com:8089', location: '/sip?x=1' },
        peer: { type: 4, id: 9_007_199_254_740_991, strId: 'sip:desk@example.com' },
        register: false,
        canCall: false,
        canBeCalled: false,
        authUser: 'auth 434',
        displayName: 'Zoë "Z" O\'Neil',
      };
      const inserted = await writer.insert(full);
      expect(inserted).toEqual({ id: 1, ...full });
      expect((await readAll()).mappings).toEqual([inserted]);
    });

    it('reads a table of any length in pages, each row once', async () => {
      await knex.raw(`insert into sip_user_mappings (sip_user, sip_host, sip_port, peer_id)
        select n, 'pbx.example.com', case when n % 10 = 0 then 70000 else 5060 end, n from generate_series(1, 25) n`);
      const { mappings, rejected, pages } = await readAll(10);
      expect(pages).toBe(3);
      expect(mappings.map(({ id }) => id)).toEqual(Array.from({ length: 25 }, (_, n) => n + 1).filter((n) => n % 10 !== 0));
      expect(rejected).toEqual([
        { id: 10, problem: 'row 10: sip_port 70000 is not a port (0 to 65535)' },
        { id: 20, problem: 'row 20: sip_port 70000 is not a port (0 to 65535)' },
      ]);
    });

    it('refuses a draft that could not be read again', async () => {
      await expect(writer.insert({ ...draft, sipPort: -1 })).rejects.toMatchObject({ code: 'MAPPING_INVALID', fields: ['sip_port'] });
      expect((await readAll()).mappings).toEqual([]);
    });

    it('refuses the same account for the same peer twice, not for another peer', async () => {
      await writer.insert(draft);
      await expect(writer.insert({ ...draft, sipHost: 'PBX.example.com' })).rejects.toMatchObject({ code: 'MAPPING_CONFLICT' });
      await expect(writer.insert({ ...draft, peer: { type: 1, id: 5 } })).resolves.toMatchObject({ id: 2 });
    });

    it('changes the columns that are given and no other', async () => {
      await writer.insert({ ...draft, displayName: 'Old', authUser: 'a' });
      const changed = await writer.update(1, { sip_port: 5061, sip_parameters: '{"transport":"tls"}', register: false, display_name: null });
      expect(changed).toEqual({ id: 1, ...draft, authUser: 'a', sipPort: 5061, transport: 'tls', register: false });
      expect((await readAll()).mappings).toEqual([changed]);
    });

    it('refuses a change to what is invalid, absent or taken, and changes nothing', async () => {
      await writer.insert(draft);
      await writer.insert({ ...draft, sipUser: '435' });
      await expect(writer.update(1, { sip_host: 'a b' })).rejects.toMatchObject({ code: 'MAPPING_INVALID', fields: ['sip_host'] });
      await expect(writer.update(2, { sip_user: '434' })).rejects.toMatchObject({ code: 'MAPPING_CONFLICT' });
      await expect(writer.update(3, { sip_port: 1 })).rejects.toMatchObject({ code: 'MAPPING_NOT_FOUND' });
      expect((await readAll()).mappings.map(({ sipUser }) => sipUser)).toEqual(['434', '435']);
    });

    it('removes by id and by peer, and says whether there was anything', async () => {
      await writer.insert(draft);
      await writer.insert({ ...draft, sipHost: 'other.example.com' });
      expect(await writer.remove(1)).toBe(true);
      expect(await writer.remove(1)).toBe(false);
      expect(await writer.removeByPeer({ type: 1, id: 434 })).toBe(1);
      expect((await readAll()).mappings).toEqual([]);
    });

    it('makes one mapping per peer and host, however many nodes ask at once', async () => {
      const answers = await Promise.all(
        [1, 2, 3, 4].flatMap(() => [writer.insertIfAbsent(draft), elsewhere.insertIfAbsent({ ...draft, sipUser: 'dialog434' })]),
      );
      expect(answers.filter(({ created }) => created)).toHaveLength(1);
      expect(new Set(answers.map(({ mapping }) => mapping.id))).toEqual(new Set([1]));
      expect((await readAll()).mappings).toHaveLength(1);
    });

    it('gives a SIP user to one of two peers that ask at once, and tells the other', async () => {
      const answers = await Promise.allSettled([
        writer.insertIfAbsent(draft),
        elsewhere.insertIfAbsent({ ...draft, peer: { type: 1, id: 5 } }),
      ]);
      const refused = answers.filter((answer) => answer.status === 'rejected');
      expect(refused).toHaveLength(1);
      expect(refused[0]?.reason).toMatchObject({
        code: 'MAPPING_CONFLICT',
        message: expect.stringMatching(/^434@pbx\.example\.com belongs to another peer already: peer (434|5) \(type 1\), mapping 1\.$/) as unknown,
      });
      expect((await readAll()).mappings).toHaveLength(1);
    });

    it('adds no second mapping where a peer has one that cannot be used', async () => {
      await knex.raw(`insert into sip_user_mappings (sip_user, sip_host, sip_port, peer_id) values ('x', 'pbx.example.com', -1, 434)`);
      await expect(writer.insertIfAbsent(draft)).rejects.toMatchObject({
        code: 'MAPPING_INVALID',
        message: 'The mapping cannot be used: row 1: sip_port -1 is not a port (0 to 65535).',
      });
      expect((await readAll()).mappings).toEqual([]);
    });

    it('makes many by rule at once, leaves out those in conflict, and writes nothing in a dry run', async () => {
      const of = (id: number, change: Partial<MappingDraft> = {}): MappingDraft => ({ ...draft, sipUser: String(id), peer: { type: 1, id }, ...change });
      await knex.raw(`insert into sip_user_mappings (sip_user, sip_host, sip_port, peer_id) values
        ('elsewhere', 'other.example', 5060, 1), ('has one', '[PBX.example.com]', 5060, 2), ('3', 'pbx.EXAMPLE.com', 5060, 99), ('broken', 'pbx.example.com', -1, 4)`);
      const drafts = [of(1), of(2), of(3), of(4), of(1), of(5, { peer: { type: 2, id: 5 } }), of(6, { peer: { type: 1, id: 5 } })];
      const report = {
        created: 3,
        present: 2,
        conflicts: [
          { index: 2, problem: '3@pbx.example.com belongs to another peer already: peer 99 (type 1), mapping 3' },
          { index: 3, problem: 'The mapping cannot be used: row 4: sip_port -1 is not a port (0 to 65535)' },
        ],
      };
      expect(await writer.insertAllIfAbsent(drafts, { dryRun: true })).toEqual(report);
      expect(await knex('sip_user_mappings')).toHaveLength(4);
      expect(await writer.insertAllIfAbsent(drafts)).toEqual(report);
      expect(await knex('sip_user_mappings').where('id', '>', 4).orderBy('id').pluck('sip_user')).toEqual(['1', '5', '6']);
      expect(await writer.insertAllIfAbsent([])).toEqual({ created: 0, present: 0, conflicts: [] });
    });

    it('leaves out those that a key of the table refuses, tells each, and makes the others', async () => {
      await knex.raw('alter table sip_user_mappings add unique (sip_user)');
      const of = (id: number): MappingDraft => ({ ...draft, sipUser: String(id), peer: { type: 1, id } });
      await writer.insertAll([2, 4].map((id) => ({ ...of(id), sipHost: 'other.example', peer: { type: 1 as const, id: 90 + id } })));
      expect(await writer.insertAllIfAbsent([1, 2, 3, 4, 5].map(of))).toEqual({
        created: 3,
        present: 0,
        conflicts: [
          { index: 1, problem: '2@pbx.example.com is refused by a key of the table: there is a row like it' },
          { index: 3, problem: '4@pbx.example.com is refused by a key of the table: there is a row like it' },
        ],
      });
      expect((await readAll()).mappings.filter(({ peer }) => peer.id === 5).map(({ sipUser }) => sipUser)).toEqual(['5']);
    });

    it('gives an account once, though a bulk by rule and single ones ask for it at once', async () => {
      const both = await Promise.all([writer.insertAllIfAbsent([draft]), elsewhere.insertIfAbsent(draft)]);
      expect(both[0].created + Number(both[1].created)).toBe(1);
    });

    it('inserts thousands at once or none, and names those that are there already', async () => {
      await writer.insert(draft);
      const drafts = Array.from({ length: 2000 }, (_, n) => ({ ...draft, sipUser: String(n), peer: { type: 1 as const, id: n } }));
      const all = [...drafts, drafts[7]!];
      const conflicts = [
        { index: 434, problem: '434@pbx.example.com:5060 is mapped to peer 434 (type 1) already: mapping 1' },
        { index: 2000, problem: '7@pbx.example.com:5060 is mapped to peer 7 (type 1) already: a row before it' },
      ];
      expect(await writer.insertAll(all)).toEqual({ inserted: 0, conflicts });
      expect((await readAll()).mappings).toHaveLength(1);
      expect(await writer.insertAll(all, { skipConflicts: true })).toEqual({ inserted: 1999, conflicts });
      expect((await readAll()).mappings).toHaveLength(2000);
    });

    it('keeps a bulk insert and a single one from adding the same account', async () => {
      const bulk = Array.from({ length: 3000 }, (_, n) => ({ ...draft, sipUser: String(n), peer: { type: 1 as const, id: n } }));
      await Promise.all([writer.insertAll(bulk), elsewhere.insertIfAbsent({ ...draft, sipUser: '2999', peer: { type: 1, id: 2999 } })]);
      expect((await readAll()).mappings.filter(({ sipUser }) => sipUser === '2999')).toHaveLength(1);
    });

    it('encrypts each password that it writes when there is a key, and no other column', async () => {
      const secrets = new Secrets({ key: createSecretKey(Buffer.alloc(32, 1)), previous: [] });
      const keyed = new MappingWriter(knex, secrets);
      const peer = (id: number): MappingDraft => ({ ...draft, sipUser: String(id), peer: { type: 1, id } });
      const inserted = await keyed.insert(peer(1));
      await keyed.insertIfAbsent(peer(2));
      await keyed.insertAll([peer(3)]);
      await writer.insert(peer(4));
      await keyed.update(4, { display_name: 'Ann' });
      const [one, two, three, plain] = (await readAll()).mappings;
      expect(inserted).toEqual(one);
      expect(plain?.sipPassword).toBe('secret');
      await keyed.update(4, { sip_password: 'other' });
      const changed = (await readAll()).mappings[3];
      expect([one, two, three, changed].map((mapping) => mapping?.sipPassword)).toEqual(Array(4).fill(expect.stringMatching(/^enc:v1:/)));
      expect([one, two, three, changed].map((mapping) => secrets.open(mapping!.sipPassword))).toEqual(['secret', 'secret', 'secret', 'other']);
      expect(await keyed.update(4, { sip_password: '' })).toMatchObject({ sipPassword: '', displayName: 'Ann' });
    });

    it('tells no password and no statement when the database refuses', async () => {
      await knex.raw(`alter table sip_user_mappings add constraint no_434 check (sip_user <> '434')`);
      const refused: unknown = await writer.insert({ ...draft, sipPassword: 'hush - hush' }).catch((thrown: unknown) => thrown);
      expect(refused).toMatchObject({ code: 'DATABASE_FAILED', message: expect.stringContaining('no_434') as unknown });
      expect(everyText(refused)).not.toMatch(/hush|insert into/);
    });

    it('asks for the migration where the table is not there', async () => {
      await knex.raw('drop table sip_user_mappings');
      await expect(reader.row(1)).rejects.toMatchObject({
        code: 'DATABASE_FAILED',
        message: expect.stringContaining('run `dialog-sip migrate`') as unknown,
      });
    });
  });
}

/** All that a logger could get out of an error: messages, stacks and fields, along the causes. */
function everyText(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const fields = Object.getOwnPropertyNames(thrown).map((name) => String(Reflect.get(thrown, name)));
  return [...fields, everyText(thrown.cause)].join('\n');
}
