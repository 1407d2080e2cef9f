import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { SipTarget } from '../../../src/sip/types.js';
import type { Flow } from '../../../src/sip/transports/flow.js';
import { FlowTable } from '../../../src/sip/transports/flow-table.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { closeAll, FlowLog, localhost, message, noError, openBench, Peer, received, tlsFile } from './flow-harness.js';

afterEach(closeAll);

function tcp(port: number, host = localhost): SipTarget {
  return { transport: 'tcp', host, port };
}

describe('FlowTable.open', () => {
  it('takes free ports for 0 and says what it listens on', async () => {
    const { table } = await openBench({
      listen: { tlsPort: 0 },
      tls: { cert: tlsFile('server.pem'), key: tlsFile('server.key'), verify: true },
    });
    const { udp, tcp: tcpPort, tls } = table.localPorts;
    expect(table.listening).toEqual([`udp:127.0.0.1:${udp}`, `tcp:127.0.0.1:${tcpPort}`, `tls:127.0.0.1:${tls ?? 0}`]);
    expect(Math.min(udp, tcpPort, tls ?? 0)).toBeGreaterThan(0);
  });

  it('names the port that another program has and the setting to change, and releases the others', async () => {
    const { table } = await openBench();
    const busy = table.localPorts;
    await expect(openBench({ listen: { udpPort: busy.udp } })).rejects.toMatchObject({
      code: 'SIP_TRANSPORT',
      message: `Cannot take SIP on udp:127.0.0.1:${busy.udp}: another program has that port (EADDRINUSE). Stop that program, or set modules.sip.listen.udp-port to another port; 0 takes any free one.`,
    });
    const { table: other } = await openBench();
    const free = other.localPorts.udp;
    await other.close();
    await expect(openBench({ listen: { udpPort: free, tcpPort: busy.tcp } })).rejects.toThrow(/^Cannot take SIP on tcp:127.0.0.1:.*tcp-port/);
    const { table: again } = await openBench({ listen: { udpPort: free } });
    expect(again.localPorts.udp).toBe(free);
  });

  it('says that an address is not of this machine', async () => {
    await expect(openBench({ listen: { host: '192.0.2.77' } })).rejects.toThrow(
      'Cannot take SIP on udp:192.0.2.77:0: the address is not one of this machine (EADDRNOTAVAIL). Set modules.sip.listen.host',
    );
  });

  it.each([
    [{ ca: '/nowhere/ca.pem', verify: true }, 'modules.sip.listen.tls.ca: cannot read /nowhere/ca.pem: there is no such file.'],
    [{ ca: tlsFile('make.sh'), verify: true }, 'is not a PEM file.'],
    [{ cert: tlsFile('server.pem'), verify: true }, 'modules.sip.listen.tls.cert and key belong together: one of them is missing.'],
    [{ cert: tlsFile('server.pem'), key: tlsFile('expired.key'), verify: true }, 'ERR_OSSL_X509_KEY_VALUES_MISMATCH'],
  ])('refuses TLS files that cannot be used: %o', async (tls, words) => {
    await expect(openBench({ tls })).rejects.toThrow(words);
  });

  it('refuses to listen for TLS without a certificate', async () => {
    await expect(openBench({ listen: { tlsPort: 0 } })).rejects.toThrow(/needs a certificate/);
  });
});

