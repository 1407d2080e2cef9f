/** A field whose text is searched for when somebody stops typing. */
import { useEffect, useState } from 'preact/hooks';

const restMs = 300;

export function SearchField({ label, value, onValue }: { label: string; value: string; onValue: (value: string) => void }) {
  const [typed, setTyped] = useState(value);
  // The address may change by itself.
  useEffect(() => {
    setTyped(value);
  }, [value]);
  useEffect(() => {
    if (typed === value) return;
    const timer = window.setTimeout(() => {
      onValue(typed);
    }, restMs);
    return () => {
      window.clearTimeout(timer);
    };
  }, [typed]);
  return (
    <label class="field grow">
      {label}
      <input
        type="search"
        autocomplete="off"
        value={typed}
        onInput={(event) => {
          setTyped(event.currentTarget.value);
        }}
      />
    </label>
  );
}
