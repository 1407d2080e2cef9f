import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyProfile, type Lack, type WebRtcProfile } from '../../src/sdp/profile.js';
import { audioSdp } from '../support/audio-sdp.js';

const guide: WebRtcProfile = { audio: ['opus', 'pcma', 'pcmu'], video: ['vp8'], bundlePolicy: 'balanced', rtcpMuxPolicy: 'require' };

const secured = ['a=rtcp-mux', 'a=ice-ufrag:F7gI', 'a=ice-pwd:x9cml/YzichV2+XlhiMu8g', 'a=fingerprint:sha-256 D2:B9:31:8F'];
const session = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0'];

function sdp(...lines: readonly (string | readonly string[])[]): string {
  return `${[...session, ...lines.flat()].join('\r\n')}\r\n`;
}

/** An audio stream with these formats and lines. */
function audio(formats: string, ...lines: readonly string[]): string[] {
  return [`m=audio 9 UDP/TLS/RTP/SAVPF ${formats}`, ...secured, ...lines];
}

function video(formats: string, ...lines: readonly string[]): string[] {
  return [`m=video 9 UDP/TLS/RTP/SAVPF ${formats}`, ...secured, ...lines];
}

/** The lines that are left of some that were put in. */
function left(text: string, profile = guide): string[] {
  return applyProfile(text, profile).sdp.split('\r\n').filter((line) => /^(?:m=|a=(?:rtpmap|fmtp|rtcp-fb|rid|group))/.test(line));
}

const opus = 'a=rtpmap:111 opus/48000/2';

describe('codecs outside of the lists', () => {
  it('are removed with their rtpmap, fmtp and rtcp-fb, and the others stay in their order', () => {
    const text = sdp(audio('9 111 8', 'a=rtpmap:9 G722/8000', 'a=rtcp-fb:9 nack', opus, 'a=fmtp:111 minptime=10', 'a=rtcp-fb:* transport-cc', 'a=fmtp:9 x=y'));
    expect(left(text)).toEqual(['m=audio 9 UDP/TLS/RTP/SAVPF 111 8', opus, 'a=fmtp:111 minptime=10', 'a=rtcp-fb:* transport-cc']);
  });

  it('are known by name in any case of letters, and by number where RFC 3551 gives it', () => {
    expect(left(sdp(audio('0 3 18 96', 'a=rtpmap:96 OPUS/48000/2')))[0]).toBe('m=audio 9 UDP/TLS/RTP/SAVPF 0 96');
    expect(left(sdp(audio('0 8', 'a=rtpmap:0 G729/8000')))[0]).toBe('m=audio 9 UDP/TLS/RTP/SAVPF 8');
  });

  it('take their telephone events and comfort noise with them, by clock rate', () => {
    const events = ['a=rtpmap:110 telephone-event/48000', 'a=rtpmap:126 telephone-event/8000', 'a=rtpmap:105 CN/16000'];
    expect(left(sdp(audio('111 9 13 105 110 126', opus, ...events)))).toEqual(['m=audio 9 UDP/TLS/RTP/SAVPF 111 110', opus, events[0]]);
    expect(left(sdp(audio('111 8 13 105 110 126', opus, ...events)))).toEqual(['m=audio 9 UDP/TLS/RTP/SAVPF 111 8 13 110 126', opus, events[0], events[1]]);
  });

  it('take their retransmission and their redundancy with them, and leave that of others', () => {
    const red = ['a=rtpmap:63 red/48000/2', 'a=fmtp:63 111/111', 'a=rtpmap:64 red/8000', 'a=fmtp:64 9/9', 'a=rtpmap:65 red/48000/2', 'a=fmtp:65 111/9'];
    expect(left(sdp(audio('111 63 9 64 65', opus, ...red)))).toEqual(['m=audio 9 UDP/TLS/RTP/SAVPF 111 63', opus, red[0], red[1]]);
    const maps = [
      'a=rtpmap:96 VP8/90000', 'a=rtpmap:97 rtx/90000', 'a=fmtp:97 apt=96', 'a=rtpmap:102 H264/90000', 'a=rtpmap:103 rtx/90000', 'a=fmtp:103 apt=102',
      'a=rtpmap:98 red/90000', 'a=rtpmap:99 rtx/90000', 'a=fmtp:99 rtx-time=3;apt=98', 'a=rtpmap:100 ulpfec/90000', 'a=rtpmap:35 flexfec-03/90000',
    ];
    const text = sdp(video('96 97 102 103 98 99 100 35', ...maps));
    expect(left(text)[0]).toBe('m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99 100 35');
    expect(left(text).join()).not.toMatch(/:10[23]/);
  });

  it('leave the restrictions of a simulcast stream that speak of them', () => {
    const text = sdp(video('96 102', 'a=rtpmap:96 VP8/90000', 'a=rtpmap:102 H264/90000', 'a=rid:hi send max-width=9;pt=102,96', 'a=rid:lo send pt=102'));
    expect(left(text)).toEqual(['m=video 9 UDP/TLS/RTP/SAVPF 96', 'a=rtpmap:96 VP8/90000', 'a=rid:hi send max-width=9;pt=96']);
    const two = sdp(video('96 98 102', 'a=rtpmap:96 VP8/90000', 'a=rtpmap:98 VP8/90000', 'a=rtpmap:102 H264/90000', 'a=rid:hi send pt=96,102,98'));
    expect(left(two).at(-1)).toBe('a=rid:hi send pt=96,98');
  });
});

