import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExtensionError } from '../../src/base/errors.js';
import { readCommand } from '../../src/calls/command.js';

const create = {
  type: 'create',
  callId: 'c',
  from: { type: 1, id: 1 },
  to: { address: '600' },
  description: { type: 'offer', sdp: 'v=0' },
};

function refusal(given: unknown): ExtensionError {
  try {
    readCommand(given);
  } catch (thrown) {
    if (thrown instanceof ExtensionError) return thrown;
    throw thrown;
  }
  throw new Error('the command was taken');
}

describe('a call command', () => {
  it.each([
    create,
    { ...create, to: { peer: { type: 4, id: 0, strId: 'sip:a@b' } }, candidatesComplete: false, video: true, mappingId: 7 },
    { type: 'candidates', callId: 'c', candidates: [{ candidate: 'candidate:1', sdpMid: null, sdpMLineIndex: 0 }], endOfCandidates: true },
    { type: 'ringing', callId: 'c' },
    { type: 'answer', callId: 'c', description: { type: 'answer', sdp: 'v=0' }, candidatesComplete: true },
    { type: 'offer', callId: 'c', description: { type: 'offer', sdp: 'v=0' }, candidatesComplete: false },
    { type: 'dtmf', callId: 'c', tones: '09*#AD,', durationMs: 160 },
    { type: 'transfer', callId: 'c', to: { address: '600' } },
    { type: 'transfer', callId: 'c', to: { callId: 'd' } },
    { type: 'hangup', callId: 'c' },
    { type: 'hangup', callId: 'c', reason: 'busy' },
  ])('of the contract is taken as it is: %j', (command) => {
    expect(readCommand(command)).toEqual(command);
  });

  it.each([
    ['callId', { ...create, callId: '' }],
    ['callId', { type: 'ringing' }],
    ['from.type', { ...create, from: { type: 3, id: 1 } }],
    ['from.id', { ...create, from: { type: 1, id: 'one' } }],
    ['to', { ...create, to: { number: '600' } }],
    ['description.type', { ...create, description: { type: 'answer', sdp: 'v=0' } }],
    ['description.sdp', { ...create, description: { type: 'offer', sdp: '' } }],
    ['mappingId', { ...create, mappingId: 1.5 }],
    ['candidates[1].candidate', { type: 'candidates', callId: 'c', candidates: [{ candidate: '' }, { candidate: 'candidate:1\r\na=x:1' }] }],
    ['reason', { type: 'hangup', callId: 'c', reason: 'tired' }],
    ['tones', { type: 'dtmf', callId: 'c', tones: '1E' }],
    ['durationMs', { type: 'dtmf', callId: 'c', tones: '1', durationMs: 1 }],
    ['to', { type: 'transfer', callId: 'c', to: {} }],
    ['type', { type: 'sing', callId: 'c' }],
    ['the command', 'create'],
    ['the command', undefined],
  ])('is refused naming %s', (field, command) => {
    const error = refusal(command);
    expect(error).toMatchObject({ code: 'COMMAND_INVALID', fault: 'host' });
    expect(error.message).toContain(`${field}: `);
  });

  it('with several faults names them all, and shows no value', () => {
    const { message } = refusal({ ...create, callId: 7, description: { type: 'offer', sdp: { pwd: 'topsecret' } }, from: null });
    expect(message).toMatch(/callId: .*from: .*description\.sdp: /);
    expect(message).not.toContain('topsecret');
  });

  it('loses line ends and other control characters of a display name', () => {
    expect(readCommand({ ...create, displayName: 'Anna\r\nX-Evil: 1\u0007' })).toMatchObject({ displayName: 'Anna X-Evil: 1' });
  });

  it('that is anything at all is taken or refused with a named error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.record({ type: fc.constantFrom('create', 'hangup', 'answer', '__proto__'), callId: fc.anything() })), (given) => {
        try {
          readCommand(given);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ExtensionError);
        }
      }),
    );
  });
});
