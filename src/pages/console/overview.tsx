/** How it goes: the extension in figures, those that are in trouble, and the last hour as plots. */
import { useNow } from './asking.js';
import type { Desk } from './desk.js';
import { Plot } from './plot.js';
import { answerRates, shortNumber, type Series } from './plot-scale.js';
import { hrefOf } from './route.js';
import type { ExtensionStatus, RegistrationState, ShownSample } from './told.js';
import { bareAddress, counted, nextWords, roughly, stateMeanings, toneOf } from './wording.js';

const states: readonly RegistrationState[] = ['registered', 'registering', 'waiting', 'retrying', 'parked', 'unregistering'];

/** Those in trouble that are named here; Registrations has them all. */
const mostNamed = 5;

/** Answered calls are counted over five minutes: one call in ten seconds says little. */
const answerSpan = 30;

export function Overview({ desk }: { desk: Desk }) {
  const status = desk.live.status.value;
  return (
    <>
      {status === undefined ? <p class="faint">Asking the extension…</p> : <Figures status={status} />}
      <Plots samples={desk.live.samples.value} />
    </>
  );
}

function Figures({ status }: { status: ExtensionStatus }) {
  const now = useNow();
  const { ready, nodeId, uptimeMs, registrations, calls, listening, rejectedRows } = status;
  return (
    <>
      <section class="sheet" aria-label="Status">
        <p>
          <span class={`badge ${ready ? 'good' : 'warn'}`}>{ready ? 'ready' : 'starting'}</span> <b>{nodeId}</b>, up for {roughly(uptimeMs)}, takes SIP at {listening.join(', ')}
        </p>
        {(registrations.convergesInMs ?? 0) > 0 && <p>All that wait for their turn have had it in {roughly(registrations.convergesInMs ?? 0)}.</p>}
        <dl class="figures">
          <div>
            <dt>
              <a href={hrefOf({ view: 'calls', which: 'live', q: '' })}>live calls</a>
            </dt>
            <dd>{calls.live.toLocaleString('en')}</dd>
          </div>
          {states.map((state) => (
            <div key={state} class={registrations.byState[state] > 0 ? toneOf(state) : 'calm'}>
              <dt>
                <a href={hrefOf({ view: 'registrations', state, q: '' })} title={stateMeanings[state]}>
                  {state}
                </a>
              </dt>
              <dd>{registrations.byState[state].toLocaleString('en')}</dd>
            </div>
          ))}
        </dl>
      </section>
      {registrations.troubled.length > 0 && (
        <section class="sheet" aria-labelledby="troubled">
          <h2 id="troubled">Not registered</h2>
          <ul class="plain entries">
            {registrations.troubled.slice(0, mostNamed).map((registration) => (
              <li key={registration.mappingId}>
                <div class="what">
                  <p>
                    <a href={hrefOf({ view: 'registrations', state: '', q: bareAddress(registration.aor) })}>{bareAddress(registration.aor)}</a> <span class={`badge ${toneOf(registration.state)}`}>{registration.state}</span>
                  </p>
                  <p>
                    {registration.lastError ?? stateMeanings[registration.state]} <span class="faint">{nextWords(registration, now)}</span>
                  </p>
                </div>
              </li>
            ))}
          </ul>
        </section>
      )}
      {rejectedRows.length > 0 && (
        <section class="sheet" aria-labelledby="rejected">
          <h2 id="rejected">{counted(rejectedRows.length, 'row')} of sip_user_mappings cannot be used</h2>
          <ul>
            {rejectedRows.slice(0, mostNamed).map(({ problem }) => (
              <li key={problem}>{problem}</li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function Plots({ samples }: { samples: readonly ShownSample[] }) {
  const times = samples.map(({ at }) => Date.parse(at));
  const delay = (which: 'p50' | 'p95' | 'p99'): Series => ({ name: which, values: samples.map(({ pddMs }) => pddMs?.[which] ?? null) });
  return (
    <div class="plots">
      <Plot title="Registrations by state" times={times} say={shortNumber} series={states.map((state) => ({ name: state, values: samples.map(({ byState }) => byState[state]) }))} />
      <Plot title="Calls per second" times={times} say={shortNumber} series={[{ name: 'calls', values: samples.map(({ callsPerSecond }) => callsPerSecond) }]} />
      <Plot title="Answer rate" times={times} say={(value) => `${shortNumber(value)} %`} ceiling={100} series={[{ name: 'answered', values: answerRates(samples, answerSpan) }]} />
      <Plot title="Post-dial delay" times={times} say={(value) => `${shortNumber(value)} ms`} series={[delay('p50'), delay('p95'), delay('p99')]} />
      <Plot
        title="REGISTERs per second"
        times={times}
        say={shortNumber}
        series={[
          { name: 'sent', values: samples.map(({ registersPerSecond }) => registersPerSecond) },
          { name: 'limit', values: samples.map(({ registerLimit }) => registerLimit), isLimit: true },
        ]}
      />
    </div>
  );
}
