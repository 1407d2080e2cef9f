import { describe } from 'vitest';
import { openDatabase } from '../../src/mappings/database.js';
import { describeJournal } from './journal-store-behaviour.js';

describe('the journal of calls in PGlite', () => {
  describeJournal(() => openDatabase({ kind: 'embedded', directory: ':memory:' }));
});
