/** Dials what is typed: an extension, a phone number or a SIP address. */
import { useState } from 'preact/hooks';
import { Pad } from './pad.js';
import type { Phone } from './phone.js';

export function Dialler({ phone }: { phone: Phone }) {
  const [typed, setTyped] = useState('');
  const [padOpen, setPadOpen] = useState(false);
  const dial = (video: boolean): void => {
    const address = typed.trim();
    if (address !== '') void phone.dial({ target: { address }, title: address }, video);
  };
  return (
    <form
      class="sheet dialler"
      onSubmit={(event) => {
        event.preventDefault();
        dial(false);
      }}
    >
      <label>
        <h2>Number or SIP address</h2>
        <input
          name="address"
          autocomplete="off"
          placeholder="600, +49 30 901820, sip:bob@example.com"
          value={typed}
          onInput={(event) => {
            setTyped(event.currentTarget.value);
          }}
        />
      </label>
      {padOpen && (
        <Pad
          label="Dial pad"
          onKey={(key) => {
            setTyped(typed + key);
          }}
        />
      )}
      <div class="row">
        <button type="submit" class="good" disabled={typed.trim() === ''}>
          Dial
        </button>
        <button
          type="button"
          aria-label="Dial with video"
          disabled={typed.trim() === ''}
          onClick={() => {
            dial(true);
          }}
        >
          Video
        </button>
        <button
          type="button"
          aria-pressed={padOpen}
          onClick={() => {
            setPadOpen(!padOpen);
          }}
        >
          Keys
        </button>
      </div>
    </form>
  );
}
