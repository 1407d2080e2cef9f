/** The compiled SIP stack alone: no database, no registrar, no host. */
import { hash } from 'node:crypto';
import { systemClock } from '../../src/base/clock.js';
import type { openSipStack as OpenSipStack } from '../../src/sip/stack.js';
import type { CallDialog, CallRefusal, IncomingCallEvents, OutgoingCallEvents, SipAccount, SipStack } from '../../src/sip/types.js';
import { webrtcAnswer, webrtcOffer } from '../interop/support/sdp.js';
import { quietDialog } from '../support/quiet-dialog.js';
import { report, serve } from './measured.js';
import { benchPassword, type CallOrder, type SubjectSettings } from './protocol.js';

const compiled = new URL('../../dist/sip/stack.js', import.meta.url).href;

/** Shared, as are the methods below: the loader makes each function with a name of its own costlier than the call that it is for. */
const incomingEvents: IncomingCallEvents = {
  ...quietDialog,
  onCancelled: () => undefined,
  onConfirmed: () => undefined,
  onLost: () => { fault('no ACK came'); },
};

class Placed implements OutgoingCallEvents {
  constructor(
    private readonly stay: boolean,
    private readonly ended: (isSuccess: boolean, message: string) => void,
  ) {}

  onProgress(): void {
    return;
  }

  onAccepted({ dialog }: { dialog: CallDialog }): void {
    if (!this.stay) dialog.bye();
    this.ended(true, 'answered');
  }

  onRefused({ status, phrase }: CallRefusal): void {
    this.ended(false, `${status} ${phrase}`);
  }

  onBye(): void {
    return;
  }

  onOffer(): void {
    return;
  }

  onAnswer(): void {
    return;
  }

  onReferral(): void {
    return;
  }

  onTone(): void {
    return;
  }

  onLost(): void {
    fault('the far end is gone');
  }
}

let stack: SipStack | undefined;
const accounts: SipAccount[] = [];

function fault(message: string): void {
  report({ kind: 'fault', message });
}

async function start({ accounts: wanted, atOnce }: SubjectSettings): Promise<void> {
  stack ??= await open();
  if (wanted !== undefined) registerAll(stack, wanted.port, wanted.count, atOnce);
}

async function open(): Promise<SipStack> {
  const { openSipStack } = (await import(compiled)) as { openSipStack: typeof OpenSipStack };
  return openSipStack(
    {
      flows: { listen: { host: '127.0.0.1', udpPort: 0, tcpPort: 0 }, tls: { verify: true } },
      trusted: [],
      ignoresContact: false,
      userAgent: 'bench',
    },
    {
      clock: systemClock,
      log: { debug: () => undefined, warn: fault },
      events: {
        onInvite: (call) => {
          call.events = incomingEvents;
          call.ring();
          call.accept(webrtcAnswer.sdp);
        },
        onFlowLost: (_accounts, why) => { fault(why); },
      },
    },
  );
}

function registerAll(on: SipStack, port: number, count: number, atOnce: number): void {
  const registerNext = (): void => {
    const number = accounts.length + 1;
    if (number > count) return;
    const account = on.addAccount({
      token: hash('sha256', `bench ${number}`, 'buffer').toString('hex', 0, 10),
      user: `user${number}`,
      domain: '127.0.0.1',
      password: benchPassword(`user${number}`),
      target: { transport: 'udp', host: '127.0.0.1', port },
    });
    accounts.push(account);
    void account.register(3_600).then((outcome) => {
      if (outcome.kind !== 'registered') fault(`user${number}: ${outcome.kind}`);
      registerNext();
    });
  };
  for (let started = 0; started < atOnce; started += 1) registerNext();
}

function place(sequence: number, order: CallOrder, ended: (isSuccess: boolean, message: string) => void): void {
  const account = accounts[sequence % order.users];
  if (account === undefined) throw new Error('There is no such account.');
  account.invite({ to: order.address, sdp: webrtcOffer.sdp }, new Placed(order.stay === true, ended));
}

serve({
  start,
  place,
  stop: async () => {
    await stack?.close();
  },
});
