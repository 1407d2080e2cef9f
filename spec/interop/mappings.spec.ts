import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/mappings/database.js';
import { describeTables } from '../mappings/repository-behaviour.js';
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
