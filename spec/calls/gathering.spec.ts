import { expect, it } from 'vitest';
import { Gathering } from '../../src/calls/gathering.js';

it('candidates that came apart are sent with their description, and the likeliest of them as its default', () => {
  const gathering = new Gathering();
  const candidate = 'candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host';
  gathering.add([{ candidate, sdpMid: '0' }], true);
  expect(gathering.applyTo('v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n').split('\r\n')).toEqual([
    'v=0',
    'm=audio 54321 UDP/TLS/RTP/SAVPF 111',
    'c=IN IP4 192.0.2.1',
    'a=mid:0',
    `a=${candidate}`,
    'a=end-of-candidates',
    '',
  ]);
});
