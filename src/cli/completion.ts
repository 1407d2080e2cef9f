/** `dialog-sip completion SHELL`: what a shell offers when somebody presses TAB, read off the tree of commands. */
import { Argument, type Command } from 'commander';
import { completionScripts, completionShells, type CompletionShell } from './completion-scripts.js';
import { example } from './wording.js';

export function addCompletionCommand(program: Command, write: (text: string) => void = toStandardOutput): void {
  program
    .command('completion')
    .summary('print a script that lets a shell complete commands and options')
    .description(
      'Prints a script for a shell, with which TAB completes commands, options, what\n' +
        'an option may be, and files.',
    )
    .addArgument(new Argument('<shell>', 'whose script').choices(completionShells))
    .addHelpText(
      'after',
      example('completion bash \\\n      > ~/.local/share/bash-completion/completions/dialog-sip', 'completion zsh > ~/.zfunc/_dialog-sip', 'completion fish > ~/.config/fish/completions/dialog-sip.fish'),
    )
    .action((shell: CompletionShell) => {
      write(completionScripts[shell](program));
    });
}

function toStandardOutput(text: string): void {
  process.stdout.write(text);
}
