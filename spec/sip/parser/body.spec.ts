import { getBody } from 'sip.js/lib/core/messages/body.js';
import { describe, expect, it } from 'vitest';
import { sdpOf } from '../../../src/sip/parser/body.js';
import { fixture, parsedRequest, parsedResponse, request } from './messages.js';

const sdp = 'v=0\r\ns=-\r\n';

describe('sdpOf', () => {
  it.each(['application/sdp', 'application/sdp;charset=utf-8', ' Application / SDP ; x=y'])('finds SDP under %j', (type) => {
    expect(sdpOf(parsedRequest(request({ 'Content-Type': type }, { body: sdp })))).toBe(sdp);
  });

  it('finds the SDP part of a multipart', () => {
    const offer = sdpOf(parsedRequest(fixture('invite-multipart.txt')));
    expect(offer?.startsWith('v=0\r\n')).toBe(true);
    expect(offer?.endsWith('cname:4TOk42mSjXCkVIa6\r\n')).toBe(true);
  });

  it('looks into a multipart inside a multipart', () => {
    const inner = `--i\r\nContent-Type: application/sdp\r\n\r\n${sdp}\r\n--i--\r\n`;
    const outer = `preamble\r\n--o\r\nContent-Type: multipart/alternative;boundary=i\r\n\r\n${inner}\r\n--o--`;
    expect(sdpOf(parsedRequest(request({ 'Content-Type': 'multipart/mixed;boundary=o' }, { body: outer })))).toBe(sdp);
  });

  it.each([
    ['text/plain', sdp],
    ['multipart/mixed', `--x\r\nContent-Type: application/sdp\r\n\r\n${sdp}\r\n--x--`],
    ['multipart/mixed;boundary=x', `--x\r\nContent-Type: application/sdp\r\n\r\n${sdp}`],
    ['multipart/mixed;boundary=x', '--x--'],
    ['multipart/mixed;boundary=x', '--x'],
    ['application/sdp', ''],
    ['', sdp],
  ])('finds none under %j in %j', (type, body) => {
    expect(sdpOf(parsedRequest(request({ 'Content-Type': type }, { body })))).toBeUndefined();
  });
});

describe('the core', () => {
  it('sees an offer whatever stands beside application/sdp', () => {
    expect(getBody(parsedResponse(fixture('invite-200.txt')))).toMatchObject({ contentType: 'application/sdp', contentDisposition: 'session' });
    expect(getBody(parsedRequest(fixture('invite-multipart.txt')))).toMatchObject({ contentType: 'application/sdp', contentDisposition: 'session' });
  });

  it.each([undefined, '', 'x', ';', 'application/sdp-not', 'multipart/mixed'])('does not throw for a body with Content-Type %j', (type) => {
    const body = getBody(parsedRequest(request({ 'Content-Type': type }, { body: 'something' })));
    expect(body).toMatchObject({ contentDisposition: 'render', content: 'something' });
  });
});
