/** The configuration that is in force, as `dialog-sip check-config` prints it: secrets are masked. */
import { useAnswer } from './asking.js';
import type { Desk } from './desk.js';
import type { EffectiveConfiguration } from './told.js';

export function Configuration({ desk }: { desk: Desk }) {
  const { answer, trouble } = useAnswer((signal) => desk.session.json<EffectiveConfiguration>('api/config', { signal }), [desk.live.turns.server.value]);
  return (
    <section class="sheet" aria-labelledby="title">
      <p class="faint">What server.conf comes to; what it does not say has its default.</p>
      <p class="trouble" role="alert">
        {trouble}
      </p>
      {answer !== undefined && (
        <pre tabIndex={0} aria-labelledby="title">
          {answer.lines.join('\n')}
        </pre>
      )}
    </section>
  );
}
