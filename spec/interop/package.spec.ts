import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

/** Somebody else's host, written against the contract alone. */
const typedHost = `
import { SipExtension, loadExtension } from 'dialog-sip-extension';
import type { CallCommand, CallUpdate, ExtensionHost, ExtensionStatus, HostExtension, Peer } from 'dialog-sip-extension';
import { CallNotFoundError, ConfigError, ExtensionError, type ErrorCode } from 'dialog-sip-extension';

export async function start(host: ExtensionHost, tree: Record<string, unknown>): Promise<ExtensionStatus> {
  const extension: HostExtension = await loadExtension(tree);
  await extension.init(host);
  const from: Peer = { type: 1, id: 7 };
  const command: CallCommand = {
    type: 'create', callId: 'a', from, to: { address: '600' }, description: { type: 'offer', sdp: 'v=0' },
  };
  await extension.onCall(command);
  return extension.status();
}
export const own: HostExtension = new SipExtension();
export function codeOf(thrown: unknown): ErrorCode | undefined {
  if (thrown instanceof ConfigError || thrown instanceof CallNotFoundError) return thrown.code;
  return thrown instanceof ExtensionError ? thrown.code : undefined;
}
export function told(update: CallUpdate): string {
  return update.type === 'ended' ? update.message : update.type;
}
// @ts-expect-error a hook that is not in the contract
own.onNothing();
`;

describe('the package as somebody installs it', () => {
  let project: string;

  beforeAll(async () => {
    project = await mkdtemp(join(tmpdir(), 'package-'));
    await run('npm', ['pack', '--silent', '--pack-destination', project], { cwd: root });
    const tarball = (await readdir(project)).find((name) => name.endsWith('.tgz')) ?? 'no tarball';
    await writeFile(join(project, 'package.json'), '{"name":"somebody","private":true,"type":"module"}');
    // Without the embedded database: it is optional, and the package must load without it.
    await run('npm', ['install', '--silent', '--prefer-offline', '--omit=optional', `./${tarball}`], { cwd: project });
  });

  afterAll(async () => {
    await rm(project, { recursive: true, force: true });
  });

  test('can be imported, and gives the extension, its loader and the errors', async () => {
    const script = `
      import * as all from 'dialog-sip-extension';
      const extension = await all.loadExtension({ modules: { sip: { extension: all.SipExtension.id } } });
      console.log(JSON.stringify({
        id: all.SipExtension.id, loaded: extension instanceof all.SipExtension, ready: extension.status().ready,
        error: new all.CallNotFoundError('x').code,
      }));`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: project });
    expect(JSON.parse(stdout)).toEqual({
      id: 'im.dlg.sip.extension.SipExtension',
      loaded: true,
      ready: false,
      error: 'CALL_NOT_FOUND',
    });
  });

  test('types a host that is written against the contract', async () => {
    await writeFile(join(project, 'host.ts'), typedHost);
    await mkdir(join(project, 'node_modules', '@types'), { recursive: true });
    for (const name of ['@types/node', 'undici-types']) {
      await cp(join(root, 'node_modules', name), join(project, 'node_modules', name), { recursive: true });
    }
    const options = {
      compilerOptions: {
        ...{ strict: true, noEmit: true, target: 'ES2023', module: 'NodeNext', moduleResolution: 'NodeNext' },
        ...{ lib: ['ES2023'], types: ['node'] },
      },
      files: ['host.ts'],
    };
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify(options));
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { stdout } = await run(process.execPath, [compiler, '-p', project], { cwd: project }).catch(
      (failed: unknown) => failed as { stdout: string },
    );
    // What other packages' own declarations do not say right is not ours to fix.
    expect(stdout.split('\n').filter((line) => line !== '' && !line.startsWith('node_modules/knex'))).toEqual([]);
  });

  test('brings the command dialog-sip', async () => {
    const { stdout } = await run('npx', ['--no-install', 'dialog-sip', '--help'], { cwd: project });
    expect(stdout).toContain('check-config');
    expect(stdout).toContain('mappings');
  });

  test('carries its migrations and licence, and no sources, specs or secrets', async () => {
    const installed = join(project, 'node_modules', 'dialog-sip-extension');
    const files = await readdir(installed, { recursive: true });
    const wanted = ['schema/001_sip_user_mappings.sql', 'LICENSE', 'README.md', 'CHANGELOG.md', 'dist/index.d.ts'];
    expect(wanted.filter((name) => !files.includes(name)), 'files that are missing').toEqual([]);
    expect(files.filter((name) => /^(src|spec|data|node_modules)\b|\.(key|pem)$|^\.env/.test(name))).toEqual([]);
    const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as { version: string };
    expect(manifest.version).toMatch(/^\d+\.\d+\.\d+$/);
  });
});
