import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.js';
import { commandLines, everyCommand, refusalOf } from '../support/command-lines.js';

/** As `--help` prints it on a terminal of 80 columns. */
function helpOf(path: readonly string[]): string {
  let text = '';
  const program = createProgram();
  for (const { command } of everyCommand(program)) {
    command.configureOutput({
      getOutHelpWidth: () => 80,
      writeOut: (part) => {
        text += part;
      },
    });
  }
  everyCommand(program).find((entry) => entry.path.join(' ') === path.join(' '))?.command.outputHelp();
  return text;
}

const paths = everyCommand(createProgram()).map(({ path }) => path);

describe('the help of each command', () => {
  it.each(paths.map((path) => ['dialog-sip', ...path].join(' ')))('has examples that work and the exit statuses, in 80 columns: %s', async (name) => {
    const help = helpOf(name.split(' ').slice(1));
    expect(help.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(help).toMatch(/\n\nExit status: 0 done, 1 .*\n2 it was asked wrongly\.\n$/);
    expect(help).not.toContain('\n\n\n');
    const examples = commandLines(help.slice(help.search(/\nExamples?:/)));
    expect(examples).not.toEqual([]);
    expect((await Promise.all(examples.map((line) => refusalOf(line, true)))).filter((refusal) => refusal !== undefined)).toEqual([]);
  });

  it('says what a wrong command line lacks', async () => {
    expect(await refusalOf('dialog-sip mappings list', true)).toContain("required option '--config <file>' not specified");
    expect(await refusalOf('dialog-sip mappings list', false)).toBeUndefined();
    expect(await refusalOf('dialog-sip registrations --config c --state lost', true)).toContain("'lost' is invalid");
    expect(await refusalOf('dialog-sip mapings list', false)).toContain('unknown command');
    expect(await refusalOf('dialog-sip status --config c --josn', false)).toContain("unknown option '--josn'");
  });
});
