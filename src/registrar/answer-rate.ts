/**
 * How fast one registrar answers, as it was seen in the last seconds: what it can take is not known otherwise. Counted in two spans, the
 * one that goes on and the one before it.
 */
import { second } from '../base/units.js';

const spanMs = 5 * second;

/** Silence that is no loss of a packet: it was asked at least four times (RFC 3261 section 17.1.2.2, timer E). */
const silenceMs = 5 * second;

export class AnswerRate {
  #spanFromMs: number;
  #inSpan = 0;
  #before = 0;
  /** Since when nothing has come while something was asked. */
  #silentFromMs: number;

  constructor(nowMs: number) {
    this.#spanFromMs = nowMs;
    this.#silentFromMs = nowMs;
  }

  /** It is asked something while nothing else is on its way: silence counts from here. */
  noteFirstAsked(nowMs: number): void {
    this.#silentFromMs = nowMs;
  }

  noteAnswer(nowMs: number): void {
    this.#turn(nowMs);
    this.#inSpan += 1;
    this.#silentFromMs = nowMs;
  }

  /** While something is on its way: how long nothing has come; undefined when that means nothing yet. */
  silentMs(nowMs: number): number | undefined {
    const silentMs = nowMs - this.#silentFromMs;
    return silentMs < silenceMs ? undefined : silentMs;
  }

  /** Answers a millisecond over the last five to ten seconds; undefined when it was not watched for a second yet. */
  perMs(nowMs: number): number | undefined {
    this.#turn(nowMs);
    const watchedMs = nowMs - this.#spanFromMs + (this.#before > 0 ? spanMs : 0);
    return watchedMs < second ? undefined : (this.#before + this.#inSpan) / watchedMs;
  }

  #turn(nowMs: number): void {
    const spans = Math.floor((nowMs - this.#spanFromMs) / spanMs);
    if (spans === 0) return;
    this.#before = spans === 1 ? this.#inSpan : 0;
    this.#inSpan = 0;
    this.#spanFromMs += spans * spanMs;
  }
}
