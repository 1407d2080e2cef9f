import { describe, expect, it } from 'vitest';
import { redactSip } from '../../src/observability/redact.js';
import { messageTrace, type TraceLevel } from '../../src/observability/trace.js';

const register = [
  'REGISTER sip:example.com SIP/2.0',
  'Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1',
  'From: <sip:434:hunter2@example.com>;tag=1',
  'Call-ID: abc',
  'CSeq: 2 REGISTER',
  'authorization : Digest username="434",',
  ' response="0123456789abcdef", cnonce="secret"',
  'Proxy-Authorization: Digest response="fedcba"',
  'Content-Length: 0',
  '',
  '',
].join('\r\n');

function shown(level: TraceLevel, direction: 'in' | 'out' = 'out', text = register): string[] {
  const lines: string[] = [];
  const log = { info: (message: string) => lines.push(message) };
  messageTrace(level, log)?.onMessage(direction, 'udp', '192.0.2.1:5060', text);
  return lines;
}

describe('the trace', () => {
  it.each([0, 2, 4, 8] as const)('shows no message at level %d', (level) => {
    expect(messageTrace(level, { info: () => undefined })).toBeUndefined();
  });

  it('shows one line a message at level 16, whatever its way', () => {
    expect(shown(16)).toEqual(['-> udp 192.0.2.1:5060 REGISTER sip:example.com (CSeq 2 REGISTER, Call-ID abc)']);
    expect(shown(16, 'in', 'SIP/2.0 200 OK\r\ni: x\r\nCSeq: 1 BYE\r\n\r\n')).toEqual(['<- udp 192.0.2.1:5060 SIP/2.0 200 OK (CSeq 1 BYE, Call-ID x)']);
  });

  it('shows the whole message at level 32, without its secrets', () => {
    const [text = ''] = shown(32);
    expect(text).toContain('Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1');
    expect(text).toContain('Authorization: ***');
    expect(text).not.toMatch(/0123456789abcdef|cnonce|fedcba|hunter2/);
  });

  it('shows bytes that are no message without failing', () => {
    expect(shown(32, 'in', '\0\r\n\xff')).toHaveLength(1);
    expect(shown(16, 'in', '')).toHaveLength(1);
  });
});

describe('redaction', () => {
  it('takes media keys and ICE passwords out of a session description', () => {
    const sdp = 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\na=ice-ufrag:F7gI\r\na=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\n';
    expect(redactSip(sdp)).toBe('a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:***\r\na=ice-ufrag:F7gI\r\na=ice-pwd:***\r\n');
  });

  it('leaves a message without secrets as it is', () => {
    const invite = 'INVITE sip:600@example.com:5060;transport=udp SIP/2.0\r\nContact: <sip:a@h:5060>\r\n\r\n';
    expect(redactSip(invite)).toBe(invite);
  });
});
