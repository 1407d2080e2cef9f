/** The twelve keys of a telephone. */
const keys = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];
const names: Record<string, string> = { '*': 'star', '#': 'hash' };

export function Pad({ label, onKey }: { label: string; onKey: (key: string) => void }) {
  return (
    <div class="pad" role="group" aria-label={label}>
      {keys.map((key) => (
        <button
          key={key}
          type="button"
          aria-label={names[key] ?? key}
          onClick={() => {
            onKey(key);
          }}
        >
          {key}
        </button>
      ))}
    </div>
  );
}
