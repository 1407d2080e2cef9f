/** What the table of records does, whatever holds it: run over PGlite (record-store.spec.ts) and over a real server (spec/interop). */
import type { Knex } from 'knex';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { migrate } from '../../src/mappings/migrate.js';
import type { CallRecord, EndedCall } from '../../src/records/call-record.js';
import { RecordStore, type RecordQuery } from '../../src/records/record-store.js';

export function endedCall(callId: string, change: Partial<EndedCall> = {}): EndedCall {
  return {
    callId,
    direction: 'outgoing',
    mappingId: 7,
    peer: { type: 1, id: 434 },
    from: 'sip:434@pbx.example.com',
    to: 'sip:600@pbx.example.com',
    startedAt: new Date('2026-01-01T12:00:00.001Z'),
    rangAt: new Date('2026-01-01T12:00:01.002Z'),
    answeredAt: new Date('2026-01-01T12:00:05.003Z'),
    endedAt: new Date('2026-01-01T12:03:00.004Z'),
    reason: 'normal',
    class: 'success',
    message: 'The other side hung up.',
    codecs: ['opus', 'vp8'],
    ...change,
  };
}

export function describeRecords(open: () => Promise<{ knex: Knex; close(): Promise<void> }>): void {
  let knex: Knex;
  let close: () => Promise<void>;
  let store: RecordStore;

  beforeAll(async () => {
    ({ knex, close } = await open());
    await migrate(knex);
    store = new RecordStore(knex);
  }, 60_000);

  afterAll(() => close());

  beforeEach(() => knex('sip_calls').delete());

  async function read(query: RecordQuery = {}, size?: number): Promise<CallRecord[]> {
    const all: CallRecord[] = [];
    for await (const page of store.pages(query, size)) all.push(...page);
    return all;
  }

  it('gives a record back as it was written, with the node', async () => {
    const whole = endedCall('a', { peer: { type: 4, id: 0, strId: 'sip:desk@example.com' }, status: 486 });
    await store.write([whole], 'node-1');
    expect(await read()).toEqual([{ ...whole, node: 'node-1' }]);
  });

  it('keeps a call apart that found no way, never rang and was never answered', async () => {
    const bare: EndedCall = {
      callId: 'b',
      direction: 'incoming',
      peer: { type: 1, id: 434 },
      from: 'user:434',
      to: '600',
      startedAt: new Date('2026-01-01T12:00:00Z'),
      endedAt: new Date('2026-01-01T12:00:00Z'),
      reason: 'unavailable',
      class: 'server',
      message: 'No.',
      codecs: [],
    };
    await store.write([bare], 'node-1');
    expect(await read()).toEqual([{ ...bare, node: 'node-1' }]);
  });

  it('writes many at once, and one that is there already stays as it is', async () => {
    await store.write([endedCall('a', { message: 'first' })], 'node-1');
    await store.write([endedCall('a', { message: 'again' }), endedCall('b', { message: 'first' })], 'node-2');
    expect((await read()).map(({ callId, message, node }) => [callId, message, node])).toEqual([
      ['b', 'first', 'node-2'],
      ['a', 'first', 'node-1'],
    ]);
  });

  it('takes another call under an id that was used before', async () => {
    await store.write([endedCall('a')], 'node-1');
    await store.write([endedCall('a', { startedAt: new Date('2026-01-02T00:00:00Z'), endedAt: new Date('2026-01-02T00:01:00Z') })], 'node-1');
    expect(await read()).toHaveLength(2);
  });

  it('takes texts that no database would: NULs, half a surrogate pair, kilobytes, quotes and question marks', async () => {
    const message = `it's "odd" ? \\ $1 \0 \ud800 ${'x'.repeat(5_000)}`;
    await store.write([endedCall('a', { message, to: `sip:\0${'6'.repeat(2_000)}` })], 'node-1');
    const [record] = await read();
    expect(record?.message).toBe(`it's "odd" ? \\ $1 \ufffd \ufffd ${'x'.repeat(5_000)}`.slice(0, 1_024));
    expect(record?.to).toBe(`sip:\ufffd${'6'.repeat(507)}`);
  });

  it('reads newest end first, page by page, each once, though many ended at one moment', async () => {
    const at = (minutes: number): Date => new Date(Date.UTC(2026, 0, 1, 12, minutes));
    const ends = [5, 3, 3, 3, 3, 1];
    await store.write(ends.map((minutes, index) => endedCall(String(index), { endedAt: at(minutes) })), 'node-1');
    const ids = (await read({}, 2)).map(({ callId }) => callId);
    expect([ids[0], ids.slice(1, 5).sort(), ids[5], ids.length]).toEqual(['0', ['1', '2', '3', '4'], '5', 6]);
  });

  it('reads on behind a call that another page ended with, and those that ended before a moment', async () => {
    const endedAt = new Date('2026-01-01T12:01:00Z');
    await store.write([endedCall('a', { endedAt }), endedCall('b', { endedAt }), endedCall('c', { endedAt }), endedCall('late')], 'node-1');
    const ids = async (query: RecordQuery): Promise<string[]> => (await store.page({ ...query, limit: 2 })).map(({ callId }) => callId);
    const order = (await read()).map(({ callId }) => callId);
    const [, second] = await read();
    expect(await ids({})).toEqual(order.slice(0, 2));
    expect(await ids({ before: second })).toEqual(order.slice(2));
    expect(await ids({ before: { endedAt } })).toEqual([]);
    expect(await ids({ before: { endedAt: new Date('2026-01-01T12:01:00.001Z') } })).toEqual(order.slice(1, 3));
  });

  it('reads those that ended since, and those of one user', async () => {
    await store.write(
      [
        endedCall('old', { endedAt: new Date('2026-01-01T12:00:59.999Z') }),
        endedCall('new', { endedAt: new Date('2026-01-01T12:01:00Z') }),
        endedCall('of 435', { endedAt: new Date('2026-01-01T12:02:00Z'), peer: { type: 1, id: 435 } }),
        endedCall('of group 434', { endedAt: new Date('2026-01-01T12:02:00Z'), peer: { type: 2, id: 434 } }),
      ],
      'node-1',
    );
    const since = new Date('2026-01-01T12:01:00Z');
    expect((await read({ since })).map(({ callId }) => callId)).toEqual(['of group 434', 'of 435', 'new']);
    expect((await read({ since, user: 434 })).map(({ callId }) => callId)).toEqual(['new']);
  });

  it('finds those in whose addresses a text stands, in any case and taken by its letters, and those of that user', async () => {
    const of = (callId: string, from: string, to: string, id: number): EndedCall => endedCall(callId, { from, to, peer: { type: 1, id } });
    await store.write([of('a', 'sip:Ann@pbx.example.com', '+4930', 1), of('b', 'sip:bob@pbx.example.com', '50%', 2), of('c', 'user:3', 'a_b\\', 4930)], 'node-1');
    const found = async (text: string, query: RecordQuery = {}): Promise<string[]> => (await store.find({ ...query, text, limit: 9 })).records.map(({ callId }) => callId);
    expect(await found('aNN@')).toEqual(['a']);
    expect(await found('4930')).toEqual(['c', 'a']);
    expect(await found('4930', { user: 1 })).toEqual(['a']);
    expect([await found('%'), await found('_'), await found('\\'), await found('0%0')]).toEqual([['b'], ['c'], ['c'], []]);
  });

  it('says after which call to go on, while there is more', async () => {
    await store.write(['a', 'b', 'c'].map((id) => endedCall(id)), 'node-1');
    for (const text of [undefined, 'PBX']) {
      const first = await store.find({ text, limit: 2 });
      expect(first).toMatchObject({ records: [{ callId: 'c' }, { callId: 'b' }], next: { callId: 'b' } });
      expect(await store.find({ text, limit: 2, before: first.next })).toMatchObject({ records: [{ callId: 'a' }] });
      expect(await store.find({ text, limit: 1, before: first.next })).not.toHaveProperty('next');
    }
  });

  it('looks at 50,000 for a text in one go, and says where it stopped', async () => {
    await knex.raw(`insert into sip_calls (id, started_at, ended_at, direction, peer_type, peer_id, from_address, to_address, reason, class, message, node)
      select n, timestamptz '2026-01-01Z' + n * interval '1 second', timestamptz '2026-01-01Z' + n * interval '1 second', 'incoming', 1, 1, '', n, '', '', '', '' from generate_series(1, 50001) n`);
    const none = await store.find({ text: 'none', limit: 1 });
    expect(none).toMatchObject({ records: [], next: { callId: '2' } });
    expect(await store.find({ text: '1', limit: 1, before: none.next })).toMatchObject({ records: [{ callId: '1' }] });
  });

  it('removes as many as it is told of those that ended before, and says how many', async () => {
    const old = new Date('2026-01-01T11:59:59.999Z');
    await store.write([endedCall('a', { endedAt: old }), endedCall('b', { endedAt: old }), endedCall('c', { endedAt: old }), endedCall('d')], 'node-1');
    const end = new Date('2026-01-01T12:00:00Z');
    expect([await store.removeBefore(end, 2), await store.removeBefore(end, 2), await store.removeBefore(end, 2)]).toEqual([2, 1, 0]);
    expect((await read()).map(({ callId }) => callId)).toEqual(['d']);
  });

  it('says in words what is wrong with the table, and shows no row of it', async () => {
    await knex.raw('alter table sip_calls rename to sip_calls_away');
    try {
      await expect(store.write([endedCall('a', { to: 'sip:secret@example.com' })], 'node-1')).rejects.toMatchObject({
        code: 'DATABASE_FAILED',
        message: 'Writing call records failed: the tables are not there, run `dialog-sip migrate`.',
      });
    } finally {
      await knex.raw('alter table sip_calls_away rename to sip_calls');
    }
  });
}
