/**
 * What RFC 3261 section 17 asks of transactions over an unreliable transport, below SIP.js's core, which has none of it:
 *
 *   client  timer A (INVITE) and E (others): the request again at T1, 2*T1, ... until a response comes, at most for 64*T1
 *           timer D: a final response to INVITE that comes again is ACKed again
 *   server  timer G: a refusal of INVITE again until the ACK comes, at most for 64*T1 (H)
 *           timer I, J: a request that comes again after its final response is answered with the same response, or absorbed
 *
 * Time-outs themselves (B, F, H), provisional responses and 2xx to INVITE are the core's. Flows that are reliable pass through.
 * A key is that of section 17: for a client branch + method, for a server branch + sent-by + method (ACK: INVITE).
 */
import type { Clock } from '../base/clock.js';
import { DelayQueue } from './delay-queue.js';
import type { Flow } from './transports/flow.js';

/** RFC 3261 table 4, milliseconds. */
const t1 = 500;
const t2 = 4_000;
const lifetime = 64 * t1;
const tickMs = 50;

/** A request that waits for a response, or a refusal of INVITE that waits for its ACK. */
interface Repeating {
  readonly key: string;
  readonly flow: Flow;
  /** Undefined once nothing is repeated any more: the entry waits for its turn, its text need not. */
  text: string | undefined;
  readonly isInvite: boolean;
  readonly startedAt: number;
  /** A provisional response came. */
  isProceeding: boolean;
}

/** A final response that answers the request again; without text the request is only absorbed. */
interface Answered {
  readonly flow: Flow;
  text: string | undefined;
  repeating: Repeating | undefined;
}

interface Expiry {
  readonly map: Map<string, unknown>;
  readonly key: string;
}

/** Answers and ACKs kept at once, of each; what is above is sent once, and its repeat taken for new (RFC 3261 8.2.7). */
const mostKept = 100_000;

const nobodyListens = (): void => undefined;

export class Retransmission {
  readonly #requests = new Map<string, Repeating>();
  readonly #acks = new Map<string, { flow: Flow; text: string }>();
  readonly #answered = new Map<string, Answered>();
  readonly #repeats: DelayQueue<Repeating>;
  readonly #expiries: DelayQueue<Expiry>;

  /** @param send puts one text on a flow; the first time and every time again */
  constructor(
    private readonly clock: Clock,
    private readonly send: (flow: Flow, text: string, onError: (error: Error) => void) => void,
    private readonly most = mostKept,
  ) {
    this.#repeats = new DelayQueue(clock, tickMs, (entry, delayMs) => {
      this.#repeat(entry, delayMs);
    });
    this.#expiries = new DelayQueue(clock, 1_000, (entry) => {
      entry.map.delete(entry.key);
    });
  }

  /** What nothing is kept of: provisional responses, 2xx to INVITE and their ACKs, stateless replies. */
  sendOnce(flow: Flow, text: string, onError: (error: Error) => void): void {
    this.send(flow, text, onError);
  }

  /** A request of ours but ACK. */
  sendRequest(flow: Flow, text: string, key: string, isInvite: boolean, onError: (error: Error) => void): void {
    if (!flow.isReliable) {
      const entry = { key, flow, text, isInvite, startedAt: this.clock.now(), isProceeding: false };
      this.#requests.set(key, entry);
      this.#repeats.add(t1, entry);
    }
    this.send(flow, text, onError);
  }

  /** The ACK of a refusal: kept for refusals that come again (timer D). */
  sendAck(flow: Flow, text: string, key: string, onError: (error: Error) => void): void {
    if (!flow.isReliable && this.#acks.size < this.most) {
      this.#acks.set(key, { flow, text });
      this.#expiries.add(lifetime, { map: this.#acks, key });
    }
    this.send(flow, text, onError);
  }

  /** A final response of ours, except 2xx to INVITE. */
  sendFinal(flow: Flow, text: string, key: string, isInvite: boolean, onError: (error: Error) => void): void {
    if (!flow.isReliable && this.#answered.size < this.most) {
      const repeating = isInvite ? { key, flow, text, isInvite, startedAt: this.clock.now(), isProceeding: false } : undefined;
      this.#answered.set(key, { flow, text, repeating });
      this.#expiries.add(lifetime, { map: this.#answered, key });
      if (repeating !== undefined) this.#repeats.add(t1, repeating);
    }
    this.send(flow, text, onError);
  }

  /**
   * A response came over UDP.
   * @returns false when it is dealt with here: a refusal that was ACKed before.
   */
  receiveResponse(key: string, status: number): boolean {
    const request = this.#requests.get(key);
    if (request !== undefined) {
      // INVITE stops at any response (17.1.1.2).
      if (status >= 200 || request.isInvite) {
        request.text = undefined;
        this.#requests.delete(key);
      }
      request.isProceeding = true;
      return true;
    }
    const ack = status >= 300 ? this.#acks.get(key) : undefined;
    if (ack === undefined) return true;
    this.send(ack.flow, ack.text, nobodyListens);
    return false;
  }

  /**
   * A request came over UDP.
   * @param key of an ACK: that of its INVITE
   * @returns false when it is dealt with here: it was answered before.
   */
  receiveRequest(key: string, method: string): boolean {
    const answered = this.#answered.get(key);
    if (answered === undefined) return true;
    if (method === 'ACK') {
      // Timer I: the INVITE may still come again; it is absorbed. The core hears of the ACK.
      if (answered.repeating !== undefined) answered.repeating.text = undefined;
      answered.text = undefined;
      return true;
    }
    if (answered.text !== undefined) this.send(answered.flow, answered.text, nobodyListens);
    return false;
  }

  /** Whether a request with that key had its final response: what comes again comes from whom we have answered. */
  hasAnswered(key: string): boolean {
    return this.#answered.has(key);
  }

  /** How much is held: a spec's check that nothing leaks. */
  get size(): number {
    return this.#requests.size + this.#acks.size + this.#answered.size;
  }

  close(): void {
    this.#repeats.clear();
    this.#expiries.clear();
    this.#requests.clear();
    this.#acks.clear();
    this.#answered.clear();
  }

  #repeat(entry: Repeating, delayMs: number): void {
    const { text } = entry;
    if (text === undefined) return;
    this.send(entry.flow, text, nobodyListens);
    // Timer A doubles without a bound (17.1.1.2); E and G stop at T2 (17.1.2.2, 17.2.1).
    const isRequestInvite = entry.isInvite && !text.startsWith('SIP/2.0 ');
    // After a provisional response a request other than INVITE goes on at T2 (17.1.2.2).
    const nextMs = isRequestInvite ? delayMs * 2 : entry.isProceeding ? t2 : Math.min(delayMs * 2, t2);
    if (this.clock.now() - entry.startedAt + nextMs < lifetime) {
      this.#repeats.add(nextMs, entry);
    } else if (this.#requests.get(entry.key) === entry) {
      // The core's timer B, F or H ends the transaction; here the request is only forgotten.
      this.#requests.delete(entry.key);
    }
  }
}
