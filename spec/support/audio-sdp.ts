/**
 * The smallest description that the WebRTC profile takes.
 * @param session tells one from another
 */
export function audioSdp(session: number, codec = '111 opus/48000/2'): string {
  const [format = ''] = codec.split(' ', 1);
  const lines = [
    'v=0',
    `o=- ${String(session)} 1 IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    `m=audio 9 UDP/TLS/RTP/SAVPF ${format}`,
    'a=mid:0',
    'a=rtcp-mux',
    'a=ice-ufrag:F7gI',
    'a=ice-pwd:x9cml/YzichV2+XlhiMu8g',
    'a=fingerprint:sha-256 D2:B9:31:8F',
    `a=rtpmap:${codec}`,
    '',
  ];
  return lines.join('\r\n');
}
