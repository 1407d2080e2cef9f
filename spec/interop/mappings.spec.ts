import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/mappings/database.js';
import { databaseError } from '../../src/base/database-errors.js';
import { migrate } from '../../src/mappings/migrate.js';
import { RecordStore } from '../../src/records/record-store.js';
import { describeTables } from '../mappings/tables-behaviour.js';
import { describeJournal } from '../records/journal-store-behaviour.js';
import { describeRecords, endedCall } from '../records/record-store-behaviour.js';
import { built } from './support/built.js';
import { startPostgres, whyNoPostgres, type TestPostgres } from './support/postgres.js';

const missing = await whyNoPostgres();
if (missing !== undefined) console.warn(`Skipped, the tables in PostgreSQL: ${missing}.`);

describe.skipIf(missing !== undefined)('PostgreSQL', () => {
  let server: TestPostgres;

  beforeAll(async () => {
    server = await startPostgres();
  });

  afterAll(async () => {
    await server.stop();
  });

  describe('the tables', () => {
    describeTables(async () => {
      const [one, other] = await Promise.all([openDatabase(server.settings), openDatabase(server.settings)]);
      return {
        first: one.knex,
        second: other.knex,
        close: async () => {
          await Promise.all([one.close(), other.close()]);
        },
      };
    });
  });

  describe('call records', () => {
    describeRecords(() => openDatabase(server.settings));
  });

  describe('the journal of calls', () => {
    describeJournal(() => openDatabase(server.settings));
  });

  describe('dialog-sip over it', () => {
    const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
    let directory: string;
    let conf: string;

    beforeAll(async () => {
      await built();
      directory = await mkdtemp(join(tmpdir(), 'dialog-sip-conf-'));
      conf = join(directory, 'server.conf');
      const { host, port, db, user, password } = server.settings;
      await writeFile(
        conf,
        `modules.sip.extension = "im.dlg.sip.extension.SipExtension"
         services.postgresql { host = "${host}", port = ${port}, db = "${db}", user = "${user}", password = "${password}" }`,
      );
    });

    afterAll(async () => {
      await rm(directory, { recursive: true, force: true });
    });

    function dialogSip(...args: string[]): Promise<{ status: number; out: string; err: string }> {
      return new Promise((resolve) => {
        execFile(process.execPath, [main, ...args, '--config', conf], (thrown, out, err) => {
          resolve({ status: typeof thrown?.code === 'number' ? thrown.code : 0, out, err });
        });
      });
    }

    it('asks for the migration, migrates, adds and lists, with the right exit status', async () => {
      const { knex, close } = await openDatabase(server.settings);
      await knex.raw('drop schema public cascade; create schema public');
      await close();
      const early = await dialogSip('mappings', 'list');
      expect(early.status).toBe(1);
      expect(early.err).toMatch(/run `dialog-sip migrate`/);
      expect((await dialogSip('migrate')).out).toMatch(/^Migration of PostgreSQL at .*: done:\n {2}001_sip_user_mappings\n/);
      expect((await dialogSip('migrate')).out).toMatch(/up to date\.\n$/);
      expect(await dialogSip('mappings', 'add', '--sip-user', '434', '--sip-host', 'pbx', '--peer-id', '434')).toMatchObject({ status: 0, err: '' });
      expect((await dialogSip('mappings', 'list')).out).toMatch(/434@pbx:5060 +udp +user 434/);
      expect(await dialogSip('mappings', 'remove', '7')).toMatchObject({ status: 1, out: '', err: expect.stringContaining('There is no mapping 7.') as unknown });
      expect((await dialogSip('mappings', 'set', '1')).status).toBe(2);
    });

    it('prints the records of calls, those of one user when one is named', async () => {
      const { knex, close } = await openDatabase(server.settings);
      await new RecordStore(knex).write([endedCall('a'), endedCall('b', { peer: { type: 1, id: 435 } })], 'node-1');
      await close();
      const { status, out } = await dialogSip('calls', '--since', '2026-01-01', '--user', '435', '--json');
      expect([status, JSON.parse(out)]).toMatchObject([0, { callId: 'b', node: 'node-1', codecs: ['opus', 'vp8'] }]);
      expect((await dialogSip('calls', '--since', '2026-01-01')).out).toMatch(/^started .*\n(01-01 12:00:00 .* 2:55 {2}normal\n){2}2 calls\.\n$/);
    });

    it('gives accounts to users that are there, and encrypts and rotates their passwords', async () => {
      const list = join(directory, 'users.csv');
      await writeFile(list, `id,name\n${Array.from({ length: 700 }, (_, index) => `${String(index + 1_000)},Ann`).join('\n')}\n`);
      const [older, newer] = ['ab', 'cd'].map((byte) => byte.repeat(32));
      const plain = await readFile(conf, 'utf8');
      const configure = (secrets: string): Promise<void> =>
        writeFile(conf, `${plain}\nmodules.sip { autocreate { host = pbx2, password.mode = random }, secrets { ${secrets} } }`);
      const keyIds = async (): Promise<(string | undefined)[]> => {
        const { out } = await dialogSip('mappings', 'export', '--with-passwords');
        return [...new Set(out.split('\n').filter((line) => line.includes('pbx2')).map((line) => /,enc:v1:([0-9a-f]{8}):/.exec(line)?.[1]))];
      };
      await configure('');
      expect(await dialogSip('autocreate', 'backfill', '--users', list)).toEqual({ status: 0, out: 'Made 700 mappings.\n', err: '' });
      expect(await keyIds()).toEqual([undefined]);
      await configure(`key = "${older!}"`);
      expect(await dialogSip('secrets', 'encrypt')).toEqual({ status: 0, out: 'Encrypted 700 passwords.\n', err: '' });
      const [before] = await keyIds();
      await configure(`key = "${newer!}", previous = ["${older!}"]`);
      expect(await dialogSip('secrets', 'rotate')).toEqual({ status: 0, out: 'Encrypted 700 passwords.\n', err: '' });
      const after = await keyIds();
      expect(after).toEqual([expect.stringMatching(/^[0-9a-f]{8}$/)]);
      expect(after).not.toEqual([before]);
      expect((await dialogSip('secrets', 'rotate')).out).toBe('There is nothing to encrypt.\n');
    });
  });

  describe('a statement that takes too long', () => {
    it('is given up, and said to be so', async () => {
      const { knex, close } = await openDatabase({ ...server.settings, statementTimeoutMs: 100 });
      try {
        const thrown: unknown = await knex.raw('select pg_sleep(60)').then(undefined, (reason: unknown) => reason);
        expect(databaseError(thrown, 'Sleeping')).toMatchObject({
          code: 'DATABASE_UNAVAILABLE',
          message: 'Sleeping failed: the statement took longer than services.postgresql.statement-timeout, or somebody cancelled it.',
        });
      } finally {
        await close();
      }
    });

    it('may be one of a migration', async () => {
      const holder = await openDatabase(server.settings);
      const { knex, close } = await openDatabase({ ...server.settings, statementTimeoutMs: 100 });
      try {
        await holder.knex.raw('drop schema public cascade; create schema public');
        await migrate(holder.knex);
        await holder.knex('sip_migrations').where('name', '004_tell_of_changes').delete();
        await holder.knex.raw(['insert', 'update', 'delete', 'truncate'].map((event) => `drop trigger sip_user_mappings_tell_${event} on sip_user_mappings`).join(';'));
        await holder.knex.raw('drop function sip_user_mappings_tell');
        const held = await holder.knex.transaction();
        await held.raw('lock table sip_user_mappings');
        const migrated = migrate(knex).catch((thrown: unknown) => thrown);
        const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and now() - query_start > interval '300 ms'`;
        try {
          await expect.poll(async () => (await holder.knex.raw<{ rows: unknown[] }>(waiting)).rows.length, { timeout: 10_000 }).toBe(1);
        } finally {
          await held.rollback();
        }
        expect(await migrated).toEqual({ applied: ['004_tell_of_changes'] });
      } finally {
        await Promise.all([close(), holder.close()]);
      }
    });
  });

  describe('opening it', () => {
    async function refusal(change: Partial<TestPostgres['settings']>): Promise<unknown> {
      return openDatabase({ ...server.settings, ...change }).catch((thrown: unknown) => thrown);
    }

    it('says that the password was refused, and not which', async () => {
      const refused = await refusal({ password: 'not-the-one' });
      expect(refused).toMatchObject({
        code: 'DATABASE_UNAVAILABLE',
        message: `PostgreSQL at ${server.settings.host}:${server.settings.port} (database ${server.settings.db}, user ${server.settings.user}) cannot be used: the user or the password was refused.`,
      });
      expect(JSON.stringify(refused, Object.getOwnPropertyNames(refused))).not.toContain('not-the-one');
    });

    it('says that there is no such database', async () => {
      expect(await refusal({ db: 'nowhere' })).toMatchObject({ message: expect.stringMatching(/nowhere.*there is no such database/) as unknown });
    });

    it('says that the server has no TLS where TLS is wanted', async () => {
      expect(await refusal({ ssl: true })).toMatchObject({
        code: 'DATABASE_UNAVAILABLE',
        message: expect.stringContaining('does not support SSL') as unknown,
      });
    });
  });
});
