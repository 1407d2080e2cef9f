import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { createLogger } from 'winston';
import type { ExtensionHost, HostExtension } from '../../src/host/contract.js';
import { runProgram, type ProgramOptions } from '../../src/reference-host/program.js';
import { FakeExtension } from './fake-extension.js';
import { ScriptedExtension } from './scripted-extension.js';

const release: (() => void)[] = [];

afterEach(() => {
  for (const close of release.splice(0)) close();
});

function tree(change: { port?: number; udpPort?: number; host?: string; mode?: string } = {}): Record<string, unknown> {
  return {
    modules: {
      sip: {
        extension: 'im.dlg.sip.extension.SipExtension',
        autocreate: {
          on: true,
          host: change.host ?? '127.0.0.1',
          port: change.port ?? 0,
          'user-prefix': 'dialog',
          password: { mode: change.mode ?? 'fixed', value: 'hunter2' },
        },
        listen: { host: '127.0.0.1', 'udp-port': change.udpPort ?? 0, 'tcp-port': 0 },
      },
    },
    services: { postgresql: { embedded: '../data' } },
  };
}

interface Run {
  lines: string[];
  ended: Promise<number>;
  stop: () => void;
  /** Resolves once a line like that was printed. */
  printed: (pattern: RegExp) => Promise<string>;
}

function run(extension: HostExtension, options: Partial<ProgramOptions> & { tree?: Record<string, unknown> } = {}): Run {
  const lines: string[] = [];
  const stop = new AbortController();
  const ended = runProgram({
    conf: '/somewhere/fixtures/server.conf',
    once: true,
    httpPort: 0,
    sdpFolder: new URL('../../fixtures/sdp/', import.meta.url),
    readServerConf: () => Promise.resolve({ tree: options.tree ?? tree() }),
    loadExtension: () => Promise.resolve(extension),
    logger: createLogger({ silent: true }),
    print: (line) => lines.push(line),
    stopAsked: stop.signal,
    ...options,
  });
  const printed = (pattern: RegExp) => expect.poll(() => lines.find((line) => pattern.test(line)), { timeout: 10_000 }).toBeTruthy();
  return {
    lines,
    ended,
    stop: () => {
      stop.abort();
    },
    printed: async (pattern) => {
      await printed(pattern);
      return lines.find((line) => pattern.test(line)) ?? '';
    },
  };
}

