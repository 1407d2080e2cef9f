/** What has brought stacks down before, against this one: messages on flows in memory, streams and connections on real sockets. */
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { isParseFault } from '../../../src/sip/parser/fault.js';
import { parseMessage } from '../../../src/sip/parser/parse-message.js';
import type { FlowEvents } from '../../../src/sip/transports/flow.js';
import { closeAll, FlowLog, later, localhost, message, openBench } from '../transports/flow-harness.js';
import { openGuardedStack, registered, registrarAddress, request, type GuardedStack } from './guarded-stack.js';
import { quietDialog } from '../../support/quiet-dialog.js';

afterEach(async () => {
  vi.useRealTimers();
  await closeAll();
});

async function openStack(): Promise<GuardedStack> {
  const bench = await openGuardedStack();
  later(() => bench.stack.close());
  return bench;
}

const nothingHappens = { ...quietDialog, onProgress: () => undefined, onAccepted: () => undefined, onRefused: () => undefined };

describe('text of ours', () => {
  it.each([
    ['a lone surrogate', 'A\ud800nn', 'v=0\r\ns=\udfff\r\n'],
    ['CRLF', 'x"\r\nEvil: yes\r\n\r\nEvil', 'v=0\r\n'],
    ['NUL and other controls', 'a\0b\u0007c\u007f', 'v=0\r\ns=\0\r\n'],
  ])('with %s in it becomes one well-formed message', async (_what, displayName, sdp) => {
    const bench = await openStack();
    const account = await registered(bench.addAccount('434'));
    account.invite({ to: 'sip:100%25@example.com', sdp, displayName }, nothingHappens);
    const text = bench.at(registrarAddress).sent.findLast((sent) => sent.startsWith('INVITE '))!;
    expect(text).toMatch(/^INVITE sip:100%25@example\.com SIP\/2\.0\r\n/);
    const parsed = parseMessage(Buffer.from(text));
    if (isParseFault(parsed)) throw new Error(parsed.fault);
    expect(parsed.body).toBe(sdp.toWellFormed());
    expect(parsed.getHeader('Evil')).toBeUndefined();
  });
});

describe('a message of theirs', () => {
  it('with %25 in its Contact is answered, and ended when no ACK comes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    const bench = await openStack();
    await registered(bench.addAccount('434'));
    const flow = bench.at(registrarAddress);
    flow.bring(request('INVITE', '434').replace(/^Contact: .*$/m, 'Contact: <sip:100%25@192.0.2.1>'));
    const lost = vi.fn();
    bench.calls[0]!.events = { ...quietDialog, onCancelled: () => undefined, onConfirmed: () => undefined, onLost: lost };
    bench.calls[0]!.accept('v=0\r\n');
    vi.advanceTimersByTime(40_000);
    expect(lost).toHaveBeenCalledTimes(1);
    expect(flow.sent.at(-1)).toMatch(/^BYE sip:100%25@192\.0\.2\.1 SIP\/2\.0\r\n/);
  });

  it.each([
    ['an absurd Content-Length', (text: string) => text.replace('Content-Length: 0', `Content-Length: ${'9'.repeat(40)}`)],
    ['a negative Content-Length', (text: string) => text.replace('Content-Length: 0', 'Content-Length: -1')],
    ['60 KB of Via lines', (text: string) => text.replace('From:', `${'Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n'.repeat(1_600)}From:`)],
    ['60 KB of Vias in one line', (text: string) => text.replace('From:', `Via: ${'a,'.repeat(30_000)}b\r\nFrom:`)],
    ['a header of 60 KB', (text: string) => text.replace('From:', `Subject: ${'x'.repeat(60_000)}\r\nFrom:`)],
    ['a Request-URI of 60 KB', (text: string) => text.replace('sip:tok434@', `sip:${'a'.repeat(60_000)}@`)],
    ['nothing but a start line', (text: string) => text.slice(0, text.indexOf('\r\n'))],
  ])('with %s is refused or dropped, counted, and the next one is answered', async (_what, spoil) => {
    const bench = await openStack();
    await registered(bench.addAccount('434'));
    const flow = bench.at(registrarAddress);
    const before = flow.sent.length;
    flow.bring(spoil(request('OPTIONS', '434')));
    for (const answer of flow.sent.slice(before)) expect(answer).toMatch(/^SIP\/2\.0 4\d\d /);
    expect(bench.dropped).toEqual(['unparsable']);
    flow.bring(request('OPTIONS', '434'));
    expect(flow.sent.at(-1)).toMatch(/^SIP\/2\.0 200 /);
  });
});

/** What was dropped below the stack. */
class DropLog extends FlowLog implements FlowEvents {
  readonly dropped: string[] = [];

  onDropped(kind: 'unparsable' | 'connection', address: string, why: string): void {
    this.dropped.push(`${kind} ${address} ${why}`);
  }
}

function dial(port: number, localAddress = localhost): Socket {
  const socket = connect({ port, host: localhost, localAddress });
  socket.on('error', () => undefined).resume();
  return socket;
}

describe('a connection of theirs', () => {
  it.each([
    ['10 MB without the end of a header', `OPTIONS sip:a@b SIP/2.0\r\nSubject: ${'x'.repeat(10 * 1024 * 1024)}`, 'it sent a header of more than 64 KB'],
    ['a Content-Length of 40 digits', message('1').replace('Content-Length: 0', `Content-Length: ${'9'.repeat(40)}`), 'it announced a message of more than 64 KB'],
    ['HTTP', 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n', 'it sent a message without Content-Length'],
    ['no text at all', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]), 'what it sent is not SIP'],
  ])('that brings %s is cut, and counted', async (_what, bytes, why) => {
    const log = new DropLog();
    const { table } = await openBench({ events: log });
    const socket = dial(table.localPorts.tcp);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(bytes);
    await closed;
    await log.gone();
    expect([log.dropped, log.messages]).toEqual([[`unparsable 127.0.0.1 ${why}`], []]);
  });

  it('is one of a bounded number for its address, and takes the room of no other', async () => {
    const log = new DropLog();
    const { table, clock } = await openBench({ events: log, maxConnectionsPerAddress: 5 });
    const { tcp } = table.localPorts;
    const flood = Array.from({ length: 200 }, () => dial(tcp));
    later(() => {
      for (const socket of flood) socket.destroy();
    });
    await expect.poll(() => flood.filter(({ closed }) => closed).length).toBe(195);
    expect(log.dropped).toHaveLength(195);
    expect(new Set(log.dropped)).toEqual(new Set([`connection 127.0.0.1 on tcp:127.0.0.1:${String(tcp)}`]));
    const other = dial(tcp, '127.0.0.2');
    later(() => void other.destroy());
    other.write(message('other'));
    await log.arrived(1);
    await clock.advance(30_000);
    await log.gone(5);
    const again = Array.from({ length: 5 }, () => dial(tcp));
    later(() => {
      for (const socket of again) socket.destroy();
    });
    for (const socket of again) socket.write(message('again'));
    await log.arrived(6);
  });
});
