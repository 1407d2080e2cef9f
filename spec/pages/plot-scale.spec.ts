import { describe, expect, it } from 'vitest';
import { answerRates, ceilingOf, mostOf, pathOf, shortNumber, xOf } from '../../src/pages/console/plot-scale.js';

const box = { width: 100, height: 10 };

describe('the scale of a plot', () => {
  it.each([
    [0, 1],
    [NaN, 1],
    [0.03, 0.05],
    [1, 1],
    [1.1, 2],
    [7, 10],
    [0.3, 0.5],
    [21_000, 50_000],
    [100_000, 100_000],
  ])('%d fits below %d', (most, ceiling) => {
    expect(ceilingOf(most)).toBeCloseTo(ceiling, 12);
  });

  it('holds the largest of all lines', () => {
    expect(mostOf([{ name: 'a', values: [null, 3] }, { name: 'b', values: [7, 1] }])).toBe(7);
    expect(mostOf([{ name: 'a', values: [null] }])).toBe(0);
  });

  it('puts the first time at the left and the last at the right; one time alone at the left', () => {
    expect([xOf(1_000, 1_000, 2_000, box), xOf(1_500, 1_000, 2_000, box), xOf(2_000, 1_000, 2_000, box)]).toEqual([0, 50, 100]);
    expect(xOf(5, 5, 5, box)).toBe(0);
  });
});

describe('a line of a plot', () => {
  it('goes up with its values, and not over the top', () => {
    expect(pathOf([0, 10, 20], [0, 5, 30], 10, box, 15)).toBe('M0 10L50 5L100 0');
  });

  it('breaks where nothing was measured and where time is missing; a point alone is shown', () => {
    expect(pathOf([0, 10, 20, 30, 40], [0, null, 0, 10, null], 10, box, 15)).toBe('M0 10h0M50 10L75 0');
    expect(pathOf([0, 10, 90, 100], [0, 0, 0, 0], 10, box, 15)).toBe('M0 10L10 10M90 10L100 10');
  });

  it('is nothing when there is nothing', () => {
    expect(pathOf([], [], 1, box, 15)).toBe('');
  });
});

it('counts answered calls over a span, in per cent, and says nothing where no call ended', () => {
  const samples = [[0, 0], [1, 2], [1, 1], [0, 1], [0, 0], [0, 0]].map(([answered = 0, ended = 0]) => ({ answered, ended }));
  expect(answerRates(samples, 2).map((rate) => rate && Math.round(rate))).toEqual([null, 50, 67, 50, 0, null]);
});

it.each([
  [0, '0'],
  [0.254, '0.25'],
  [3.14159, '3.14'],
  [66.666, '66.7'],
  [1_234.5, '1,234.5'],
  [100_000, '100,000'],
])('%d reads %s', (value, text) => {
  expect(shortNumber(value)).toBe(text);
});
