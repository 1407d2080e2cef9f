/**
 * A messaging server that only remembers: it is given to an extension as its host, keeps every update of every call in
 * order and every log line, and lets a spec wait for what happens. Waiting is driven by the updates themselves; the
 * deadline is there for what never happens, and tells what did.
 */
import { Writable } from 'node:stream';
import { createLogger, format, type Logger } from 'winston';
import type {
  CallState,
  CallUpdate,
  DisposeReason,
  ExtensionHost,
  HostUser,
} from '../../src/host/contract.js';

export interface LogLine {
  level: string;
  message: string;
  /** The whole record as JSON: for what must not be in a log. */
  text: string;
}

export type UpdateOf<T extends CallUpdate['type']> = Extract<CallUpdate, { type: T }>;

export interface FakeHostOptions {
  users?: readonly HostUser[];
  /** Told of every update after it was remembered: a spec's robot that answers calls. What it throws fails `problems`. */
  onUpdate?: (update: CallUpdate) => void | Promise<void>;
}

interface Waiter {
  test: (update: CallUpdate) => boolean;
  resolve: (update: CallUpdate) => void;
}

const defaultDeadlineMs = 10_000;

export class FakeHost implements ExtensionHost {
  readonly logger: Logger;
  readonly log: LogLine[] = [];
  readonly calls: { update(update: CallUpdate): void };
  readonly users: NonNullable<ExtensionHost['users']>;
  /** What broke the contract: an update after `ended`, a second `ended`, a robot that threw. */
  readonly problems: string[] = [];
  readonly #updates = new Map<string, CallUpdate[]>();
  readonly #read = new Map<string, number>();
  readonly #incoming: UpdateOf<'incoming'>[] = [];
  readonly #waiters = new Set<Waiter>();
  readonly #onUpdate: FakeHostOptions['onUpdate'];

  constructor(
    readonly config: ExtensionHost['config'],
    options: FakeHostOptions = {},
  ) {
    this.logger = this.#recordingLogger();
    this.#onUpdate = options.onUpdate;
    this.calls = {
      update: (update) => {
        this.#take(update);
      },
    };
    const known = new Map((options.users ?? []).map((user) => [user.id, user]));
    this.users = { find: (id) => Promise.resolve(known.get(id)) };
  }

  /** Every update of a call so far, in order. */
  updates(callId: string): readonly CallUpdate[] {
    return this.#updates.get(callId) ?? [];
  }

  /** The calls that had any update, in the order of their first. */
  get callIds(): string[] {
    return [...this.#updates.keys()];
  }

  /** `['ringing', 'talking', 'ended']`: the updates of a call in words, states by their name. */
  story(callId: string): string[] {
    return this.updates(callId).map((update) => (update.type === 'state' ? update.state : update.type));
  }

  /**
   * The next update of that call that `test` accepts, looking first at those that came since the last one returned.
   * Rejects after `withinMs` with the story of the call.
   */
  next<T extends CallUpdate>(callId: string, test: (update: CallUpdate) => update is T, withinMs?: number): Promise<T>;
  next(callId: string, test: (update: CallUpdate) => boolean, withinMs?: number): Promise<CallUpdate>;
  async next(
    callId: string,
    test: (update: CallUpdate) => boolean,
    withinMs = defaultDeadlineMs,
  ): Promise<CallUpdate> {
    const seen = this.updates(callId);
    for (let index = this.#read.get(callId) ?? 0; index < seen.length; index += 1) {
      const update = seen[index];
      if (update !== undefined && test(update)) {
        this.#read.set(callId, index + 1);
        return update;
      }
    }
    const update = await this.#wait(
      (candidate): candidate is CallUpdate => candidate.callId === callId && test(candidate),
      withinMs,
      () => `call ${callId}: ${this.story(callId).join(', ') || 'no update at all'}`,
    );
    this.#read.set(callId, this.updates(callId).indexOf(update) + 1);
    return update;
  }

  /** The next update that tells this state. */
  state(callId: string, state: CallState, withinMs?: number): Promise<UpdateOf<'state'>> {
    return this.next(
      callId,
      (update): update is UpdateOf<'state'> => update.type === 'state' && update.state === state,
      withinMs,
    );
  }

  /** The end of the call. With `reason`, a call that ends otherwise fails with its message. */
  async ended(callId: string, reason?: DisposeReason, withinMs?: number): Promise<UpdateOf<'ended'>> {
    const end = await this.next(callId, (update): update is UpdateOf<'ended'> => update.type === 'ended', withinMs);
    if (reason !== undefined && end.reason !== reason) {
      throw new Error(`call ${callId} ended with ${end.reason}, not ${reason}: ${end.message}`);
    }
    return end;
  }

  /** The oldest incoming call that has not been returned here and has not ended. */
  async nextIncoming(withinMs = defaultDeadlineMs): Promise<UpdateOf<'incoming'>> {
    for (let waiting = this.#incoming.shift(); waiting !== undefined; waiting = this.#incoming.shift()) {
      if (this.updates(waiting.callId).at(-1)?.type !== 'ended') return waiting;
    }
    const update = await this.#wait(
      (candidate): candidate is UpdateOf<'incoming'> => candidate.type === 'incoming',
      withinMs,
      () => `no incoming call. Log: ${this.logText().slice(-2_000)}`,
    );
    this.#incoming.shift();
    return update;
  }

  /** The whole log as text, one JSON record a line. */
  logText(): string {
    return this.log.map((line) => line.text).join('\n');
  }

  #take(update: CallUpdate): void {
    const updates = this.#updates.get(update.callId) ?? [];
    const last = updates.at(-1);
    if (last?.type === 'ended') this.problems.push(`${update.type} after the end of call ${update.callId}`);
    updates.push(structuredClone(update));
    this.#updates.set(update.callId, updates);
    const kept = updates.at(-1) ?? update;
    if (kept.type === 'incoming') this.#incoming.push(kept);
    for (const waiter of [...this.#waiters]) {
      if (!waiter.test(kept)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(kept);
    }
    void this.#tellRobot(kept);
  }

  async #tellRobot(update: CallUpdate): Promise<void> {
    try {
      await this.#onUpdate?.(update);
    } catch (thrown) {
      this.problems.push(`on ${update.type} of call ${update.callId}: ${String(thrown)}`);
    }
  }

  #wait<T extends CallUpdate>(
    test: (update: CallUpdate) => update is T,
    withinMs: number,
    describe: () => string,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        test,
        resolve: (update) => {
          clearTimeout(deadline);
          if (test(update)) resolve(update);
        },
      };
      const deadline = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(new Error(`nothing of that kind within ${withinMs} ms; ${describe()}`));
      }, withinMs);
      this.#waiters.add(waiter);
    });
  }

  #recordingLogger(): Logger {
    const stream = new Writable({
      objectMode: true,
      write: (record: { level: string; message: unknown }, _encoding, done) => {
        this.log.push({ level: record.level, message: String(record.message), text: JSON.stringify(record) });
        done();
      },
    });
    const logger = createLogger({
      level: 'silly',
      format: format.combine(format.errors({ stack: true }), format.timestamp()),
    });
    logger.pipe(stream);
    return logger;
  }
}
