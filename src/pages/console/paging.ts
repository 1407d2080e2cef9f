/**
 * Pages of a list that is never loaded whole: the server tells what to ask for the next page, and the way back is remembered. Searching
 * may take the server several answers to fill a page, for none of them may take it long.
 */

/** Where each page began that was seen on the way; the last is the one in sight. The first begins at nothing. */
export type Trail<Key> = readonly (Key | undefined)[];

export interface Page<Item, Key> {
  readonly items: readonly Item[];
  /** Where the next page begins; absent on the last. */
  readonly next?: Key;
}

export const firstPage: Trail<never> = [undefined];

export function hereOf<Key>(trail: Trail<Key>): Key | undefined {
  return trail.at(-1);
}

export function forth<Key>(trail: Trail<Key>, next: Key): Trail<Key> {
  return [...trail, next];
}

/** Stays where it is on the first page. */
export function back<Key>(trail: Trail<Key>): Trail<Key> {
  return trail.length > 1 ? trail.slice(0, -1) : trail;
}

/** Answers that one page is made of at most; then a person says whether to search on. */
const mostAnswers = 20;

/**
 * Asks until a page is full, the list is at its end, or enough was asked.
 * @param ask what comes at and after a key, at most `limit`
 */
export async function gather<Item, Key>(ask: (from: Key | undefined, limit: number) => Promise<Page<Item, Key>>, from: Key | undefined, limit: number): Promise<Page<Item, Key>> {
  const items: Item[] = [];
  let next = from;
  for (let answers = 0; answers < mostAnswers; answers += 1) {
    const page = await ask(next, limit - items.length);
    items.push(...page.items);
    if (page.next === undefined) return { items };
    next = page.next;
    if (items.length >= limit) break;
  }
  return next === undefined ? { items } : { items, next };
}
