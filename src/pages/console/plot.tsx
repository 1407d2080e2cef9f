/**
 * Lines over the last hour. The values of the newest moment stand beside the names; pointing at the picture, or moving its slider with the
 * arrow keys, shows those of another.
 */
import { useState } from 'preact/hooks';
import { ceilingOf, mostOf, pathOf, xOf, type Series } from './plot-scale.js';

const box = { width: 600, height: 150 };
/** More than two samples of ten seconds are missing. */
const gapMs = 25_000;

export interface PlotProps {
  readonly title: string;
  /** Milliseconds since 1970, ascending. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  /** A value with its unit. */
  readonly say: (value: number) => string;
  /** What the top is, when it does not follow from what was measured. */
  readonly ceiling?: number;
}

export function Plot({ title, times, series, say, ceiling }: PlotProps) {
  const [pointed, setPointed] = useState<number | undefined>(undefined);
  const last = times.length - 1;
  const index = Math.min(pointed ?? last, last);
  const top = ceiling ?? ceilingOf(mostOf(series));
  const [from = 0, to = 0, at = 0] = [times[0], times[last], times[index]];
  const valueWords = (values: Series['values']): string => {
    const value = values[index] ?? null;
    return value === null ? '–' : say(value);
  };
  return (
    <figure class="sheet plot">
      <figcaption>
        <h2>{title}</h2>
        <span class="faint">{times.length === 0 ? 'nothing measured yet' : `at ${clock(at)}`}</span>
      </figcaption>
      <div class="picture">
        <svg viewBox={`0 0 ${box.width} ${box.height}`} preserveAspectRatio="none" aria-hidden="true">
          {[0, 0.5, 1].map((share) => (
            <line key={share} class="grid" x1={0} x2={box.width} y1={box.height * share} y2={box.height * share} />
          ))}
          {series.map(({ name, values, isLimit }, number) => (
            <path key={name} class={isLimit === true ? 'limit' : `s${number}`} d={pathOf(times, values, top, box, gapMs)} />
          ))}
          {pointed !== undefined && <line class="cursor" x1={xOf(at, from, to, box)} x2={xOf(at, from, to, box)} y1={0} y2={box.height} />}
        </svg>
        <span class="most faint">{say(top)}</span>
        <input
          type="range"
          aria-label={`${title}: moment`}
          aria-valuetext={times.length === 0 ? 'nothing measured yet' : `${clock(at)}: ${series.map(({ name, values }) => `${name} ${valueWords(values)}`).join(', ')}`}
          min={0}
          max={Math.max(0, last)}
          value={Math.max(0, index)}
          onInput={(event) => {
            setPointed(event.currentTarget.valueAsNumber);
          }}
          onPointerMove={(event) => {
            const { left, width } = event.currentTarget.getBoundingClientRect();
            setPointed(nearest(times, from + ((event.clientX - left) / width) * (to - from)));
          }}
          onPointerLeave={() => {
            setPointed(undefined);
          }}
          onBlur={() => {
            setPointed(undefined);
          }}
        />
      </div>
      <div class="ends faint">
        <span>{times.length === 0 ? '' : clock(from)}</span>
        <span>{times.length === 0 ? '' : clock(to)}</span>
      </div>
      <ul class="plain row legend">
        {series.map(({ name, values, isLimit }, number) => (
          <li key={name}>
            <svg viewBox="0 0 20 8" aria-hidden="true">
              <path class={isLimit === true ? 'limit' : `s${number}`} d="M1 4L19 4" />
            </svg>
            {name} <b>{valueWords(values)}</b>
          </li>
        ))}
      </ul>
    </figure>
  );
}

function nearest(times: readonly number[], at: number): number {
  return times.reduce((best, time, index) => (Math.abs(time - at) < Math.abs((times[best] ?? 0) - at) ? index : best), 0);
}

function clock(at: number): string {
  return new Date(at).toLocaleTimeString('en-GB');
}
