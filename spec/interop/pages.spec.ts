/** What the pages tell people to run, and what needs no server for it, is run in a folder that has the files it names; configurations of others are checked by them. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandLines } from '../support/command-lines.js';
import { pages, root } from '../support/pages.js';
import { withSbin } from './support/kamailio-rpc.js';
import { Program } from './support/program.js';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pages-'));
  const files = { 'server.conf': 'server.conf', 'offer.sdp': 'sdp/chrome-audio-offer.sdp', 'answer.sdp': 'sdp/chrome-audio-answer.sdp' };
  for (const [name, fixture] of Object.entries(files)) copyFileSync(join(root, 'fixtures', fixture), join(folder, name));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Indented, or fenced as `sh`; without those that need a server, a database or the network. */
const runnable = /^(?:dialog-sip (?:check-config|check-sdp|completion) |printf |openssl )/;
const commands = [...new Set(pages.flatMap(({ blocks }) => blocks.filter(({ language }) => ['', 'sh'].includes(language)).flatMap(({ text }) => text.split('\n').filter((line) => runnable.test(line)))))];

function run(line: string): Promise<{ failed: boolean; out: string; errors: string }> {
  const script = `set -o pipefail; dialog-sip() { "${process.execPath}" --import "${import.meta.resolve('tsx')}" "${join(root, 'src/cli/main.ts')}" "$@"; }; ${line}`;
  const env = { PATH: process.env.PATH, SECRET: 'sixteen-or-more-characters', SIP_DERIVE_SECRET: 'sixteen-or-more-characters' };
  return new Promise((resolve) => {
    execFile('bash', ['--norc', '-c', script], { cwd: folder, env }, (failure, out, errors) => {
      resolve({ failed: failure !== null, out, errors });
    });
  });
}

describe('the commands in the pages that can run alone', () => {
  it('are some', () => {
    expect(commands).toContain('dialog-sip check-config server.conf');
    expect(commands.length).toBeGreaterThan(4);
  });

  it.each(commands)('do what they are for: %s', async (line) => {
    const { failed, out, errors } = await run(line);
    expect({ failed, errors: errors.replaceAll(/^warning: .*\n/gm, '') }).toEqual({ failed: false, errors: '' });
    expect(out.trim()).not.toBe('');
  });

  it('fail when they are wrong', async () => {
    expect(await run('dialog-sip check-config nowhere.conf')).toMatchObject({ failed: true });
  });
});

describe('docs/install.md', () => {
  it('has commands that work one after the other on an empty database, but for those that ask a running server', async () => {
    writeFileSync(join(folder, 'password.txt'), 'secret\n');
    writeFileSync(join(folder, 'users.csv'), 'id,name,nick,disabled\n434,Ann,ann,false\n435,Bob,bob,true\n');
    const server = 'modules.sip.autocreate { on = true, host = pbx.example.com, user-prefix = dialog }\nservices.postgresql.embedded = data\n';
    writeFileSync(join(folder, 'server.conf'), server);
    const page = pages.find(({ path }) => path === 'docs/install.md');
    const lines = page?.blocks.flatMap(({ text }) => commandLines(text)).filter((line) => !/ (?:status|registrations) /.test(line)) ?? [];
    const told: string[] = [];
    for (const line of lines) {
      const { failed, out, errors } = await run(line);
      expect({ line, failed, errors: errors.replaceAll(/^warning: .*\n/gm, '') }).toEqual({ line, failed: false, errors: '' });
      told.push(out);
    }
    expect(told.join('')).toMatch(/Migration of [^]*Made 1 mapping\.\n1 disabled user left out\.\nAdded mapping 2\.\n[^]*Placed: INVITE sip:600@pbx\.example\.com through dialog434@pbx\.example\.com/);
  });
});

describe('docs/recipes.md', () => {
  it('has a configuration that Kamailio takes', async () => {
    const recipe = pages.find(({ path }) => path === 'docs/recipes.md')?.blocks.find(({ language }) => language === 'kamailio');
    const file = join(folder, 'kamailio.cfg');
    writeFileSync(file, recipe?.text ?? 'there is none');
    const check = new Program('kamailio', ['-c', '-f', file], { env: withSbin() });
    const { code } = await check.ended;
    expect({ code, output: code === 0 ? '' : check.output }).toEqual({ code: 0, output: '' });
  });
});
