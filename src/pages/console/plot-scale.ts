/** Where a plot's lines go: numbers in, coordinates of an SVG out. */
import type { ShownSample } from './told.js';

export interface Series {
  readonly name: string;
  /** One for each time; null where nothing was measured. */
  readonly values: readonly (number | null)[];
  /** A bound, not a measurement: drawn dashed. */
  readonly isLimit?: boolean;
}

export interface Box {
  readonly width: number;
  readonly height: number;
}

/** A round number that holds `most`: 1, 2 or 5 times a power of ten, and 1 for nothing. */
export function ceilingOf(most: number): number {
  if (!(most > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return ([1, 2, 5].find((step) => step * power >= most * (1 - 1e-9)) ?? 10) * power;
}

/** The largest of all series; 0 when nothing was measured. */
export function mostOf(series: readonly Series[]): number {
  return series.reduce((most, { values }) => values.reduce<number>((highest, value) => Math.max(highest, value ?? 0), most), 0);
}

/** Pixels from the left, of `times` that fill the box. */
export function xOf(at: number, from: number, to: number, { width }: Box): number {
  return to > from ? round(((at - from) / (to - from)) * width) : 0;
}

/**
 * The `d` of a path. A value that is missing, or a time further from the one before than `gapMs`, breaks it.
 * @param times milliseconds, ascending
 */
export function pathOf(times: readonly number[], values: readonly (number | null)[], ceiling: number, box: Box, gapMs: number): string {
  const [from = 0, to = 0] = [times[0], times.at(-1)];
  let drawing = false;
  let last = 0;
  const words: string[] = [];
  times.forEach((at, index) => {
    const value = values[index] ?? null;
    if (value === null) {
      drawing = false;
      return;
    }
    const y = round(box.height * (1 - Math.min(value, ceiling) / ceiling));
    words.push(`${drawing && at - last <= gapMs ? 'L' : 'M'}${xOf(at, from, to, box)} ${y}`);
    drawing = true;
    last = at;
  });
  // A point alone has no length, and a round cap shows it none the less.
  return words.map((word, index) => (word.startsWith('M') && !(words[index + 1]?.startsWith('L') ?? false) ? `${word}h0` : word)).join('');
}

/** Of the calls that ended about each time, the share that was answered, in per cent; null where none ended. @param span samples that are looked at together */
export function answerRates(samples: readonly Pick<ShownSample, 'answered' | 'ended'>[], span: number): (number | null)[] {
  let [answered, ended] = [0, 0];
  return samples.map((sample, index) => {
    answered += sample.answered;
    ended += sample.ended;
    const gone = samples[index - span];
    answered -= gone?.answered ?? 0;
    ended -= gone?.ended ?? 0;
    return ended > 0 ? (100 * answered) / ended : null;
  });
}

/** `0.25`, `3.1`, `1,200`: three digits that count. */
export function shortNumber(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: value >= 1_000 ? 21 : 3, maximumFractionDigits: 2, roundingPriority: 'lessPrecision' });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
