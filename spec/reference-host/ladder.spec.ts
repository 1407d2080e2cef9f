import { expect, it } from 'vitest';
import type { Crossing } from '../../src/reference-host/crossings.js';
import { drawLadder } from '../../src/reference-host/ladder.js';
import type { PlaygroundMessage } from '../../src/reference-host/playground/playground.js';

function sip(direction: 'in' | 'out', method: string, status?: number, phrase?: string, more: Partial<PlaygroundMessage> = {}): Crossing {
  const about = { transport: 'udp', peer: '127.0.0.1:5060', callId: 'c', sequence: 1, toUser: 'dialog2' } as const;
  return { kind: 'sip', message: { direction, method, status, phrase, ...about, ...more } };
}

it('draws each crossing as an arrow between its two lanes, within 80 columns', () => {
  const description = { type: 'offer', sdp: 'v=0' } as const;
  const create = { type: 'create', callId: 'a', from: { type: 1, id: 1 }, to: { address: 'sip:dialog2@127.0.0.1' }, description } as const;
  expect(
    drawLadder([
      { kind: 'created', user: { id: 1, name: 'Alice' } },
      { kind: 'command', command: create },
      sip('in', 'INVITE'),
      sip('out', 'INVITE', 480, 'Temporarily Unavailable'),
      { kind: 'update', update: { type: 'ended', callId: 'a', reason: 'unavailable', message: 'Bob is away.' } },
    ]),
  ).toEqual([
    '  messenger host                 SIP extension                      registrar',
    '  │── user 1 created: Alice ─────────>│                                   │',
    '  │── Alice: call dialog2@127.0.0.1 ─>│                                   │',
    '  │                                   │── INVITE dialog2 ────────────────>│',
    '  │                                   │<─ 480 Temporarily Unavailable … ──│',
    '  │<─ Alice: ended, unavailable ──────│                                   │',
  ]);
});

it('draws what the registrar passed on as one line with an arrow at both ends', () => {
  const lines = drawLadder([sip('in', 'BYE'), sip('out', 'BYE'), sip('in', 'BYE', 200, 'OK'), sip('out', 'BYE', 200, 'OK')]);
  expect(lines.slice(1).map((line) => line.replace(/[ │]+/g, ' ').trim())).toEqual([
    expect.stringMatching(/^<─ BYE dialog2 ─+>$/),
    expect.stringMatching(/^<─ 200 OK \(BYE\) ─+>$/),
  ]);
});

it('leaves out 100 Trying, the ACK of a refusal and retransmissions, but not the ACK of an answer', () => {
  const challenged = [sip('in', 'INVITE'), sip('in', 'INVITE'), sip('out', 'INVITE', 407, 'No'), sip('in', 'ACK')];
  const again = { sequence: 2 };
  const answered = [sip('in', 'INVITE', 100, 'Trying', again), sip('in', 'INVITE', 200, 'OK', again), sip('in', 'ACK', undefined, undefined, again)];
  const lines = drawLadder([...challenged, ...answered]);
  expect(lines.slice(1).map((line) => /[A-Z0-9]+ /.exec(line)?.[0].trim())).toEqual(['INVITE', '407', '200', 'ACK']);
});
