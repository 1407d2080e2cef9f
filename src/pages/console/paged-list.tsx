/** A list in pages: one page is asked for and held, however long the list is. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useAnswer } from './asking.js';
import { back, firstPage, forth, gather, hereOf, type Page, type Trail } from './paging.js';

const pageLength = 50;

export interface PagedListProps<Item, Key> {
  /** What it is a list of, for who listens to the page. */
  readonly label: string;
  /** What stands there when there is nothing. */
  readonly none: string;
  readonly ask: (from: Key | undefined, limit: number, signal: AbortSignal) => Promise<Page<Item, Key>>;
  /** The page is asked for anew when it changes. */
  readonly turn: unknown;
  readonly keyOf: (item: Item) => string | number;
  readonly draw: (item: Item, again: () => void) => ComponentChildren;
}

export function PagedList<Item, Key>({ label, none, ask, turn, keyOf, draw }: PagedListProps<Item, Key>) {
  const [trail, setTrail] = useState<Trail<Key>>(firstPage);
  const { answer, trouble, isAsking, again } = useAnswer((signal) => gather((from: Key | undefined, limit) => ask(from, limit, signal), hereOf(trail), pageLength), [trail, turn]);
  const next = answer?.next;
  return (
    <>
      <p class="trouble" role="alert">
        {trouble}
      </p>
      {answer?.items.length === 0 && <p class="faint">{next === undefined ? none : 'Nothing found so far; there is more to search.'}</p>}
      <ul class="plain entries" aria-label={label} aria-busy={isAsking}>
        {answer?.items.map((item) => (
          <li key={keyOf(item)}>{draw(item, again)}</li>
        ))}
      </ul>
      {(trail.length > 1 || next !== undefined) && (
        <nav class="row pager" aria-label={`Pages of ${label}`}>
          <button
            type="button"
            disabled={trail.length === 1}
            onClick={() => {
              setTrail(back);
            }}
          >
            Previous
          </button>
          <span role="status">Page {trail.length}</span>
          <button
            type="button"
            disabled={next === undefined}
            onClick={() => {
              if (next !== undefined) setTrail(forth(trail, next));
            }}
          >
            Next
          </button>
        </nav>
      )}
    </>
  );
}
