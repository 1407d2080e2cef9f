import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { offersVideo, usedCodecs } from '../../src/sdp/media.js';

describe('whether a description offers video', () => {
  it('says yes for a video stream with a port', () => {
    expect(offersVideo('v=0\r\nm=audio 9 RTP/AVP 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n')).toBe(true);
    expect(offersVideo('v=0\nm=video 40000/2 RTP/AVP 96\n')).toBe(true);
  });

  it('says no without one, with port 0, and for words that only look like it', () => {
    expect(offersVideo('v=0\r\nm=audio 9 RTP/AVP 0\r\n')).toBe(false);
    expect(offersVideo('v=0\r\nm=video 0 UDP/TLS/RTP/SAVPF 96\r\n')).toBe(false);
    expect(offersVideo('v=0\r\nm=video 0/2 UDP/TLS/RTP/SAVPF 96\r\n')).toBe(false);
    expect(offersVideo('v=0\r\ni=m=video 9 X 96\r\n')).toBe(false);
  });
});

describe('what an answer settles on', () => {
  it('is the first format of each stream that it takes, by name', () => {
    expect(usedCodecs(readFileSync(new URL('../../fixtures/sdp/chrome-audio-answer.sdp', import.meta.url), 'utf8'))).toEqual(['opus']);
    const both = 'v=0\r\nm=audio 9 RTP/AVP 111 0\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:111 OPUS/48000/2\r\nm=video 4000/2 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n';
    expect(usedCodecs(both)).toEqual(['opus', 'vp8']);
    expect(usedCodecs(both.replaceAll('\r', ''))).toEqual(['opus', 'vp8']);
  });

  it('is told by the numbers of RFC 3551 where no line names it, and by the bare number where nothing does', () => {
    expect(usedCodecs('v=0\r\nm=audio 9 RTP/AVP 8\r\nm=video 9 RTP/AVP 99\r\nm=audio 9 RTP/AVP 8\r\na=rtpmap:99 X/1\r\n')).toEqual(['pcma', '99', 'pcma']);
  });

  it('passes over streams that were refused, and what is neither audio nor video', () => {
    expect(usedCodecs('v=0\r\nm=audio 9 RTP/AVP 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\nm=application 9 DTLS/SCTP 5000\r\n')).toEqual(['pcmu']);
    expect(usedCodecs('nonsense')).toEqual([]);
  });
});
