import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { probeWaitMs, reconnectWaitMs, refreshWindow, retryAfterWaitMs, retryWaitMs } from '../../src/registrar/waits.js';

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const minute = 60_000;

describe('the window of a refresh', () => {
  const latestMs = (grantedMs: number, intervalMs = 7_200_000): number => refreshWindow(grantedMs, intervalMs, false).latestMs;

  it('leaves a tenth of a long expiry, and half of a short one', () => {
    expect(latestMs(3_600_000)).toBe(3_240_000);
    expect(latestMs(120_000)).toBe(88_000);
    expect(latestMs(60_000)).toBe(30_000);
    expect(latestMs(2_000)).toBe(1_000);
  });

  it('ends with the configured interval at the latest', () => {
    expect(latestMs(3_600_000, 60_000)).toBe(60_000);
  });

  it('is the last tenth before that; for the first refresh, the last four fifths', () => {
    expect(refreshWindow(1_800_000, 7_200_000, false).earliestMs).toBe(0.9 * 1_620_000);
    expect(refreshWindow(1_800_000, 7_200_000, true)).toEqual({ earliestMs: 0.2 * 1_620_000, latestMs: 1_620_000 });
  });

  it('is always above 0, within the interval, and early enough for one timeout or within the first half', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), fc.integer({ min: 1, max: 100_000_000 }), fc.boolean(), (s, intervalMs, isFirst) => {
        const grantedMs = s * 1_000;
        const window = refreshWindow(grantedMs, intervalMs, isFirst);
        expect(window.earliestMs).toBeGreaterThan(0);
        expect(window.latestMs).toBeGreaterThan(window.earliestMs);
        expect(window.latestMs).toBeLessThanOrEqual(intervalMs);
        const isEarly = grantedMs - window.latestMs >= Math.max(grantedMs / 10, 32_000) - 0.001;
        expect(isEarly || window.latestMs <= grantedMs / 2).toBe(true);
      }),
    );
  });
});

describe('the wait after a failure', () => {
  it('grows from 30 s and never beyond 30 minutes, with jitter', () => {
    expect(retryWaitMs(0, false, 0)).toBe(15_000);
    expect(retryWaitMs(0, false, 0.999)).toBeCloseTo(30_000, -3);
    expect(retryWaitMs(3, false, 0)).toBe(120_000);
    expect(retryWaitMs(50, false, 0.999)).toBeLessThanOrEqual(30 * minute);
    expect(retryWaitMs(50, false, 0)).toBe(15 * minute);
  });

  it('is shorter after a connection was lost', () => {
    expect(reconnectWaitMs(0)).toBe(500);
    expect(retryWaitMs(1, true, 0)).toBe(1_000);
    expect(retryWaitMs(50, true, 0.999)).toBeLessThanOrEqual(minute);
  });

  it('is what Retry-After says or a little more, up to 30 minutes, and grows when that is nothing', () => {
    fc.assert(
      fc.property(fc.integer({ min: 60, max: 1_800 }), random, fc.nat(50), (s, r, failures) => {
        const wait = retryAfterWaitMs(s * 1_000, failures, r);
        expect(wait).toBeGreaterThanOrEqual(s * 1_000);
        expect(wait).toBeLessThanOrEqual(s * 1_100);
      }),
    );
    expect(retryAfterWaitMs(minute, 0, 0.5)).toBe(63_000);
    expect(retryAfterWaitMs(24 * 60 * minute, 0, 0)).toBe(30 * minute);
    expect(retryAfterWaitMs(0, 0, 0)).toBe(500);
    expect(retryAfterWaitMs(0, 10, 0)).toBe(30_000);
  });

  it('is about an hour for one that is parked', () => {
    expect(probeWaitMs(0)).toBe(54 * minute);
    expect(probeWaitMs(0.5)).toBe(60 * minute);
  });
});
