import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCandidate, withCandidates } from '../../src/sdp/candidates.js';

const host = 'candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host';
const relay = 'candidate:2 1 udp 41885439 198.51.100.7 3478 typ relay raddr 0.0.0.0 rport 0';

const offer = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=mid:audio',
  'm=video 9 UDP/TLS/RTP/SAVPF 96',
  'a=mid:video',
  '',
].join('\r\n');

/** The attribute lines of each m-section. */
function sections(sdp: string): string[][] {
  return sdp
    .split(/^m=/m)
    .slice(1)
    .map((section) => section.split('\r\n').slice(1).filter((line) => line !== ''));
}

describe('candidates put into a description', () => {
  it('stand in the section that sdpMid names', () => {
    const sdp = withCandidates(offer, [{ candidate: host, sdpMid: 'video', sdpMLineIndex: 0 }], false);
    expect(sections(sdp)).toEqual([['a=mid:audio'], ['a=mid:video', `a=${host}`]]);
  });

  it('stand in the section that sdpMid names whatever else stands in each', () => {
    const sdp = withCandidates(offer.replaceAll('a=mid:', 'a=sendrecv\r\na=mid:').replace('a=mid:video', 'a=mid:video\r\na=rtcp-mux'), [{ candidate: host, sdpMid: 'video' }], false);
    expect(sections(sdp)).toEqual([['a=sendrecv', 'a=mid:audio'], ['a=sendrecv', 'a=mid:video', 'a=rtcp-mux', `a=${host}`]]);
  });

  it('stand in the section that sdpMLineIndex names when there is no sdpMid, or none of that name', () => {
    const byIndex = withCandidates(offer, [{ candidate: host, sdpMid: null, sdpMLineIndex: 1 }], false);
    const byUnknownMid = withCandidates(offer, [{ candidate: host, sdpMid: 'screen', sdpMLineIndex: 1 }], false);
    expect(sections(byIndex)[1]).toEqual(['a=mid:video', `a=${host}`]);
    expect(byUnknownMid).toBe(byIndex);
  });

  it('stand in the first section when they name none, and nowhere when they name one that is not there', () => {
    expect(sections(withCandidates(offer, [{ candidate: host }], false))[0]).toEqual(['a=mid:audio', `a=${host}`]);
    expect(withCandidates(offer, [{ candidate: host, sdpMid: 'screen' }, { candidate: relay, sdpMLineIndex: 7 }], true)).toBe(offer);
  });

  it('are closed by a=end-of-candidates where there are any, once, and only when no more will come', () => {
    const candidates = [{ candidate: host, sdpMid: 'audio' }, { candidate: relay, sdpMid: 'audio' }];
    const sdp = withCandidates(offer, candidates, true);
    expect(sections(sdp)).toEqual([['a=mid:audio', `a=${host}`, `a=${relay}`, 'a=end-of-candidates'], ['a=mid:video']]);
    expect(withCandidates(sdp, [], true)).toBe(sdp);
    expect(withCandidates(offer, candidates, false)).not.toContain('end-of-candidates');
    expect(withCandidates(withCandidates(offer, candidates, false), [], true)).toBe(sdp);
  });

  it('are not repeated where they stand already, but may serve two sections', () => {
    const once = withCandidates(offer, [{ candidate: host, sdpMid: 'audio' }, { candidate: `a=${host}`, sdpMid: 'audio' }], false);
    expect(once.split(host)).toHaveLength(2);
    expect(withCandidates(once, [{ candidate: host, sdpMid: 'audio' }], false)).toBe(once);
    expect(withCandidates(once, [{ candidate: host, sdpMid: 'video' }], false).split(host)).toHaveLength(3);
  });

  it('of a generation that ended are no lines', () => {
    expect(withCandidates(offer, [{ candidate: '', sdpMid: 'audio' }], false)).toBe(offer);
  });

  it.each([`${host}\r\na=evil:1`, `${host}\na=evil:1`, `${host}\ra=evil:1`, 'evil', 'a=crypto:1', 'candidate:\u0000'])(
    'are refused when they are not one line of a candidate: %j',
    (candidate) => {
      expect(isCandidate(candidate)).toBe(false);
      expect(() => withCandidates(offer, [{ candidate }], false)).toThrow(expect.objectContaining({ code: 'COMMAND_INVALID' }) as Error);
    },
  );

  it('leave a description with bare line feeds with bare line feeds', () => {
    const sdp = withCandidates('v=0\nm=audio 9 X 0\na=mid:0', [{ candidate: host, sdpMid: '0' }], true);
    expect(sdp).toBe(`v=0\nm=audio 9 X 0\na=mid:0\na=${host}\na=end-of-candidates`);
  });

  it('never change, move or drop a line that was there', () => {
    const line = fc.constantFrom('v=0', 'm=audio 9 X 0', 'm=video 0 X 96', 'a=mid:0', 'a=mid:1', 'a=sendrecv', `a=${host}`, 'c=IN IP4 0.0.0.0');
    const candidate = fc.record({
      candidate: fc.constantFrom(host, relay, ''),
      sdpMid: fc.option(fc.constantFrom('0', '1', '2')),
      sdpMLineIndex: fc.option(fc.nat(3)),
    });
    fc.assert(
      fc.property(fc.array(line, { minLength: 1 }), fc.array(candidate), fc.boolean(), (lines, candidates, complete) => {
        const sdp = lines.map((text) => `${text}\r\n`).join('');
        const result = withCandidates(sdp, candidates, complete).split('\r\n');
        let at = 0;
        for (const text of sdp.split('\r\n')) {
          at = result.indexOf(text, at);
          expect(at).toBeGreaterThanOrEqual(0);
          at += 1;
        }
      }),
    );
  });
});
