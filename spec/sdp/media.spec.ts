import { describe, expect, it } from 'vitest';
import { offersVideo } from '../../src/sdp/media.js';

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
