/** Where a request in a dialog goes first, and what it says of us there: RFC 3261 12.2.1.1, RFC 3263 4. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallDialog, SipTarget } from '../../../src/sip/types.js';
import { openGuardedStack, registered, registrarAddress, reply, request, type GuardedStack } from '../guards/guarded-stack.js';
import { settle } from '../../support/manual-clock.js';
import { quietDialog } from '../../support/quiet-dialog.js';

let bench: GuardedStack;
let accounts = 434;

beforeEach(async () => {
  bench = await openGuardedStack();
});

afterEach(() => bench.stack.close());

const body = 'v=0\r\n';
const offered = `Content-Type: application/sdp\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`;

/** Calls, and is answered with these headers. */
async function answered(headers: string[], transport: SipTarget['transport'] = 'udp', to = 'sip:600@example.com'): Promise<{ dialog: CallDialog; invite: string }> {
  accounts += 1;
  const account = await registered(bench.addAccount(String(accounts), registrarAddress, transport));
  const flow = bench.at(registrarAddress, transport);
  const accepted = new Promise<CallDialog>((resolve) => {
    account.invite(
      { to, sdp: body },
      { ...quietDialog, onProgress: () => undefined, onRefused: () => undefined, onAccepted: ({ dialog }) => { resolve(dialog); } },
    );
  });
  const invite = flow.sent.at(-1)!;
  flow.bring(reply(invite, 200, headers).replace('Content-Length: 0\r\n\r\n', offered));
  await settle();
  return { dialog: await accepted, invite };
}

const contactIn = (text: string | undefined): string | undefined => /^Contact: (.*)\r$/m.exec(text ?? '')?.[1];

describe('the next hop', () => {
  it('is the maddr of a URI before its host, unless that is no host', async () => {
    await answered(['Record-Route: <sip:p1.example.com;maddr=192.0.2.77;lr>', 'Contact: <sip:far@192.0.2.9>']);
    expect(bench.at('192.0.2.77').sent.map((text) => text.slice(0, 3))).toEqual(['ACK']);
    await answered(['Record-Route: <sip:192.0.2.78;maddr=a/b;lr>', 'Contact: <sip:far@192.0.2.9>']);
    expect(bench.at('192.0.2.78').sent.map((text) => text.slice(0, 3))).toEqual(['ACK']);
  });

  it('has in the Via of the ACK the transport by which that goes there, and a branch of its own', async () => {
    const { invite } = await answered(['Record-Route: <sip:192.0.2.79;transport=tcp;lr>', 'Contact: <sip:far@192.0.2.9>']);
    const [ack] = bench.at('192.0.2.79', 'tcp').sent;
    const via = (text: string | undefined): string[] => /^Via: SIP\/2\.0\/(\w+) .*;branch=(.*)(\..*)\r$/m.exec(text ?? '')?.slice(1) ?? [];
    const [, account, ofInvite] = via(invite);
    expect(via(ack)).toEqual(['TCP', account, expect.not.stringMatching(String(ofInvite))]);
  });

  it.each<[string, SipTarget]>([
    ['sip:p1.example.com;lr', { transport: 'udp', host: 'p1.example.com', port: 0, isTransportOpen: true }],
    ['sip:p1.example.com;transport=tcp;lr', { transport: 'tcp', host: 'p1.example.com', port: 0 }],
    ['sip:p1.example.com:5070;lr', { transport: 'udp', host: 'p1.example.com', port: 5070 }],
    ['sips:p1.example.com;lr', { transport: 'tls', host: 'p1.example.com', port: 0 }],
  ])('%s is looked up as RFC 3263 says', async (route, target) => {
    await answered([`Record-Route: <${route}>`, 'Contact: <sip:far@192.0.2.9>']);
    expect(bench.opened).toEqual([target]);
  });
});

describe('a re-INVITE by a strict router and a loose one', () => {
  it('is cancelled, and its refusal acknowledged, by the same way', async () => {
    const { dialog } = await answered([`Record-Route: <sip:192.0.2.10;lr>, <sip:${registrarAddress}>`, 'Contact: <sip:far@192.0.2.9>']);
    const flow = bench.at(registrarAddress);
    const refusals: number[] = [];
    dialog.offer(body, { onAnswered: () => undefined, onRefused: ({ status }) => refusals.push(status) });
    const reinvite = flow.sent.at(-1)!;
    flow.bring(reply(reinvite, 100));
    await bench.clock.advance(32_000);
    flow.bring(reply(reinvite, 487));
    const way = (text: string): unknown => [/^\w+ (\S+)/.exec(text)![1], [...text.matchAll(/^Route: (.*)\r$/gm)].map(([, route]) => route)];
    const last = (method: string): string => flow.sent.findLast((text) => text.startsWith(`${method} `))!;
    for (const method of ['INVITE', 'CANCEL', 'ACK']) expect(way(last(method)), method).toEqual([`sip:${registrarAddress}`, ['<sip:192.0.2.10;lr>', '<sip:far@192.0.2.9>']]);
    expect(refusals).toEqual([487]);
  });
});

describe('a call of sips: addresses over TLS', () => {
  it('that we placed has a sips: Contact of ours, in its re-INVITE too', async () => {
    const { dialog, invite } = await answered(['Contact: <sips:far@192.0.2.1>'], 'tls', 'sips:600@example.com');
    dialog.offer(body, { onAnswered: () => undefined, onRefused: () => undefined });
    const reinvite = bench.at(registrarAddress, 'tls').sent.findLast((text) => text.startsWith('INVITE '));
    expect(reinvite).not.toBe(invite);
    for (const sent of [invite, reinvite]) expect(contactIn(sent)).toMatch(/^<sips:tok/);
  });

  it.each([
    ['the Request-URI', (text: string) => text.replace('INVITE sip:', 'INVITE sips:'), 'sips'],
    ['the top Record-Route', (text: string) => text.replace('Contact:', 'Record-Route: <sips:p1.example.com;lr>, <sip:p2.example.com;lr>\r\nContact:'), 'sips'],
    ['the Contact', (text: string) => text.replace('Contact: <sip:', 'Contact: <sips:'), 'sips'],
    ['the Contact behind a proxy', (text: string) => text.replace('Contact: <sip:', 'Record-Route: <sip:p1.example.com;lr>\r\nContact: <sips:'), 'sip'],
    ['nothing', (text: string) => text, 'sip'],
  ])('that reached us is told a Contact of its kind: sips: in %s', async (_where, change, scheme) => {
    await registered(bench.addAccount('434', registrarAddress, 'tls'));
    const flow = bench.at(registrarAddress, 'tls');
    flow.bring(change(request('INVITE', '434')));
    bench.calls[0]!.ring();
    bench.calls[0]!.accept(body);
    expect(flow.sent.slice(-2).map((text) => contactIn(text)?.split(':')[0])).toEqual([`<${scheme}`, `<${scheme}`]);
  });

  it('that reached us without TLS is not told that we are to be found by it', async () => {
    await registered(bench.addAccount('434'));
    bench.at(registrarAddress).bring(request('INVITE', '434').replace('INVITE sip:', 'INVITE sips:'));
    bench.calls[0]!.ring();
    expect(contactIn(bench.at(registrarAddress).sent.at(-1))).toMatch(/^<sip:/);
  });
});
