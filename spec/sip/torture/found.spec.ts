/** What the fuzzer found: each message that did harm, in a live call. `spec/fuzz` found them, `fixtures/sip/found` keeps them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { openSipStack } from '../../../src/sip/stack.js';
import type { IncomingCall, SipAccount, SipStack } from '../../../src/sip/types.js';
import { type Received, ScriptedPeer } from '../../support/scripted-peer.js';
import { quietDialog } from '../../support/quiet-dialog.js';

const folder = fileURLToPath(new URL('../../../fixtures/sip/found/', import.meta.url));

/** The value of a header in what was found. */
function found(name: string, header: string): string {
  return new RegExp(`^${header}: (.*)\r$`, 'm').exec(readFileSync(`${folder}${name}.txt`, 'latin1'))?.[1] ?? expect.fail(`${name} has no ${header}`);
}

const offer = 'v=0\r\n';
let peer: ScriptedPeer;
let stack: SipStack;
let account: SipAccount;
let onInvite: (call: IncomingCall) => void;

beforeEach(async () => {
  peer = await ScriptedPeer.open();
  stack = await openSipStack(
    { flows: { listen: { host: '127.0.0.1', udpPort: 0, tcpPort: 0 }, tls: { verify: true } }, trusted: ['127.0.0.1'], ignoresContact: false, userAgent: 'spec' },
    {
      clock: systemClock,
      events: {
        onInvite: (call) => {
          onInvite(call);
        },
        onFlowLost: () => undefined,
      },
      log: { debug: () => undefined, warn: (message) => expect.fail(message) },
    },
  );
  account = stack.addAccount({ token: 'tok', user: '434', domain: 'example.com', password: 'x', target: { transport: 'udp', host: '127.0.0.1', port: peer.port } });
});

afterEach(async () => {
  await stack.close();
  await peer.close();
});

it('a Contact that is no URI is not where the ACK and the BYE go', async () => {
  let hangUp: (() => void) | undefined;
  const to = `sip:600@127.0.0.1:${String(peer.port)}`;
  account.invite({ to, sdp: offer }, {
    ...quietDialog,
    onProgress: () => undefined,
    onAccepted: ({ dialog }) => (hangUp = () => { dialog.bye(); }),
    onRefused: () => undefined,
  });
  (await peer.next('INVITE')).reply(200, [`Contact: ${found('200-contact-is-no-uri', 'Contact')}`], offer);
  expect((await peer.next('ACK')).uri).toBe(to);
  hangUp?.();
  const bye = await peer.next('BYE');
  bye.reply(200);
  expect(bye.uri).toBe(to);
});

it('an ACK before our answer is not the one that our BYE waits for', async () => {
  const told = new Promise<IncomingCall>((resolve) => (onInvite = resolve));
  const registered = account.register(60);
  (await peer.next('REGISTER')).reply(200);
  await registered;
  const call = { from: '<sip:605@example.com>;tag=f1', callId: found('ack-before-the-answer', 'Call-ID'), headers: [`Contact: <sip:605@127.0.0.1:${String(peer.port)}>`] };
  peer.send('INVITE', 'sip:tok@127.0.0.1', { ...call, to: '<sip:434@example.com>', cseq: 1, body: offer });
  const incoming = await told;
  incoming.ring();
  const to = (await peer.nextResponse(180)).header('to')!;
  const ack = (): unknown => peer.send('ACK', 'sip:tok@127.0.0.1', { ...call, to, cseq: Number.parseInt(found('ack-before-the-answer', 'CSeq'), 10) });
  ack();
  // The answer to this says that the ACK was taken in before.
  await peer.request('OPTIONS', 'sip:tok@127.0.0.1', { from: '<sip:a@b>;tag=1', to: '<sip:434@example.com>', callId: 'after' });
  incoming.accept(offer)?.bye();
  await peer.nextResponse(200);
  ack();
  const bye: Received = await peer.next('BYE');
  bye.reply(200);
  await expect.poll(() => stack.usage().dialogs).toBe(0);
});
