import { describe, expect, it } from 'vitest';
import { withDefaultCandidates } from '../../src/sdp/default-candidate.js';

const host = 'a=candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host';
const reflexive = 'a=candidate:2 1 udp 1686052607 203.0.113.7 40000 typ srflx raddr 192.0.2.1 rport 54321';
const overTcp = 'a=candidate:3 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active';
const v6 = 'a=candidate:4 1 udp 2122262783 2001:db8::1 54322 typ host';

const described = (port: number, address: string, candidates: readonly string[]): string =>
  ['v=0', 's=-', 'c=IN IP4 0.0.0.0', `m=audio ${port} UDP/TLS/RTP/SAVPF 111`, `c=IN IP4 ${address}`, 'a=mid:0', ...candidates, ''].join('\r\n');

describe('the default candidate of a stream', () => {
  it('is the one that is the likeliest to be reached, where a browser left it open', () => {
    expect(withDefaultCandidates(described(9, '0.0.0.0', [host, reflexive]))).toBe(described(40000, '203.0.113.7', [host, reflexive]));
    expect(withDefaultCandidates(described(9, '0.0.0.0', [overTcp, v6, host]))).toBe(described(54321, '192.0.2.1', [overTcp, v6, host]));
  });

  it('stays open where no candidate will do', () => {
    for (const candidates of [[], [overTcp], [v6]]) {
      const sdp = described(9, '0.0.0.0', candidates);
      expect(withDefaultCandidates(sdp)).toBe(sdp);
    }
  });

  it('stays as it is where there is one, and in a stream that is refused', () => {
    for (const [port, address] of [[54321, '192.0.2.1'], [9, '192.0.2.1'], [0, '0.0.0.0']] as const) {
      const sdp = described(port, address, [reflexive]);
      expect(withDefaultCandidates(sdp)).toBe(sdp);
    }
  });

  it('is each stream\'s own', () => {
    const [first, second] = [described(9, '0.0.0.0', [host]), described(9, '0.0.0.0', [reflexive])].map((sdp) => sdp.slice(sdp.indexOf('m=')));
    const both = withDefaultCandidates(`v=0\r\n${first ?? ''}${second ?? ''}`);
    expect(both.match(/^[cm]=.*$/gm)?.map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'm=audio 54321 UDP/TLS/RTP/SAVPF',
      'c=IN IP4 192.0.2.1',
      'm=audio 40000 UDP/TLS/RTP/SAVPF',
      'c=IN IP4 203.0.113.7',
    ]);
  });
});
