import type { RegisterOutcome } from '../../src/sip/types.js';
import type { RegisteringAccount, RegistrarLog } from '../../src/registrar/ports.js';

export const granted = (expiresS: number, contactChanged = false): RegisterOutcome => ({ kind: 'registered', expiresS, contactChanged });

export const refused = (
  status: number,
  phrase = '',
  more: { wrongPassword?: boolean; retryAfterMs?: number; minExpiresS?: number } = {},
): RegisterOutcome => ({ kind: 'refused', status, phrase, wrongPassword: false, ...more });

export const wrongPassword = refused(401, 'Unauthorized', { wrongPassword: true });
export const timeout: RegisterOutcome = { kind: 'unreachable', code: 'SIP_TIMEOUT', message: 'no answer' };
export const noFlow: RegisterOutcome = {
  kind: 'unreachable',
  code: 'SIP_TRANSPORT',
  message: 'pbx.example.com:5060 refuses connections over tcp (ECONNREFUSED).',
};

interface Asked {
  readonly expiresS: number;
  readonly atMs: number;
}

/**
 * An account at a registrar that a spec scripts: each REGISTER takes the next outcome of the script, and when that is used up the usual
 * one. While `isHeld`, REGISTERs stay on the wire until `answer` says what comes of the oldest.
 */
export class FakeAccount implements RegisteringAccount {
  readonly asked: Asked[] = [];
  script: (RegisterOutcome | Error)[] = [];
  usual: RegisterOutcome = granted(1800);
  isHeld = false;
  flowName: string | undefined = 'udp 192.0.2.4:5060';
  /** The most that were ever on the wire together. */
  mostInFlight = 0;
  readonly settings: RegisteringAccount['settings'] = { user: 'many', domain: 'pbx.example.com' };
  readonly #waiting: ((outcome: RegisterOutcome) => void)[] = [];

  constructor(private readonly now: () => number = () => 0) {}

  get inFlight(): number {
    return this.#waiting.length;
  }

  /** The same account under another name: a spec may have many users whom it asks about together. */
  as(user: string): RegisteringAccount {
    const flowName = (): string | undefined => this.flowName;
    return {
      settings: { user, domain: 'pbx.example.com' },
      register: (expiresS) => this.register(expiresS),
      get flowName() {
        return flowName();
      },
    };
  }

  /** The expiries that were asked for, in order. */
  get expiries(): number[] {
    return this.asked.map(({ expiresS }) => expiresS);
  }

  register(expiresS: number): Promise<RegisterOutcome> {
    this.asked.push({ expiresS, atMs: this.now() });
    const next = this.script.shift();
    if (next instanceof Error) throw next;
    if (!this.isHeld) return Promise.resolve(expiresS === 0 && next === undefined ? granted(0) : (next ?? this.usual));
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.mostInFlight = Math.max(this.mostInFlight, this.#waiting.length);
    });
  }

  answer(outcome: RegisterOutcome): void {
    const oldest = this.#waiting.shift();
    if (oldest === undefined) throw new Error('No REGISTER is on the wire.');
    oldest(outcome);
  }
}

/** Keeps what was logged, `warn: sip:434@...`. */
export class FakeLog implements RegistrarLog {
  readonly lines: string[] = [];
  readonly metas: Record<string, unknown>[] = [];

  info(message: string, meta: Record<string, unknown>): void {
    this.#keep(`info: ${message}`, meta);
  }

  warn(message: string, meta: Record<string, unknown>): void {
    this.#keep(`warn: ${message}`, meta);
  }

  error(message: string, meta: Record<string, unknown>): void {
    this.#keep(`error: ${message}`, meta);
  }

  #keep(line: string, meta: Record<string, unknown>): void {
    this.lines.push(line);
    this.metas.push(meta);
  }
}
