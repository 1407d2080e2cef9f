/**
 * Calls that go on, and the records of those that are over:
 *
 *   GET /api/calls?user=&q=&after=&limit=                  the longest first
 *   GET /api/calls/records?since=&before=&user=&q=&limit=  the newest end first
 */
import type { FastifyInstance } from 'fastify';
import type * as z from 'zod';
import { checked } from '../base/problem.js';
import type { AdminCall, AdminDependencies, AdminRecord, EndedOrLive } from './ports.js';
import { callsQuery, recordsQuery, writeLivePlace, writePlace, type LiveCalls, type RecordsPage, type ShownCall, type ShownRecord } from './shapes.js';

export function serveCalls(app: FastifyInstance, { calls, records }: Pick<AdminDependencies, 'calls' | 'records'>): void {
  app.get('/api/calls', (request): LiveCalls => {
    const query = checked(callsQuery, request.query);
    const asked = [...calls.calls()].filter((call) => isAsked(call, query)).sort(inOrder);
    const { after } = query;
    const left = after === undefined ? asked : asked.filter((call) => inOrder(call, after) > 0);
    const shown = left.slice(0, query.limit);
    const last = left.length > query.limit ? shown.at(-1) : undefined;
    return { items: shown.map(showCall), total: asked.length, ...(last === undefined ? {} : { next: writeLivePlace(last) }) };
  });
  app.get('/api/calls/records', async (request): Promise<RecordsPage> => {
    const { q: text, ...query } = checked(recordsQuery, request.query);
    const { records: found, next } = await records.find({ ...query, text });
    return { items: found.map(showRecord), ...(next === undefined ? {} : { next: writePlace(next) }) };
  });
}

/** Two that began at one moment have an order too: each is on one page. */
function inOrder(one: Pick<AdminCall, 'startedAt' | 'callId'>, other: Pick<AdminCall, 'startedAt' | 'callId'>): number {
  return one.startedAt.getTime() - other.startedAt.getTime() || (one.callId < other.callId ? -1 : Number(one.callId > other.callId));
}

function isAsked({ peer, from, to }: AdminCall, { user, q }: z.output<typeof callsQuery>): boolean {
  if (user !== undefined && (peer.type !== 1 || peer.id !== user)) return false;
  const part = q?.toLowerCase() ?? '';
  return from.toLowerCase().includes(part) || to.toLowerCase().includes(part) || (peer.type === 1 && String(peer.id) === part);
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
