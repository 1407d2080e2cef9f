/**
 * Keeps a listening session alive. States: closed -> connecting -> listening -> waiting -> connecting ...; a session that breaks, or
 * gives no sign of life, is replaced after a growing wait. What was told meanwhile is lost: `onUp` says when to look for oneself.
 */
import { backoffMs, type BackoffLimits } from '../base/backoff.js';
import { ClosableClock } from '../base/closable-clock.js';
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import { second } from '../base/units.js';
import type { Listening, OpenListening } from './listening.js';

export interface ListenerEvents {
  onHeard(payload: string): void;
  /** From now on nothing is missed. */
  onUp(): void;
  /** From now on nothing is heard. Told once until `onUp`. @param why a sentence */
  onDown(why: string): void;
}

const reconnectBackoff: BackoffLimits = { baseMs: second, capMs: 30 * second };
/** A connection may die without a word: behind a firewall that forgets it, say. */
const probeEveryMs = 30 * second;
const probePatienceMs = 10 * second;

export class Listener {
  readonly #clock: ClosableClock;
  #session: Listening | undefined;
  #failures = 0;
  /** Told by `onDown`, not yet by `onUp`. */
  #isDown = false;

  constructor(
    private readonly open: OpenListening,
    private readonly events: ListenerEvents,
    clock: Clock,
    private readonly random: () => number,
  ) {
    this.#clock = new ClosableClock(clock);
  }

  /** Never rejects. @returns resolves when the first try is over, either way */
  start(): Promise<void> {
    return this.#connect();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#clock.close();
    await this.#session?.close();
  }

  async #connect(): Promise<void> {
    let isLost: string | undefined;
    let session: Listening | undefined;
    const lost = (why: string): void => {
      isLost = why;
      if (session !== undefined && this.#session === session) this.#lose(why);
    };
    try {
      session = await this.open({
        heard: (payload) => {
          if (!this.#clock.isClosed) this.events.onHeard(payload);
        },
        lost,
      });
    } catch (thrown) {
      this.#lose(messageOf(thrown));
      return;
    }
    if (this.#clock.isClosed) {
      await session.close();
      return;
    }
    this.#session = session;
    if (isLost === undefined) this.#rise(session);
    else this.#lose(isLost);
  }

  #rise(session: Listening): void {
    this.#failures = 0;
    this.#isDown = false;
    this.#probeLater(session);
    this.events.onUp();
  }

  #lose(why: string): void {
    void this.#session?.close();
    this.#session = undefined;
    if (this.#clock.isClosed) return;
    this.#clock.after(backoffMs(reconnectBackoff, this.#failures, this.random()), () => void this.#connect());
    this.#failures += 1;
    if (this.#isDown) return;
    this.#isDown = true;
    this.events.onDown(why);
  }

  #probeLater(session: Listening): void {
    this.#clock.after(probeEveryMs, () => void this.#probe(session));
  }

  async #probe(session: Listening): Promise<void> {
    const fail = (why: string): void => {
      if (this.#session === session) this.#lose(why);
    };
    if (this.#session !== session) return;
    const patience = this.#clock.after(probePatienceMs, () => {
      fail('the database gives no sign of life.');
    });
    try {
      await session.probe();
      patience.cancel();
      if (this.#session === session) this.#probeLater(session);
    } catch (thrown) {
      patience.cancel();
      fail(messageOf(thrown));
    }
  }
}
