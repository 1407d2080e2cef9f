/**
 * What is thrown away, and who is told: each drop is counted, and once a minute one line a kind says how many there were and where from.
 * A flood of bad messages is a flood of additions here and nothing more.
 */
import type { Clock, Timer } from '../../base/clock.js';
import { minute } from '../../base/units.js';

/** For each kind what it is called in the log, and how loud it is said. */
const kinds = {
  /** Bytes that are no SIP message, or one that is not well-formed. */
  unparsable: { what: 'messages that are not well-formed SIP', level: 'warn' },
  /** A request from who is no registrar of ours (behaviour 23). */
  stranger: { what: 'requests from addresses that are no registrar of ours', level: 'warn' },
  /** More than a stranger may have looked at. */
  flood: { what: 'messages, unread: too many from addresses that are no registrar of ours', level: 'warn' },
  /** A response that no transaction of ours waits for: over UDP one that came twice. */
  unmatched: { what: 'responses that nothing waited for', level: 'debug' },
  /** A request above the number of transactions that are held at once: answered 503. */
  overload: { what: 'requests, answered 503: too many transactions are under way', level: 'warn' },
  /** A connection above the number that is taken. */
  connection: { what: 'connections: there are too many', level: 'warn' },
  /** Something threw while the message was handled. */
  failed: { what: 'messages that could not be handled', level: 'warn' },
} as const satisfies Record<string, { what: string; level: 'debug' | 'warn' }>;

export type DropKind = keyof typeof kinds;
export const dropKinds = Object.keys(kinds) as readonly DropKind[];

export interface DropLog {
  debug(message: string): void;
  warn(message: string): void;
}

/** Addresses that are told apart in one minute. */
const mostAddresses = 1_000;

interface Minute {
  count: number;
  readonly addresses: Set<string>;
  readonly example: string;
}

export class DropReport {
  readonly #minutes = new Map<DropKind, Minute>();
  #timer: Timer | undefined;

  /** @param count adds one to that kind's counter */
  constructor(
    private readonly clock: Clock,
    private readonly log: DropLog,
    private readonly count: (kind: DropKind) => void,
  ) {}

  /**
   * @param detail what was wrong: never text from the wire
   * @returns whether it is the first of its kind in this minute
   */
  note(kind: DropKind, address: string, detail?: string): boolean {
    this.count(kind);
    const known = this.#minutes.get(kind);
    if (known !== undefined) {
      known.count += 1;
      if (known.addresses.size < mostAddresses) known.addresses.add(address);
      return false;
    }
    const example = detail === undefined ? address : `${address} (${detail})`;
    this.#minutes.set(kind, { count: 1, addresses: new Set([address]), example });
    this.#timer ??= this.clock.after(minute, this.#tell);
    return true;
  }

  close(): void {
    this.#timer?.cancel();
  }

  readonly #tell = (): void => {
    this.#timer = undefined;
    for (const [kind, { count, addresses, example }] of this.#minutes) {
      const { what, level } = kinds[kind];
      const from = addresses.size === 1 ? 'one address' : `${addresses.size < mostAddresses ? '' : 'at least '}${say(addresses.size)} addresses`;
      this.log[level](`Dropped in the last minute: ${say(count)} ${what}; from ${from}, such as ${example}`);
    }
    this.#minutes.clear();
  };
}

function say(count: number): string {
  return count.toLocaleString('en-US');
}