describe('FlowTable.to', () => {
  it('shares one connection among all who want it, at once or later', async () => {
    const peer = await Peer.listen();
    const { table } = await openBench();
    const flows = await Promise.all(Array.from({ length: 50 }, () => table.to(tcp(peer.port))));
    flows.push(await table.to(tcp(peer.port)), table.existing(tcp(peer.port))!);
    flows.push(await table.toEndpoint('tcp', { address: localhost, port: peer.port }));
    expect(new Set(flows).size).toBe(1);
    expect(peer.sockets).toHaveLength(1);
  });

  it('opens anew once the connection is gone', async () => {
    const peer = await Peer.listen();
    const { table, log } = await openBench();
    const first = await table.to(tcp(peer.port));
    (await peer.socket()).destroy();
    await log.gone();
    expect(table.existing(tcp(peer.port))).toBeUndefined();
    const second = await table.to(tcp(peer.port));
    expect(second).not.toBe(first);
    expect(second.isOpen).toBe(true);
    await peer.socket(1);
  });

  it('says that nothing listens, and tries again when asked again', async () => {
    const peer = await Peer.listen();
    const { port } = peer;
    await new Promise((resolve) => peer.server.close(resolve));
    const { table } = await openBench();
    await expect(table.to(tcp(port))).rejects.toMatchObject({
      code: 'SIP_TRANSPORT',
      message: `Cannot reach 127.0.0.1:${port} over tcp: the connection was refused: nothing listens there, or a firewall says no (ECONNREFUSED).`,
    });
    await new Promise<void>((resolve) => peer.server.listen(port, localhost, resolve));
    await expect(table.to(tcp(port))).resolves.toMatchObject({ isOpen: true });
  });

  it('says that a name was not found, over every transport', async () => {
    const lookup = (): Promise<never> => Promise.reject(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }));
    const { table } = await openBench({ lookup });
    for (const transport of ['udp', 'tcp', 'tls', 'ws', 'wss'] as const) {
      await expect(table.to({ transport, host: 'pbx.invalid', port: 5060 })).rejects.toThrow(
        `Cannot reach pbx.invalid:5060 over ${transport}: the name was not found (ENOTFOUND).`,
      );
    }
  });

  it('tries every address of a name', async () => {
    const peer = await Peer.listen();
    const { table } = await openBench({
      lookup: () =>
        Promise.resolve([
          { address: '127.0.0.9', family: 4 },
          { address: localhost, family: 4 },
        ]),
    });
    const flow = await table.to(tcp(peer.port, 'pbx.example.com'));
    expect(flow.remote).toEqual({ address: localhost, port: peer.port });
  });

  it('gives up when no answer comes in time, a name server included', async () => {
    const { table, clock } = await openBench({ connectTimeoutMs: 4_000, lookup: () => new Promise(() => undefined) });
    const refused = expect(table.to(tcp(5060, 'slow.example.com'))).rejects.toThrow(
      'Cannot reach slow.example.com:5060 over tcp: it did not answer within 4 s.',
    );
    await clock.advance(4_000);
    await refused;
    expect(clock.pending).toBe(0);
  });

  it('gives up a TLS server that accepts and says nothing', async () => {
    const peer = await Peer.listen();
    const { table, clock, log } = await openBench({ connectTimeoutMs: 4_000 });
    const refused = expect(table.to({ transport: 'tls', host: localhost, port: peer.port })).rejects.toThrow(
      `Cannot reach 127.0.0.1:${peer.port} over tls: it did not answer within 4 s.`,
    );
    const socket = await peer.socket();
    const gone = new Promise((resolve) => socket.resume().once('close', resolve));
    await clock.advance(4_000);
    await refused;
    await gone;
    expect(log.closed).toEqual([]);
  });

  it('sends UDP to the IPv4 address of a name, and asks for the name again after 30 s', async () => {
    const asked: string[] = [];
    let address = '127.0.0.5';
    const { table, clock } = await openBench({
      lookup: (host) => {
        asked.push(host);
        return Promise.resolve([
          { address: '::1', family: 6 },
          { address, family: 4 },
        ]);
      },
    });
    const target: SipTarget = { transport: 'udp', host: 'pbx.example.com', port: 5060 };
    expect(table.existing(target)).toBeUndefined();
    const [flow] = await Promise.all([table.to(target), table.to(target)]);
    expect(flow.remote).toEqual({ address: '127.0.0.5', port: 5060 });
    expect(table.existing(target)).toBe(flow);
    expect(asked).toEqual(['pbx.example.com']);
    address = '127.0.0.6';
    await clock.advance(30_000);
    expect(table.existing(target)).toBeUndefined();
    expect((await table.to(target)).remote.address).toBe('127.0.0.6');
    expect(asked).toHaveLength(2);
  });

  it('says why a name with IPv6 addresses only cannot be reached from an IPv4 socket', async () => {
    const { table } = await openBench({ lookup: () => Promise.resolve([{ address: '::1', family: 6 }]) });
    await expect(table.to({ transport: 'udp', host: 'six.example.com', port: 5060 })).rejects.toThrow(
      /it has IPv6 addresses only, and udp:127\.0\.0\.1:\d+ cannot send there/,
    );
  });

  it('knows an address at once over UDP, with no promise', async () => {
    const { table } = await openBench();
    expect(table.existing({ transport: 'udp', host: localhost, port: 5060 })).toMatchObject({
      remote: { address: localhost, port: 5060 },
    });
  });

  it('does not call a WebSocket peer back', async () => {
    const { table } = await openBench();
    await expect(table.toEndpoint('ws', { address: localhost, port: 5060 })).rejects.toThrow(/cannot be called back/);
  });
});

