/** The end of the extension's log, as it goes on. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { useNow } from './asking.js';
import type { Desk } from './desk.js';
import { timeWords } from './wording.js';

/** The worst first. */
const levels = ['error', 'warn', 'info', 'debug'] as const;

export function Log({ desk }: { desk: Desk }) {
  const [worst, setWorst] = useState('info');
  const [follows, setFollows] = useState(true);
  const end = useRef<HTMLOListElement>(null);
  const now = useNow(60_000);
  const shown = desk.live.lines.value.filter(({ level }) => rank(level) <= rank(worst));
  useEffect(() => {
    if (follows && end.current !== null) end.current.scrollTop = end.current.scrollHeight;
  }, [follows, shown.at(-1)?.n, worst]);
  return (
    <section class="sheet" aria-labelledby="title">
      <div class="row filters">
        <label class="field">
          Level
          <select
            value={worst}
            onChange={(event) => {
              setWorst(event.currentTarget.value);
            }}
          >
            {levels.map((level, index) => (
              <option key={level} value={level}>
                {index === 0 ? level : `${level} and worse`}
              </option>
            ))}
          </select>
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={follows}
            onChange={(event) => {
              setFollows(event.currentTarget.checked);
            }}
          />
          Follow the end
        </label>
      </div>
      {shown.length === 0 && <p class="faint">No lines yet.</p>}
      <ol class="plain lines" ref={end} tabIndex={0} aria-label="Lines of the log">
        {shown.map(({ n, at, level, message }) => (
          <li key={n} class={level}>
            <time dateTime={at}>{timeWords(at, now)}</time> <b>{level}</b> {message}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** A level that is none of ours is the least. */
function rank(level: string): number {
  const index = levels.findIndex((each) => each === level);
  return index < 0 ? levels.length : index;
}
