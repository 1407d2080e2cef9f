/**
 * The measured process: the compiled extension and the smallest host that can drive it, nothing else. The host's own
 * work (a callback for each update, a command for each step) counts against the extension.
 */
import { Writable } from 'node:stream';
import { createLogger, format } from 'winston';
import type { CallUpdate, HostExtension } from '../../src/host/contract.js';
import { webrtcAnswer, webrtcOffer } from '../interop/support/sdp.js';
import type { SubjectCommand, SubjectReport } from './protocol.js';

const compiled = new URL('../../dist/index.js', import.meta.url).href;

let extension: HostExtension | undefined;
let outgoing:
  | { left: number; open: number; completed: number; failed: number; firstFailure: string | undefined; users: number; address: string }
  | undefined;
let sequence = 0;

function report(message: SubjectReport): void {
  process.send?.(message);
}

async function start(tree: Record<string, unknown>): Promise<void> {
  const { loadExtension } = (await import(compiled)) as { loadExtension(tree: Record<string, unknown>): Promise<HostExtension> };
  // As in a host: every line is formatted. Only complaints are kept.
  const logger = createLogger({ level: 'info', format: format.json() });
  logger.pipe(
    new Writable({
      objectMode: true,
      write: (record: { level: string; message: unknown }, _encoding, done) => {
        if (record.level === 'error' || record.level === 'warn') report({ kind: 'fault', message: String(record.message) });
        done();
      },
    }),
  );
  extension = await loadExtension(tree);
  await extension.init({ config: { tree }, logger, calls: { update } });
}

function update(told: CallUpdate): void {
  switch (told.type) {
    case 'incoming':
      command({ type: 'ringing', callId: told.callId });
      command({ type: 'answer', callId: told.callId, description: webrtcAnswer });
      break;
    case 'state':
      if (told.state === 'talking' && told.callId.startsWith('out-')) command({ type: 'hangup', callId: told.callId });
      break;
    case 'ended':
      if (told.callId.startsWith('out-')) finish(told.reason === 'normal', told.message);
      break;
    default:
      break;
  }
}

function command(what: Parameters<HostExtension['onCall']>[0]): void {
  extension?.onCall(what).catch((thrown: unknown) => {
    report({ kind: 'fault', message: `${what.type} was refused: ${String(thrown)}` });
  });
}

function callNext(): void {
  if (outgoing === undefined || outgoing.left === 0) return;
  outgoing.left -= 1;
  outgoing.open += 1;
  sequence += 1;
  command({
    type: 'create',
    callId: `out-${sequence}`,
    from: { type: 1, id: (sequence % outgoing.users) + 1 },
    to: { address: outgoing.address },
    description: webrtcOffer,
  });
}

function finish(isSuccess: boolean, message: string): void {
  if (outgoing === undefined) return;
  outgoing.open -= 1;
  outgoing.completed += isSuccess ? 1 : 0;
  outgoing.failed += isSuccess ? 0 : 1;
  if (!isSuccess) outgoing.firstFailure ??= message;
  if (outgoing.left > 0) {
    callNext();
  } else if (outgoing.open === 0) {
    const { completed, failed, firstFailure } = outgoing;
    outgoing = undefined;
    report({ kind: 'called', completed, failed, ...(firstFailure === undefined ? {} : { firstFailure }) });
  }
}

async function obey(order: SubjectCommand): Promise<void> {
  switch (order.kind) {
    case 'start':
      await start(order.tree);
      report({ kind: 'started' });
      break;
    case 'usage': {
      const { user, system } = process.cpuUsage();
      const usage = { cpuMs: (user + system) / 1_000, wallMs: performance.now(), rssBytes: process.memoryUsage.rss() };
      report({ kind: 'usage', usage });
      break;
    }
    case 'call':
      outgoing = {
        ...{ left: order.calls, open: 0, completed: 0, failed: 0, firstFailure: undefined },
        ...{ users: order.users, address: order.address },
      };
      for (let open = 0; open < order.atOnce; open += 1) callNext();
      break;
    case 'stop':
      await extension?.stop({ drainMs: 0 });
      report({ kind: 'stopped' });
      process.disconnect();
      break;
  }
}

process.on('message', (order: SubjectCommand) => {
  obey(order).catch((thrown: unknown) => {
    report({ kind: 'fault', message: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) });
    process.exitCode = 1;
    process.disconnect();
  });
});
report({ kind: 'ready' });
