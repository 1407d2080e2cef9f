/** How far a long command has come: a bar on standard error for a person who watches, and nothing for a file or a pipe. */
import { SingleBar } from 'cli-progress';

export interface Progress {
  /** Of the whole. */
  update(done: number): void;
  /** Takes the bar off the screen. Idempotent. */
  stop(): void;
}

/** @param what "passwords"; the whole line has at most 79 columns */
export function showProgress(total: number, what: string, stream: NodeJS.WriteStream = process.stderr): Progress {
  const bar = new SingleBar({
    stream,
    format: `[{bar}] {percentage} %  {value} of {total} ${what}  {eta_formatted} left`,
    barsize: 20,
    barCompleteChar: '#',
    barIncompleteChar: '.',
    hideCursor: true,
    clearOnComplete: true,
    noTTYOutput: false,
    fps: 10,
  });
  bar.start(total, 0);
  return {
    update: (done) => {
      bar.update(done);
    },
    stop: () => {
      bar.stop();
    },
  };
}
