/** A request of ours, as SIP.js's core takes one. */
import { OutgoingRequestMessage } from 'sip.js/lib/core/index.js';
import { expect, it } from 'vitest';
import type { Sender } from '../../src/sip/internals.js';
import { makeSipUri } from '../../src/sip/parser/uri.js';
import { WrittenRequest, type RequestParts } from '../../src/sip/written-request.js';

function written(parts: Partial<RequestParts> = {}): WrittenRequest {
  const uri = makeSipUri({ user: '600', host: 'example.com' });
  return new WrittenRequest({} as Sender, {
    method: 'INVITE',
    target: uri,
    from: { uri, displayName: '', tag: 'f' },
    to: { uri, tag: undefined },
    callId: 'c',
    cseq: 1,
    routeSet: [],
    nextHop: uri,
    viaHost: 'host:5060',
    userAgent: 'spec',
    lines: ['supported:  timer', 'X-Other: 1', 'Supported: path'],
    body: undefined,
    ...parts,
  }); // nothing is asked of who sends it before it is sent
}

it('a request is one of those that SIP.js knows as going out', () => {
  expect(written()).toBeInstanceOf(OutgoingRequestMessage);
});

it('a request tells what stands in it by any spelling of the name, among its lines too', () => {
  const request = written({ routeSet: ['<sip:a;lr>', '<sip:b;lr>'] });
  expect([request.getHeader('call-id'), request.getHeaders('ROUTE'), request.getHeaders('k'), request.getHeader('x-other')]).toEqual(['c', ['<sip:a;lr>', '<sip:b;lr>'], ['timer', 'path'], '1']);
  expect([request.hasHeader('supported'), request.hasHeader('via'), written().hasHeader('route')]).toEqual([true, false, false]);
});

it('a request is written anew once something in it has changed', () => {
  const request = written();
  request.setViaHeader('z9hG4bK1', 'UDP');
  expect(request.toString()).toContain('\r\nVia: SIP/2.0/UDP host:5060;branch=z9hG4bK1;rport\r\n');
  request.setViaHeader('z9hG4bK2', 'TCP');
  request.setHeader('authorization', ['a', 'b']);
  expect(request.toString()).toContain('\r\nVia: SIP/2.0/TCP host:5060;branch=z9hG4bK2;rport\r\n');
  expect(request.toString()).toContain('\r\nAuthorization: a\r\nAuthorization: b\r\n');
  expect(request.branch).toBe('z9hG4bK2');
});
