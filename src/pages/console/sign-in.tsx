/** Signing in with the token that server.conf names. */
import { useState } from 'preact/hooks';

export function SignIn({ trouble, isBusy, onToken }: { trouble: string; isBusy: boolean; onToken: (token: string) => void }) {
  const [typed, setTyped] = useState('');
  return (
    <main class="gate sheet">
      <h1>SIP console</h1>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          onToken(typed.trim());
        }}
      >
        <label class="field">
          Token
          <input
            type="password"
            name="token"
            autocomplete="current-password"
            required
            aria-describedby="token-from"
            value={typed}
            onInput={(event) => {
              setTyped(event.currentTarget.value);
            }}
          />
        </label>
        <p id="token-from" class="faint">
          It stands in server.conf, as modules.sip.admin.token.
        </p>
        <p class="trouble" role="alert">
          {trouble}
        </p>
        <button type="submit" class="main" disabled={isBusy}>
          Sign in
        </button>
      </form>
    </main>
  );
}
