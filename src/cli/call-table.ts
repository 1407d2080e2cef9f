/** Calls as a person reads them, in tables: those that are over, and those that go on. */
import { hour, minute, second } from '../base/units.js';
import type { ShownCall } from '../extension/admin-client.js';
import type { CallRecord } from '../extension/record-operations.js';
import { indent, table, wrap } from './table.js';

const ways = { outgoing: 'out', incoming: 'in' } as const;

/**
 * A call that did not do its work has a line below it that says why.
 * @param width columns of the terminal
 */
export function recordTable(width: number): { header: () => string; lines: (record: CallRecord) => string } {
  const { header, line } = table<CallRecord>([
    { title: 'started (UTC)', width: 14, cell: ({ startedAt }) => sayTime(startedAt) },
    { title: '', width: 3, cell: ({ direction }) => ways[direction] },
    { title: 'from', width: 18, stretches: true, cell: ({ from }) => bare(from) },
    { title: 'to', width: 18, stretches: true, cell: ({ to }) => bare(to) },
    { title: 'talked', width: 7, right: true, cell: ({ answeredAt, endedAt }) => (answeredAt === undefined ? '-' : sayLength(endedAt.getTime() - answeredAt.getTime())) },
    { title: 'end', width: 10, cell: ({ reason }) => reason },
  ], width);
  return {
    header,
    lines: (record) => line(record) + (record.class === 'success' ? '' : indent(wrap(record.message, width - 16), 16)),
  };
}

/**
 * @param nowMs the time of day, milliseconds since 1970
 * @param width columns of the terminal
 */
export function liveCallTable(nowMs: number, width: number): { header: () => string; line: (call: ShownCall) => string } {
  return table<ShownCall>([
    { title: '', width: 3, cell: ({ direction }) => ways[direction] },
    { title: 'from', width: 22, stretches: true, cell: ({ from }) => bare(from) },
    { title: 'to', width: 22, stretches: true, cell: ({ to }) => bare(to) },
    { title: 'state', width: 10, cell: ({ state }) => state },
    { title: 'for', width: 8, right: true, cell: ({ startedAt }) => sayLength(nowMs - Date.parse(startedAt)) },
    { title: '', width: 5, cell: ({ codecs }) => codecs.join(',') },
  ], width);
}

function bare(address: string): string {
  return address.replace(/^sips?:/, '');
}

/** `01-31 12:00:05` */
function sayTime(at: Date): string {
  return at.toISOString().slice(5, 19).replace('T', ' ');
}

/** `0:07`, `12:05`, `1:02:33`; another clock may be a little ahead. */
function sayLength(ms: number): string {
  if (Number.isNaN(ms)) return '?';
  const whole = Math.max(0, Math.round(ms / second)) * second;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const minutes = Math.floor((whole % hour) / minute);
  const rest = two((whole % minute) / second);
  return whole < hour ? `${minutes}:${rest}` : `${Math.floor(whole / hour)}:${two(minutes)}:${rest}`;
}
