/**
 * What a call tells the host, one queue a call: strictly in order, the next only when the host is done with the one before. A slow or
 * throwing `update` harms its own call alone; a host whose `update` returns nothing costs no promise.
 */
import { messageOf } from '../base/errors.js';
import type { CallUpdate } from '../host/contract.js';
import type { CallLog, UpdateSink } from './ports.js';

/** Tones of the far end that wait for a slow host; those beyond are lost. */
const mostTones = 64;

/** All deliveries to one host: how many calls have updates that it is not done with. */
export class Deliveries {
  #busy = 0;

  /** @param onQuiet told whenever no call has an update under way any more */
  constructor(
    private readonly host: UpdateSink,
    private readonly log: CallLog,
    private readonly onQuiet: () => void,
  ) {}

  /** Calls with an update that the host is not done with. */
  get busy(): number {
    return this.#busy;
  }

  /** Hands one update over. A promise when the host works on it; it never rejects. */
  hand(update: CallUpdate): Promise<void> | undefined {
    try {
      const handled = this.host.update(update);
      // A host in JavaScript may return anything.
      if (typeof (handled as Partial<Promise<void>> | undefined)?.then !== 'function') return undefined;
      return Promise.resolve(handled).catch((thrown: unknown) => {
        this.#report(update, thrown);
      });
    } catch (thrown) {
      this.#report(update, thrown);
      return undefined;
    }
  }

  queueBusy(): void {
    this.#busy += 1;
  }

  queueDone(): void {
    this.#busy -= 1;
    if (this.#busy === 0) this.onQuiet();
  }

  #report(update: CallUpdate, thrown: unknown): void {
    const what = update.type === 'state' ? `state ${update.state}` : update.type;
    this.log.error(`The host failed to take an update of a call (${what}): ${messageOf(thrown)}`, { callId: update.callId });
  }
}

/** The updates of one call. */
export class UpdateQueue {
  /** Not handed over yet; undefined until the host is slow for the first time. */
  #waiting: CallUpdate[] | undefined;
  #handing = false;
  #hasEnded = false;

  constructor(private readonly deliveries: Deliveries) {}

  /** Nothing after the call's `ended`: a host that hangs up while it is told one of two things is not told the other. */
  tell(update: CallUpdate): void {
    if (this.#hasEnded) return;
    this.#hasEnded = update.type === 'ended';
    if (this.#handing) {
      this.#enqueue(update);
      return;
    }
    this.#handing = true;
    const handled = this.deliveries.hand(update);
    if (handled === undefined && this.#waiting === undefined) {
      this.#handing = false;
      return;
    }
    this.deliveries.queueBusy();
    void this.#deliverRest(handled);
  }

  async #deliverRest(first: Promise<void> | undefined): Promise<void> {
    await first;
    for (let next = this.#waiting?.shift(); next !== undefined; next = this.#waiting?.shift()) {
      await this.deliveries.hand(next);
    }
    this.#waiting = undefined;
    this.#handing = false;
    this.deliveries.queueDone();
  }

  /** A far end that repeats 183 with new media all day must not fill the memory of a slow host: the newest stands for them all. */
  #enqueue(update: CallUpdate): void {
    this.#waiting ??= [];
    const last = this.#waiting.at(-1);
    const replaces = isProgress(update) && last !== undefined && isProgress(last);
    if (update.type === 'dtmf' && last?.type === 'dtmf') {
      // Keys pressed all day, just the same.
      last.tones = (last.tones + update.tones).slice(0, mostTones);
      return;
    }
    if (replaces) this.#waiting.pop();
    this.#waiting.push(update);
  }
}

function isProgress(update: CallUpdate): boolean {
  return update.type === 'state' && update.state === 'progress';
}
