/** Command lines of `dialog-sip` as they stand in a help text or a page, and whether the program would take them. Nothing is run. */
import type { Command } from 'commander';
import { CommanderError } from 'commander';
import { createProgram } from '../../src/cli/program.js';

/** The commands of a tree, each with its words: `['mappings', 'list']`. */
export function everyCommand(command: Command, path: readonly string[] = []): { path: readonly string[]; command: Command }[] {
  return [{ path, command }, ...command.commands.flatMap((child) => everyCommand(child, [...path, child.name()]))];
}

/** Words as a shell sees them, up to where another command or a file begins; `\` at the end of a line goes on with the next. */
export function shellWords(line: string): string[] {
  const tokens = line.replaceAll(/\\\n\s*/g, '').match(/(?:'[^']*'|"[^"]*"|\\.|[^\s'"|;<>&#\\])+|[|;<>&#]/g) ?? [];
  const end = tokens.findIndex((token) => /^[|;<>&#]/.test(token));
  return tokens.slice(0, end === -1 ? undefined : end).map((token) => token.replaceAll(/'([^']*)'|"([^"]*)"|\\(.)/g, '$1$2$3'));
}

/** Every `dialog-sip ...` of a text, at the start of a line or behind a pipe. */
export function commandLines(text: string): string[] {
  return [...text.matchAll(/(?:^|[|;&$])[ \t]*(dialog-sip(?:[ \t](?:\\\n|[^\n])*)?)$/gm)].map(([, line = '']) => line);
}

/**
 * What the program says to such a line; undefined when it would do what is asked.
 * @param isWhole false for one that only names a command, and leaves out what it needs
 */
export async function refusalOf(line: string, isWhole: boolean): Promise<string | undefined> {
  const program = createProgram();
  for (const { command } of everyCommand(program)) {
    command.exitOverride().configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
    if (command.commands.length === 0) command.action(() => undefined);
  }
  try {
    await program.parseAsync(shellWords(line).slice(1), { from: 'user' });
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    const isIncomplete = ['commander.missingMandatoryOptionValue', 'commander.missingArgument', 'commander.optionMissingArgument', 'commander.help'].includes(thrown.code);
    return thrown.exitCode === 0 || (isIncomplete && !isWhole) ? undefined : `${line}: ${thrown.message}`;
  }
}
