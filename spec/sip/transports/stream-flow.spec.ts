import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import type { Flow } from '../../../src/sip/transports/flow.js';
import { firstMessageMs } from '../../../src/sip/transports/listener.js';
import { longestMessageMs, StreamFlow } from '../../../src/sip/transports/stream-flow.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { type Bench, closeAll, FlowLog, later, localhost, message, noError, openBench, Peer, received } from './flow-harness.js';

afterEach(closeAll);

const keepAliveMs = 25_000;

async function connected(options: Parameters<typeof openBench>[0] = {}): Promise<Bench & { peer: Peer; flow: Flow; remote: Socket }> {
  const peer = await Peer.listen();
  const bench = await openBench({ keepAliveMs, ...options });
  const flow = await bench.table.to({ transport: 'tcp', host: localhost, port: peer.port });
  return { ...bench, peer, flow, remote: await peer.socket() };
}

/** A flow whose peer can tell when what it sent was read. */
async function watched(): Promise<{ flow: StreamFlow; remote: Socket; clock: ManualClock; log: FlowLog; hears: (text: string) => Promise<void> }> {
  const peer = await Peer.listen();
  const socket = connect(peer.port, localhost);
  await once(socket, 'connect');
  const clock = new ManualClock();
  const log = new FlowLog();
  const flow = new StreamFlow('tcp', socket, { events: log, clock, keepAliveMs: 0, onDown: () => undefined });
  const remote = await peer.socket();
  const hears = async (text: string): Promise<void> => {
    const read = once(socket, 'data');
    remote.write(text);
    await read;
  };
  return { flow, remote, clock, log, hears };
}

