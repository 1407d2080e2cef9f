/** 64 KB of anything costs a description well under 20 ms of CPU on a quiet machine; what is quadratic costs ten times as long as that. */
import { describe, expect, it } from 'vitest';
import { applyProfile } from '../../src/sdp/profile.js';
import { leastBusyMs } from '../support/busy.js';

const mostMs = 60;
const mostBytes = 65_507;
const stream = 'm=audio 9 UDP/TLS/RTP/SAVPF 0\n';

const units = [
  'a=\n', 'm=\n', 'm=audio 9 RTP/ 0\n', 'm=audio 0 RTP/AVP 9\na=mid:0\na=bundle-only\n', '\n', '\r', 'a=rtpmap:1 x\n', 'a=rtpmap:\n', 'a=fmtp:1 x\n', 'a=candidate:\n', 'a=mid:0\n', 'a=group:BUNDLE 0\n', 'a=rid:1 send pt=1\n',
  'a=candidate:1 1 udp 1 x.local 9\n', ' ', '1 ', '0,', ';', 'pt=', 'pt=1;', 'apt=', ';apt=', '/', 'a/', '1/', '.local', ':', 'AA:', 'x',
];
const heads = ['', stream, 'm=', 'm=audio 9 RTP/AVP', 'a=group:BUNDLE', `${stream}a=rtpmap:1 x/`, `${stream}a=rtpmap:1 x`, `${stream}a=fmtp:1 `, `${stream}a=rid:1 send `, `${stream}a=rid:`, `${stream}a=candidate:`, 'a=fingerprint:x '];

describe('64 KB of one thing again and again', () => {
  it.each(heads)('after %j is judged in time', (head) => {
    for (const unit of units) {
      const text = `${head}${unit.repeat(Math.floor((mostBytes - head.length) / unit.length))}`;
      const ms = leastBusyMs(() => applyProfile(text, { audio: ['pcmu'], video: ['vp8'], bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' }), mostMs / 3);
      expect(ms, JSON.stringify(unit)).toBeLessThan(mostMs);
    }
  });
});
