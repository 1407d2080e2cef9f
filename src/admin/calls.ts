/**
 * Calls that go on, and the records of those that are over:
 *
 *   GET /api/calls?user=&limit=                         the longest first
 *   GET /api/calls/records?since=&before=&user=&limit=  the newest end first
 */
import type { FastifyInstance } from 'fastify';
import { checked } from '../base/problem.js';
import type { AdminCall, AdminDependencies, AdminRecord, EndedOrLive } from './ports.js';
import { callsQuery, recordsQuery, writePlace, type LiveCalls, type RecordsPage, type ShownCall, type ShownRecord } from './shapes.js';

export function serveCalls(app: FastifyInstance, { calls, records }: Pick<AdminDependencies, 'calls' | 'records'>): void {
  app.get('/api/calls', (request): LiveCalls => {
    const { user, limit } = checked(callsQuery, request.query);
    const items: ShownCall[] = [];
    let total = 0;
    for (const call of calls.calls()) {
      if (user !== undefined && (call.peer.type !== 1 || call.peer.id !== user)) continue;
      total += 1;
      if (items.length < limit) items.push(showCall(call));
    }
    return { items, total };
  });
  app.get('/api/calls/records', async (request): Promise<RecordsPage> => {
    const query = checked(recordsQuery, request.query);
    // One more than asked for tells whether there is another page.
    const found = await records.page({ ...query, limit: query.limit + 1 });
    const shown = found.slice(0, query.limit);
    const last = found.length > query.limit ? shown.at(-1) : undefined;
    return { items: shown.map(showRecord), ...(last === undefined ? {} : { next: writePlace(last) }) };
  });
}

export function showCall(call: AdminCall): ShownCall {
  return { ...showFacts(call), state: call.state };
}

export function showRecord(record: AdminRecord): ShownRecord {
  const { answeredAt, endedAt, reason, status, message, node } = record;
  return {
    ...showFacts(record),
    endedAt: endedAt.toISOString(),
    ...(answeredAt === undefined ? {} : { durationMs: endedAt.getTime() - answeredAt.getTime() }),
    reason,
    class: record.class,
    ...(status === undefined ? {} : { status }),
    message,
    node,
  };
}

function showFacts({ callId, direction, mappingId, peer, from, to, startedAt, rangAt, answeredAt, codecs }: EndedOrLive): Omit<ShownCall, 'state'> {
  return {
    callId,
    direction,
    ...(mappingId === undefined ? {} : { mappingId }),
    ...(peer.type === 1 ? { userId: peer.id } : {}),
    from,
    to,
    startedAt: startedAt.toISOString(),
    ...(rangAt === undefined ? {} : { rangAt: rangAt.toISOString() }),
    ...(answeredAt === undefined ? {} : { answeredAt: answeredAt.toISOString() }),
    codecs: [...codecs],
  };
}
