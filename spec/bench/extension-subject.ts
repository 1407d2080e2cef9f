/** The compiled extension and the smallest host that can drive it, nothing else. */
import { Writable } from 'node:stream';
import { createLogger, format } from 'winston';
import type { CallUpdate, HostExtension } from '../../src/host/contract.js';
import { webrtcAnswer, webrtcOffer } from '../interop/support/sdp.js';
import { report, serve } from './measured.js';
import type { CallOrder, SubjectSettings } from './protocol.js';

const compiled = new URL('../../dist/index.js', import.meta.url).href;
// Before it is told to start: a host has loaded its plugins, and none of that is what a registration costs.
const { loadExtension } = (await import(compiled)) as { loadExtension(tree: Record<string, unknown>): Promise<HostExtension> };

interface Placed {
  readonly stay: boolean;
  readonly ended: (isSuccess: boolean, message: string) => void;
}

let extension: HostExtension | undefined;
/** Calls that stay are ended by the stop, which the log complains of. */
let isStopping = false;
const placed = new Map<string, Placed>();

async function start({ tree = {} }: SubjectSettings): Promise<void> {
  // As in a host: every line is formatted. Only complaints are kept.
  const logger = createLogger({ level: 'info', format: format.json() });
  logger.pipe(
    new Writable({
      objectMode: true,
      write: (record: { level: string; message: unknown }, _encoding, done) => {
        if (!isStopping && (record.level === 'error' || record.level === 'warn')) report({ kind: 'fault', message: String(record.message) });
        done();
      },
    }),
  );
  extension = await loadExtension(tree);
  await extension.init({ config: { tree }, logger, calls: { update } });
}

function update(told: CallUpdate): void {
  const own = placed.get(told.callId);
  switch (told.type) {
    case 'incoming':
      command({ type: 'ringing', callId: told.callId });
      command({ type: 'answer', callId: told.callId, description: webrtcAnswer });
      break;
    case 'state':
      if (told.state !== 'talking' || own === undefined) break;
      if (own.stay) {
        placed.delete(told.callId);
        own.ended(true, 'answered');
      } else command({ type: 'hangup', callId: told.callId });
      break;
    case 'ended':
      placed.delete(told.callId);
      own?.ended(told.reason === 'normal', told.message);
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

function place(sequence: number, order: CallOrder, ended: Placed['ended']): void {
  const callId = `out-${sequence}`;
  placed.set(callId, { stay: order.stay === true, ended });
  command({ type: 'create', callId, from: { type: 1, id: (sequence % order.users) + 1 }, to: { address: order.address }, description: webrtcOffer });
}

serve({
  start,
  place,
  stop: async () => {
    isStopping = true;
    await extension?.stop({ drainMs: 0 });
  },
});
