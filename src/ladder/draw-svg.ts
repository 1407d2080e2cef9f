/**
 * A ladder as a picture that stands alone: light or dark by what the viewer prefers, each step a group with its number in `data-step`, so
 * that a page can tell which was clicked. All text comes from the wire or the host, and is escaped.
 */
import { timesOf } from './times.js';
import type { Ladder, Step } from './ladder.js';

const laneWidth = 250;
const rowHeight = 30;
const left = 90;
const top = 64;
/** Characters of the label that fit between two lanes; fewer of the bold one of the step that failed. */
const fits = 34;
const boldFits = 29;

const style = `
  svg { color-scheme: light dark; --ink: light-dark(#1b2030, #e8ebf2); --line: light-dark(#b9c0cf, #4a5160); --bad: light-dark(#b3261e, #ff9a92); --ground: light-dark(#ffffff, #1d2027); }
  .ground { fill: var(--ground); } text { font: 13px system-ui, sans-serif; fill: var(--ink); } .lane { font-weight: 600; } .time { font-size: 11px; }
  .rail { stroke: var(--line); } .arrow { stroke: var(--ink); fill: var(--ink); } .again .arrow { stroke-dasharray: 4 3; opacity: .6; }
  .failing .arrow { stroke: var(--bad); fill: var(--bad); } .failing text, .sentence { fill: var(--bad); font-weight: 600; }`;

export function drawSvg(ladder: Ladder): string {
  const { lanes, steps, sentence, title } = ladder;
  const rows = steps.length + (sentence === undefined ? 0 : 1);
  const [width, height] = [left + (lanes.length - 1) * laneWidth + 160, top + rows * rowHeight + 20];
  const times = timesOf(steps);
  const rails = lanes.map((lane, index) => {
    const x = laneX(index);
    return `<line class="rail" x1="${x}" x2="${x}" y1="${top - 14}" y2="${top + steps.length * rowHeight + 2}"/><text class="lane" x="${x}" y="${top - 22}" text-anchor="middle">${escaped(lane)}</text>`;
  });
  const rungs = steps.map((step, index) => drawStep(step, index, times[index] ?? ''));
  const last = sentence === undefined ? '' : `<text class="sentence" x="${left}" y="${top + steps.length * rowHeight + 20}">${escaped(sentence)}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(`Ladder of ${title}`)}">`,
    `<style>${style}</style><rect class="ground" width="${width}" height="${height}"/><text x="10" y="20">${escaped(title)}</text>`,
    ...rails,
    ...rungs,
    last,
    '</svg>',
  ].join('\n');
}

function drawStep({ from, to, label, repeated, failing }: Step, index: number, time: string): string {
  const y = top + index * rowHeight + 12;
  const [start, end] = [laneX(from), laneX(to)];
  const way = Math.sign(end - start);
  const words = repeated ? `${label} (again)` : label;
  const room = (failing ? boldFits : fits) * Math.abs(to - from);
  const shown = words.length > room ? `${words.slice(0, room - 1)}…` : words;
  const classes = ['step', ...(repeated ? ['again'] : []), ...(failing ? ['failing'] : [])].join(' ');
  const head = `${end},${y} ${end - way * 9},${y - 4} ${end - way * 9},${y + 4}`;
  return [
    `<g class="${classes}" data-step="${index}"><title>${escaped(words)}</title>`,
    `<text class="time" x="10" y="${y + 4}">${time}</text>`,
    `<line class="arrow" x1="${start}" y1="${y}" x2="${end - way * 8}" y2="${y}"/><polygon class="arrow" points="${head}"/>`,
    `<text x="${(start + end) / 2}" y="${y - 5}" text-anchor="middle">${escaped(shown)}</text></g>`,
  ].join('');
}

function laneX(lane: number): number {
  return left + 60 + lane * laneWidth;
}

function escaped(text: string): string {
  // Control characters have no place in XML at all (XML 1.0 section 2.2).
  const printable = text.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD');
  return printable.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}