describe('a stream of which nothing is left', () => {
  const h264 = video('102 103', 'a=mid:1', 'a=rtpmap:102 H264/90000', 'a=rtpmap:103 rtx/90000', 'a=fmtp:103 apt=102', 'a=candidate:1 1 udp 1 192.0.2.1 9 typ host');
  const text = sdp('a=group:BUNDLE 0 1', audio('111', 'a=mid:0', opus), h264);

  it('keeps its place with port 0 and one format, and leaves its BUNDLE group', () => {
    const verdict = applyProfile(text, guide);
    expect(verdict.lacks).toEqual([]);
    expect(left(text)).toEqual(['a=group:BUNDLE 0', 'm=audio 9 UDP/TLS/RTP/SAVPF 111', opus, 'm=video 0 UDP/TLS/RTP/SAVPF 102', 'a=rtpmap:102 H264/90000']);
    expect(verdict.sdp).not.toContain('a=candidate');
  });

  it('does not bring back one that was bundle-only', () => {
    const only = sdp('a=group:BUNDLE 0 1', audio('111', 'a=mid:0', opus), ['m=video 0 UDP/TLS/RTP/SAVPF 102', 'a=mid:1', 'a=bundle-only', 'a=rtpmap:102 H264/90000']);
    expect(applyProfile(only, guide).sdp).not.toContain('bundle-only');
  });

  it('does not take an empty group along', () => {
    const dead = sdp('a=group:BUNDLE 1', audio('111', 'a=mid:0', opus), h264);
    expect(left(dead)[0]).toBe('m=audio 9 UDP/TLS/RTP/SAVPF 111');
  });
});

