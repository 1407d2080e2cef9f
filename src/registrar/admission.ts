/**
 * Who may send a REGISTER now. Each registrar has a lane of its own: a queue, a token bucket that lets `maxRate` a second through, and
 * a limit of how many are on their way at once. So a registrar that comes back is not met with a storm, and a dead one, whose requests
 * hang for 32 s each, holds up nobody but its own.
 *
 * Beside the queue there is a short one for what somebody waits for: while both have somebody, it has one turn in four. So a single
 * change goes ahead of a start of a hundred thousand, and a hundred thousand changes do not keep the refreshes waiting.
 */
import type { Clock } from '../base/clock.js';
import { second } from '../base/units.js';
import { AnswerRate } from './answer-rate.js';
import type { Urgency } from './ports.js';
import { Queue } from './queue.js';
import { Schedule, type Slot } from './schedule.js';

/** A wait that was computed for a whole token may end a rounding error short of it. */
const grain = 1e-6;

/** Turns of those who wait in the ordinary queue between two of the urgent, while both have somebody. */
const turnsBetween = 3;

/** What waits at one registrar. */
export interface Backlog {
  readonly registrarKey: string;
  readonly waiting: number;
  /** Until the last of them has its turn, milliseconds; undefined: nobody can say, for it answers nothing. */
  readonly convergesInMs: number | undefined;
  /** How long it has answered nothing, while it should have: milliseconds. */
  readonly silentMs?: number;
}

interface Lane<T> extends Slot {
  readonly key: string;
  readonly ordinary: Queue<T>;
  readonly urgent: Queue<T>;
  /** Ordinary turns since the last urgent one. */
  turnsSinceUrgent: number;
  tokens: number;
  /** When `tokens` was counted, on the clock's scale. */
  countedMs: number;
  inFlight: number;
  readonly answers: AnswerRate;
}

export class Admission<T> {
  readonly #lanes = new Map<string, Lane<T>>();
  readonly #wakes: Schedule<Lane<T>>;
  readonly #clock: Clock;
  readonly #maxInFlight: number;
  readonly #grant: (item: T) => void;
  readonly #tokensPerMs: number;
  /** How many may go at once after a pause: what 50 ms let through. Less, and a late timer would cost turns. */
  readonly #burst: number;
  #isRateLifted = false;

