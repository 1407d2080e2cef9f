import { describe, expect, it } from 'vitest';
import { ContactAddresses } from '../../src/sip/contact-addresses.js';
import type { Flow } from '../../src/sip/transports/flow.js';
import type { SipTransport } from '../../src/sip/types.js';

const listening = { udp: 5060, tcp: 5070 };

/** A flow as far as an address is read from it: our end is 10.0.0.7:40000. */
function flowOver(transport: SipTransport): Flow {
  return { transport, local: { address: '10.0.0.7', port: 40_000 }, remote: { address: '192.0.2.1', port: 5060 } } as Flow;
}

describe('where we are reached', () => {
  it.each([
    ['udp', '10.0.0.7:5060', 'udp'],
    ['tcp', '10.0.0.7:5070', 'tcp'],
    ['tls', '10.0.0.7:40000', 'tls'],
  ] as const)('over %s is our end of the flow, at the port that we listen on', (transport, hostPort, parameter) => {
    expect(new ContactAddresses(listening, undefined).of(flowOver(transport))).toMatchObject({ hostPort, transport: parameter });
  });

  it('is where the registrar sees us over udp, told as a change once', () => {
    const [addresses, flow] = [new ContactAddresses(listening, undefined), flowOver('udp')];
    expect(addresses.learn(flow, '203.0.113.5', 61_000)).toBe(true);
    expect(addresses.of(flow)).toMatchObject({ host: '203.0.113.5', port: 61_000 });
    expect(addresses.learn(flow, '203.0.113.5', 61_000)).toBe(false);
    expect(addresses.learn(flow, undefined, undefined)).toBe(false);
  });

  it.each(['tcp', 'tls', 'ws', 'wss'] as const)('is not learnt over %s, which is used both ways', (transport) => {
    const [addresses, flow] = [new ContactAddresses(listening, undefined), flowOver(transport)];
    const before = addresses.of(flow);
    expect(addresses.learn(flow, '203.0.113.5', 61_000)).toBe(false);
    expect(addresses.of(flow)).toBe(before);
  });

  it('is advertised-host where that is set, whatever the registrar sees', () => {
    const [addresses, flow] = [new ContactAddresses(listening, '2001:db8::7'), flowOver('udp')];
    expect(addresses.of(flow).hostPort).toBe('[2001:db8::7]:5060');
    expect(addresses.learn(flow, '203.0.113.5', 61_000)).toBe(false);
    expect(addresses.of(flow).hostPort).toBe('[2001:db8::7]:5060');
  });

  it.each(['ws', 'wss'] as const)('over %s is a name of its own for each connection that leads nowhere (RFC 7118 5)', (transport) => {
    const addresses = new ContactAddresses(listening, 'pbx.example.com');
    const [one, other] = [flowOver(transport), flowOver(transport)];
    expect(addresses.of(one)).toMatchObject({ hostPort: expect.stringMatching(/^[A-Za-z0-9]+\.invalid$/) as string, transport: 'ws' });
    expect(addresses.of(one)).toBe(addresses.of(one));
    expect(addresses.of(one).host).not.toBe(addresses.of(other).host);
  });
});
