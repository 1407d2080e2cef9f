/** What is kept of calls in the database: of those that are over a record, of those that go on what ends them after a crash. */
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import type { Listeners } from '../../base/listeners.js';
import { CallJournal } from '../../records/call-journal.js';
import type { CallRecord } from '../../records/call-record.js';
import { CallRecords } from '../../records/call-records.js';
import { JournalStore } from '../../records/journal-store.js';
import { LeftRuns } from '../../records/left-runs.js';
import { RecordStore } from '../../records/record-store.js';
import { endLeftCalls } from '../left-calls.js';
import type { SipAccounts } from '../sip-accounts.js';
import type { Ground } from './ground.js';

export function keepRecords(knex: Knex, endings: Listeners<CallRecord>, ground: Ground): void {
  const { nodeId, config, releasers } = ground;
  const { on, keepMs } = config.calls.records;
  if (!on) return;
  const records = new CallRecords({ node: nodeId, keepMs }, new RecordStore(knex), ground);
  releasers.add('the call records', () => records.close());
  endings.add((ended) => {
    records.add(ended);
  });
}

export interface OpenJournal {
  readonly journal: CallJournal;
  readonly store: JournalStore;
}

export function openJournal(knex: Knex, ground: Ground): OpenJournal {
  const { nodeId, config, releasers } = ground;
  const store = new JournalStore(knex, nodeId, randomUUID(), config.calls.records.on);
  const journal = new CallJournal({ ...ground, store });
  releasers.add('the journal of calls', () => journal.close());
  return { journal, store };
}

/** Looks for what runs before this one left in the journal. */
export function endWhatWasLeft(store: JournalStore, accounts: SipAccounts, ground: Ground): void {
  const { clock, log, releasers } = ground;
  const leftRuns = new LeftRuns({
    store,
    clock,
    log,
    onLeft: (calls) => {
      void endLeftCalls(calls, { accounts, clock, log });
    },
  });
  releasers.add('the look for runs before', () => leftRuns.close());
  leftRuns.start();
}
