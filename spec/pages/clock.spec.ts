import { expect, it } from 'vitest';
import { clockOf } from '../../src/pages/shared/clock.js';

it.each([
  [0, '0:00'],
  [7_900, '0:07'],
  [754_000, '12:34'],
  [3_723_000, '1:02:03'],
  [-5, '0:00'],
])('%i ms read %s', (ms, text) => {
  expect(clockOf(ms)).toBe(text);
});
