/** The end of the extension's log, in memory: for whoever looks at it from afar. Bounded, each line too. */
import { Listeners } from '../base/listeners.js';

const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogLine {
  /** Counts up from 1, without a gap. */
  readonly n: number;
  readonly at: Date;
  readonly level: LogLevel;
  readonly message: string;
}

/** What the extension writes its log with: a winston logger is one. */
export type ExtensionLog = Readonly<Record<LogLevel, (message: string, meta?: Record<string, unknown>) => unknown>>;

const mostLines = 1_000;
/** Characters; a whole SIP message fits. */
const longestLine = 4_000;

export class LogTail {
  /** The line `n` stands at `n % mostLines`. */
  readonly #ring: LogLine[] = [];
  /** Told of each line as it comes. */
  readonly lines = new Listeners<LogLine>();
  #last = 0;

  constructor(private readonly clock: { date(): Date }) {}

  /** The number of the newest line; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** Those that are held with a greater number, and as bad as that level or worse; oldest first. */
  after(n: number, level: LogLevel = 'debug'): LogLine[] {
    const least = logLevels.indexOf(level);
    const found: LogLine[] = [];
    for (let at = Math.max(n, this.#last - mostLines) + 1; at <= this.#last; at += 1) {
      const line = this.#ring[at % mostLines];
      if (line !== undefined && logLevels.indexOf(line.level) >= least) found.push(line);
    }
    return found;
  }

  add(level: LogLevel, message: string): void {
    this.#last += 1;
    const line = { n: this.#last, at: this.clock.date(), level, message: message.length > longestLine ? `${message.slice(0, longestLine)}...` : message };
    this.#ring[this.#last % mostLines] = line;
    this.lines.tell(line);
  }
}

/** The same log, of which each line that it lets through is kept as well. */
export function keptIn(tail: LogTail, log: ExtensionLog & { isLevelEnabled(level: string): boolean }): ExtensionLog {
  const keep = (level: LogLevel) => (message: string, meta?: Record<string, unknown>): void => {
    if (log.isLevelEnabled(level)) tail.add(level, message);
    // A logger that fills placeholders would fill them with an absent one.
    if (meta === undefined) log[level](message);
    else log[level](message, meta);
  };
  return { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
}
