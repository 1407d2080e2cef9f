/**
 * Servers that failed are passed over for a while (RFC 3263 4.3). One that fails again soon after it was tried again is passed over for
 * twice as long, so that a dead server costs less and less.
 */
import type { Clock } from '../../base/clock.js';
import { minute } from '../../base/units.js';
import type { Place } from './steps.js';

const firstMs = minute;
const longestMs = 16 * minute;
const maxPlaces = 4_096;

export class PassedOver {
  readonly #marks = new Map<string, { until: number; forMs: number }>();

  constructor(private readonly clock: Clock) {}

  /** @param leastMs what the server itself asks for (`Retry-After`) */
  add(place: Place, leastMs = 0): void {
    const key = keyOf(place);
    const now = this.clock.now();
    const mark = this.#marks.get(key);
    // Those who ask at the same time fail at the same time: that is one failure.
    if (mark !== undefined && now < mark.until) return;
    const isAgain = mark !== undefined && now < mark.until + mark.forMs;
    const forMs = Math.min(Math.max(isAgain ? mark.forMs * 2 : firstMs, leastMs), longestMs);
    if (this.#marks.size >= maxPlaces) this.#marks.clear();
    this.#marks.set(key, { until: now + forMs, forMs });
  }

  has(place: Place): boolean {
    if (this.#marks.size === 0) return false;
    const mark = this.#marks.get(keyOf(place));
    return mark !== undefined && this.clock.now() < mark.until;
  }
}

function keyOf({ transport, address, port }: Place): string {
  return `${transport} ${address} ${port}`;
}
