/** Hands a call over: to somebody who is called for it, or to whom we talk with already. */
import { useState } from 'preact/hooks';
import { othersThan, titleOf } from './call-view.js';
import type { Call, Phone } from './phone.js';

export function Transfer({ phone, call }: { phone: Phone; call: Call }) {
  const [typed, setTyped] = useState('');
  const others = phone.calls.value.filter((other) => other !== call && other.view.value.stage === 'talking');
  return (
    <form
      class="row"
      aria-label="Transfer"
      onSubmit={(event) => {
        event.preventDefault();
        if (typed.trim() !== '') void phone.transfer(call, { address: typed.trim() });
      }}
    >
      <input
        aria-label="Transfer to"
        placeholder="Number or SIP address"
        value={typed}
        onInput={(event) => {
          setTyped(event.currentTarget.value);
        }}
      />
      <button type="submit" disabled={typed.trim() === ''}>
        Hand over
      </button>
      {others.map((other) => (
        <button key={other.view.value.callId} type="button" onClick={() => void phone.transfer(call, { callId: other.view.value.callId })}>
          To {other.view.value.title}
        </button>
      ))}
      {othersThan(call.view.value, phone.contacts.value).map((user) => (
        <button key={user.id} type="button" onClick={() => void phone.transfer(call, { peer: { type: 1, id: user.id } })}>
          To {titleOf(user)}
        </button>
      ))}
    </form>
  );
}
