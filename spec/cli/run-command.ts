/** A command of `dialog-sip`, run in this process. */
import { Command } from 'commander';

export interface Outcome {
  out: string;
  err: string;
  /** What it ended with, if not well. */
  error?: { code?: string; message: string };
}

/** @param add adds the command, which writes with what it is given */
export async function runCommand(words: readonly string[], add: (program: Command, write: (text: string) => void, warn: (text: string) => void) => void): Promise<Outcome> {
  const outcome: Outcome = { out: '', err: '' };
  const write = (text: string): void => {
    outcome.out += text;
  };
  const warn = (text: string): void => {
    outcome.err += text;
  };
  const program = new Command('dialog-sip').exitOverride().configureOutput({ writeOut: write, writeErr: warn });
  add(program, write, warn);
  try {
    await program.parseAsync([...words], { from: 'user' });
  } catch (thrown) {
    outcome.error = thrown as Error;
  }
  return outcome;
}
