/** What is offered when somebody presses TAB, by the shells themselves; bash is asked in `spec/cli/completion.spec.ts`. */
import { execFile, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { completionScripts } from '../../src/cli/completion-scripts.js';
import { createProgram } from '../../src/cli/program.js';
import { lacks } from './support/install.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'completion-'));
  await writeFile(join(folder, '_dialog-sip'), completionScripts.zsh(createProgram()));
  await writeFile(join(folder, 'dialog-sip.fish'), completionScripts.fish(createProgram()));
  await writeFile(join(folder, 'server.conf'), '');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe.skipIf(lacks('fish'))('fish', () => {
  async function offered(line: string): Promise<string[]> {
    const { stdout } = await promisify(execFile)('fish', ['--no-config', '-c', `source dialog-sip.fish; complete -C ${JSON.stringify(line)}`], { cwd: folder });
    return stdout.trimEnd().split('\n');
  }

  it('offers commands with what they are for, those of a group, and those that there is help for', async () => {
    expect(await offered('dialog-sip regis')).toEqual(['register\tregister one mapping now', 'registrations\twho is registered, who is not, and why']);
    expect(await offered('dialog-sip secrets ')).toEqual([expect.stringMatching(/^encrypt\t/), expect.stringMatching(/^help\t/), expect.stringMatching(/^rotate\t/)]);
    expect(await offered('dialog-sip help mig')).toEqual([expect.stringMatching(/^migrate\t/)]);
  });

  it('offers the options of the command that the words lead to, whatever a value is called', async () => {
    expect(await offered('dialog-sip mappings set 7 --display-name list --no-can')).toEqual(['--no-can-be-called', '--no-can-call']);
    expect(await offered('dialog-sip calls --li')).toEqual([expect.stringMatching(/^--live\t/)]);
  });

  it('offers what an option may be, and files where one is wanted', async () => {
    expect((await offered('dialog-sip registrations --config c --state re')).map((word) => word.split('\t')[0])).toEqual(['registered', 'registering', 'retrying']);
    expect(await offered('dialog-sip check-config ser')).toEqual(['server.conf']);
    expect(await offered('dialog-sip status --config ser')).toEqual(['server.conf']);
    expect(await offered('dialog-sip explain --from ser')).toEqual(['']);
  });
});

describe.skipIf(lacks('zsh'))('zsh', () => {
  let shell: ChildProcessWithoutNullStreams;
  let screen = '';

  beforeAll(async () => {
    // A terminal for it: without one it completes nothing.
    shell = spawn('script', ['-qec', 'zsh -f -i', '/dev/null'], { cwd: folder, env: { ...process.env, TERM: 'dumb' } });
    shell.stdout.on('data', (chunk: Buffer) => {
      screen += chunk.toString().replaceAll('\r', '');
    });
    shell.stdin.write(`stty cols 120 rows 60; PROMPT='re''ady> '; fpath=($PWD $fpath); autoload -U compinit; compinit -u -D; unsetopt listbeep listambiguous\n`);
    await shows('ready> ');
  }, 30_000);

  afterAll(async () => {
    const ended = new Promise((resolve) => shell.once('close', resolve));
    shell.stdin.end('\u0015exit\n');
    await ended;
  });

  const shows = (text: string): Promise<void> =>
    vi.waitFor(() => {
      expect(screen).toContain(text);
    }, 20_000);

  /** What is on the screen after TAB at the end of that line, once it has those words. */
  async function onScreen(line: string, ...words: string[]): Promise<string> {
    screen = '';
    shell.stdin.write(`\u0015${line}`);
    await shows(line);
    screen = '';
    shell.stdin.write('\t');
    for (const word of words) await shows(word);
    return screen;
  }

  it('offers commands with what they are for, and those of a group', async () => {
    await onScreen('dialog-sip regis', 'register       -- register one mapping now', 'registrations  -- who is registered, who is not, and why');
    await onScreen('dialog-sip secrets ', 'encrypt  -- ', 'help     -- ', 'rotate   -- ');
  });

  it('offers words and options that need no saying as a plain list', async () => {
    expect(await onScreen('dialog-sip completion ', 'bash', 'fish', 'zsh')).not.toContain('--');
    expect(await onScreen('dialog-sip mappings set 7 --no-can', '--no-can-be-called', '--no-can-call')).not.toMatch(/-- *$/m);
  });

  it('offers what an option may be, and files where one is wanted', async () => {
    await onScreen('dialog-sip registrations --config c --state re', 'registered', 'registering', 'retrying');
    await onScreen('dialog-sip check-config ser', 'ver.conf');
    await onScreen('dialog-sip status --config ser', 'ver.conf');
  });
});
