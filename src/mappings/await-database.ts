/**
 * Waits at the start for a database that cannot be used yet. A wrong password is waited for like a server that is down: somebody may
 * be about to set it right over there. Either way the log says why, at first, when the reason changes and once a minute.
 */
import { backoffMs, type BackoffLimits } from '../base/backoff.js';
import type { Clock } from '../base/clock.js';
import { ExtensionError } from '../base/errors.js';
import { hour, minute, sayDuration, second } from '../base/units.js';

export interface WaitingPorts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Record<'info' | 'warn', (message: string) => unknown>;
  /** Ends the wait. */
  readonly signal: AbortSignal;
}

const waitBackoff: BackoffLimits = { baseMs: second, capMs: 15 * second };

/**
 * @param attempt tried until it does not throw DATABASE_UNAVAILABLE
 * @throws whatever else `attempt` throws; NOT_READY when the signal ends the wait
 */
export async function awaitDatabase<T>(attempt: () => Promise<T>, ports: WaitingPorts): Promise<T> {
  const { clock, random, log, signal } = ports;
  const start = clock.now();
  let told: { why: string; at: number } | undefined;
  // The clock's timers keep no process alive, and there may be nothing else yet that does.
  const alive = setInterval(() => undefined, hour);
  try {
    for (let failures = 0; ; failures += 1) {
      try {
        const result = await attempt();
        if (told !== undefined) log.info(`The database is there, after ${sayDuration(clock.now() - start)}.`);
        return result;
      } catch (thrown) {
        if (!(thrown instanceof ExtensionError) || thrown.code !== 'DATABASE_UNAVAILABLE') throw thrown;
        if (thrown.message !== told?.why || clock.now() - told.at >= minute) {
          told = { why: thrown.message, at: clock.now() };
          log.warn(`Waiting for the database: ${thrown.message}`);
        }
      }
      await pause(clock, backoffMs(waitBackoff, failures, random()), signal);
    }
  } finally {
    clearInterval(alive);
  }
}

/** @throws ExtensionError NOT_READY when it is aborted */
function pause(clock: Clock, waitMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      timer.cancel();
      reject(new ExtensionError('NOT_READY', 'The SIP extension was stopped while it waited for the database.'));
    };
    const timer = clock.after(waitMs, () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
  });
}
