import { describe } from 'vitest';
import { openDatabase } from '../../src/mappings/database.js';
import { describeTables } from './tables-behaviour.js';

describe('the tables in PGlite', () => {
  describeTables(async () => {
    const { knex, close } = await openDatabase({ kind: 'embedded', directory: ':memory:' });
    return { first: knex, second: knex, close };
  });
});
