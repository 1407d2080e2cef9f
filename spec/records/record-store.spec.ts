import { describe } from 'vitest';
import { openDatabase } from '../../src/mappings/database.js';
import { describeRecords } from './record-store-behaviour.js';

describe('call records in PGlite', () => {
  describeRecords(() => openDatabase({ kind: 'embedded', directory: ':memory:' }));
});
