/** One call: whom, since when, what may be done now. */
import { useEffect, useState } from 'preact/hooks';
import { clockOf } from '../shared/clock.js';
import type { CallView } from './call-view.js';
import { Pad } from './pad.js';
import type { Call, Phone } from './phone.js';
import { Screen } from './screen.js';
import { Transfer } from './transfer.js';

export function CallPanel({ phone, call }: { phone: Phone; call: Call }) {
  const view = call.view.value;
  return (
    <section class={`sheet call ${view.stage}`} aria-label={`Call with ${view.title}`}>
      <header>
        <div>
          <h2>{view.title}</h2>
          <p class="faint">{view.address}</p>
        </div>
        <p role="status">
          <Stage view={view} heldByThem={call.media.heldByThem.value} />
        </p>
      </header>
      {view.stage !== 'offered' && view.stage !== 'ended' && <Screen call={call} />}
      {view.tones !== '' && <p>They pressed {view.tones}</p>}
      {view.stage === 'talking' && view.sentence !== undefined && <p role="status">{view.sentence}</p>}
      <Actions phone={phone} call={call} view={view} />
    </section>
  );
}

function Stage({ view, heldByThem }: { view: CallView; heldByThem: boolean }) {
  const { stage, held, talkingAt = 0 } = view;
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (stage !== 'talking') return;
    const timer = window.setInterval(() => {
      setNow(Date.now());
    }, 500);
    return () => {
      window.clearInterval(timer);
    };
  }, [stage]);
  switch (stage) {
    case 'calling':
      return <>Calling…</>;
    case 'ringing':
      return <>Ringing…</>;
    case 'early':
      return <>Not answered yet; you hear the other end.</>;
    case 'offered':
      return <>{view.offersVideo ? 'Calls you, with video' : 'Calls you'}</>;
    case 'ended':
      return <>{view.sentence ?? 'The call has ended.'}</>;
    case 'talking':
      return (
        <>
          {held ? 'On hold' : heldByThem ? 'The other end holds' : 'Talking'} {clockOf(now - talkingAt)}
        </>
      );
  }
}

function Actions({ phone, call, view }: { phone: Phone; call: Call; view: CallView }) {
  const [open, setOpen] = useState<'keys' | 'transfer' | undefined>(undefined);
  if (view.stage === 'ended') return null;
  if (view.stage === 'offered') {
    return (
      <div class="row">
        <button type="button" class="good" onClick={() => void phone.answer(call, false)}>
          Answer
        </button>
        {view.offersVideo && (
          <button type="button" onClick={() => void phone.answer(call, true)}>
            Answer with video
          </button>
        )}
        <button type="button" class="bad" onClick={() => void phone.hangUp(call, 'rejected')}>
          Decline
        </button>
      </div>
    );
  }
  const isTalking = view.stage === 'talking';
  const toggle = (which: 'keys' | 'transfer'): void => {
    setOpen(open === which ? undefined : which);
  };
  return (
    <>
      <div class="row">
        <button
          type="button"
          aria-pressed={view.muted}
          onClick={() => {
            phone.mute(call, !view.muted);
          }}
        >
          Mute
        </button>
        {isTalking && (
          <>
            <button type="button" aria-pressed={view.held} onClick={() => void phone.change(call, { held: !view.held })}>
              Hold
            </button>
            <button type="button" aria-pressed={view.video} onClick={() => void phone.change(call, { video: !view.video })}>
              Camera
            </button>
            <button
              type="button"
              aria-expanded={open === 'keys'}
              onClick={() => {
                toggle('keys');
              }}
            >
              Keys
            </button>
            <button
              type="button"
              aria-expanded={open === 'transfer'}
              onClick={() => {
                toggle('transfer');
              }}
            >
              Transfer
            </button>
          </>
        )}
        <button type="button" class="bad" onClick={() => void phone.hangUp(call)}>
          Hang up
        </button>
      </div>
      {isTalking && open === 'keys' && <Pad label="Tones" onKey={(key) => void phone.press(call, key)} />}
      {isTalking && open === 'transfer' && <Transfer phone={phone} call={call} />}
    </>
  );
}
