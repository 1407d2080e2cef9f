import { describe, expect, it } from 'vitest';
import { registrarKeyOf } from '../../src/registrar/ports.js';
import { sayFlowLost, sayOutcome } from '../../src/registrar/words.js';
import { granted, noFlow, refused, timeout, wrongPassword } from './fake-account.js';

const key = registrarKeyOf({ host: 'PBX.example.com', port: 5060, transport: 'udp' });

describe('what came of a REGISTER, in words', () => {
  it.each([
    [wrongPassword, 'The registrar refused the password (401 Unauthorized).'],
    [refused(407, 'Proxy Authentication Required', { wrongPassword: true }), 'The registrar refused the password (407 Proxy Authentication Required).'],
    [refused(403, 'Forbidden'), 'The registrar forbids this user to register (403 Forbidden).'],
    [refused(404, 'Not Found'), 'The registrar does not know this user (404 Not Found).'],
    [refused(503, 'Service Unavailable'), 'The registrar is overloaded or under maintenance (503 Service Unavailable).'],
    [refused(302, 'Moved Temporarily'), 'The registrar sent us to another address (302 Moved Temporarily).'],
    [refused(499, ''), 'The registrar refused the REGISTER (499).'],
    [refused(599, 'Odd'), 'The registrar failed (599 Odd).'],
    [refused(603, 'Decline'), 'The registrar declined the REGISTER (603 Decline).'],
    [timeout, 'No answer from pbx.example.com:5060 over udp within 32 s.'],
    [{ ...timeout, sentOnTo: 'sip:192.0.2.7' }, 'The registrar sent us on to sip:192.0.2.7, and no answer came from there within 32 s.'],
    [
      { ...noFlow, sentOnTo: 'sip:192.0.2.7' },
      'The registrar sent us on to sip:192.0.2.7. pbx.example.com:5060 refuses connections over tcp (ECONNREFUSED).',
    ],
    [noFlow, 'pbx.example.com:5060 refuses connections over tcp (ECONNREFUSED).'],
    [
      granted(0),
      'The registrar took the REGISTER but keeps no binding (its answer from pbx.example.com:5060 over udp grants an expiry of 0).',
    ],
  ])('%o', (outcome, words) => {
    expect(sayOutcome(outcome, key)).toBe(words);
  });

  it('are not needed when the registrar keeps a binding', () => {
    expect(sayOutcome(granted(60), key)).toBeUndefined();
  });

  it('keep a strange phrase on one short line', () => {
    const words = sayOutcome(refused(500, `Oh\r\nX-Evil: yes ${'!'.repeat(500)}`), key) ?? '';
    expect(words).not.toMatch(/[\r\n]/);
    expect(words.length).toBeLessThan(130);
  });

  it('name the registrar whose connection was lost, an IPv6 address in brackets', () => {
    const ipv6 = registrarKeyOf({ host: '2001:db8::1', port: 443, transport: 'wss' });
    expect(sayFlowLost(ipv6, 'it closed the connection.')).toBe(
      'The connection to [2001:db8::1]:443 over wss was lost (it closed the connection).',
    );
  });
});
