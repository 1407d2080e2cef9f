/**
 * What a description lacks, in words, and the setting of the PBX that gives it. Pure tables, printed in docs/calls.md; `dialog-sip check-sdp`
 * and the endings of calls read them.
 */
import type { Caution, Lack, WebRtcProfile } from './profile.js';

export const pbxes = ['Asterisk', 'FreeSWITCH', 'Kamailio'] as const;
export type Pbx = (typeof pbxes)[number];

interface PreflightRow {
  /** Goes on from "lacks". */
  readonly what: string;
  /** Settings of an endpoint in pjsip.conf; a channel variable or a parameter of the SIP profile; flags of rtpengine_offer and rtpengine_answer. */
  readonly settings: Readonly<Record<Pbx, readonly string[]>>;
}

const webRtcLeg = { FreeSWITCH: ['media_webrtc=true'] } as const;

export const preflightTable: Readonly<Record<Lack, PreflightRow>> = {
  media: {
    what: 'an audio or video stream that is wanted and can be read (m=audio)',
    settings: { Asterisk: ['webrtc=yes'], ...webRtcLeg, Kamailio: ['UDP/TLS/RTP/SAVPF'] },
  },
  codec: {
    what: 'a codec that both sides take',
    settings: {
      Asterisk: ['allow=!all,opus,alaw,ulaw,vp8'],
      FreeSWITCH: ['absolute_codec_string=OPUS,PCMA,PCMU,VP8'],
      Kamailio: ['transcode-opus'],
    },
  },
  fingerprint: {
    what: 'a DTLS fingerprint (a=fingerprint)',
    settings: {
      Asterisk: ['media_encryption=dtls', 'dtls_auto_generate_cert=yes'],
      ...webRtcLeg,
      Kamailio: ['UDP/TLS/RTP/SAVPF', 'DTLS=passive', 'SDES-off'],
    },
  },
  ice: {
    what: 'ICE credentials (a=ice-ufrag, a=ice-pwd)',
    settings: { Asterisk: ['ice_support=yes'], ...webRtcLeg, Kamailio: ['ICE=force'] },
  },
  rtcpMux: {
    what: 'rtcp-mux (a=rtcp-mux)',
    settings: { Asterisk: ['rtcp_mux=yes'], ...webRtcLeg, Kamailio: ['rtcp-mux-offer', 'rtcp-mux-require'] },
  },
  bundle: {
    what: 'one BUNDLE group round its streams (a=group:BUNDLE)',
    settings: { Asterisk: ['bundle=yes'], FreeSWITCH: [], Kamailio: [] },
  },
};

/** `webrtc=yes` of Asterisk stands for these and more. */
const webrtcYes: readonly Lack[] = ['fingerprint', 'ice', 'rtcpMux'];

interface CautionRow {
  /** A whole sentence. */
  readonly sentence: string;
  readonly settings: Readonly<Record<Pbx, readonly string[]>>;
}

const nowhere = { Asterisk: [], FreeSWITCH: [], Kamailio: [] } as const;

export const cautionTable: Readonly<Record<Caution, CautionRow>> = {
  hiddenCandidates: {
    sentence:
      'All its ICE candidates are names of mDNS (.local) that nobody else can resolve; they are removed and none is left, so there may be no sound. ' +
      'A client that may use the microphone, or has a STUN or TURN server, has better ones.',
    settings: nowhere,
  },
  notSavpf: {
    sentence: 'Its m-line does not name the profile UDP/TLS/RTP/SAVPF; some browsers refuse that.',
    settings: { Asterisk: ['use_avpf=yes'], ...webRtcLeg, Kamailio: ['UDP/TLS/RTP/SAVPF'] },
  },
};

/** "a DTLS fingerprint (a=fingerprint) and rtcp-mux (a=rtcp-mux)". */
export function sayLacks(lacks: readonly Lack[], profile: Pick<WebRtcProfile, 'audio' | 'video'>): string {
  const words = lacks.map((lack) => (lack === 'codec' ? `${preflightTable.codec.what} (${wantedCodecs(profile)})` : preflightTable[lack].what));
  const last = words.pop() ?? '';
  return words.length === 0 ? last : `${words.join(', ')} and ${last}`;
}

/** The settings that give all of it: "Asterisk: webrtc=yes; FreeSWITCH: media_webrtc=true; Kamailio with rtpengine: ICE=force". */
export function adviseSettings(lacks: readonly Lack[]): string {
  const parts = pbxes.map((pbx) => {
    const isWebRtc = pbx === 'Asterisk' && webrtcYes.every((lack) => lacks.includes(lack));
    const each = lacks.filter((lack) => !isWebRtc || !webrtcYes.includes(lack)).flatMap((lack) => preflightTable[lack].settings[pbx]);
    return { pbx, settings: [...new Set(isWebRtc ? ['webrtc=yes', ...each] : each)] };
  });
  return parts
    .filter(({ settings }) => settings.length > 0)
    .map(({ pbx, settings }) => `${pbx === 'Kamailio' ? 'Kamailio with rtpengine' : pbx}: ${settings.join(', ')}`)
    .join('; ');
}

function wantedCodecs({ audio, video }: Pick<WebRtcProfile, 'audio' | 'video'>): string {
  return [...audio, ...video].join(', ');
}
