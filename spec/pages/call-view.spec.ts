import { describe, expect, it } from 'vitest';
import type { CallUpdate } from '../../src/host/contract.js';
import { addressOf, after, incoming, isAnotherParty, othersThan, outgoing, titleOf, type CallView, type Stage } from '../../src/pages/messenger/call-view.js';

const callId = 'c';
const nameOf = (userId: number): string | undefined => (userId === 2 ? 'Bob' : undefined);
const call = outgoing(callId, 'Bob', '', false, 1_000);
const seen = (view: CallView, ...updates: CallUpdate[]): CallView => updates.reduce((before, update) => after(before, update, nameOf, 5_000), view);
const state = (to: Extract<CallUpdate, { type: 'state' }>['state']): CallUpdate => ({ type: 'state', callId, state: to });
const ended: CallUpdate = { type: 'ended', callId, reason: 'busy', message: 'The line is busy (486 Busy Here).' };

describe('what is seen of a call', () => {
  const stages: [CallUpdate, Stage][] = [
    [state('trying'), 'calling'],
    [state('ringing'), 'ringing'],
    [state('progress'), 'early'],
    [state('talking'), 'talking'],
    [ended, 'ended'],
  ];

  it.each(stages)('after %j it is %s', (update, stage) => {
    expect(seen(call, update).stage).toBe(stage);
  });

  it('never goes back: a ringing that comes late does not make a talking call ring', () => {
    for (const [index, [update, stage]] of stages.entries()) {
      for (const [earlier] of stages.slice(0, index)) expect(seen(call, update, earlier).stage).toBe(stage);
    }
  });

  it('counts its time from the answer, and ends with the sentence that was told', () => {
    expect(seen(call, state('ringing')).talkingAt).toBeUndefined();
    expect(seen(call, state('talking'))).toMatchObject({ talkingAt: 5_000 });
    expect(seen(call, state('talking'), ended)).toMatchObject({ endedAt: 5_000, sentence: 'The line is busy (486 Busy Here).' });
  });

  it('shows the messenger’s own name of whoever has one, else what they call themselves, else their number', () => {
    const remote = { uri: 'sip:dialog2@127.0.0.1:5070;transport=udp', user: 'dialog2', displayName: 'B.' };
    const from = (party: object): CallView => incoming({ type: 'incoming', callId, to: { type: 1, id: 1 }, from: { ...remote, ...party }, description: { type: 'offer', sdp: '' }, video: true, mappingId: 1 }, nameOf, 0);
    expect(from({ peer: { type: 1, id: 2 } })).toMatchObject({ title: 'Bob', address: 'dialog2@127.0.0.1:5070', stage: 'offered', offersVideo: true });
    expect(from({ peer: { type: 1, id: 9 } }).title).toBe('B.');
    expect(from({ displayName: undefined }).title).toBe('dialog2');
    expect(from({ displayName: undefined, user: undefined }).title).toBe('dialog2@127.0.0.1:5070');
  });

  it('keeps the last keys that the other end pressed, and says how a transfer goes', () => {
    const talking = seen(call, state('talking'));
    const pressed = Array.from({ length: 40 }, (_, index): CallUpdate => ({ type: 'dtmf', callId, tones: String(index % 10) }));
    expect(seen(talking, ...pressed).tones).toBe(pressed.map((_, index) => index % 10).join('').slice(-32));
    expect(seen(talking, { type: 'transfer', callId, state: 'failed', status: 486 }).sentence).toBe('The transfer failed (486); the call goes on.');
    expect(seen(talking, { type: 'offerRejected', callId, status: 488 })).toMatchObject({ stage: 'talking', sentence: expect.stringContaining('488') as string });
  });
});

it('knows a call that was handed over by a second "talking" with somebody in it', () => {
  const remote = { uri: 'sip:carol@example.com' };
  const talking = seen(call, state('talking'));
  const handed: CallUpdate = { type: 'state', callId, state: 'talking', remote };
  expect([isAnotherParty(call, handed), isAnotherParty(talking, state('talking')), isAnotherParty(talking, handed)]).toEqual([false, false, true]);
  expect(seen(talking, handed)).toMatchObject({ title: 'carol@example.com', stage: 'talking', talkingAt: 5_000 });
});

it('reads an address without its scheme and parameters', () => {
  expect([addressOf('sips:bob@example.com;transport=tls'), addressOf('600')]).toEqual(['bob@example.com', '600']);
});

it('may be handed over to everybody but whom it is with, who has a number where there is no name', () => {
  const users = [{ id: 2, name: 'Bob' }, { id: 3, name: 'Echo' }, { id: 4 }];
  expect(othersThan(call, users).map(titleOf)).toEqual(['Echo', 'User 4']);
  expect(othersThan({ title: 'User 4' }, users).map(titleOf)).toEqual(['Bob', 'Echo']);
});
