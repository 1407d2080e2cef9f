/** A browser cannot send a token with a WebSocket: a ticket in the address lets one in, once, and is worth nothing soon after. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../base/clock.js';
import { second } from '../base/units.js';

const validMs = 30 * second;
/** Those that nobody used; the oldest gives way. */
const mostIssued = 64;

export class Tickets {
  /** Until when each is valid, on the clock's scale; the oldest first. */
  readonly #validUntilMs = new Map<string, number>();

  constructor(private readonly clock: Pick<Clock, 'now'>) {}

  issue(): string {
    const [oldest] = this.#validUntilMs.keys();
    if (oldest !== undefined && this.#validUntilMs.size >= mostIssued) this.#validUntilMs.delete(oldest);
    const ticket = randomBytes(24).toString('base64url');
    this.#validUntilMs.set(ticket, this.clock.now() + validMs);
    return ticket;
  }

  /** Whether it is valid; after that it is not. */
  take(ticket: string): boolean {
    const untilMs = this.#validUntilMs.get(ticket);
    this.#validUntilMs.delete(ticket);
    return untilMs !== undefined && this.clock.now() < untilMs;
  }
}
