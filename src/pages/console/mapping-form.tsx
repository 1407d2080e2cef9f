/** One mapping, to be typed. What is wrong with it the server says, for it knows the rules. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Refused, sentenceOf } from './refused.js';
import { Dialog } from './dialog.js';
import { isWebSocket, peerTypes, transports, type TypedFields } from './mapping-fields.js';

interface MappingFormProps {
  readonly title: string;
  readonly before: TypedFields;
  readonly hasPassword: boolean;
  readonly onClose: () => void;
  /** Rejects with what the server refused. */
  readonly send: (typed: TypedFields) => Promise<void>;
}

type TextField = { [Name in keyof TypedFields]: TypedFields[Name] extends string ? Name : never }[keyof TypedFields];
type Tick = Exclude<keyof TypedFields, TextField>;

const ticks: readonly [Tick, string][] = [
  ['register', 'Register it'],
  ['canCall', 'May call'],
  ['canBeCalled', 'May be called'],
];

export function MappingForm({ title, before, hasPassword, onClose, send }: MappingFormProps) {
  const [typed, setTyped] = useState(before);
  const [trouble, setTrouble] = useState('');
  const [faults, setFaults] = useState<readonly string[]>([]);
  const [isBusy, setBusy] = useState(false);
  const text = (name: TextField, label: string, { required, kind, placeholder }: { required?: boolean; kind?: 'password' | 'number'; placeholder?: string } = {}): ComponentChildren => (
    <label class="field">
      {label}
      <input
        {...(kind === 'password' ? { type: 'password' as const, autocomplete: 'new-password' as const } : { type: 'text' as const, autocomplete: 'off' as const })}
        {...(kind === 'number' ? { inputMode: 'numeric' as const, pattern: '\\d+' } : {})}
        name={name}
        required={required}
        placeholder={placeholder}
        aria-invalid={faults.includes(name)}
        aria-describedby={faults.includes(name) ? 'form-trouble' : undefined}
        value={typed[name]}
        onInput={(event) => {
          setTyped({ ...typed, [name]: event.currentTarget.value });
        }}
      />
    </label>
  );
  const choice = (name: TextField, label: string, choices: readonly (readonly [value: string, name: string])[]): ComponentChildren => (
    <label class="field">
      {label}
      <select
        name={name}
        value={typed[name]}
        onChange={(event) => {
          setTyped({ ...typed, [name]: event.currentTarget.value });
        }}
      >
        {choices.map(([value, shown]) => (
          <option key={value} value={value}>
            {shown}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          setBusy(true);
          send(typed).catch((thrown: unknown) => {
            setTrouble(sentenceOf(thrown));
            setFaults(thrown instanceof Refused ? thrown.fields : []);
            setBusy(false);
          });
        }}
      >
        <div class="fields">
          {text('sipUser', 'SIP user', { required: true })}
          {text('sipPassword', 'SIP password', { kind: 'password', placeholder: hasPassword ? 'as it is' : 'none' })}
          {text('sipHost', 'Registrar', { required: true, placeholder: 'pbx.example.com' })}
          {text('sipPort', 'Port (0: by DNS)', { required: true, kind: 'number' })}
          {choice('transport', 'Transport', transports.map((each) => [each, each] as const))}
          {isWebSocket(typed.transport) && (
            <>
              {text('location', 'WebSocket path', { placeholder: '/' })}
              {text('hostHeader', 'WebSocket Host header')}
              {text('method', 'WebSocket verb', { placeholder: 'GET' })}
            </>
          )}
          {choice('peerType', 'Kind of peer', peerTypes)}
          {text('peerId', 'Id in the messenger', { required: true, kind: 'number' })}
          {typed.peerType === '4' && text('peerStrId', 'SIP address of the peer')}
          {text('authUser', 'Digest username', { placeholder: 'as the SIP user' })}
          {text('displayName', 'Display name')}
        </div>
        <div class="row">
          {ticks.map(([name, label]) => (
            <label key={name} class="check">
              <input
                type="checkbox"
                name={name}
                checked={typed[name]}
                onChange={(event) => {
                  setTyped({ ...typed, [name]: event.currentTarget.checked });
                }}
              />
              {label}
            </label>
          ))}
        </div>
        <p id="form-trouble" class="trouble" role="alert">
          {trouble}
        </p>
        <div class="row">
          <button type="submit" class="main" disabled={isBusy}>
            Save
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
