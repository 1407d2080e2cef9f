/** One call or one registration as a ladder, and beside it the message of the step that is chosen. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { pathOf } from './asked-path.js';
import { sentenceOf } from './refused.js';
import { useAnswer } from './asking.js';
import type { Desk } from './desk.js';
import { focusStep, markStep, pictureOf, stepAt } from './ladder-picture.js';
import { fileName, firstStep, stepAfterKey, stepWays, stepTime } from './ladder-steps.js';
import type { LadderOf } from './route.js';
import type { Ladder } from './told.js';

const files = [
  ['svg', 'SVG', 'svg'],
  ['text', 'text', 'txt'],
  ['pcapng', 'pcapng', 'pcapng'],
] as const;

export function LadderView({ desk, of }: { desk: Desk; of: LadderOf }) {
  const path = `api/${of.kind === 'call' ? 'calls' : 'registrations'}/${encodeURIComponent(of.id)}/ladder`;
  const [notKept, setNotKept] = useState('');
  const { answer, trouble, isAsking, again } = useAnswer(
    async (signal) => {
      const svg = await desk.session.text(pathOf(path, { as: 'svg' }), { signal });
      return { svg, ladder: await desk.session.json<Ladder>(pathOf(path, { as: 'json' }), { signal }) };
    },
    [path, desk.live.turns.server.value],
  );
  const keep = (as: string, ending: string): void => {
    const messages = as === 'text' ? true : undefined;
    desk.session.download(pathOf(path, { as, messages }), fileName(answer?.ladder.title ?? of.id, ending)).then(
      () => {
        setNotKept('');
      },
      (thrown: unknown) => {
        setNotKept(sentenceOf(thrown));
      },
    );
  };
  return (
    <>
      <div class="row">
        <button type="button" disabled={isAsking} onClick={again}>
          Look again
        </button>
        {answer !== undefined &&
          files.map(([as, name, ending]) => (
            <button
              key={as}
              type="button"
              onClick={() => {
                keep(as, ending);
              }}
            >
              Save as {name}
            </button>
          ))}
      </div>
      <p class="trouble" role="alert">
        {trouble === '' ? notKept : trouble}
      </p>
      {answer !== undefined && <Drawn key={answer.svg} svg={answer.svg} ladder={answer.ladder} />}
    </>
  );
}

function Drawn({ svg, ladder }: { svg: string; ladder: Ladder }) {
  const place = useRef<HTMLDivElement>(null);
  const picture = useRef<SVGSVGElement | undefined>(undefined);
  const [chosen, setChosen] = useState(firstStep(ladder));
  useEffect(() => {
    picture.current = pictureOf(svg, stepWays(ladder));
    if (picture.current !== undefined) place.current?.replaceChildren(picture.current);
  }, [svg]);
  useEffect(() => {
    if (picture.current !== undefined) markStep(picture.current, chosen);
  }, [svg, chosen]);
  const choose = (step: number): void => {
    setChosen(step);
    if (picture.current !== undefined) focusStep(picture.current, step);
  };
  return (
    <>
      {ladder.sentence !== undefined && <p class={ladder.steps.some(({ failing }) => failing) ? 'sentence trouble' : 'sentence'}>{ladder.sentence}</p>}
      <div class="beside">
        <div
          class="sheet ladder"
          ref={place}
          onClick={({ target }) => {
            const step = stepAt(target);
            if (step !== undefined) choose(step);
          }}
          onKeyDown={(event) => {
            const at = stepAt(event.target);
            const to = at === undefined ? undefined : stepAfterKey(event.key, at, ladder.steps.length);
            if (to === undefined) return;
            event.preventDefault();
            choose(to);
          }}
        />
        <Message ladder={ladder} index={chosen} />
      </div>
    </>
  );
}

function Message({ ladder, index }: { ladder: Ladder; index: number }) {
  const step = ladder.steps[index];
  if (step === undefined) return null;
  const { from, to, label, text, repeated, failing, sdpChanges = [] } = step;
  return (
    <section class={failing ? 'sheet message failing' : 'sheet message'} aria-label="The chosen step">
      <div aria-live="polite">
        <h2>{label}</h2>
        <p>
          {ladder.lanes[from]} to {ladder.lanes[to]}
          {repeated && ', sent again'}
        </p>
        <p class="faint">{stepTime(ladder, index)}</p>
        {failing && <p class="trouble">It failed here. {ladder.sentence}</p>}
      </div>
      {sdpChanges.length > 0 && (
        <>
          <h3>What changed in the session description</h3>
          <pre class="changes" tabIndex={0} aria-label="What changed in the session description">
            {sdpChanges.map((line, number) => (
              <span key={number} class={line.startsWith('+') ? 'come' : line.startsWith('-') ? 'gone' : ''}>
                {line}
                {'\n'}
              </span>
            ))}
          </pre>
        </>
      )}
      <h3>The whole message, without secrets</h3>
      <pre tabIndex={0} aria-label="The whole message">
        {text}
      </pre>
    </section>
  );
}