describe('the demonstration', () => {
  it('registers two users, carries a call between them through the registrar and shows both as they happened', async () => {
    const { lines, ended } = run(new ScriptedExtension());
    expect(await ended, lines.join('\n')).toBe(0);
    const ladder = lines.filter((line) => line.includes('│')).map((line) => line.replace(/[│─<>]+/g, ' ').trim().replace(/ +/g, ' '));
    expect(ladder).toEqual([
      'user 1 created: Alice',
      'REGISTER dialog1',
      '401 Unauthorized (REGISTER)',
      'REGISTER dialog1',
      '200 OK (REGISTER)',
      'user 2 created: Bob',
      'REGISTER dialog2',
      '401 Unauthorized (REGISTER)',
      'REGISTER dialog2',
      '200 OK (REGISTER)',
      'Alice: call dialog2@127.0.0.1',
      'INVITE dialog2',
      expect.stringMatching(/^407 Proxy Auth/),
      'INVITE dialog2',
      'Bob: incoming',
      'Bob: ringing',
      '180 Ringing (INVITE)',
      'Alice: now ringing',
      'Bob: answer',
      '200 OK (INVITE)',
      expect.stringMatching(/^(Alice: now talking|ACK dialog2)$/),
      expect.stringMatching(/^(Alice: now talking|ACK dialog2)$/),
      'Bob: now talking',
      'Alice: hangup',
      'BYE dialog2',
      'Bob: ended, normal',
      '200 OK (BYE)',
      'Alice: ended, normal',
    ]);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.join()).not.toContain('hunter2');
    expect(lines.at(-1)).toContain('Un-registered all users');
  });

  it('serves on until it is told to stop, and its examples work', async () => {
    const { lines, ended, stop, printed } = run(new ScriptedExtension(), { once: false });
    const url = (await printed(/^Messenger:/)).split(/ +/)[1] ?? '';
    await printed(/Ctrl-C/);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(((await (await fetch(`${url}/api/status`)).json()) as { ready: boolean }).ready).toBe(true);
    const json = { 'content-type': 'application/json' };
    const session = await fetch(`${url}/api/session`, { method: 'POST', headers: json, body: '{"userId":1}' });
    const token = (await session.text()).split('"')[3] ?? '';
    const created = await fetch(`${url}/api/users`, { method: 'POST', headers: { ...json, authorization: `Bearer ${token}` }, body: '{"name":"Carol"}' });
    expect(await created.json()).toEqual({ id: 4, name: 'Carol' });
    stop();
    expect(await ended).toBe(0);
    expect(lines.at(-1)).toContain('Un-registered all users');
    await expect(fetch(`${url}/api/status`)).rejects.toThrow();
  });

  it('takes free ports for busy ones and says which, and lets the accounts of its usual port alone', async () => {
    const udp = createSocket('udp4');
    udp.bind(0, '127.0.0.1');
    const tcp = createServer();
    tcp.listen(0, '127.0.0.1');
    await Promise.all([once(udp, 'listening'), once(tcp, 'listening')]);
    release.push(
      () => udp.close(),
      () => tcp.close(),
    );
    const busy = udp.address().port;
    const httpPort = (tcp.address() as AddressInfo).port;
    let folder: unknown;
    class Curious extends ScriptedExtension {
      override init(host: ExtensionHost): Promise<void> {
        expect(host.config).toMatchObject({ tree: { services: { postgresql: { embedded: expect.stringContaining(tmpdir()) as string } } } });
        folder = (host.config as { tree: { services: { postgresql: { embedded: string } } } }).tree.services.postgresql.embedded;
        return super.init(host);
      }
    }
    const { lines, ended } = run(new Curious(), { httpPort, tree: tree({ port: busy, udpPort: busy }) });
    expect(await ended, lines.join('\n')).toBe(0);
    expect(existsSync(String(folder))).toBe(false);
    expect(lines.slice(0, 3)).toEqual([
      expect.stringMatching(new RegExp(`^Port ${busy} is busy: the playground registrar takes \\d+\\.$`)),
      `UDP port ${busy} is busy: the extension takes a free one.`,
      expect.stringMatching(new RegExp(`^HTTP port ${httpPort} is busy: the reference host takes \\d+\\.$`)),
    ]);
  });

  it('gives the extension the folder of its database from the place of server.conf', async () => {
    const extension = new FakeExtension();
    const free = createSocket('udp4');
    free.bind(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address();
    await new Promise<void>((resolve) => free.close(resolve));
    const { stop, printed, ended } = run(extension, { tree: tree({ port }) });
    await expect.poll(() => extension.told).toContain('created 1');
    expect(extension.host.config).toMatchObject({ tree: { services: { postgresql: { embedded: '/somewhere/data' } } } });
    stop();
    expect(await ended).toBe(0);
    await printed(/Un-registered/);
    expect(extension.stops).toBe(1);
  });

  it('says in a sentence what keeps it from running, and ends with 1', async () => {
    const elsewhere = run(new ScriptedExtension(), { tree: tree({ host: 'pbx.example.com', mode: 'random' }) });
    expect(await elsewhere.ended).toBe(1);
    expect(elsewhere.lines.join('\n')).toMatch(/autocreate\.host must be a loopback address.*\n.*password\.mode must be fixed/);
    const unreadable = run(new ScriptedExtension(), { readServerConf: () => Promise.reject(new Error('server.conf:3:1: no such key')) });
    expect(await unreadable.ended).toBe(1);
    expect(unreadable.lines).toEqual(['The demonstration failed: server.conf:3:1: no such key']);
  });

  it('tells which step of the call did not come, closes everything and ends with 1', async () => {
    class Silent extends ScriptedExtension {
      override onCall(): Promise<void> {
        return Promise.reject(new Error('broken'));
      }
    }
    const { lines, ended } = run(new Silent());
    expect(await ended).toBe(1);
    expect(lines[0]).toMatch(/^The demonstration failed: Alice waited for ringing/);
    expect(lines.at(-1)).toContain('Un-registered all users');
  });
});
