/** Registrations as a person reads them: a table, and one at length. */
import { hour, minute, sayDuration, second } from '../base/units.js';
import type { ShownRegistration } from '../extension/admin-client.js';
import { indent, table, wrap } from './table.js';

/** What each state means to who looks for the reason. */
const meanings: Record<ShownRegistration['state'], string> = {
  waiting: 'waits for its turn at the registrar',
  registering: 'a REGISTER is on its way',
  registered: 'calls arrive',
  retrying: 'it failed, and is tried again',
  parked: 'somebody has to set it right; tried again now and then',
  unregistering: 'its binding is being removed',
  held: 'a person un-registered it',
  off: 'not to be registered',
};

/**
 * @param nowMs the time of day, milliseconds since 1970
 * @param width columns of the terminal
 */
export function registrationTable(nowMs: number, width: number): { header: () => string; lines: (registration: ShownRegistration) => string } {
  const { header, line } = table<ShownRegistration>([
    { title: 'id', width: 8, right: true, cell: ({ mappingId }) => String(mappingId) },
    { title: 'SIP account', width: 30, stretches: true, cell: ({ aor }) => aor.replace(/^sips?:/, '') },
    { title: 'state', width: 13, cell: ({ state }) => state },
    { title: 'for', width: 9, cell: ({ since }) => sayAgo(since, nowMs) },
    { title: 'next', width: 12, cell: ({ nextTryAt }) => sayAhead(nextTryAt, nowMs) },
  ], width);
  return {
    header,
    lines: (registration) => {
      const { note, lastError } = registration;
      const reason = note ?? lastError;
      return line(registration) + (reason === undefined ? '' : indent(wrap(reason, width - 10), 10));
    },
  };
}

/** All that is known of one, each in words. */
export function describeRegistration(registration: ShownRegistration, nowMs: number, width: number): string {
  const { mappingId, aor, state, userId, since, registrar, flow, lastCode, lastError, nextTryAt, note } = registration;
  const what = state === 'registered' ? 'next refresh' : 'next try';
  const rows: [string, string | undefined][] = [
    ['mapping', String(mappingId)],
    ['SIP account', aor],
    ['messenger user', userId === undefined ? undefined : String(userId)],
    ['state', `${state}: ${meanings[state]}`],
    ['since', since === undefined ? undefined : `${sayAgo(since, nowMs)} (${since})`],
    ['reason', note ?? lastError],
    ['last SIP code', lastCode === undefined ? undefined : String(lastCode)],
    [what, nextTryAt === undefined ? undefined : `${sayAhead(nextTryAt, nowMs)} (${nextTryAt})`],
    ['registrar', registrar],
    ['flow', flow],
  ];
  return rows
    .flatMap(([name, value]) => (value === undefined ? [] : wrap(value, width - 18).map((text, index) => `${(index === 0 ? name : '').padEnd(16)}  ${text}\n`)))
    .join('');
}

function sayAgo(since: string | undefined, nowMs: number): string {
  return since === undefined ? '' : sayRough(nowMs - Date.parse(since));
}

function sayAhead(at: string | undefined, nowMs: number): string {
  return at === undefined ? '' : `in ${sayRough(Date.parse(at) - nowMs)}`;
}

/** Whole seconds, minutes, hours or days; another clock may be a little ahead. */
function sayRough(ms: number): string {
  if (Number.isNaN(ms)) return '?';
  const day = 24 * hour;
  return ms < 2 * day ? sayDuration(roundTo(Math.max(0, ms))) : `${Math.round(ms / day)} days`;
}

function roundTo(ms: number): number {
  const unit = ms < 2 * minute ? second : ms < 2 * hour ? minute : hour;
  return Math.max(second, Math.round(ms / unit) * unit);
}
