import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs the program as its own process, as a person does. */
function dialogSip(env: Record<string, string>, ...words: string[]): Promise<{ status: number; out: string; errors: string }> {
  return new Promise((resolve) => {
    const command = ['--import', 'tsx', 'src/cli/main.ts', ...words];
    const child = execFile(process.execPath, command, { cwd: root, env: { PATH: process.env.PATH, ...env } }, (_, out, errors) => {
      resolve({ status: child.exitCode ?? -1, out, errors });
    });
  });
}

describe('dialog-sip check-config', () => {
  it('prints what the demonstration comes to, with its secret masked', async () => {
    const { status, out, errors } = await dialogSip({}, 'check-config', 'fixtures/server.conf');
    expect({ status, errors }).toEqual({
      status: 0,
      errors: 'warning: modules.sip.secrets.key is not set: SIP passwords are stored unencrypted, those of autocreate among them.\n',
    });
    expect(out).toMatch(/^modules\.sip \{\n {2}extension = "im\.dlg\.sip\.extension\.SipExtension"\n/);
    expect(out).toContain('  register {\n    expires = 30 minutes\n');
    expect(out).toContain('value = "***"');
    expect(out).not.toContain('"playground"');
  });

  it('warns of nothing when there is a key for the passwords', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dialog-sip-conf-'));
    const file = join(folder, 'server.conf');
    await writeFile(file, 'modules.sip.secrets.key = ${SIP_SECRETS_KEY}');
    const SIP_SECRETS_KEY = Buffer.alloc(32, 1).toString('base64');
    const { status, out, errors } = await dialogSip({ SIP_SECRETS_KEY }, 'check-config', file);
    await rm(folder, { recursive: true });
    expect({ status, errors }).toEqual({ status: 0, errors: '' });
    expect(out).toContain('key = "***"');
    expect(out).not.toContain(SIP_SECRETS_KEY);
  });

  it('prints every error with its place on standard error, and fails', async () => {
    const { status, out, errors } = await dialogSip({}, 'check-config', 'fixtures/conf/several-errors.conf');
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(errors.split('\n')[0]).toBe('dialog-sip: the configuration cannot be used (10 problems):');
    expect(errors).toContain('  fixtures/conf/several-errors.conf:3:3: modules.sip.autocreate.host: is missing');
    expect(errors).toContain('  fixtures/conf/several-errors.conf:11:3: modules.sip.calls.ring-timeout: found 0');
    expect(errors).not.toContain('    at ');
  });

  it('explains itself within 80 columns, and fails otherwise when asked wrongly', async () => {
    const help = await dialogSip({}, 'check-config', '--help');
    expect(help.status).toBe(0);
    expect(help.out).toContain('$ dialog-sip check-config /etc/dialog/server.conf');
    expect(help.out.split('\n').filter((line) => line.length > 80)).toEqual([]);
    const usage = await dialogSip({}, 'check-config');
    expect(usage.status).toBe(2);
    expect(usage.errors).toContain("missing required argument 'file'");
  });
});
