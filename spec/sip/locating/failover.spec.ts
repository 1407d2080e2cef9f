/** A domain with two servers: who gets what, and what happens when one fails. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DnsNames } from '../../../src/sip/locating/name-service.js';
import { openSipStack } from '../../../src/sip/stack.js';
import { FlowTable } from '../../../src/sip/transports/flow-table.js';
import type { OutgoingCallEvents, SipAccount, SipStack, SipTarget } from '../../../src/sip/types.js';
import { ManualClock } from '../../support/manual-clock.js';
import { ScriptedPeer } from '../../support/scripted-peer.js';
import { closeAll, localhost, openBench, Peer } from '../transports/flow-harness.js';
import { a, DnsServer, naptr, srv } from './dns-server.js';
import { FakeNames, srvRecord } from './fake-names.js';
import { quietDialog } from '../../support/quiet-dialog.js';

afterEach(closeAll);

describe('a connection to a domain', () => {
  let dns: DnsServer;
  let names: DnsNames;
  const target: SipTarget = { transport: 'udp', host: 'example.com', port: 0, isTransportOpen: true };

  beforeEach(async () => {
    dns = await DnsServer.open([]);
    names = new DnsNames([dns.address]);
  });

  afterEach(async () => {
    names.close();
    await dns.close();
  });

  function serve(...ports: number[]): void {
    dns.records = [
      naptr('example.com', 'SIP+D2T', '_sip._tcp.example.com'),
      ...ports.map((port, index) => srv('_sip._tcp.example.com', 'server.example.com', port, index + 1)),
      a('server.example.com', localhost),
    ];
  }

  it('goes by the transport of NAPTR to the server of SRV', async () => {
    const peer = await Peer.listen();
    serve(peer.port);
    const { table } = await openBench({ names });
    const flow = await table.to(target);
    expect([flow.transport, flow.remote]).toEqual(['tcp', { address: localhost, port: peer.port }]);
    expect(dns.asked.slice(0, 2)).toEqual(['NAPTR example.com', 'SRV _sip._tcp.example.com']);
    expect([table.existing(target), table.transportOf(target)]).toEqual([flow, 'tcp']);
  });

  it('goes to the next server when the first refuses, and not to the first again for a minute', async () => {
    const [dead, peer] = [await Peer.listen(), await Peer.listen()];
    const deadPort = dead.port;
    serve(deadPort, peer.port);
    await new Promise((resolve) => dead.server.close(resolve));
    const { table, clock, log } = await openBench({ names });
    expect((await table.to(target)).remote.port).toBe(peer.port);
    await new Promise<void>((resolve) => dead.server.listen(deadPort, localhost, resolve));
    (await peer.socket()).destroy();
    await log.gone();
    expect((await table.to(target)).remote.port).toBe(peer.port);
    (await peer.socket(1)).destroy();
    await log.gone(2);
    await clock.advance(60_000);
    expect((await table.to(target)).remote.port).toBe(deadPort);
  });

  it('leaves a connection whose server failed for the next server, and finds it again', async () => {
    const [first, second] = [await Peer.listen(), await Peer.listen()];
    serve(first.port, second.port);
    const { table, clock } = await openBench({ names, keepAliveMs: 0 });
    const flow = await table.to(target);
    table.passOver(flow);
    expect(table.existing(target)).toBeUndefined();
    const other = await table.to(target);
    expect(other.remote.port).toBe(second.port);
    await clock.advance(60_000);
    table.passOver(other);
    expect(await table.to(target)).toBe(flow);
    expect([first.sockets.length, second.sockets.length]).toEqual([1, 1]);
  });

  it('stays when there is no other server', async () => {
    const peer = await Peer.listen();
    serve(peer.port);
    const { table } = await openBench({ names });
    const flow = await table.to(target);
    table.passOver(flow);
    expect(table.existing(target)).toBe(flow);
  });

  it('says which domain cannot be reached', async () => {
    const { table } = await openBench({ names });
    await expect(table.to(target)).rejects.toThrow('Cannot reach example.com: the name was not found (ENOTFOUND).');
  });
});

describe('an account at a domain with two servers', () => {
  let servers: [ScriptedPeer, ScriptedPeer];
  let clock: ManualClock;
  let stack: SipStack;
  let accounts: [SipAccount, SipAccount];
  const challenge = 'WWW-Authenticate: Digest realm="example.com", nonce="n1", qop="auth"';

  beforeEach(async () => {
    servers = [await ScriptedPeer.open(), await ScriptedPeer.open()];
    const names = new FakeNames();
    names.says.set('SRV _sip._udp.example.com', servers.map(({ port }, index) => srvRecord('server.example.com', port, index + 1)));
    names.says.set('A server.example.com', [localhost]);
    clock = new ManualClock();
    stack = await openSipStack(
      {
        flows: { listen: { host: localhost, udpPort: 0, tcpPort: 0 }, tls: { verify: true } },
        trusted: [],
        ignoresContact: false,
        userAgent: 'dialog-sip/spec',
      },
      {
        clock,
        events: { onInvite: () => undefined, onFlowLost: () => undefined },
        log: { debug: () => undefined, warn: () => undefined },
        openFlows: (settings, events, clock) => FlowTable.open(settings, events, clock, names),
      },
    );
    const target: SipTarget = { transport: 'udp', host: 'example.com', port: 0 };
    const add = (user: string): SipAccount => stack.addAccount({ token: `tok${user}`, user, domain: 'example.com', password: 'secret', target });
    accounts = [add('1'), add('2')];
  });

  afterEach(async () => {
    await stack.close();
    await Promise.all(servers.map((server) => server.close()));
  });

  /** Registers, answered by that server. */
  async function registers(account: SipAccount, server: ScriptedPeer, status: number, headers: string[] = []): Promise<void> {
    const outcome = account.register(60);
    (await server.next('REGISTER')).reply(status, headers);
    await outcome;
  }

  const nobodyListens: OutgoingCallEvents = { ...quietDialog, onProgress: () => undefined, onAccepted: () => undefined, onRefused: () => undefined };

  it('goes to the other server after a 503', async () => {
    await registers(accounts[0], servers[0], 503);
    await registers(accounts[1], servers[1], 200);
  });

  it('goes back with its credentials to the server that challenged it, though that failed meanwhile', async () => {
    const outcome = accounts[0].register(60);
    const first = await servers[0].next('REGISTER');
    await registers(accounts[1], servers[0], 503);
    first.reply(401, [challenge]);
    const again = await servers[0].next('REGISTER');
    expect(again.header('authorization')).toContain('nonce="n1"');
    again.reply(200);
    expect(await outcome).toMatchObject({ kind: 'registered' });
    await registers(accounts[0], servers[1], 200);
  });

  it('cancels a call at the server that has it', async () => {
    const call = accounts[0].invite({ to: 'sip:600@example.com', sdp: 'v=0\r\n' }, nobodyListens);
    const invite = await servers[0].next('INVITE');
    invite.reply(180);
    await registers(accounts[1], servers[0], 503);
    call.cancel();
    const cancel = await servers[0].next('CANCEL');
    expect(cancel.header('via')).toBe(invite.header('via'));
  });

  it('stays with a server that has no line for a call, and leaves one that wants to be left alone', async () => {
    const refused = async (headers: string[]): Promise<void> => {
      const ended = new Promise((resolve) => accounts[0].invite({ to: 'sip:600@example.com', sdp: 'v=0\r\n' }, { ...nobodyListens, onRefused: resolve }));
      (await servers[0].next('INVITE')).reply(503, headers);
      await ended;
    };
    await refused([]);
    await refused(['Retry-After: 120']);
    await registers(accounts[0], servers[1], 200);
  });

  it('leaves a server that is silent, but not one that is silent to it alone', async () => {
    const banned = accounts[0].register(60);
    await servers[0].next('REGISTER');
    await registers(accounts[1], servers[0], 200);
    await clock.advance(32_000);
    expect(await banned).toMatchObject({ kind: 'unreachable', code: 'SIP_TIMEOUT' });
    const silent = accounts[1].register(60);
    await servers[0].next('REGISTER');
    await clock.advance(32_000);
    expect(await silent).toMatchObject({ kind: 'unreachable', code: 'SIP_TIMEOUT' });
    await registers(accounts[1], servers[1], 200);
  });
});
