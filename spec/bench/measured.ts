/** A measured process: what it is told, it does by its driver, and tells what that cost. The driver's own work counts too. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { beginCalls } from './pace.js';
import type { CallOrder, SubjectCommand, SubjectReport, SubjectSettings } from './protocol.js';

export interface Driver {
  /** Registration may go on after it. */
  start(settings: SubjectSettings): Promise<void>;
  /** Places one call, hangs up when it is answered unless it is to stay, and tells its end, or its answer when it stays. */
  place(sequence: number, order: CallOrder, ended: (isSuccess: boolean, message: string) => void): void;
  stop(): Promise<void>;
}

/** Nanoseconds to milliseconds, to the hundredth. */
const toMs = (nanoseconds: number): number => Math.round(nanoseconds / 10_000) / 100;

const loop = monitorEventLoopDelay({ resolution: 1 });
let sequence = 0;

export function report(message: SubjectReport): void {
  process.send?.(message);
}

export function serve(driver: Driver): void {
  process.on('message', (command: SubjectCommand) => {
    obey(driver, command).catch((thrown: unknown) => {
      report({ kind: 'fault', message: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) });
      process.exitCode = 1;
      process.disconnect();
    });
  });
  report({ kind: 'ready' });
}

async function obey(driver: Driver, command: SubjectCommand): Promise<void> {
  switch (command.kind) {
    case 'start':
      await driver.start(command.settings);
      report({ kind: 'started' });
      break;
    case 'usage': {
      const { user, system } = process.cpuUsage();
      const usage = { cpuMs: (user + system) / 1_000, wallMs: performance.now(), rssBytes: process.memoryUsage.rss() };
      report({ kind: 'usage', usage });
      break;
    }
    case 'heap':
      report({ kind: 'heap', usedBytes: collected() });
      break;
    case 'watch':
      loop.enable();
      loop.reset();
      break;
    case 'loop':
      report({ kind: 'loop', delay: { p50Ms: toMs(loop.percentile(50)), p99Ms: toMs(loop.percentile(99)), maxMs: toMs(loop.max) } });
      loop.disable();
      break;
    case 'call':
      placeAll(driver, command);
      break;
    case 'stop':
      await driver.stop();
      report({ kind: 'stopped' });
      process.disconnect();
      break;
  }
}

function collected(): number {
  if (gc === undefined) throw new Error('This process was not started with --expose-gc.');
  // What finalizers let go is collected by the next.
  for (let round = 0; round < 3; round += 1) gc();
  return process.memoryUsage().heapUsed;
}

function placeAll(driver: Driver, order: CallOrder): void {
  let [left, open, completed, failed] = [order.calls, 0, 0, 0];
  let firstFailure: string | undefined;
  const next = (): void => {
    left -= 1;
    open += 1;
    sequence += 1;
    driver.place(sequence, order, (isSuccess, message) => {
      open -= 1;
      if (isSuccess) completed += 1;
      else {
        failed += 1;
        firstFailure ??= message;
      }
      if (left > 0) {
        if ('atOnce' in order.pace) next();
      } else if (open === 0) {
        report({ kind: 'called', completed, failed, ...(firstFailure === undefined ? {} : { firstFailure }) });
      }
    });
  };
  beginCalls(order.pace, () => left > 0, next);
}