describe('what a description has to have', () => {
  const lacking = (text: string, profile = guide): readonly Lack[] => applyProfile(text, profile).lacks;

  it.each([
    ['fingerprint', 'a=fingerprint'],
    ['ice', 'a=ice-ufrag'],
    ['ice', 'a=ice-pwd'],
    ['rtcpMux', 'a=rtcp-mux'],
  ] as const)('lacks %s without %s', (lack, line) => {
    const text = audioSdp(1).split('\r\n').filter((each) => !each.startsWith(line)).join('\r\n');
    expect([lacking(audioSdp(1)), lacking(text)]).toEqual([[], [lack]]);
    expect(applyProfile(text, guide).sdp).toBe(text);
  });

  it('may stand above the streams, for all of them', () => {
    expect(lacking(sdp(secured, 'm=audio 9 UDP/TLS/RTP/SAVPF 0'))).toEqual([]);
  });

  it('may stand in the first stream of a BUNDLE group alone, but not in one that is dead', () => {
    const second = ['m=video 9 UDP/TLS/RTP/SAVPF 96', 'a=mid:1', 'a=rtpmap:96 VP8/90000'];
    const bundle = 'a=group:BUNDLE 0 1';
    expect(lacking(sdp(bundle, audio('111', 'a=mid:0', opus), second))).toEqual([]);
    expect(lacking(sdp(audio('111', 'a=mid:0', opus), second))).toEqual(['fingerprint', 'ice', 'rtcpMux']);
    expect(lacking(sdp(bundle, ['m=audio 0 UDP/TLS/RTP/SAVPF 0', ...secured, 'a=mid:0'], second))).toEqual(['fingerprint', 'ice', 'rtcpMux']);
  });

  it('lacks a codec when there was to be audio and video alone is left, but not when nobody wants audio or it was refused', () => {
    const seen = video('96', 'a=rtpmap:96 VP8/90000');
    for (const wanted of [guide.audio, ['opus']]) expect(lacking(sdp(audio('18'), seen), { ...guide, audio: wanted })).toEqual(['codec']);
    expect(lacking(sdp(audio('18'), audio('0'), seen))).toEqual([]);
    expect(lacking(sdp(audio('18'), seen), { ...guide, audio: [] })).toEqual([]);
    expect(lacking(sdp(['m=audio 0 UDP/TLS/RTP/SAVPF 18'], seen))).toEqual([]);
    expect(lacking(sdp(seen))).toEqual([]);
  });

  it('counts a stream with port 0 only when it is bundle-only and in a group (RFC 9143)', () => {
    const only = ['m=audio 0 UDP/TLS/RTP/SAVPF 0', ...secured, 'a=mid:0', 'a=bundle-only'];
    expect(lacking(sdp('a=group:BUNDLE 0', only))).toEqual([]);
    expect(lacking(sdp(only))).toEqual(['media']);
  });

  it.each([
    ['plain RTP', sdp('m=audio 4000 RTP/AVP 8'), ['fingerprint', 'ice', 'rtcpMux']],
    ['codecs of nobody\'s list', sdp(audio('18')), ['codec']],
    ['data alone', sdp('m=application 9 UDP/DTLS/SCTP webrtc-datachannel'), ['media']],
    ['no stream', sdp(), ['media']],
    ['words', 'hello', ['media']],
    ['nothing', '', ['media']],
    ['a fingerprint that is none', audioSdp(1).replace('D2:B9', 'none'), ['fingerprint']],
    ['ICE credentials that are too short', audioSdp(1).replace('F7gI', 'F7g'), ['ice']],
    ['more streams than anybody has', sdp(Array.from({ length: 65 }, () => audio('0')).flat()), ['media']],
    ['more lines than anybody has', sdp(audio('0'), Array.from({ length: 2_100 }, () => 'a=x')), ['media']],
    ['more formats than RTP has', sdp(audio('0 '.repeat(129))), ['media']],
  ] as const)('is told for %s', (_name, text, expected) => {
    expect(lacking(text)).toEqual(expected);
  });

  it('goes by the policies: rtcp-mux may be negotiated, max-bundle wants one group', () => {
    const noMux = audioSdp(1).replace('a=rtcp-mux\r\n', '');
    expect(lacking(noMux, { ...guide, rtcpMuxPolicy: 'negotiate' })).toEqual([]);
    const two = [audio('111', 'a=mid:0', opus), video('96', 'a=mid:1', 'a=rtpmap:96 VP8/90000')].flat();
    expect([lacking(sdp(two)), lacking(sdp('a=group:BUNDLE 0 1', two))]).toEqual([[], []]);
    expect(lacking(sdp(two), { ...guide, bundlePolicy: 'max-bundle' })).toEqual(['bundle']);
    expect(lacking(sdp('a=group:BUNDLE 0 1', two), { ...guide, bundlePolicy: 'max-bundle' })).toEqual([]);
    expect(lacking(audioSdp(1), { ...guide, bundlePolicy: 'max-bundle' })).toEqual([]);
  });
});

describe('candidates', () => {
  const hidden = 'a=candidate:1 1 udp 2122260223 3f6e7a5d-9c0b-4c1e-8a3c-2f9a1f0b7c55.local 51472 typ host';
  const six = 'a=candidate:2 1 udp 2122262783 2001:db8::1 51473 typ host';
  const reflexive = 'a=candidate:3 1 udp 1686052607 203.0.113.7 51472 typ srflx raddr 0.0.0.0 rport 0';

  it('that are names of mDNS are removed; those of IPv6, and the end of candidates, are not', () => {
    const { sdp: fitted, cautions, streams } = applyProfile(sdp(audio('0', hidden, six, reflexive, 'a=end-of-candidates')), guide);
    expect(fitted.split('\r\n').filter((line) => line.includes('candidate'))).toEqual([six, reflexive, 'a=end-of-candidates']);
    expect(cautions).toEqual([]);
    expect(streams()).toMatchObject([{ candidates: 2, hidden: 1 }]);
  });

  it('are warned of when names of mDNS were all there was', () => {
    expect(applyProfile(sdp(audio('0', hidden)), guide).cautions).toEqual(['hiddenCandidates']);
    expect(applyProfile(sdp(audio('0')), guide).cautions).toEqual([]);
    expect(applyProfile(sdp(audio('0', hidden), video('96', 'a=rtpmap:96 VP8/90000', six)), guide).cautions).toEqual([]);
  });
});

describe('what the profile does not speak of', () => {
  it('stays byte for byte, whatever the lines end in', () => {
    const text = sdp('a=x-future:1', 'b=AS:64', audio('0', 'i=a title', 'a=extmap:1 urn:x', 'a=ssrc:1 cname:y', 'y=0'), 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'a=sctp-port:5000');
    expect(applyProfile(text, guide).sdp).toBe(text);
    const bare = text.replaceAll('\r\n', '\n').replace('SAVPF 0', 'SAVPF 0 9');
    expect(applyProfile(bare, guide).sdp).toBe(bare.replace('SAVPF 0 9', 'SAVPF 0'));
  });
});

