import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { nothing, TestBrowser, untilMore } from './support/browser.js';
import { lacks } from './support/install.js';
import { Program } from './support/program.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('what npm start shows', () => {
  let copy: string;
  let demo: Program | undefined;

  beforeAll(async () => {
    // A copy, so that its database is not the one of whoever runs the specs in a checkout.
    await promisify(execFile)('npm', ['run', '--silent', 'build'], { cwd: root });
    copy = await mkdtemp(join(tmpdir(), 'demo-'));
    for (const name of await readdir(root)) {
      if (['dist', 'fixtures', 'schema', 'package.json'].includes(name)) {
        await cp(join(root, name), join(copy, name), { recursive: true });
      }
    }
    await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  });

  afterEach(async () => {
    await demo?.kill();
    demo = undefined;
  });

  afterAll(async () => {
    await rm(copy, { recursive: true, force: true });
  });

  const start = (...args: string[]): Program => {
    demo = new Program(process.execPath, ['dist/reference-host/main.js', ...args], { cwd: copy });
    return demo;
  };

  test('--once registers two users, lets one call the other through the registrar, prints the ladder and ends', async () => {
    const run = start('--once');
    expect(await run.ended, run.describe()).toEqual({ code: 0, signal: null });
    for (const word of ['REGISTER', 'INVITE', '180', '200', 'ACK', 'BYE']) expect(run.output).toContain(word);
    expect(run.output.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  test.skipIf(lacks('chromium'))('600 answers with an echo: whoever calls it hears and sees themselves', async () => {
    const run = start('--port', '0');
    await run.prints(/Serving until/, 60_000);
    const url = /Messenger: +(\S+)/.exec(run.output)?.[1] ?? '';
    const browser = await TestBrowser.start();
    try {
      const alice = await browser.open(url);
      await alice.getByRole('button', { name: 'Alice' }).click();
      await alice.getByLabel('Number or SIP address').fill('600');
      await alice.getByRole('button', { name: 'Dial with video' }).click();
      await alice.getByText(/^Talking/).waitFor();
      await untilMore(alice, nothing, ['audioEnergy', 'videoFrames']);
      await browser.picture(alice, 'messenger-echo');
      await alice.getByRole('button', { name: 'Hang up' }).click();
      await alice.getByText('The call was ended here.').first().waitFor();
      expect(browser.errors).toEqual([]);
    } finally {
      await browser.stop();
    }
    run.signal('SIGINT');
    expect(await run.ended, run.describe()).toEqual({ code: 0, signal: null });
  });

  test('Ctrl-C un-registers and ends clean, and a second start finds its database as it was', async () => {
    const run = start();
    await run.prints(/https?:\/\/127\.0\.0\.1:\d+/, 60_000);
    run.signal('SIGINT');
    expect(await run.ended, run.describe()).toEqual({ code: 0, signal: null });
    expect(run.output).toMatch(/un-?regist/i);
    const again = start('--once');
    expect(await again.ended, again.describe()).toEqual({ code: 0, signal: null });
  });
});
