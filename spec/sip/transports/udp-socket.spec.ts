import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { closeAll, hasIPv6, later, localhost, message, noError, openBench } from './flow-harness.js';

afterEach(closeAll);

async function udpPeer(address = localhost): Promise<Socket> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.bind(0, address);
  await once(socket, 'listening');
  later(() => {
    socket.close();
  });
  return socket;
}

async function datagram(socket: Socket): Promise<{ text: string; port: number }> {
  const [bytes, remote] = (await once(socket, 'message')) as [Buffer, { port: number }];
  return { text: bytes.toString(), port: remote.port };
}

describe('a UDP flow', () => {
  it('carries a message both ways between the two ports', async () => {
    const peer = await udpPeer();
    const { table, log } = await openBench();
    const flow = await table.to({ transport: 'udp', host: localhost, port: peer.address().port });
    const asked = datagram(peer);
    flow.send(message('there', 'Grüße'), noError);
    expect(await asked).toEqual({ text: message('there', 'Grüße'), port: table.localPorts.udp });
    peer.send(message('back'), table.localPorts.udp, localhost);
    const [answer] = await log.arrived(1);
    expect(answer).toMatchObject({ text: message('back'), flow: { transport: 'udp', isReliable: false, isOpen: true } });
    expect(answer!.flow).toBe(flow);
    expect(flow.remote).toEqual({ address: localhost, port: peer.address().port });
    expect(flow.local).toEqual({ address: localhost, port: table.localPorts.udp });
  });

  it('says which of our addresses the route to the peer uses when it listens on all', async () => {
    const peer = await udpPeer();
    const { table } = await openBench({ listen: { host: '0.0.0.0' } });
    const flow = await table.to({ transport: 'udp', host: localhost, port: peer.address().port });
    expect(flow.local).toEqual({ address: localhost, port: table.localPorts.udp });
  });

  it.runIf(hasIPv6)('speaks IPv6, and IPv4 too when it listens on all addresses of both', async () => {
    const six = await udpPeer('::1');
    const four = await udpPeer();
    const { table, log } = await openBench({ listen: { host: '::' } });
    for (const [peer, host] of [
      [six, '::1'],
      [four, localhost],
    ] as const) {
      const flow = await table.to({ transport: 'udp', host, port: peer.address().port });
      const asked = datagram(peer);
      flow.send(message(host), noError);
      expect((await asked).text).toBe(message(host));
      expect(flow.local).toEqual({ address: host, port: table.localPorts.udp });
      peer.send(message(`from ${host}`), table.localPorts.udp, host);
    }
    const arrived = await log.arrived(2);
    expect(arrived.map(({ flow }) => flow.remote.address).sort()).toEqual([localhost, '::1']);
  });

  it('drops keep-alives and what is no SIP, and leaves CRLFs in front of a message out', async () => {
    const peer = await udpPeer();
    const { table, log } = await openBench();
    for (const noise of ['\r\n\r\n', '\0\0\0\0', '\x00\x01\x00\x00STUN', '', `\r\n${message('kept')}`]) {
      peer.send(Buffer.from(noise, 'latin1'), table.localPorts.udp, localhost);
    }
    expect((await log.arrived(1)).map(({ text }) => text)).toEqual([message('kept')]);
  });

  it('refuses what does not fit into a datagram, later than the return', async () => {
    const peer = await udpPeer();
    const { table } = await openBench();
    const flow = await table.to({ transport: 'udp', host: localhost, port: peer.address().port });
    let hasReturned = false;
    const refused = new Promise<Error>((resolve) => {
      flow.send(message('long', 'x'.repeat(65_500)), (error) => {
        expect(hasReturned).toBe(true);
        resolve(error);
      });
    });
    hasReturned = true;
    await expect(refused).resolves.toMatchObject({
      code: 'SIP_TRANSPORT',
      message: expect.stringMatching(/^A message of 65\d\d\d bytes does not fit into one datagram\.$/) as string,
    });
  });

  it('tells in words what the system does not send', async () => {
    const { table } = await openBench();
    const flow = await table.toEndpoint('udp', { address: '255.255.255.255', port: 5060 });
    const error = await new Promise<Error>((resolve) => {
      flow.send(message('broadcast'), resolve);
    });
    expect(error.message).toMatch(/^Cannot send to 255\.255\.255\.255:5060 over udp: .+ \(E[A-Z]+\)\.$/);
  });

  it('goes on after a listener threw, and reports what it threw', async () => {
    const peer = await udpPeer();
    const faults: Error[] = [];
    let arrived = 0;
    const bothCame = new Promise<void>((resolve) => {
      void openBench({
        events: {
          onMessage: () => {
            arrived += 1;
            if (arrived === 2) resolve();
            throw new Error(`listener ${arrived}`);
          },
          onClosed: () => undefined,
          onFault: (error) => faults.push(error),
        },
      }).then(({ table }) => {
        peer.send(message('1'), table.localPorts.udp, localhost);
        peer.send(message('2'), table.localPorts.udp, localhost);
      });
    });
    await bothCame;
    await Promise.resolve();
    expect(faults.map(({ message: text }) => text)).toEqual(['listener 1', 'listener 2']);
  });

  it('sends what was given in one turn of the event loop in that order, and one that cannot be sent stops none behind it', async () => {
    const peer = await udpPeer();
    const { table } = await openBench();
    const flow = await table.to({ transport: 'udp', host: localhost, port: peer.address().port });
    const nowhere = await table.toEndpoint('udp', { address: '255.255.255.255', port: 5060 });
    const came: string[] = [];
    const allCame = new Promise<void>((resolve) => {
      peer.on('message', (bytes) => {
        if (came.push(bytes.toString()) === 3) resolve();
      });
    });
    const failed = new Promise<Error>((resolve) => {
      flow.send(message('1'), noError);
      nowhere.send(message('broadcast'), resolve);
      flow.send(message('2'), noError);
      flow.send(message('3'), noError);
    });
    expect((await failed).message).toContain('255.255.255.255');
    await allCame;
    expect(came).toEqual([message('1'), message('2'), message('3')]);
  });

  it('lets the last messages out before the socket closes, and refuses those after', async () => {
    const peer = await udpPeer();
    const { table } = await openBench();
    const flow = await table.to({ transport: 'udp', host: localhost, port: peer.address().port });
    const last = datagram(peer);
    flow.send(message('last'), noError);
    await table.close();
    expect((await last).text).toBe(message('last'));
    expect(flow.isOpen).toBe(false);
    const error = await new Promise<Error>((resolve) => {
      flow.send(message('late'), resolve);
    });
    expect(error.message).toBe('The UDP socket is closed.');
  });

  it('keeps a bounded number of flows, the used ones longest', async () => {
    const { table } = await openBench();
    const flowTo = (port: number, address = '127.0.0.2'): unknown => table.existing({ transport: 'udp', host: address, port });
    const used = flowTo(1);
    const idle = flowTo(2);
    expect(flowTo(1)).toBe(used);
    for (let port = 3; port <= 16_385; port += 1) flowTo(port, '127.0.0.3');
    expect(flowTo(1)).toBe(used);
    expect(flowTo(2)).not.toBe(idle);
  });
});
