/** Signing in: the demonstration's users need no password, so one is chosen. */
import { useEffect, useState } from 'preact/hooks';
import { titleOf } from './call-view.js';
import { people, type User } from './host-session.js';

export function SignIn({ note, onChosen }: { note: string; onChosen: (user: User) => void }) {
  const [users, setUsers] = useState<User[]>([]);
  const [trouble, setTrouble] = useState('');
  useEffect(() => {
    people().then(setUsers, (thrown: unknown) => {
      setTrouble(thrown instanceof Error ? thrown.message : String(thrown));
    });
  }, []);
  return (
    <main class="gate sheet">
      <h1>Who are you?</h1>
      <p class="faint">Two tabs, two people: they can call each other.</p>
      <p class="trouble" role="alert">
        {trouble === '' ? note : trouble}
      </p>
      <ul class="plain stack">
        {users.map((user) => (
          <li key={user.id}>
            <button
              type="button"
              onClick={() => {
                onChosen(user);
              }}
            >
              {titleOf(user)}
            </button>
          </li>
        ))}
      </ul>
    </main>
  );
}
