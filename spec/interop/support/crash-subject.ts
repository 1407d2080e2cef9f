/**
 * A host's process that a spec kills: the extension with one user, who places calls, answers those that come, and lets those ring that are
 * from "patient". It is told by one JSON text on its command line, and tells by a line of output when it is ready and how many calls talk.
 */
import { randomUUID } from 'node:crypto';
import { SipExtension } from '../../../src/index.js';
import { FakeHost } from '../../support/fake-host.js';
import { webrtcAnswer, webrtcOffer } from './sdp.js';

export interface CrashSubjectOptions {
  /** `services.postgresql`. */
  readonly postgresql: Record<string, unknown>;
  /** The local UDP port. */
  readonly port: number;
  /** Calls to place. */
  readonly calls: number;
}

const { postgresql, port, calls } = JSON.parse(process.argv[2] ?? '') as CrashSubjectOptions;
const extension = new SipExtension();
let talking = 0;

const host = new FakeHost(
  {
    tree: {
      modules: { sip: { extension: SipExtension.id, listen: { host: '127.0.0.1', 'udp-port': port, 'tcp-port': 0 } } },
      services: { postgresql },
    },
  },
  {
    onUpdate: async (update) => {
      if (update.type === 'incoming') {
        const { callId, from } = update;
        await extension.onCall(from.user === 'patient' ? { type: 'ringing', callId } : { type: 'answer', callId, description: webrtcAnswer });
      }
      if (update.type !== 'state' || update.state !== 'talking') return;
      talking += 1;
      console.log(`${talking} talk.`);
    },
  },
);

process.once('SIGTERM', () => {
  void extension.stop({ drainMs: 0 }).then(() => {
    process.exit(0);
  });
});

await extension.init(host);
for (let call = 0; call < calls; call += 1) {
  await extension.onCall({ type: 'create', callId: randomUUID(), from: { type: 1, id: 1 }, to: { address: '9001' }, description: webrtcOffer });
}
console.log('It is ready.');
