/** DTMF tones on their way out, one after another: the next when the far end has answered, and the tone and a pause are over. */
import type { Clock, Timer } from '../base/clock.js';
import type { CallDialog } from '../sip/types.js';

/** Between two tones; PBXes miss shorter ones, milliseconds. */
const pauseMs = 70;
/** What a comma stands for, as for the keypad of a browser (RTCDTMFSender), milliseconds. */
const commaMs = 2_000;
/** More than anybody types ahead. */
const mostWaiting = 256;

interface Tone {
  readonly tone: string;
  readonly durationMs: number;
}

export class Tones {
  readonly #waiting: Tone[] = [];
  #isSending = false;
  #isOver = false;
  #timer: Timer | undefined;

  /** @param onRefused the far end does not take tones; those that wait are dropped */
  constructor(
    private readonly dialog: Pick<CallDialog, 'sendTone'>,
    private readonly clock: Clock,
    private readonly onRefused: (status: number) => void,
  ) {}

  /** @param tones `0` to `9`, `*`, `#`, `A` to `D`, and commas @returns false when too many wait already; none is taken then */
  send(tones: string, durationMs: number): boolean {
    if (this.#waiting.length + tones.length > mostWaiting) return false;
    for (const tone of tones.toUpperCase()) this.#waiting.push({ tone, durationMs });
    if (!this.#isSending) this.#next();
    return true;
  }

  /** The call is over, or goes on with another far end. */
  end(): void {
    this.#isOver = true;
    this.#waiting.length = 0;
    this.#timer?.cancel();
  }

  #next(): void {
    const next = this.#waiting.shift();
    this.#isSending = next !== undefined;
    if (next === undefined) return;
    if (next.tone === ',') {
      this.#after(commaMs);
      return;
    }
    this.dialog.sendTone(next.tone, next.durationMs, (status) => {
      if (this.#isOver) return;
      if (status < 300) {
        this.#after(next.durationMs + pauseMs);
        return;
      }
      this.#waiting.length = 0;
      this.#isSending = false;
      this.onRefused(status);
    });
  }

  #after(delayMs: number): void {
    this.#timer = this.clock.after(delayMs, () => {
      this.#next();
    });
  }
}
