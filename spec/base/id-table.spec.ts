import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdTable } from '../../src/base/id-table.js';

const id = fc.oneof({ weight: 4, arbitrary: fc.integer({ min: -20, max: 60 }) }, fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 31, 2 ** 31 - 1, 3e9));
const step = fc.record({ do: fc.constantFrom('set', 'set', 'delete', 'clear' as const), id });

describe('a table by id', () => {
  it('is what a map is, whatever ids come and go', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const table = new IdTable<{ turn: number }>();
        const map = new Map<number, { turn: number }>();
        steps.forEach(({ do: verb, id: at }, turn) => {
          if (verb === 'set') {
            table.set(at, { turn });
            map.set(at, { turn });
          } else if (verb === 'delete') {
            expect(table.delete(at)).toBe(map.delete(at));
          } else if (turn % 7 === 0) {
            table.clear();
            map.clear();
          }
          expect([table.size, table.has(at), table.get(at)]).toEqual([map.size, map.has(at), map.get(at)]);
        });
        expect(new Set(table.keys())).toEqual(new Set(map.keys()));
        expect(new Set(table.values())).toEqual(new Set(map.values()));
      }),
    );
  });

  it('holds nought as any number', () => {
    const table = new IdTable<number>();
    table.set(7, 0);
    expect([table.get(7), table.has(7), table.size]).toEqual([0, true, 1]);
  });
});
