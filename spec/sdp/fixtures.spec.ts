/** What the profile makes of what browsers, PBXs and phones say: `fixtures/sdp`. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { applyProfile, type Caution, type Lack, type WebRtcProfile } from '../../src/sdp/profile.js';

const folder = new URL('../../fixtures/sdp/', import.meta.url);
const guide: WebRtcProfile = { audio: ['opus', 'pcma', 'pcmu'], video: ['vp8'], bundlePolicy: 'balanced', rtcpMuxPolicy: 'require' };
const names = readdirSync(folder).filter((name) => name.endsWith('.sdp')).map((name) => name.replace('.sdp', ''));
const read = (name: string): string => readFileSync(new URL(`${name}.sdp`, folder), 'utf8');

interface Expected {
  /** The m-lines as they leave. */
  m: string[];
  lacks?: Lack[];
  cautions?: Caution[];
}

const savpf = 'UDP/TLS/RTP/SAVPF';
const plain: Lack[] = ['fingerprint', 'ice', 'rtcpMux'];
const expected: Record<string, Expected> = {
  'chrome-audio-offer': { m: [`m=audio 51472 ${savpf} 111 63 0 8 13 110 126`] },
  'chrome-audio-answer': { m: [`m=audio 40872 ${savpf} 111 63 0 8 13 110 126`] },
  'chrome-audio-video-offer': { m: [`m=audio 51472 ${savpf} 111 63 0 8 13 110 126`, `m=video 58214 ${savpf} 96 97`] },
  'chrome-mdns-offer': { m: [`m=audio 9 ${savpf} 111 63 0 8 13 110 126`], cautions: ['hiddenCandidates'] },
  'firefox-audio-offer': { m: [`m=audio 44613 ${savpf} 109 0 8 101`] },
  'firefox-audio-video-offer': { m: [`m=audio 44613 ${savpf} 109 0 8 101`, `m=video 55391 ${savpf} 120 124 123 122 119`] },
  'safari-audio-offer': { m: [`m=audio 59013 ${savpf} 111 63 0 8 13 110 126`] },
  'safari-audio-video-offer': { m: [`m=audio 59013 ${savpf} 111 63 0 8 13 110 126`, `m=video 61822 ${savpf} 127 103 106 107 108`] },
  'asterisk-webrtc-answer': { m: [`m=audio 14532 ${savpf} 111 8 0 126`] },
  'asterisk-webrtc-offer': { m: [`m=audio 14532 ${savpf} 111 8 0 126`] },
  'asterisk-plain-offer': { m: ['m=audio 14532 RTP/AVP 8 0 101'], lacks: plain, cautions: ['notSavpf'] },
  'freeswitch-webrtc-answer': { m: [`m=audio 21974 ${savpf} 111 110`] },
  'freeswitch-webrtc-offer': { m: [`m=audio 21974 ${savpf} 111 0 8 102 103`] },
  'freeswitch-plain-offer': { m: ['m=audio 21974 RTP/AVP 102 9 0 8 103 101'], lacks: plain, cautions: ['notSavpf'] },
  'rtpengine-answer': { m: [`m=audio 30152 ${savpf} 8 126`] },
  'baresip-offer': { m: [`m=audio 20338 ${savpf} 96 0 8 97`, `m=video 20340 ${savpf} 100`] },
  'sdes-phone-offer': { m: ['m=audio 61012 RTP/SAVP 9 18 101'], lacks: ['codec', ...plain] },
};

describe('what browsers, PBXs and phones say', () => {
  it('has each a row here', () => {
    expect(Object.keys(expected).sort()).toEqual(names.sort());
  });

  it.each(names)('is judged, and its codecs are filtered: %s', (name) => {
    const { m, lacks = [], cautions = [] } = expected[name] ?? { m: [] };
    const verdict = applyProfile(read(name), guide);
    expect(verdict.sdp.split('\r\n').filter((line) => line.startsWith('m='))).toEqual(m);
    expect([verdict.lacks, verdict.cautions]).toEqual([lacks, cautions]);
    expect(applyProfile(verdict.sdp, guide).sdp).toBe(verdict.sdp);
  });

  it('loses nothing but lines of codecs and of mDNS', () => {
    for (const name of names) {
      const fitted = new Set(applyProfile(read(name), guide).sdp.split('\r\n'));
      const lost = read(name).split('\r\n').filter((line) => !fitted.has(line) && !line.startsWith('m='));
      for (const line of lost) expect(line, name).toMatch(/^a=(?:rtpmap|fmtp|rtcp-fb|candidate:.*\.local )/);
    }
  });

  it('of a far end without a BUNDLE group with several streams is refused when the clients want max-bundle', () => {
    expect(applyProfile(read('baresip-offer'), { ...guide, bundlePolicy: 'max-bundle' }).lacks).toEqual(['bundle']);
    expect(applyProfile(read('safari-audio-video-offer'), { ...guide, bundlePolicy: 'max-bundle' }).lacks).toEqual([]);
  });
});