  /**
   * @param limits per registrar; `maxRate` per second
   * @param grant told when it is an item's turn; that item is on its way until {@link leave}. Must not throw.
   */
  constructor(limits: { maxRate: number; maxInFlight: number }, clock: Clock, grant: (item: T) => void) {
    this.#clock = clock;
    this.#maxInFlight = limits.maxInFlight;
    this.#grant = grant;
    this.#tokensPerMs = limits.maxRate / second;
    this.#burst = Math.max(1, limits.maxRate / 20);
    this.#wakes = new Schedule(clock, (lane) => {
      this.#pump(lane);
    });
  }

  /**
   * Puts an item at the end of its registrar's queue; one that waits already keeps its place, unless it is more urgent now. Its turn
   * may come within this call.
   */
  enter(key: string, item: T, urgency: Urgency = 'ordinary'): void {
    const lane = this.#lane(key);
    if (urgency === 'urgent') {
      lane.ordinary.delete(item);
      lane.urgent.add(item);
    } else if (!lane.urgent.has(item)) {
      lane.ordinary.add(item);
    }
    this.#pump(lane);
  }

  /** Takes an item out of the queue; harmless for one that is not in it. */
  cancel(key: string, item: T): void {
    const lane = this.#lanes.get(key);
    lane?.ordinary.delete(item);
    lane?.urgent.delete(item);
  }

  /** An item that had its turn is through: its answer came, or it was given up. */
  leave(key: string, isAnswered: boolean): void {
    const lane = this.#lanes.get(key);
    if (lane === undefined || lane.inFlight === 0) return;
    lane.inFlight -= 1;
    if (isAnswered) lane.answers.noteAnswer(this.#clock.now());
    this.#pump(lane);
  }

  /** From now on only the number on their way is limited: for a stop that has to be quick. */
  liftRate(): void {
    this.#isRateLifted = true;
    for (const lane of this.#lanes.values()) this.#pump(lane);
  }

  /** The registrars at which somebody waits. */
  backlogs(): Backlog[] {
    const backlogs: Backlog[] = [];
    for (const lane of this.#lanes.values()) {
      const waiting = waitingIn(lane);
      if (waiting === 0) continue;
      this.#refill(lane);
      const silentMs = lane.inFlight === 0 ? undefined : lane.answers.silentMs(this.#clock.now());
      if (silentMs === undefined) backlogs.push({ registrarKey: lane.key, waiting, convergesInMs: this.#convergesInMs(lane, waiting) });
      else backlogs.push({ registrarKey: lane.key, waiting, convergesInMs: undefined, silentMs });
    }
    return backlogs;
  }

  /** Forgets all that wait. */
  close(): void {
    this.#lanes.clear();
    this.#wakes.clear();
  }

  /** By the rate; where it is the registrar that lets no more through, by what it was seen to answer. */
  #convergesInMs(lane: Lane<T>, waiting: number): number {
    const byRateMs = this.#isRateLifted ? 0 : (waiting - lane.tokens) / this.#tokensPerMs;
    const isFull = lane.inFlight >= this.#maxInFlight;
    const answersPerMs = isFull ? lane.answers.perMs(this.#clock.now()) : undefined;
    const byAnswersMs = answersPerMs === undefined || answersPerMs === 0 ? 0 : waiting / answersPerMs;
    return Math.max(0, Math.ceil(Math.max(byRateMs, byAnswersMs)));
  }

  #lane(key: string): Lane<T> {
    const known = this.#lanes.get(key);
    if (known !== undefined) return known;
    const lane: Lane<T> = {
      key,
      ordinary: new Queue(),
      urgent: new Queue(),
      turnsSinceUrgent: turnsBetween,
      tokens: this.#burst,
      countedMs: this.#clock.now(),
      inFlight: 0,
      answers: new AnswerRate(this.#clock.now()),
      heapIndex: -1,
    };
    this.#lanes.set(key, lane);
    return lane;
  }

  #pump(lane: Lane<T>): void {
    this.#refill(lane);
    while (lane.inFlight < this.#maxInFlight && (this.#isRateLifted || lane.tokens >= 1 - grain)) {
      const item = takeNext(lane);
      if (item === undefined) break;
      lane.tokens = Math.max(0, lane.tokens - 1);
      if (lane.inFlight === 0) lane.answers.noteFirstAsked(this.#clock.now());
      lane.inFlight += 1;
      this.#grant(item);
    }
    this.#planNext(lane);
  }

  /** Full in flight: `leave` pumps. Out of tokens: when the next one is there. Idle: kept until its bucket is full again, then forgotten. */
  #planNext(lane: Lane<T>): void {
    const isIdle = waitingIn(lane) === 0;
    if (isIdle && lane.inFlight > 0) {
      this.#wakes.delete(lane);
    } else if (isIdle && lane.tokens >= this.#burst - grain) {
      this.#wakes.delete(lane);
      this.#lanes.delete(lane.key);
    } else if (lane.inFlight >= this.#maxInFlight) {
      this.#wakes.delete(lane);
    } else {
      const missing = (isIdle ? this.#burst : 1) - lane.tokens;
      this.#wakes.set(lane, lane.countedMs + missing / this.#tokensPerMs);
    }
  }

  #refill(lane: Lane<T>): void {
    const nowMs = this.#clock.now();
    lane.tokens = Math.min(this.#burst, lane.tokens + (nowMs - lane.countedMs) * this.#tokensPerMs);
    lane.countedMs = nowMs;
  }
}

function waitingIn({ ordinary, urgent }: Lane<unknown>): number {
  return ordinary.size + urgent.size;
}

function takeNext<T>(lane: Lane<T>): T | undefined {
  const { ordinary, urgent } = lane;
  if (urgent.size > 0 && (ordinary.size === 0 || lane.turnsSinceUrgent >= turnsBetween)) {
    lane.turnsSinceUrgent = 0;
    return urgent.take();
  }
  lane.turnsSinceUrgent += 1;
  return ordinary.take();
}
