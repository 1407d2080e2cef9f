import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readVia } from '../../../src/sip/parser/via.js';

describe('the parameters of a Via', () => {
  it.each([
    [';branch=a;rport=5080;received=192.0.2.1', { branch: 'a', rport: '5080', received: '192.0.2.1' }],
    [';branch=a;rport', { branch: 'a', params: { rport: null } }],
    [';rport=;branch=a', { branch: 'a', params: { rport: '' } }],
    [';rport=5080x', { params: { rport: '5080x' } }],
    [';BRANCH=a;Received=192.0.2.1', { branch: 'a', received: '192.0.2.1' }],
    ['; branch = a ; rport\t=5080', { branch: 'a', rport: '5080' }],
    [';;branch=a;', { branch: 'a' }],
    [';branch="a;b";rport', { branch: '"a;b"', params: { rport: null } }],
    [';branch=a=b', { branch: 'a=b' }],
    [';branch', { params: { branch: null } }],
    [';rporter=1;branches=b', { params: { rporter: '1', branches: 'b' } }],
    ['', {}],
  ])('are read from %j', (parameters, expected) => {
    const head = { protocol: 'SIP', transport: 'UDP', host_type: 'domain', host: 'h' };
    expect(readVia(`SIP/2.0/UDP h${parameters}`)).toEqual({ ...head, ...expected });
  });

  it('of which one comes twice are those that come last', () => {
    const one = fc.constantFrom('branch=a', 'branch=b', 'branch', 'rport', 'rport=1', 'rport=2', 'received=::1', 'received=::2', 'ttl=3');
    fc.assert(
      fc.property(fc.array(one, { maxLength: 5 }), (parameters) => {
        const names = parameters.map((parameter) => parameter.split('=')[0]);
        const lasts = parameters.filter((_, index) => names.lastIndexOf(names[index]) === index);
        const read = (of: readonly string[]): unknown => readVia(['SIP/2.0/UDP h', ...of].join(';'));
        expect(read(parameters)).toEqual(read(lasts));
      }),
    );
  });
});

describe('the place in a Via', () => {
  it.each([
    ['SIP/2.0/TCP [2001:db8::1] : 5061', { transport: 'TCP', host: '[2001:db8::1]', host_type: 'IPv6', port: 5061 }],
    ['SIP / 2.0 / WSS a.example:5060;branch=1', { transport: 'WSS', host: 'a.example', port: 5060 }],
    ['SIP/2.0/UDP 192.0.2.1 ;branch=1', { host: '192.0.2.1', host_type: 'IPv4' }],
  ])('is read from %j', (text, expected) => {
    expect(readVia(text)).toMatchObject({ protocol: 'SIP', ...expected });
  });

  it.each(['SIP/2.0/UDP', 'SIP/2.0/ h', 'SIP/3.0/UDP h', 'SIP/2.0/UDP ;branch=1', 'SIP/2.0/UDP a:b', 'SIP/2.0/UDP [::1', 'SIP/2.0/UDP h;branch="a'])('is none in %j', (text) => {
    expect(readVia(text)).toBeUndefined();
  });
});
