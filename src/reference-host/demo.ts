/** The demonstration: Alice calls Bob's SIP address, Bob's device rings and answers, they talk, Alice hangs up. */
import { DemoClient } from './demo-client.js';
import type { ClientEvent } from './devices.js';

export interface DemoScript {
  /** Of the reference host. */
  url: string;
  alice: { id: number; name: string };
  bob: { id: number; name: string };
  /** Bob's SIP address, `sip:dialog2@127.0.0.1`. */
  address: string;
  /** What their browsers would offer and answer. */
  offer: string;
  answer: string;
}

/** @throws Error with the step that did not come */
export async function callOnce(script: DemoScript): Promise<void> {
  const alice = await DemoClient.connect(script.url, script.alice);
  const bob = await DemoClient.connect(script.url, script.bob);
  try {
    alice.send({ type: 'create', to: { address: script.address }, description: { type: 'offer', sdp: script.offer } });
    // Together: a call that fails is told to Alice, while Bob waits for nothing.
    const [{ callId: alicesCall }, bobsCall] = await Promise.all([alice.next('ringing', isRinging), ring(bob)]);
    bob.send({ type: 'answer', callId: bobsCall, description: { type: 'answer', sdp: script.answer } });
    await Promise.all([alice.next('the answer', isTalking), bob.next('the call to stand', isTalking)]);
    alice.send({ type: 'hangup', callId: alicesCall });
    await Promise.all([alice.next('the end', isEnded), bob.next('the end', isEnded)]);
  } finally {
    alice.close();
    bob.close();
  }
}

/** @returns the id of the call that came */
async function ring(bob: DemoClient): Promise<string> {
  const { callId } = await bob.next('the call', isIncoming);
  bob.send({ type: 'ringing', callId });
  return callId;
}

type Of<Type extends ClientEvent['type']> = Extract<ClientEvent, { type: Type }>;

function isIncoming(event: ClientEvent): event is Of<'incoming'> {
  return event.type === 'incoming';
}

function isRinging(event: ClientEvent): event is Of<'state'> {
  return event.type === 'state' && event.state === 'ringing';
}

function isTalking(event: ClientEvent): event is Of<'state'> {
  return event.type === 'state' && event.state === 'talking';
}

function isEnded(event: ClientEvent): event is Of<'ended'> {
  return event.type === 'ended';
}
