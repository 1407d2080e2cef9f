/** What the tables of the journal do, whatever holds them: run over PGlite (journal-store.spec.ts) and over a real server (spec/interop). */
import type { Knex } from 'knex';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { migrate } from '../../src/mappings/migrate.js';
import { JournalStore, keyOf } from '../../src/records/journal-store.js';
import type { JournaledCall } from '../../src/records/live-call.js';
import { endedCall } from './record-store-behaviour.js';

const endedAt = new Date('2026-01-01T13:00:00.500Z');

function liveCall(callId: string, looseEnd: object = { kind: 'dialog', callId, routeSet: ['<sip:a;lr>'] }): JournaledCall {
  return { callId, facts: endedCall(callId), looseEnd };
}

export function describeJournal(open: () => Promise<{ knex: Knex; close(): Promise<void> }>): void {
  let knex: Knex;
  let close: () => Promise<void>;

  beforeAll(async () => {
    ({ knex, close } = await open());
    await migrate(knex);
  }, 60_000);

  afterAll(() => close());

  beforeEach(async () => {
    for (const table of ['sip_calls', 'sip_dialogs', 'sip_runs']) await knex(table).delete();
  });

  const store = (node: string, run: string, hasRecords = true): JournalStore => new JournalStore(knex, node, run, hasRecords);
  const noted = (): Promise<string[]> => knex('sip_dialogs').orderBy('id').pluck('id');

  it('hands the calls of a run that is over to one taker, and closes their records', async () => {
    const before = store('node-1', 'before');
    await before.beat();
    await before.put([liveCall('a'), { ...liveCall('b'), looseEnd: undefined }]);
    const [one, other] = [store('node-1', 'one'), store('node-1', 'other')];
    const taken = await Promise.all([one.take('before', endedAt), other.take('before', endedAt)]);
    expect(taken.flat().sort((x, y) => (x.callId < y.callId ? -1 : 1))).toEqual([
      { callId: 'a', mappingId: 7, looseEnd: { kind: 'dialog', callId: 'a', routeSet: ['<sip:a;lr>'] } },
      { callId: 'b', mappingId: 7, looseEnd: null },
    ]);
    const { codecs, startedAt, answeredAt } = endedCall('a');
    expect(await knex('sip_calls').where('id', 'a')).toMatchObject([
      {
        started_at: startedAt,
        answered_at: answeredAt,
        ended_at: endedAt,
        reason: 'error',
        class: 'server',
        message: 'The server was restarted during the call.',
        status: null,
        codecs: codecs.join(','),
        node: 'node-1',
        peer_id: '434',
      },
    ]);
    expect([await noted(), await one.otherRuns(), await knex('sip_calls').pluck('id')]).toEqual([[], [], expect.arrayContaining(['a', 'b'])]);
  });

  it('closes no record that is closed already', async () => {
    const { peer, ...call } = endedCall('a');
    const before = store('node-1', 'before');
    await before.put([liveCall('a')]);
    await knex('sip_calls').insert({
      id: 'a', started_at: call.startedAt, ended_at: call.endedAt, direction: 'outgoing', peer_type: peer.type, peer_id: peer.id,
      from_address: '', to_address: '', reason: 'normal', class: 'success', message: '', node: 'node-1',
    });
    expect(await store('node-1', 'after').take('before', endedAt)).toHaveLength(1);
    expect(await knex('sip_calls').pluck('reason')).toEqual(['normal']);
  });

  it('leaves no records where calls leave none', async () => {
    await store('node-1', 'before').put([liveCall('a')]);
    expect(await store('node-1', 'after', false).take('before', endedAt)).toHaveLength(1);
    expect([await noted(), await knex('sip_calls').pluck('id')]).toEqual([[], []]);
  });

  it('knows the other runs of its own node by their beats, and no other node’s', async () => {
    const before = store('node-1', 'before');
    await before.beat();
    await before.beat();
    await store('node-2', 'elsewhere').beat();
    const now = store('node-1', 'now');
    await now.beat();
    expect(await now.otherRuns()).toEqual([{ run: 'before', beat: '1' }]);
  });

  it('puts a call that changed in the place of what was there, and removes those that are over', async () => {
    const now = store('node-1', 'now');
    const calls = [liveCall('a', { kind: 'invite' }), liveCall('b'), liveCall('c')];
    await now.put(calls);
    await now.put([liveCall('a', { kind: 'dialog' })]);
    expect(await knex('sip_dialogs').where('id', 'a').pluck('way')).toEqual([{ kind: 'dialog' }]);
    await now.remove([calls[0]!, calls[2]!].map(keyOf));
    expect(await noted()).toEqual(['b']);
  });

  it('removes no call that another run has taken over', async () => {
    const call = liveCall('a');
    await store('node-1', 'now').put([call]);
    await store('node-1', 'other').remove([keyOf(call)]);
    expect(await noted()).toEqual(['a']);
  });

  it('notes a call all the same of which a stranger’s text cannot be kept', async () => {
    const now = store('node-1', 'now');
    await now.put([liveCall('a\0', { callId: 'x\0' }), liveCall('b', { callId: '\ud800' }), liveCall('c')]);
    expect(await knex('sip_dialogs').orderBy('id').select('id', 'way')).toMatchObject([{ id: 'a\ufffd', way: null }, { id: 'b', way: null }, { id: 'c', way: { callId: 'c' } }]);
    await now.remove([keyOf(liveCall('a\0'))]);
    expect(await noted()).toEqual(['b', 'c']);
  });

  it('forgets its own run, and no other', async () => {
    const [now, other] = [store('node-1', 'now'), store('node-1', 'other')];
    await now.beat();
    await now.put([liveCall('a')]);
    await other.beat();
    await other.put([liveCall('b')]);
    await now.forget();
    expect([await noted(), await now.otherRuns(), await other.otherRuns()]).toEqual([['b'], [{ run: 'other', beat: '0' }], []]);
  });
}
