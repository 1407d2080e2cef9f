import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { addSecretsCommand, type SecretsWorld } from '../../src/cli/secrets.js';
import type { RewriteProgress } from '../../src/extension/secret-operations.js';
import { runCommand, type Outcome } from './run-command.js';

/** Runs `dialog-sip secrets <args>` over a table that behaves so. */
async function run(args: string, pages: RewriteProgress[], failure?: Error): Promise<Outcome & { bar: (string | number)[]; closed: boolean }> {
  const bar: (string | number)[] = [];
  let closed = false;
  const world: Omit<SecretsWorld, 'write' | 'warn'> = {
    open: () =>
      Promise.resolve({
        count: (scope) => {
          bar.push(scope);
          return Promise.resolve(1_500);
        },
        rewrite: async function* () {
          yield* pages;
          await Promise.resolve();
          if (failure !== undefined) throw failure;
        },
        close: () => {
          closed = true;
          return Promise.resolve();
        },
      }),
    progress: (total, what) => {
      bar.push(`${total} ${what}`);
      return { update: (done) => bar.push(done), stop: () => bar.push('stop') };
    },
  };
  const outcome = await runCommand(['secrets', ...args.split(' ')], (program, write, warn) => {
    addSecretsCommand(program, { ...world, write, warn });
  });
  return { ...outcome, bar, closed };
}

describe('dialog-sip secrets', () => {
  it('tells how many passwords it encrypted, and shows how far it is', async () => {
    const pages = [
      { done: 500, encrypted: 500, problems: [] },
      { done: 1_500, encrypted: 1_500, problems: [] },
    ];
    const { out, err, bar, closed, error } = await run('encrypt --config c', pages);
    expect({ out, err, closed, error }).toEqual({ out: 'Encrypted 1,500 passwords.\n', err: '', closed: true, error: undefined });
    expect(bar).toEqual(['unencrypted', '1500 passwords', 500, 1_500, 'stop']);
  });

  it('says so when there is nothing to do, and asks rotate for another scope', async () => {
    const { out, bar } = await run('rotate --config c', []);
    expect(out).toBe('There is nothing to encrypt.\n');
    expect(bar[0]).toBe('outdated');
  });

  it('does what it can, lists the rows that it cannot, and fails', async () => {
    const { out, err, error } = await run('rotate --config c', [{ done: 2, encrypted: 1, problems: ['row 7: sip_password was changed'] }]);
    expect([out, err]).toEqual(['Encrypted 1 password.\n', '  row 7: sip_password was changed\n']);
    expect(error).toMatchObject({ code: 'MAPPING_INVALID', message: '1 password could not be encrypted and stays as before.' });
  });

  it('takes its bar off the screen and closes the database when it breaks', async () => {
    const { bar, closed, error } = await run('encrypt --config c', [{ done: 500, encrypted: 500, problems: [] }], new Error('gone'));
    expect([bar.at(-1), closed, error?.message]).toEqual(['stop', true, 'gone']);
  });

  it.each(['--help', 'encrypt --help', 'rotate --help'])('explains itself within 80 columns: %s', async (args) => {
    const { out } = await run(args, []);
    expect(out).toContain(args === '--help' ? 'openssl rand -base64 32' : `$ dialog-sip secrets ${args.split(' ')[0]!} --config server.conf`);
    expect(out.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('is of no use without a key, and says how to make one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dialog-sip-conf-'));
    await writeFile(join(folder, 'server.conf'), 'services.postgresql.embedded = data');
    const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
    const { status, err } = await new Promise<{ status: unknown; err: string }>((resolve) => {
      execFile(process.execPath, ['--import', 'tsx', main, 'secrets', 'encrypt', '--config', join(folder, 'server.conf')], (thrown, _out, errors) => {
        resolve({ status: thrown?.code, err: errors });
      });
    });
    await rm(folder, { recursive: true });
    expect(status).toBe(1);
    expect(err).toMatch(/has no key: set modules\.sip\.secrets\.key; this makes one: openssl rand -base64 32\. \(CONFIG_INVALID\)\n$/);
  });
});
