import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { connect, createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { firstMessageMs } from '../../../src/sip/transports/listener.js';
import { closeAll, later, localhost, message, noError, openBench, Peer, received, tlsFile } from './flow-harness.js';

afterEach(closeAll);

const ca = tlsFile('ca.pem');

function certificate(name: string): { cert: Buffer; key: Buffer } {
  return { cert: readFileSync(tlsFile(`${name}.pem`)), key: readFileSync(tlsFile(`${name}.key`)) };
}

function tlsPeer(name: string, options: TlsOptions = {}): Promise<Peer> {
  return Peer.listen(createServer({ ...certificate(name), ...options }), 'secureConnection');
}

describe('a TLS flow that we opened', () => {
  it('carries messages both ways to a server that we trust, by address and by name', async () => {
    const peer = await tlsPeer('server');
    const { table, log } = await openBench({ tls: { ca, verify: true } });
    for (const [index, host] of [localhost, 'localhost'].entries()) {
      const flow = await table.to({ transport: 'tls', host, port: peer.port });
      const socket = await peer.socket(index);
      const sent = received(socket, message(host).length);
      flow.send(message(host), noError);
      expect(await sent).toBe(message(host));
      socket.write(message(`to ${host}`));
      await log.arrived(index + 1);
      expect(flow).toMatchObject({ transport: 'tls', isReliable: true, remote: { address: localhost, port: peer.port } });
    }
    expect((peer.sockets[1] as TLSSocket & { servername: string }).servername).toBe('localhost');
  });

  it.each([
    ['expired', true, 'its certificate has expired (CERT_HAS_EXPIRED)'],
    ['self-signed', true, 'its certificate is self-signed: name it, or its issuer, in modules.sip.listen.tls.ca (DEPTH_ZERO_SELF_SIGNED_CERT)'],
    ['server', false, 'the issuer of its certificate is not known: name it in modules.sip.listen.tls.ca (UNABLE_TO_VERIFY_LEAF_SIGNATURE)'],
    ['other-name', true, 'its certificate is for another name: DNS:pbx.example.com (ERR_TLS_CERT_ALTNAME_INVALID)'],
  ])('is refused when the certificate is bad: %s, our authority known: %s', async (name, isKnown, why) => {
    const peer = await tlsPeer(name);
    const { table } = await openBench({ tls: { verify: true, ...(isKnown ? { ca } : {}) } });
    await expect(table.to({ transport: 'tls', host: 'localhost', port: peer.port })).rejects.toMatchObject({
      code: 'SIP_TRANSPORT',
      message: `Cannot reach localhost:${peer.port} over tls: ${why}.`,
    });
  });

  it.each(['expired', 'self-signed', 'other-name'])('is opened all the same when certificates are not verified: %s', async (name) => {
    const peer = await tlsPeer(name);
    const { table } = await openBench({ tls: { verify: false } });
    await expect(table.to({ transport: 'tls', host: 'localhost', port: peer.port })).resolves.toMatchObject({ isOpen: true });
  });

  it('shows our certificate to a server that asks for it', async () => {
    const peer = await tlsPeer('server', { requestCert: true, ca: readFileSync(ca) });
    const { table } = await openBench({ tls: { ca, cert: tlsFile('server.pem'), key: tlsFile('server.key'), verify: true } });
    await table.to({ transport: 'tls', host: localhost, port: peer.port });
    expect(((await peer.socket()) as Partial<TLSSocket>).authorized).toBe(true);
  });

  it('says that a server does not speak TLS', async () => {
    const plain = await Peer.listen(createTcpServer((socket) => socket.end('SIP/2.0 400 Bad Request\r\n\r\n')));
    const { table } = await openBench({ tls: { ca, verify: true } });
    await expect(table.to({ transport: 'tls', host: localhost, port: plain.port })).rejects.toThrow(/it does not speak TLS on that port/);
  });

  it('tells that the peer closed it', async () => {
    const peer = await tlsPeer('server');
    const { table, log } = await openBench({ tls: { ca, verify: true } });
    await table.to({ transport: 'tls', host: localhost, port: peer.port });
    (await peer.socket()).end();
    expect(await log.gone()).toEqual([`tls:127.0.0.1:${peer.port}: The peer closed the connection.`]);
  });
});

describe('a TLS connection that we took', () => {
  const listening = {
    listen: { tlsPort: 0 },
    tls: { ca, cert: tlsFile('server.pem'), key: tlsFile('server.key'), verify: true },
  };

  it('is a flow on which answers go back', async () => {
    const { table, log } = await openBench(listening);
    const socket = connect({ host: localhost, port: table.localPorts.tls!, ca: readFileSync(ca) });
    later(() => void socket.destroy());
    await once(socket, 'secureConnect');
    socket.write(message('in'));
    const [first] = await log.arrived(1);
    expect(first!.flow).toMatchObject({ transport: 'tls', remote: { port: socket.localPort } });
    const back = received(socket, message('out').length);
    first!.flow.send(message('out'), noError);
    expect(await back).toBe(message('out'));
  });

  it('is cut when the handshake does not come, and the next one is taken', async () => {
    const { table, log, clock } = await openBench(listening);
    const port = table.localPorts.tls!;
    const mute = connectTcp(port, localhost);
    const noise = connectTcp(port, localhost);
    for (const socket of [mute, noise]) {
      socket.on('error', () => undefined).resume();
      await once(socket, 'connect');
    }
    const noiseGone = once(noise, 'close');
    noise.write(message('in the clear'));
    await noiseGone;
    const muteGone = once(mute, 'close');
    const good = connect({ host: localhost, port, ca: readFileSync(ca) });
    later(() => void good.destroy());
    await once(good, 'secureConnect');
    good.write(message('good'));
    await log.arrived(1);
    log.messages[0]!.flow.welcome!();
    await clock.advance(firstMessageMs);
    await muteGone;
    expect(log.messages[0]!.flow.isOpen).toBe(true);
    expect(log.closed).toEqual([]);
  });
});
