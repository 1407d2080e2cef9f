import { beforeEach, describe, expect, it } from 'vitest';
import { drawPcapng } from '../../src/ladder/pcapng.js';
import { drawSvg } from '../../src/ladder/draw-svg.js';
import { drawText } from '../../src/ladder/draw-text.js';
import { ladderOfCall, ladderOfRegistration, untoldCalls, type Ladder } from '../../src/ladder/ladder.js';
import { Recording } from '../../src/ladder/recording.js';

const peer = '192.0.2.4:5060';
const sdp = (direction: string): string => `v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-pwd:topsecretpassword\r\na=${direction}\r\n`;

interface Sip {
  callId?: string;
  cseq?: string;
  branch?: string;
  to?: string;
  headers?: string;
  body?: string;
}

function sip(startLine: string, { callId = 'sip-1', cseq = '1 INVITE', branch = 'z9hG4bK1', to = '<sip:600@pbx>', headers = '', body = '' }: Sip = {}): string {
  return `${startLine}\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=${branch}\r\nFrom: "Ann" <sip:ann@pbx>;tag=a\r\nTo: ${to}\r\nCall-ID: ${callId}\r\nCSeq: ${cseq}\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
}

let now: number;
let recording: Recording;

beforeEach(() => {
  now = Date.UTC(2026, 0, 2, 9, 15, 2);
  recording = new Recording(1_000_000, () => now);
});

const later = (ms: number): void => {
  now += ms;
};
const sent = (text: string): void => {
  recording.onMessage('out', 'udp', peer, text);
};
const heard = (text: string): void => {
  recording.onMessage('in', 'udp', peer, text);
};

/** A call that a busy line ends: challenged first, its INVITE sent twice. */
function busyCall(): Ladder {
  recording.onCommand({ type: 'create', callId: 'c', from: { type: 1, id: 1 }, to: { address: '600' }, description: { type: 'offer', sdp: sdp('sendrecv') } });
  recording.onLeg('c', 'sip-1');
  later(3);
  sent(sip('INVITE sip:600@pbx SIP/2.0', { body: sdp('sendrecv') }));
  later(500);
  sent(sip('INVITE sip:600@pbx SIP/2.0', { body: sdp('sendrecv') }));
  heard(sip('SIP/2.0 407 Proxy Authentication Required'));
  sent(sip('INVITE sip:600@pbx SIP/2.0', { cseq: '2 INVITE', branch: 'z9hG4bK2', headers: 'Proxy-Authorization: Digest username="ann", response="deadbeef"\r\n', body: sdp('sendrecv') }));
  later(20);
  heard(sip('SIP/2.0 486 Busy Here', { cseq: '2 INVITE', branch: 'z9hG4bK2' }));
  recording.onUpdate({ type: 'ended', callId: 'c', reason: 'busy', sip: { status: 486, phrase: 'Busy Here' }, message: 'The line is busy (486 Busy Here).' });
  const ladder = ladderOfCall(recording, 'c');
  if (ladder === undefined) throw new Error('nothing of the call is held');
  return ladder;
}

describe('the ladder of a call', () => {
  it('holds what messenger and wire said in one time line, and what was sent again', () => {
    const { lanes, steps } = busyCall();
    expect(lanes).toEqual(['Messenger', 'Extension', `udp ${peer}`]);
    expect(steps.map(({ from, to, label, repeated }) => `${from}>${to} ${label}${repeated ? ' again' : ''}`)).toEqual([
      '0>1 create: 600',
      '1>2 INVITE 600',
      '1>2 INVITE 600 again',
      '2>1 407 Proxy Authentication Required (INVITE)',
      '1>2 INVITE 600',
      '2>1 486 Busy Here (INVITE)',
      '1>0 ended: busy',
    ]);
  });

  it('marks the refusal that ended it, not the challenge, with the sentence for a person', () => {
    const { steps, sentence } = busyCall();
    expect(steps.filter(({ failing }) => failing).map(({ label }) => label)).toEqual(['486 Busy Here (INVITE)']);
    expect(sentence).toBe('The line is busy (486 Busy Here).');
  });

  it('marks the end itself when no SIP message was its cause', () => {
    recording.onUpdate({ type: 'ended', callId: 'c', reason: 'unavailable', message: 'Nobody answered.' });
    expect(ladderOfCall(recording, 'c')?.steps).toMatchObject([{ label: 'ended: unavailable', failing: true }]);
  });

  it('marks nothing of a call that ended well', () => {
    heard(sip('SIP/2.0 500 Server Error', { cseq: '3 INFO', callId: 'c' }));
    recording.onUpdate({ type: 'ended', callId: 'c', reason: 'normal', message: 'The other side hung up.' });
    expect(ladderOfCall(recording, 'c')?.steps.some(({ failing }) => failing)).toBe(false);
  });

  it('shows no credentials, ICE passwords or keys that were pressed, in no drawing', () => {
    recording.onCommand({ type: 'dtmf', callId: 'c', tones: '4711' });
    sent(sip('INFO sip:600@pbx SIP/2.0', { cseq: '3 INFO', headers: 'Content-Type: application/dtmf-relay\r\n', body: 'Signal=7\r\nDuration=160\r\n' }));
    const ladder = busyCall();
    for (const drawn of [JSON.stringify(ladder), drawText(ladder, { width: 80, messages: true }), drawSvg(ladder), drawPcapng(ladder).toString('latin1')]) {
      for (const secret of ['deadbeef', 'topsecretpassword', '4711', 'Signal=7']) expect(drawn).not.toContain(secret);
    }
  });

  it('shows what a description changed, line by line', () => {
    busyCall();
    sent(sip('INVITE sip:600@pbx SIP/2.0', { cseq: '3 INVITE', branch: 'z9hG4bK3', body: sdp('sendonly') }));
    expect(ladderOfCall(recording, 'c')?.steps.at(-1)?.sdpChanges).toEqual(['  m=audio 9 UDP/TLS/RTP/SAVPF 111', '- a=sendrecv', '+ a=sendonly']);
  });

  it('shows candidates that came together as one step', () => {
    const candidates = (candidate: string): void => {
      recording.onCommand({ type: 'candidates', callId: 'c', candidates: [{ candidate }] });
    };
    for (const candidate of ['candidate:1', 'candidate:2']) candidates(candidate);
    recording.onCommand({ type: 'ringing', callId: 'c' });
    candidates('candidate:3');
    const steps = ladderOfCall(recording, 'c')?.steps ?? [];
    expect(steps.map(({ label }) => label)).toEqual(['candidates (2)', 'ringing', 'candidates']);
    expect(steps[0]?.text).toMatch(/candidate:1[^]*candidate:2/);
  });

  it('is not there for a call that nothing is held of', () => {
    busyCall();
    expect(ladderOfCall(recording, 'd')).toBeUndefined();
  });

  it('is found by the Call-ID when the messenger was never told, and such calls are listed', () => {
    busyCall();
    heard(sip('INVITE sip:nobody@us SIP/2.0', { callId: 'stranger', to: '<sip:nobody@us>' }));
    sent(sip('SIP/2.0 404 Not Found', { callId: 'stranger' }));
    expect(untoldCalls(recording)).toEqual([{ at: now, sipCallId: 'stranger', from: 'sip:ann@pbx', to: 'sip:nobody@us' }]);
    expect(ladderOfCall(recording, 'stranger')).toMatchObject({ sentence: 'It was answered 404 Not Found.', steps: [{}, { failing: true }] });
  });

  it('takes messages that only mention a call’s id for what they are', () => {
    busyCall();
    const held = ladderOfCall(recording, 'c')?.steps.length;
    sent(sip('REFER sip:600@pbx SIP/2.0', { callId: 'other', cseq: '1 REFER', headers: 'Refer-To: <sip:x@y?Replaces=sip-1>\r\n' }));
    expect(ladderOfCall(recording, 'c')?.steps).toHaveLength(held ?? 0);
  });
});

describe('the ladder of a registration', () => {
  const register = (status?: string, to = '<sip:ann@pbx>'): string => sip(status ?? 'REGISTER sip:pbx SIP/2.0', { cseq: '1 REGISTER', callId: 'reg', to, branch: `z9hG4bK${status ?? ''}` });

  it('holds that address alone, and what it failed at', () => {
    sent(register());
    heard(register('SIP/2.0 403 Forbidden'));
    sent(register(undefined, '<sip:annabel@pbx>'));
    expect(ladderOfRegistration(recording, 'sip:ann@pbx')?.steps.map(({ label, failing }) => [label, failing])).toEqual([
      ['REGISTER', false],
      ['403 Forbidden (REGISTER)', true],
    ]);
  });

  it('has not failed once it stands again', () => {
    heard(register('SIP/2.0 503 Service Unavailable'));
    later(1_000);
    heard(register('SIP/2.0 200 OK'));
    expect(ladderOfRegistration(recording, 'sip:ann@pbx')?.steps.some(({ failing }) => failing)).toBe(false);
  });
});

describe('the recording', () => {
  it('never holds more than its bytes, and lets the oldest go', () => {
    recording = new Recording(100_000, () => now);
    for (let index = 0; index < 5_000; index += 1) sent(sip('OPTIONS sip:pbx SIP/2.0', { cseq: `${index} OPTIONS`, body: 'x'.repeat(300) }));
    const held = [...recording.messages('calls')];
    expect(held.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThan(50_000);
    expect(held.at(-1)?.text).toContain('4999 OPTIONS');
    expect(held.length).toBeGreaterThan(50);
  });

  it('keeps a call although a hundred thousand accounts register', () => {
    busyCall();
    for (let index = 0; index < 20_000; index += 1) sent(sip('REGISTER sip:pbx SIP/2.0', { cseq: `${index} REGISTER` }));
    expect(ladderOfCall(recording, 'c')?.steps).toHaveLength(7);
  });
});

describe('its drawings', () => {
  it('fit 80 columns of a terminal, with the failing step and its sentence', () => {
    const drawn = drawText(busyCall(), { width: 80, messages: false });
    expect(drawn.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(drawn).toMatchInlineSnapshot(`
      "c

                Messenger                     Extension            udp 192.0.2.4:5060
      09:15:02  │── create: 600 ─────────────────>│                                 │
      +0.003    │                                 │── INVITE 600 ──────────────────>│
      +0.500    │                                 │·· INVITE 600 (again) ··········>│
      +0.000    │                                 │<─ 407 Proxy Authentication R… ──│
      +0.000    │                                 │── INVITE 600 ──────────────────>│
      +0.020    │                                 │<─ !! 486 Busy Here (INVITE) ────│
                ^ The line is busy (486 Busy Here).
      +0.000    │<─ ended: busy ──────────────────│                                 │
      "
    `);
  });

  it('as SVG are well formed whatever the wire said', () => {
    heard(sip('SIP/2.0 486 <script>&"\u0001', { callId: 'x' }));
    const ladder = ladderOfCall(recording, 'x');
    const drawn = ladder === undefined ? '' : drawSvg(ladder);
    expect(drawn).toContain('486 &lt;script&gt;&amp;&quot;\uFFFD');
    expect(drawn).not.toMatch(/<script/);
  });

  it('as a packet trace hold each SIP message, and what the messenger said as comments', () => {
    const trace = drawPcapng(busyCall());
    const blocks: { type: number; body: Buffer }[] = [];
    for (let at = 0; at < trace.length; ) {
      const length = trace.readUInt32LE(at + 4);
      expect(trace.readUInt32LE(at + length - 4)).toBe(length);
      blocks.push({ type: trace.readUInt32LE(at), body: trace.subarray(at + 8, at + length - 4) });
      at += length;
    }
    expect(blocks.map(({ type }) => type)).toEqual([0x0a0d0d0a, 1, 6, 6, 6, 6, 6]);
    expect(blocks[2]?.body.toString('latin1')).toContain('Messenger -> Extension: create: 600');
    expect(blocks[6]?.body.toString('latin1')).toContain('SIP/2.0 486 Busy Here');
  });
});