// ---- whatever stands in it ------------------------------------------------------------------------

const name = fc.constantFrom('opus/48000/2', 'PCMA/8000', 'pcmu/8000', 'G722/8000', 'VP8/90000', 'H264/90000', 'rtx/90000', 'red/90000', 'red/48000/2', 'telephone-event/8000', 'CN/8000', 'ulpfec/90000', '5/5', 'x');
const payload = fc.constantFrom('0', '8', '9', '13', '63', '96', '97', '098', '111', 'x');
const attribute = fc.oneof(
  fc.tuple(payload, name).map(([format, codec]) => `a=rtpmap:${format} ${codec}`),
  fc.tuple(payload, fc.oneof(payload.map((apt) => `apt=${apt}`), payload.map((red) => `${red}/${red}`), fc.constantFrom('7', 'minptime=10'))).map(([format, config]) => `a=fmtp:${format} ${config}`),
  payload.map((format) => `a=rtcp-fb:${format} nack pli`),
  fc.array(payload, { minLength: 1, maxLength: 3 }).map((formats) => `a=rid:1 send pt=${formats.join(',')}`),
  fc.constantFrom(...secured, 'a=mid:0', 'a=mid:1', 'a=bundle-only', 'a=candidate:1 1 udp 1 x.local 9 typ host', 'a=candidate:1 1 udp 1 192.0.2.1 9 typ host', 'a=end-of-candidates', 'a=', 'm', '=', 'a=rtcp-fb:* x'),
);
const mLine = fc
  .tuple(fc.constantFrom('audio', 'video', 'application', '5', ''), fc.constantFrom('9', '0', '00', '9/2', ''), fc.constantFrom('UDP/TLS/RTP/SAVPF', 'RTP/AVP', '5', ''), fc.array(payload, { maxLength: 6 }))
  .map(([type, port, protocol, formats]) => `m=${[type, port, protocol, ...formats].join(' ')}`);
const group = fc.array(fc.constantFrom('0', '1', '2'), { maxLength: 3 }).map((mids) => `a=group:BUNDLE ${mids.join(' ')}`);
const anySdp = fc
  .tuple(fc.array(fc.oneof(group, fc.constantFrom(...secured))), fc.array(fc.oneof(mLine, attribute, attribute, attribute, fc.string()), { maxLength: 40 }), fc.constantFrom('\r\n', '\n', '\r'))
  .map(([head, body, newline]) => [...session, ...head, ...body].join(newline));
/** Most of these pass. */
const goodSdp = fc
  .array(fc.tuple(fc.constantFrom('audio', 'video'), fc.uniqueArray(payload, { minLength: 1 }), fc.array(attribute, { maxLength: 12 })), { minLength: 1, maxLength: 4 })
  .map((sections) => sdp('a=group:BUNDLE 0 1 2', ...sections.map(([type, formats, lines], index) => [`m=${type} 9 UDP/TLS/RTP/SAVPF ${formats.join(' ')}`, ...secured, ...lines, `a=mid:${index}`])));

const mLinesOf = (text: string): string[][] => text.split(/\r\n|\r|\n/).filter((line) => line.startsWith('m=')).map((line) => line.split(' '));

describe('whatever stands in a description, the profile', () => {
  it('never throws, changes nothing the second time, and keeps the m-lines in their number and order', () => {
    fc.assert(
      fc.property(fc.oneof(anySdp, goodSdp), (text) => {
        const once = applyProfile(text, guide);
        expect(applyProfile(once.sdp, guide)).toMatchObject({ sdp: once.sdp, lacks: once.lacks });
        expect(mLinesOf(once.sdp).map(([type]) => type)).toEqual(mLinesOf(text).map(([type]) => type));
        if (once.lacks.length > 0) expect(once.sdp).toBe(text);
      }),
      { numRuns: 1_000 },
    );
  });

  it('leaves no line that speaks of a format it removed', () => {
    fc.assert(
      fc.property(goodSdp, (text) => {
        const { sdp: fitted } = applyProfile(text, guide);
        const before = mLinesOf(text);
        for (const [index, section] of fitted.split(/^m=/m).slice(1).entries()) {
          const kept = section.split('\r\n', 1)[0]?.split(' ').slice(3) ?? [];
          const removed = (before[index] ?? []).slice(3).filter((format) => !kept.includes(format));
          for (const format of removed) {
            expect(section).not.toMatch(new RegExp(`^a=(?:rtpmap|fmtp|rtcp-fb):${format}\\b`, 'm'));
            expect(section).not.toMatch(new RegExp(`^a=rid:.*pt=(?:.*,)?${format}(?:,|\\r)`, 'm'));
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