describe('connections that were opened', () => {
  it('are kept while accounts are reached over them, and else so many; those that were silent longest give way to another', async () => {
    const { table, log, clock } = await openBench({ maxUnheldConnections: 2 });
    const peers = await Promise.all(Array.from({ length: 5 }, () => Peer.listen()));
    const flows: Flow[] = [];
    const open = async (): Promise<Flow> => {
      await clock.advance(1_000);
      const flow = await table.to(tcp(peers[flows.length]!.port));
      flows.push(flow);
      return flow;
    };
    const areOpen = (): boolean[] => flows.map(({ isOpen }) => isOpen);
    const ofAccounts = await open();
    for (const more of [1, 1, -1] as const) table.hold(ofAccounts, more);
    const sending = await open();
    await open();
    await clock.advance(1_000);
    sending.send(message('1'), noError);
    await open();
    expect(areOpen()).toEqual([true, true, false, true]);

    await clock.advance(1_000);
    (await peers[3]!.socket()).write(message('2'));
    await log.arrived(1);
    table.hold(ofAccounts, -1);
    await open();
    expect(areOpen()).toEqual([false, false, false, true, true]);
  });
});

describe('FlowTable.close', () => {
  it('says goodbye to every peer, tells each flow once and leaves no timer', async () => {
    const server = await Peer.listen();
    const { table, log, clock } = await openBench();
    const flow = await table.to(tcp(server.port));
    const { table: other } = await openBench();
    const inward = await other.to(tcp(table.localPorts.tcp));
    inward.send(message('in'), noError);
    await log.arrived(1);
    const bye = received(await server.socket(), message('bye').length);
    flow.send(message('bye'), noError);
    await table.close();
    expect(await bye).toBe(message('bye'));
    expect(log.closed).toHaveLength(2);
    expect(clock.pending).toBe(0);
    await table.close();
    await expect(table.to(tcp(server.port))).rejects.toThrow(/the SIP stack is closed/);
    expect(table.existing(tcp(server.port))).toBeUndefined();
    expect(table.existing({ transport: 'udp', host: localhost, port: 5060 })).toBeUndefined();
  });

  it('gives up what is being opened, and cuts a peer that does not say goodbye', async () => {
    const mute = await Peer.listen(createServer({ allowHalfOpen: true }));
    const { table, log, clock } = await openBench();
    await table.to(tcp(mute.port));
    (await mute.socket()).resume();
    const opening = expect(table.to({ transport: 'tls', host: localhost, port: mute.port })).rejects.toThrow(/is being closed/);
    await mute.socket(1);
    const closed = table.close();
    await opening;
    await settle();
    expect(log.closed).toEqual([]);
    await clock.advance(1_000);
    await closed;
    expect(log.closed).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it('frees its ports', async () => {
    const settings = { listen: { host: localhost, udpPort: 0, tcpPort: 0 }, tls: { verify: true } };
    const table = await FlowTable.open(settings, new FlowLog(), new ManualClock());
    const { udp, tcp: tcpPort } = table.localPorts;
    await table.close();
    const { table: again } = await openBench({ listen: { udpPort: udp, tcpPort } });
    expect(again.localPorts).toEqual({ udp, tcp: tcpPort });
  });
});
