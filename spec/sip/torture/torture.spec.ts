/** The torture messages, fed to the parser and, over a raw UDP socket, to a whole stack. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { installGrammar } from '../../../src/sip/parser/grammar.js';
import { isParseFault } from '../../../src/sip/parser/fault.js';
import { ParsedRequest, ParsedResponse } from '../../../src/sip/parser/message.js';
import { parseMessage } from '../../../src/sip/parser/parse-message.js';
import { toNameAddress } from '../../../src/sip/parser/uri.js';
import { openSipStack } from '../../../src/sip/stack.js';
import { StreamFramer } from '../../../src/sip/transports/framing.js';
import type { SipStack } from '../../../src/sip/types.js';
import { Received } from '../../support/scripted-peer.js';
import { type Reading, tortureCases } from './outcomes.js';

const folder = fileURLToPath(new URL('../../../fixtures/sip/torture/', import.meta.url));
const bytesOf = (name: string): Buffer => readFileSync(`${folder}${name}.dat`);

/** Of a message, what the outcome wants to know. */
function read(message: ParsedRequest | ParsedResponse, wanted: Reading): Reading {
  const all: Reading = {
    method: message.method,
    uri: message instanceof ParsedRequest ? message.ruri?.toString() : undefined,
    status: message instanceof ParsedResponse ? message.statusCode : undefined,
    phrase: message instanceof ParsedResponse ? message.reasonPhrase : undefined,
    from: { ...toNameAddress(message.from) },
    to: { ...toNameAddress(message.to) },
    fromTag: message.fromTag,
    cseq: message.cseq,
    headers: Object.fromEntries(Object.keys(wanted.headers ?? {}).map((name) => [name, message.getHeaders(name)])),
  };
  return Object.fromEntries(Object.keys(wanted).map((key) => [key, all[key as keyof Reading]]));
}

describe('RFC 4475 and RFC 5118', () => {
  it('are here in full', () => {
    expect(tortureCases.filter(({ section }) => !section.startsWith('5118'))).toHaveLength(49);
    expect(readdirSync(folder).sort()).toEqual(tortureCases.map(({ name }) => `${name}.dat`).sort());
  });

  it('have two requests in one datagram that are two messages in a stream', () => {
    const startLines: string[] = [];
    const framer = new StreamFramer(() => undefined);
    framer.push(bytesOf('dblreq'), (message) => startLines.push(message.toString('latin1').split('\r\n')[0]!));
    expect(startLines).toEqual(['REGISTER sip:example.com SIP/2.0', 'INVITE sip:joe@example.com SIP/2.0']);
  });
});

describe('the parser', () => {
  installGrammar();

  it.each(tortureCases.filter(({ reads }) => reads !== undefined))('reads $name ($section)', ({ name, reads }) => {
    const message = parseMessage(bytesOf(name));
    if (isParseFault(message)) expect.fail(message.fault);
    expect(read(message, reads!)).toEqual(reads);
  });

  it.each(tortureCases.filter(({ deserves }) => deserves !== undefined))('finds $name ($section) wrong: $deserves', ({ name, deserves }) => {
    const outcome = parseMessage(bytesOf(name));
    if (!isParseFault(outcome)) expect.fail('the message is right');
    expect(outcome.statusCode ?? null).toBe(deserves);
  });
});

describe('a stack', () => {
  /** Whom the messages are to. */
  const users = ['user', 'j.user', 'j_user', 'vivekg', "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*", 'null-\0-null', 'resource', 'kumiko', 't.watson', 'watson', 'remote-target', '+16505552222'];
  /** No other program is on this address: what is sent to the port of a Via reaches nobody. */
  const source = '127.44.75.1';
  const sent: Buffer[] = [];
  const warnings: string[] = [];
  let stack: SipStack;
  let peer: Socket;

  beforeEach(async () => {
    peer = createSocket('udp4');
    peer.bind(0, source);
    await once(peer, 'listening');
    stack = await openSipStack(
      { flows: { listen: { host: '127.0.0.1', udpPort: 0, tcpPort: 0 }, tls: { verify: true } }, trusted: [source], ignoresContact: false, userAgent: 'spec' },
      {
        clock: systemClock,
        events: {
          onInvite: (call) => {
            call.ring();
            call.accept('v=0\r\n');
          },
          onFlowLost: () => undefined,
        },
        tap: {
          onMessage: (direction, _transport, _peer, text) => {
            if (direction === 'out') sent.push(Buffer.from(text));
          },
        },
        log: { debug: () => undefined, warn: (message) => warnings.push(message) },
      },
    );
    for (const [index, user] of users.entries()) {
      stack.addAccount({ token: `tok${index}`, user, domain: 'example.com', password: 'x', target: { transport: 'udp', host: source, port: 5060 } });
    }
  });

  afterEach(async () => {
    peer.close();
    await stack.close();
    sent.length = 0;
    expect(warnings.splice(0)).toEqual([]);
  });

  const probe = `OPTIONS sip:tok0@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP ${source};branch=z9hG4bKprobe;rport\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: probe\r\nCSeq: 1 OPTIONS\r\n\r\n`;

  it.each(tortureCases)('answers $name ($section) $answers, and then OPTIONS', async ({ name, answers }) => {
    const port = Number(/udp:127\.0\.0\.1:(\d+)/.exec(stack.listening.join(' '))![1]);
    const bytes = bytesOf(name);
    peer.send(bytes, port, '127.0.0.1');
    peer.send(probe, port, '127.0.0.1');
    // Datagrams stay in order on loopback: whatever the message came to has happened when the probe is answered.
    await expect.poll(() => sent.some((text) => text.includes('Call-ID: probe\r\n')), { interval: 2 }).toBe(true);
    expect(sent.pop()!.toString().split('\r\n')[0]).toBe('SIP/2.0 200 OK');
    expect(sent.map((text) => Number(text.toString('latin1', 8, 11)))).toEqual(answers);

    // RFC 3261 8.2.6.2: what the request was known by stands in each answer.
    const request = parseMessage(bytes);
    if (isParseFault(request)) return;
    for (const text of sent) {
      const response = new Received(text.toString(), () => undefined);
      expect([response.header('from'), response.header('call-id'), response.cseq]).toEqual([request.getHeader('From'), request.callId, request.cseq]);
      expect(response.headers('via').slice(1)).toEqual(request.getHeaders('Via').slice(1));
    }
  });
});
