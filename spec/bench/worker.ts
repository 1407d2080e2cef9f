/** A process of the bench: what it reports can be awaited by kind, and a fault or an early end fails whoever waits. */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

interface Told {
  kind: string;
}

export class Worker<Command extends Told, Report extends Told> {
  /** Faults so far, in the process's own words. */
  readonly faults: string[] = [];
  readonly #child: ChildProcess;
  readonly #told: Report[] = [];
  readonly #waiting: { kind: string; resolve: (report: Report) => void; reject: (error: Error) => void }[] = [];
  #ended = false;

  /** @param options.node Node's own options, such as `--expose-gc` */
  constructor(
    private readonly file: string,
    options: { readonly node?: readonly string[]; readonly args?: readonly string[] } = {},
  ) {
    this.#child = fork(fileURLToPath(new URL(file, import.meta.url)), options.args ?? [], {
      execArgv: ['--import', import.meta.resolve('tsx'), ...(options.node ?? [])],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (message) => {
      this.#take(message as Report);
    });
    this.#child.once('exit', (code, signal) => {
      this.#ended = true;
      for (const { reject } of this.#waiting.splice(0)) reject(this.#failure(`ended (${signal ?? String(code)})`));
    });
    process.once('exit', () => this.#child.kill('SIGKILL'));
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw this.#failure('could not be started');
    return this.#child.pid;
  }

  send(command: Command): void {
    this.#child.send(command);
  }

  /** The oldest report of that kind not yet returned. Rejects after `withinMs`, and when the process ends. */
  next<K extends Report['kind']>(kind: K, withinMs: number): Promise<Extract<Report, { kind: K }>> {
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => {
        reject(this.#failure(`did not report "${kind}" within ${withinMs / 1_000} s`));
      }, withinMs);
      const settle = (report: Report): void => {
        clearTimeout(deadline);
        resolve(report as Extract<Report, { kind: K }>);
      };
      const index = this.#told.findIndex((report) => report.kind === kind);
      const [told] = index < 0 ? [] : this.#told.splice(index, 1);
      if (told !== undefined) settle(told);
      else if (this.#ended) reject(this.#failure('has ended'));
      else {
        const fail = (error: Error): void => {
          clearTimeout(deadline);
          reject(error);
        };
        this.#waiting.push({ kind, resolve: settle, reject: fail });
      }
    });
  }

  async end(): Promise<void> {
    if (this.#ended) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }

  #take(report: Report): void {
    if (report.kind === 'fault') {
      this.faults.push((report as unknown as { message: string }).message);
      return;
    }
    const index = this.#waiting.findIndex(({ kind }) => kind === report.kind);
    const [waiting] = index < 0 ? [] : this.#waiting.splice(index, 1);
    if (waiting === undefined) this.#told.push(report);
    else waiting.resolve(report);
  }

  #failure(what: string): Error {
    return new Error([`${this.file} ${what}`, ...this.faults.slice(0, 5)].join('\n'));
  }
}
