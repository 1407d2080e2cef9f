/** A ladder for a terminal, as wide as is asked for. Long labels are cut; the whole messages come with `messages`. */
import { timesOf } from './times.js';
import type { Ladder, Step } from './ladder.js';

export interface TextOptions {
  /** Columns, 60 and more. */
  readonly width: number;
  /** Whole messages below their lines. */
  readonly messages: boolean;
}

/** Of a description; the rest is counted. A hold is three or four. */
const changesShown = 6;

/** `+12.345` and two spaces. */
const timeColumns = 10;

export function drawText(ladder: Ladder, { width, messages }: TextOptions): string {
  const gap = Math.max(16, Math.floor((width - timeColumns - 1) / Math.max(1, ladder.lanes.length - 1)));
  const lines = [
    ladder.title,
    '',
    ' '.repeat(timeColumns) + heading(ladder.lanes, gap),
  ];
  const times = timesOf(ladder.steps);
  ladder.steps.forEach((step, index) => {
    lines.push((times[index] ?? '').padEnd(timeColumns) + drawStep(step, ladder.lanes.length, gap));
    if (step.failing && ladder.sentence !== undefined) lines.push(`${' '.repeat(timeColumns)}^ ${ladder.sentence}`);
    lines.push(...shortened(step.sdpChanges ?? []).map((change) => `${' '.repeat(timeColumns)}  ${change}`.slice(0, width)));
    if (messages) lines.push('', ...step.text.trimEnd().split(/\r?\n/).map((line) => `    ${line}`), '');
  });
  if (ladder.sentence !== undefined && !ladder.steps.some(({ failing }) => failing)) lines.push('', ladder.sentence);
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function shortened(changes: readonly string[]): string[] {
  const rest = changes.length - changesShown;
  return rest <= 0 ? [...changes] : [...changes.slice(0, changesShown), `  and ${rest} more lines of the description`];
}

/** Each name over its rail: the first from it, the last up to it, those between astride. */
function heading(lanes: readonly string[], gap: number): string {
  const last = lanes.length - 1;
  return lanes.reduce((line, lane, index) => {
    const name = lane.slice(0, gap - 2);
    const start = index * gap - (index === 0 ? 0 : index === last ? name.length - 1 : Math.floor(name.length / 2));
    return `${line.padEnd(start)}${name}`;
  }, '');
}

function drawStep({ from, to, label, repeated, failing }: Step, lanes: number, gap: number): string {
  const [left, right] = [Math.min(from, to), Math.max(from, to)];
  const room = (right - left) * gap - 1;
  const words = `${failing ? '!! ' : ''}${label}${repeated ? ' (again)' : ''}`;
  const shown = words.length > room - 6 ? `${words.slice(0, room - 7)}…` : words;
  const stroke = repeated ? '·' : '─';
  const [start, end] = from < to ? [stroke.repeat(2), `${stroke}>`] : [`<${stroke}`, stroke.repeat(2)];
  const arrow = `${start} ${shown} ${stroke.repeat(Math.max(0, room - shown.length - 6))}${end}`;
  const before = '│'.padEnd(gap).repeat(left);
  const after = Array.from({ length: lanes - right - 1 }, () => '│'.padStart(gap)).join('');
  return `${before}│${arrow}│${after}`;
}
