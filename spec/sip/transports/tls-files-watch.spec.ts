import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tlsPollMs } from '../../../src/sip/transports/tls-files-watch.js';
import { type Bench, closeAll, later, localhost, message, openBench, Peer, tlsFile } from './flow-harness.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tls-files-'));
  later(() => {
    rmSync(folder, { recursive: true });
  });
  use('server');
  copyFileSync(tlsFile('ca.pem'), join(folder, 'ca.pem'));
});

afterEach(closeAll);

/** Puts a certificate of fixtures/tls where the table reads its own. */
function use(name: string): void {
  copyFileSync(tlsFile(`${name}.pem`), join(folder, 'cert.pem'));
  copyFileSync(tlsFile(`${name}.key`), join(folder, 'cert.key'));
}

function openListening(): Promise<Bench> {
  const tls = { ca: join(folder, 'ca.pem'), cert: join(folder, 'cert.pem'), key: join(folder, 'cert.key'), verify: true };
  return openBench({ listen: { tlsPort: 0 }, tls });
}

/** The names in the certificate that the table shows to a new connection. */
async function shownName(bench: Bench): Promise<string | undefined> {
  const socket = connect({ host: localhost, port: bench.table.localPorts.tls!, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { subjectaltname } = socket.getPeerCertificate();
  const closed = once(socket, 'close');
  socket.destroy();
  await closed;
  return subjectaltname;
}

/** Files are read off the manual clock: looks again until it is so. */
async function eventually(bench: Bench, holds: () => Promise<boolean> | boolean): Promise<void> {
  await expect
    .poll(async () => {
      await bench.clock.advance(tlsPollMs);
      return holds();
    })
    .toBe(true);
}

describe('certificates that are renewed', () => {
  it('are shown to new connections, and connections that are there go on', async () => {
    const bench = await openListening();
    const before = connect({ host: localhost, port: bench.table.localPorts.tls!, ca: readFileSync(tlsFile('ca.pem')) });
    later(() => void before.destroy());
    await once(before, 'secureConnect');
    // What brought no message in time would be cut.
    before.write(message('before'));
    await bench.log.arrived(1);
    expect(await shownName(bench)).toContain('localhost');
    use('other-name');
    await eventually(bench, async () => (await shownName(bench)) === 'DNS:pbx.example.com');
    expect([before.readyState, bench.log.faults]).toEqual(['open', []]);
  });

  it('are told when they cannot be used, once, and those of before go on being shown', async () => {
    const bench = await openListening();
    writeFileSync(join(folder, 'cert.pem'), 'half a cert');
    await eventually(bench, () => bench.log.faults.length > 0);
    await bench.clock.advance(10 * tlsPollMs);
    expect(bench.log.faults.map(({ message }) => message)).toEqual([
      `modules.sip.listen.tls.cert: ${join(folder, 'cert.pem')} is not a PEM file. What was read before goes on being used.`,
    ]);
    expect(await shownName(bench)).toContain('localhost');
    use('other-name');
    await eventually(bench, async () => (await shownName(bench)) === 'DNS:pbx.example.com');
  });

  it('hold for connections that we open: whom we trust', async () => {
    const bench = await openListening();
    const server = createServer({ cert: readFileSync(tlsFile('self-signed.pem')), key: readFileSync(tlsFile('self-signed.key')) });
    const peer = await Peer.listen(server, 'secureConnection');
    const open = (): Promise<boolean> =>
      bench.table.to({ transport: 'tls', host: 'localhost', port: peer.port }).then(
        () => true,
        () => false,
      );
    expect(await open()).toBe(false);
    copyFileSync(tlsFile('self-signed.pem'), join(folder, 'ca.pem'));
    await eventually(bench, open);
  });
});

describe('without certificates', () => {
  it('nothing is watched', async () => {
    const { clock } = await openBench();
    expect(clock.pending).toBe(0);
  });
});
