/**
 * What changes, told to the consoles that look on: calls, registrations by state, the log, the samples. While nobody looks on it does
 * nothing. Whoever does not read what is sent is let go.
 */
import { ClosableClock } from '../base/closable-clock.js';
import { second } from '../base/units.js';
import { showCall, showRecord } from './calls.js';
import { showLine, showSample } from './observing.js';
import type { AdminCall, AdminDependencies } from './ports.js';
import type { ConsoleEvent } from './shapes.js';

/** A console. */
export interface Onlooker {
  send(text: string): void;
  /** Cuts the connection. */
  end(): void;
}

const lookEveryMs = second;
/** The status is looked at each second time. */
const looksPerStatus = 2;
/** With more calls than that they are not told one by one. */
const mostCalls = 5_000;

type Sources = Pick<AdminDependencies, 'status' | 'calls' | 'endings' | 'tail' | 'history' | 'clock'>;

export class EventFeed {
  readonly #onlookers = new Set<Onlooker>();
  #clock: ClosableClock | undefined;
  #hearing: (() => void)[] = [];
  #looks = 0;
  /** As they were told last. */
  #calls = new Map<string, string>();
  #byState = '';
  #status = '';

  constructor(private readonly sources: Sources) {}

  get size(): number {
    return this.#onlookers.size;
  }

  add(onlooker: Onlooker): void {
    this.#onlookers.add(onlooker);
    if (this.#clock === undefined) this.#begin();
  }

  remove(onlooker: Onlooker): void {
    if (this.#onlookers.delete(onlooker) && this.#onlookers.size === 0) this.#rest();
  }

  /** Lets all go. */
  close(): void {
    for (const onlooker of [...this.#onlookers]) {
      this.remove(onlooker);
      onlooker.end();
    }
  }

  #begin(): void {
    const { tail, history, endings, clock } = this.sources;
    this.#clock = new ClosableClock(clock);
    this.#hearing = [
      tail.lines.add((line) => {
        this.#tell({ type: 'log', line: showLine(line) });
      }),
      history.made.add((sample) => {
        this.#tell({ type: 'sample', sample: showSample(sample) });
      }),
      endings.add((record) => {
        this.#calls.delete(record.callId);
        this.#tell({ type: 'call', change: 'ended', call: showRecord(record) });
      }),
    ];
    this.#looks = 0;
    this.#status = '';
    this.#byState = '';
    // What is there already is no change: a console asks for it.
    this.#calls = this.#callsNow() ?? new Map<string, string>();
    this.#lookLater();
  }

  #rest(): void {
    this.#clock?.close();
    this.#clock = undefined;
    for (const stop of this.#hearing) stop();
    this.#hearing = [];
    this.#calls.clear();
  }

  #lookLater(): void {
    this.#clock?.after(lookEveryMs, () => {
      this.#look();
      this.#lookLater();
    });
  }

  #look(): void {
    this.#looks += 1;
    this.#lookAtCalls();
    const status = this.sources.status();
    const byState = JSON.stringify(status.registrations.byState);
    if (byState !== this.#byState) this.#tell({ type: 'registrations', byState: status.registrations.byState });
    this.#byState = byState;
    if (this.#looks % looksPerStatus !== 0) return;
    // Time passes always.
    const text = JSON.stringify({ ...status, uptimeMs: 0 });
    if (text !== this.#status) this.#tell({ type: 'status', status });
    this.#status = text;
  }

  #lookAtCalls(): void {
    const before = this.#calls;
    const now = this.#callsNow((call, look) => {
      const known = before.get(call.callId);
      if (known !== look) this.#tell({ type: 'call', change: known === undefined ? 'started' : 'changed', call: showCall(call) });
    });
    this.#calls = now ?? new Map<string, string>();
  }

  /** How each call looks; undefined when there are too many. */
  #callsNow(onCall: (call: AdminCall, look: string) => void = () => undefined): Map<string, string> | undefined {
    const looks = new Map<string, string>();
    for (const call of this.sources.calls.calls()) {
      if (looks.size === mostCalls) return undefined;
      const look = `${call.state} ${call.rangAt?.getTime() ?? ''} ${call.answeredAt?.getTime() ?? ''} ${call.codecs.join()}`;
      looks.set(call.callId, look);
      onCall(call, look);
    }
    return looks;
  }

  #tell(event: ConsoleEvent): void {
    const text = JSON.stringify(event);
    for (const onlooker of this.#onlookers) onlooker.send(text);
  }
}
