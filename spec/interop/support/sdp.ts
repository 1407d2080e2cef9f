/** What a messenger client's WebRTC stack says: an audio session over ICE and DTLS-SRTP, RFC 8866. */
import { readFileSync } from 'node:fs';
import type { SessionDescription } from '../../../src/host/contract.js';

const text = readFileSync(new URL('../scenarios/webrtc.sdp', import.meta.url), 'utf8').replaceAll('\n', '\r\n');

export const webrtcOffer: SessionDescription = { type: 'offer', sdp: text.replace('@SETUP@', 'actpass') };
export const webrtcAnswer: SessionDescription = { type: 'answer', sdp: text.replace('@SETUP@', 'active') };

/** In every description of either side: whether SDP was handed through. */
export const fingerprint = /a=fingerprint:sha-256 D2:B9:31:8F:/;