async function dial(bench: Bench): Promise<Socket> {
  const socket = connect(bench.table.localPorts.tcp, localhost);
  socket.on('error', () => undefined);
  later(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  return socket;
}

describe('a TCP flow that we opened', () => {
  it('carries messages both ways and names its two ends', async () => {
    const { flow, remote, log, peer } = await connected();
    const wanted = message('1') + message('2', 'Grüße');
    const sent = received(remote, wanted.length);
    flow.send(message('1'), noError);
    flow.send(message('2', 'Grüße'), noError);
    expect(await sent).toBe(wanted);
    remote.write(message('3') + message('4'));
    expect((await log.arrived(2)).map(({ text }) => text)).toEqual([message('3'), message('4')]);
    expect(log.messages[0]!.flow).toBe(flow);
    expect(flow).toMatchObject({ transport: 'tcp', isReliable: true, isOpen: true });
    expect(flow.remote).toEqual({ address: localhost, port: peer.port });
    expect(flow.local).toEqual({ address: localhost, port: remote.remotePort });
  });

  it('tells once that the peer closed it, and refuses to send after', async () => {
    const { flow, remote, log, peer } = await connected();
    remote.end();
    expect(await log.gone()).toEqual([`tcp:127.0.0.1:${peer.port}: The peer closed the connection.`]);
    expect(flow.isOpen).toBe(false);
    const error = await new Promise<Error>((resolve) => {
      flow.send(message('late'), resolve);
    });
    expect(error.message).toBe(`Cannot send over tcp:127.0.0.1:${peer.port}: the connection is closed.`);
    flow.close();
    await settle();
    expect(log.closed).toHaveLength(1);
  });

  it('tells that the peer reset it', async () => {
    const { remote, log } = await connected();
    remote.resetAndDestroy();
    expect((await log.gone())[0]).toMatch(/: The peer reset the connection \(ECONNRESET\)\.$/);
  });

  it('sends what was given to it before it says goodbye', async () => {
    const { flow, remote, log } = await connected();
    const sent = received(remote, message('bye').length);
    flow.send(message('bye'), noError);
    flow.close();
    expect(flow.isOpen).toBe(false);
    expect(await sent).toBe(message('bye'));
    expect((await log.gone())[0]).toMatch(/: It was closed from this side\.$/);
  });

  it('delivers nothing after it was closed, not even the rest of a chunk', async () => {
    const peer = await Peer.listen();
    const seen: string[] = [];
    let closed: (why: string) => void = () => undefined;
    const gone = new Promise<string>((resolve) => (closed = resolve));
    const { table } = await openBench({
      events: {
        onMessage: (flow, bytes) => {
          seen.push(bytes.toString());
          flow.close();
        },
        onClosed: (_flow, why) => {
          closed(why);
        },
      },
    });
    await table.to({ transport: 'tcp', host: localhost, port: peer.port });
    (await peer.socket()).end(message('1') + message('2'));
    await gone;
    expect(seen).toEqual([message('1')]);
  });

  it('is cut with the reason when the stream cannot be read any more', async () => {
    const { remote, log } = await connected();
    remote.write('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    expect((await log.gone())[0]).toMatch(/: The connection was cut, as it sent a message without Content-Length\.$/);
    expect(log.messages).toEqual([]);
  });

  it('refuses messages instead of growing when the peer does not read', async () => {
    const { flow, remote } = await connected();
    remote.pause();
    const large = message('x', 'y'.repeat(60_000));
    const refused = new Promise<Error>((resolve) => {
      for (let count = 0; count < 400; count += 1) flow.send(large, resolve);
    });
    expect((await refused).message).toMatch(/: the peer does not read, too much waits to be sent\.$/);
    remote.destroy();
  });

  it('goes on after listeners threw', async () => {
    const faults: string[] = [];
    const peer = await Peer.listen();
    let told: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => (told = resolve));
    const { table } = await openBench({
      events: {
        onMessage: () => {
          throw new Error('message');
        },
        onClosed: () => {
          told();
          throw new Error('closed');
        },
        onFault: ({ message: text }) => faults.push(text),
      },
    });
    await table.to({ transport: 'tcp', host: localhost, port: peer.port });
    (await peer.socket()).end(message('1') + message('2'));
    await gone;
    await settle();
    expect(faults).toEqual(['message', 'message', 'closed']);
  });
});

describe('a message that takes its time', () => {
  it.each([
    ['its header', 'OPTIONS sip:434@example.com SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1'],
    ['its body', message('1', 'x'.repeat(100)).slice(0, -50)],
    ['half of a CRLF', '\r'],
  ])('ends the connection 30 s after it began when it stops in %s, though a byte came now and then', async (where, half) => {
    const { flow, clock, log, hears } = await watched();
    await hears(message('0'));
    await clock.advance(longestMessageMs);
    await hears(half);
    for (let bytes = 0; bytes < 2 && half.length > 1; bytes += 1) {
      await clock.advance(longestMessageMs / 3);
      await hears('x');
    }
    await clock.advance(longestMessageMs / (half.length > 1 ? 3 : 1) - 1);
    expect(flow.isOpen, where).toBe(true);
    await clock.advance(1);
    expect(await log.gone()).toEqual([expect.stringMatching(/: The connection was cut, as it began a message and did not end it within 30 s\.$/)]);
    expect(clock.pending).toBe(0);
  });

  it('has its own time, not that of the one before it, and none is counted between messages', async () => {
    const { flow, remote, clock, log, hears } = await watched();
    const whole = message('x', 'body');
    await hears(whole.slice(0, 40));
    for (let turn = 1; turn <= 3; turn += 1) {
      await clock.advance(longestMessageMs - 1);
      await hears(whole.slice(40) + whole.slice(0, 40));
      expect(log.messages).toHaveLength(turn);
    }
    await hears(whole.slice(40));
    expect(clock.pending).toBe(0);
    await clock.advance(10 * longestMessageMs);
    await hears('\r');
    await hears('\n\r\n');
    await clock.advance(longestMessageMs);
    expect([flow.isOpen, log.messages.length]).toEqual([true, 4]);
    remote.end();
    await log.gone();
  });
});

describe('keep-alive on a TCP flow', () => {
  it('pings within the interval and takes the answer for a sign of life', async () => {
    const { flow, remote, clock, log } = await connected();
    for (let turn = 0; turn < 3; turn += 1) {
      const ping = received(remote, 4);
      await clock.advance(keepAliveMs);
      expect(await ping).toBe('\r\n\r\n');
      // The message behind the pong shows that the pong was read.
      remote.write(`\r\n${message(String(turn))}`);
      await log.arrived(turn + 1);
    }
    await clock.advance(10_000);
    expect(flow.isOpen).toBe(true);
  });

  it('gives a flow up 10 s after a ping when a peer that used to answer does not', async () => {
    const { flow, remote, clock, log } = await connected();
    const first = received(remote, 4);
    await clock.advance(keepAliveMs);
    await first;
    remote.write(`\r\n${message('1')}`);
    await log.arrived(1);
    const second = received(remote, 4);
    await clock.advance(keepAliveMs);
    await second;
    await clock.advance(10_000);
    expect(flow.isOpen).toBe(false);
    expect((await log.gone())[0]).toMatch(/: The peer does not answer keep-alives any more\.$/);
    expect(clock.pending).toBe(0);
  });

  it('finds a peer dead within 30 s of its last sign of life, as it comes', async () => {
    const { flow, remote, clock, log } = await connected({ keepAliveMs: undefined });
    const ping = received(remote, 4);
    await clock.advance(20_000);
    await ping;
    remote.write(`\r\n${message('1')}`);
    await log.arrived(1);
    await clock.advance(30_000);
    expect(flow.isOpen).toBe(false);
  });

  it('leaves the flow to a peer that never answers pings, as many do not know them', async () => {
    const { flow, clock } = await connected();
    await clock.advance(10 * keepAliveMs);
    expect(flow.isOpen).toBe(true);
  });

  it('never takes the pings of such a peer for answers', async () => {
    const { flow, remote, clock } = await connected();
    await clock.advance(keepAliveMs);
    const pong = received(remote, 4 + 2);
    remote.write('\r\n\r\n');
    expect(await pong).toBe('\r\n\r\n\r\n');
    await clock.advance(10 * keepAliveMs);
    expect(flow.isOpen).toBe(true);
  });

  it('answers a ping with one CRLF, also one that comes in two parts', async () => {
    const { remote } = await connected();
    const pong = received(remote, 2);
    remote.write(`\r\n\r\n${message('whole')}`);
    expect(await pong).toBe('\r\n');
    const parts = received(remote, 2);
    remote.write('\r');
    await settle();
    remote.write('\n\r\n');
    expect(await parts).toBe('\r\n');
  });

  it('never takes two pongs, a rest between them, for a ping', async () => {
    const { flow, remote, clock, log, hears } = await watched();
    for (let turn = 0; turn < 3; turn += 1) {
      await hears('\r\n');
      await clock.advance(20_000);
    }
    const answer = received(remote, message('end').length);
    flow.send(message('end'), noError);
    expect(await answer).toBe(message('end'));
    remote.end();
    await log.gone();
  });

  it('answers a flood of CRLFs once a chunk', async () => {
    const { flow, remote, log } = await connected();
    let answer = '';
    const whole = new Promise<void>((resolve) => {
      remote.on('data', (chunk: Buffer) => {
        answer += chunk.toString();
        if (answer.endsWith(message('end'))) resolve();
      });
    });
    remote.write('\r\n'.repeat(20_000) + message('behind the flood'));
    await log.arrived(1);
    flow.send(message('end'), noError);
    await whole;
    expect(answer.length - message('end').length).toBeLessThan(200);
  });
});

describe('a TCP connection that we took', () => {
  it('is a flow on which answers go back', async () => {
    const bench = await openBench();
    const socket = await dial(bench);
    socket.write(message('in'));
    const [first] = await bench.log.arrived(1);
    expect(first!.flow.remote).toEqual({ address: localhost, port: socket.localPort });
    const back = received(socket, message('out').length);
    const flow = await bench.table.toEndpoint('tcp', { address: localhost, port: socket.localPort! });
    expect(flow).toBe(first!.flow);
    flow.send(message('out'), noError);
    expect(await back).toBe(message('out'));
    socket.end();
    await bench.log.gone();
    await expect(bench.table.toEndpoint('tcp', { address: localhost, port: flow.remote.port })).rejects.toThrow(/refused/);
  });

  it('is cut when it brings nothing for us in time, and left when it did', async () => {
    const bench = await openBench();
    const silent = await dial(bench);
    const slow = await dial(bench);
    const strange = await dial(bench);
    const good = await dial(bench);
    slow.write('OPTIONS sip:434@example.com SIP/2.0\r\nCall-ID:');
    strange.write(message('strange'));
    good.write(message('good'));
    const { flow } = (await bench.log.arrived(2)).find(({ text }) => text === message('good'))!;
    flow.welcome!();
    const gone = Promise.all([silent, slow, strange].map((socket) => once(socket.resume(), 'close')));
    await bench.clock.advance(firstMessageMs);
    await gone;
    await bench.log.gone(3);
    expect(flow.isOpen).toBe(true);
  });

  it('is refused beyond the number of connections allowed', async () => {
    const bench = await openBench({ maxConnections: 1 });
    const first = await dial(bench);
    first.write(message('first'));
    await bench.log.arrived(1);
    const second = connect(bench.table.localPorts.tcp, localhost);
    second.on('error', () => undefined).resume();
    await once(second, 'close');
    expect(bench.log.messages[0]!.flow.isOpen).toBe(true);
  });
});
