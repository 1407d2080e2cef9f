/** Keeps docs/calls.md true to the tables of the code. `UPDATE_DOCS=1` writes them anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { incomingTable, outgoingTable } from '../../src/calls/call-state.js';
import { handoverTable } from '../../src/calls/handover-state.js';
import { hangupTable } from '../../src/calls/hangup.js';
import { negotiationTable } from '../../src/calls/negotiation-state.js';
import { byeTermination, cancelTermination, classTable, localTable, q850Table, refusalTermination, statusTable } from '../../src/calls/termination.js';
import { pbxes, preflightTable } from '../../src/sdp/preflight.js';
import { sessionTimerTable } from '../../src/sip/session-timer.js';
import type { ReasonValue } from '../../src/sip/types.js';
import type { AnyTable } from './state-table.js';

const file = new URL('../../docs/calls.md', import.meta.url);

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function stateTable(table: AnyTable): string {
  const rows = Object.entries(table.steps).flatMap(([state, stepsOf]) => {
    const steps = Object.entries(stepsOf);
    const guard = table.guards[state] ?? '';
    return steps.map(([event, step], index) => [
      index === 0 ? `**${state}**` : '',
      event === 'timeout' || event === 'due' ? `${event} (${guard})` : event,
      step?.next === state ? 'stays' : (step?.next ?? ''),
      step?.actions.join(', ') ?? '',
    ]);
  });
  return markdown(['state', 'event', 'next', 'does'], rows);
}

const reason = (value: ReasonValue | undefined): string =>
  value === undefined ? '' : `\`${value.protocol};cause=${String(value.cause)};text="${value.text ?? ''}"\``;

/** What is told where SIP says the one and a telephone network the other; - for nothing. */
function saidTogether(status: number | undefined, cause: number | undefined): string[] {
  const value = (protocol: string, of: number | undefined): ReasonValue[] => (of === undefined ? [] : [{ protocol, cause: of }]);
  const [sip] = value('SIP', status);
  const [network] = value('Q.850', cause);
  const both = sip === undefined ? network : { ...sip, beside: network };
  const refused = refusalTermination({ status: status === undefined || status === 200 ? 480 : status, phrase: '', reason: both });
  return [status, cause].map((of) => String(of ?? '-')).concat([refused, cancelTermination(both), byeTermination(both)].map(({ reason: told }) => told));
}

const together: (readonly [number | undefined, number | undefined])[] = [
  [200, undefined], [undefined, 26], [486, 26],
  [404, undefined], [404, 17], [408, undefined], [480, undefined], [480, 16], [480, 17], [480, 19], [486, undefined], [486, 19],
  [487, undefined], [487, 17], [487, 21], [500, undefined], [500, 19], [503, undefined], [503, 1], [503, 16], [603, undefined], [603, 17],
  [undefined, 1], [undefined, 16], [undefined, 17], [undefined, 19], [undefined, 21], [undefined, 34],
];

const printed: Record<string, string> = {
  outgoing: stateTable(outgoingTable),
  incoming: stateTable(incomingTable),
  negotiation: stateTable(negotiationTable),
  handover: stateTable(handoverTable),
  sessionTimer: stateTable(sessionTimerTable),
  status: markdown(
    ['status', 'reason', 'class', 'what a person reads'],
    [...statusTable].map(([status, row]) => [
      `${String(status)} ${row.phrase}`,
      row.reason,
      row.class,
      [`${row.sentence}.`, row.advice ?? ''].join(' ').trim(),
    ]),
  ),
  otherStatus: markdown(
    ['status', 'reason', 'class', 'what a person reads'],
    [...classTable].map(([digit, row]) => [`any other ${String(digit)}xx`, row.reason, row.class, `${row.sentence}.`]),
  ),
  q850: markdown(
    ['Q.850 cause', 'reason', 'class', 'what a person reads'],
    [...q850Table].map(([cause, row]) => [String(cause), row.reason, row.class, `${row.sentence}.`]),
  ),
  reasons: markdown(['SIP', 'Q.850', 'a refusal', 'CANCEL', 'BYE'], together.map(([status, cause]) => saidTogether(status, cause))),
  local: markdown(
    ['cause', 'reason', 'class', 'what a person reads'],
    Object.entries(localTable).map(([name, row]) => [name, row.reason, row.class, row.message]),
  ),
  preflight: markdown(
    ['lacking', ...pbxes],
    Object.values(preflightTable).map(({ what, settings }) => [what, ...pbxes.map((pbx) => settings[pbx].map((setting) => `\`${setting}\``).join(' '))]),
  ),
  hangup: markdown(
    ['`hangup` reason', 'incoming, not answered', 'with Reason', 'CANCEL with Reason', 'BYE with Reason'],
    Object.entries(hangupTable).map(([name, row]) => [
      name,
      `${String(row.reject.status)} ${row.reject.phrase}`,
      reason(row.reject.reason),
      reason(row.cancel),
      reason(row.bye),
    ]),
  ),
};

/** Each `<!-- name -->` ... `<!-- /name -->` filled with its table. */
function fill(text: string): string {
  return Object.entries(printed).reduce(
    (filled, [name, table]) =>
      filled.replace(new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`), (_all, open: string, close: string) => `${open}\n${table}\n\n${close}`),
    text,
  );
}

describe('docs/calls.md', () => {
  const text = readFileSync(file, 'utf8');
  if (process.env.UPDATE_DOCS === '1') writeFileSync(file, fill(text));

  it.each(Object.keys(printed))('shows the table "%s" as it is in the code', (name) => {
    expect(readFileSync(file, 'utf8')).toContain(`<!-- ${name} -->\n\n${printed[name] ?? ''}\n\n<!-- /${name} -->`);
  });
});
