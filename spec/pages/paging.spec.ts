import { describe, expect, it } from 'vitest';
import { back, firstPage, forth, gather, hereOf, type Page, type Trail } from '../../src/pages/console/paging.js';

describe('the way through pages', () => {
  it('leads forth to where the server said that the next begins, and back the same way', () => {
    const third = forth(forth<number>(firstPage, 50), 120);
    expect(hereOf(third)).toBe(120);
    expect(hereOf(back(third))).toBe(50);
    expect(hereOf(back(back(third)))).toBeUndefined();
  });

  it('stays on the first page', () => {
    const first: Trail<number> = firstPage;
    expect(back(first)).toEqual(firstPage);
  });
});

describe('gathering one page', () => {
  /** A server that looks at ten numbers an answer, and tells those that `fits`. */
  const server = (last: number, fits: (number: number) => boolean) => {
    const asked: [number | undefined, number][] = [];
    const ask = (from: number | undefined, limit: number): Promise<Page<number, number>> => {
      asked.push([from, limit]);
      const start = (from ?? 0) + 1;
      const end = Math.min(last, start + 9);
      const items = Array.from({ length: end - start + 1 }, (_, index) => start + index).filter(fits).slice(0, limit);
      const next = items.length === limit ? items.at(-1) : end;
      return Promise.resolve(next === last || next === undefined ? { items } : { items, next });
    };
    return { asked, ask };
  };

  it('asks on until the page is full, and never for more than it lacks', async () => {
    const { asked, ask } = server(1_000, (number) => number % 5 === 0);
    expect(await gather(ask, undefined, 5)).toEqual({ items: [5, 10, 15, 20, 25], next: 25 });
    expect(asked).toEqual([[undefined, 5], [10, 3], [20, 1]]);
  });

  it('ends where the list ends', async () => {
    const { ask } = server(12, () => true);
    expect(await gather(ask, 10, 50)).toEqual({ items: [11, 12] });
  });

  it('gives up after twenty answers, and tells where to search on', async () => {
    const { asked, ask } = server(100_000, (number) => number === 99_999);
    expect(await gather(ask, undefined, 50)).toEqual({ items: [], next: 200 });
    expect(asked).toHaveLength(20);
  });
});
