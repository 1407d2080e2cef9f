import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addCompletionCommand } from '../../src/cli/completion.js';
import { completionScripts, completionShells } from '../../src/cli/completion-scripts.js';
import { createProgram } from '../../src/cli/program.js';
import { everyCommand } from '../support/command-lines.js';

/** What bash offers when TAB is pressed at the end of those words. */
async function offered(...words: string[]): Promise<string[]> {
  const line = ['dialog-sip', ...words];
  const ask = `COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _dialog_sip; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await promisify(execFile)('bash', ['--norc', '-c', `${completionScripts.bash(createProgram())}\n${ask}`, 'bash', ...line]);
  return stdout.split('\n').filter((word) => word !== '');
}

describe('dialog-sip completion bash', () => {
  it('completes commands, and those below a command', async () => {
    expect(await offered('reg')).toEqual(['registrations', 'register']);
    expect(await offered('mappings', '')).toEqual(['list', 'add', 'set', 'remove', 'import', 'export', 'help']);
    expect(await offered('completion', '')).toEqual(['bash', 'zsh', 'fish']);
  });

  it('completes the options of the command that they belong to', async () => {
    expect(await offered('calls', '--li')).toEqual(['--live']);
    expect(await offered('mappings', 'set', '7', '--no-can')).toEqual(['--no-can-call', '--no-can-be-called']);
    expect(await offered('calls', '--state')).toEqual([]);
  });

  it('completes what an option may be, and leaves files and texts to the shell', async () => {
    expect(await offered('registrations', '--config', 'c', '--state', 're')).toEqual(['registering', 'registered', 'retrying']);
    expect(await offered('registrations', '--config', '')).toEqual([]);
    expect(await offered('check-config', '')).toEqual([]);
    expect(completionScripts.bash(createProgram())).toContain('complete -o default -F _dialog_sip dialog-sip\n');
  });
});

describe.each(completionShells)('dialog-sip completion %s', (shell) => {
  it('knows every command and every option', () => {
    const script = completionScripts[shell](createProgram());
    for (const { path, command } of everyCommand(createProgram())) {
      for (const { long } of command.options) expect(script, path.join(' ')).toMatch(shell === 'fish' ? `-l ${long?.slice(2) ?? ''}` : (long ?? ''));
      if (path.length > 0) expect(script).toContain(path.at(-1));
    }
  });

  it('quotes what a shell would read otherwise', () => {
    const program = new Command('dialog-sip');
    program.command('odd').summary("isn't $(id) \\ `id`").option('--one <file>', "it's one");
    const script = completionScripts[shell](program);
    const quoted = { bash: '--one', zsh: String.raw`'odd:isn'\''t $(id) \\ ${'`id`'}'`, fish: String.raw`-d 'isn\'t $(id) \\ ${'`id`'}'` }[shell];
    expect(script).toContain(quoted);
  });
});

describe('dialog-sip completion', () => {
  const run = (...words: string[]): string => {
    let text = '';
    const program = new Command('dialog-sip').exitOverride().configureOutput({ writeErr: () => undefined });
    addCompletionCommand(program, (part) => {
      text += part;
    });
    program.commands[0]?.exitOverride().configureOutput({ writeErr: () => undefined });
    program.parse(['completion', ...words], { from: 'user' });
    return text;
  };

  it('prints the script of the program that it belongs to', () => {
    expect(run('fish')).toContain(`complete -c dialog-sip -n '__dialog_sip_at ""' -a completion`);
  });

  it('refuses a shell that it does not know', () => {
    expect(() => run('tcsh')).toThrow(/bash, zsh, fish/);
  });
});
