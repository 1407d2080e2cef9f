/**
 * A program of somebody else, run in a process group of its own so that it and all its children can be ended by pid
 * and nothing outlives the specs. Its output is kept for the message of whatever fails.
 */
import { spawn } from 'node:child_process';

export interface ProgramOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
}

export class Program {
  /** Settles when the program has ended: its exit code, or the signal that ended it. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #command: string;
  readonly #pid: number | undefined;
  #output = '';
  #running = true;
  readonly #watchers = new Set<() => void>();

  constructor(command: string, args: readonly string[], options: ProgramOptions = {}) {
    this.#command = `${command} ${args.join(' ')}`;
    const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#pid = child.pid;
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString('utf8')).slice(-4_000_000);
      this.#notify();
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    process.once('exit', this.#killGroup);
    this.ended = new Promise((resolve) => {
      const finish = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.#running = false;
        process.removeListener('exit', this.#killGroup);
        this.#notify();
        resolve({ code, signal });
      };
      child.once('error', (error) => {
        this.#output += `\n${error.message}\n`;
        finish(null, null);
      });
      child.once('close', finish);
    });
  }

  /** Its process, and the group of it and its children; undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#pid;
  }

  get running(): boolean {
    return this.#running;
  }

  /** What it wrote on both outputs so far, the last 4 MB of it. */
  get output(): string {
    return this.#output;
  }

  /** Its command line and its last lines, for a message. */
  describe(lines = 30): string {
    return `${this.#command}\n${this.#output.trim().split('\n').slice(-lines).join('\n')}`;
  }

  /** Resolves when its output holds `text`. Rejects when it ends before, or after `withinMs`. */
  prints(text: string | RegExp, withinMs = 10_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(deadline);
        this.#watchers.delete(look);
        settle();
      };
      const fail = (why: string): void => {
        finish(() => {
          reject(new Error(`${why} before it printed ${String(text)}: ${this.describe()}`));
        });
      };
      const deadline = setTimeout(() => {
        fail(`${withinMs} ms passed`);
      }, withinMs);
      const look = (): void => {
        const found = typeof text === 'string' ? this.#output.includes(text) : text.test(this.#output);
        if (found) finish(resolve);
        else if (!this.#running) fail('It ended');
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** To the program alone, not to its children. */
  signal(signal: NodeJS.Signals): void {
    if (this.#running && this.#pid !== undefined) process.kill(this.#pid, signal);
  }

  /** Ends the program and its children at once; resolves when it is gone. Idempotent. */
  async kill(): Promise<void> {
    this.#killGroup();
    await this.ended;
  }

  /** Asks the program to end and to reap its own children, and kills what is left after 5 s. Idempotent. */
  async end(): Promise<void> {
    this.signal('SIGTERM');
    const deadline = setTimeout(this.#killGroup, 5_000);
    await this.ended;
    clearTimeout(deadline);
  }

  readonly #killGroup = (): void => {
    if (this.#pid === undefined) return;
    try {
      process.kill(-this.#pid, 'SIGKILL');
    } catch (thrown) {
      // ESRCH: the whole group is gone already, which is what was wanted.
      if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ESRCH')) throw thrown;
    }
  };

  #notify(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}
