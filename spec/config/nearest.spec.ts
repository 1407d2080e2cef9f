import { describe, expect, it } from 'vitest';
import { editDistance, nearestName } from '../../src/config/nearest.js';

describe('the nearest known key', () => {
  it.each([
    ['', '', 0],
    ['abc', '', 3],
    ['expires', 'exipres', 1],
    ['port', 'prot', 1],
    ['host', 'hosts', 1],
    ['kitten', 'sitting', 3],
    ['ca', 'abc', 3],
  ])('counts %j to %j as %i edits', (one, other, edits) => {
    expect(editDistance(one, other)).toBe(edits);
    expect(editDistance(other, one)).toBe(edits);
  });

  it('is the one with the fewest edits, whatever the case, or none when all are far', () => {
    const known = ['expires', 'interval', 'max-rate'];
    expect(nearestName('Intervall', known)).toBe('interval');
    expect(nearestName('maxrate', known)).toBe('max-rate');
    expect(nearestName('colour', known)).toBeUndefined();
    expect(nearestName('x'.repeat(100_000), known)).toBeUndefined();
  });
});
