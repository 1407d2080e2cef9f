#!/usr/bin/env node
/**
 * Runs `dialog-sip`: what becomes of errors, and the exit status. 0 done, 1 it could not be done, 2 it was asked wrongly.
 */
import { CommanderError } from 'commander';
import { ConfigError, ExtensionError, describeIssue } from '../base/errors.js';
import { createProgram } from './program.js';

// `| head` reads no more: what is under way ends in good order, unread.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
process.exitCode = await run(process.argv);

/** Runs one command line to its end and gives the exit status. */
async function run(argv: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync([...argv]);
    return 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
    process.stderr.write(`${describeError(thrown)}\n`);
    return 1;
  }
}

/** One block: what went wrong, in words; a stack only for what is a fault of this program. */
function describeError(thrown: unknown): string {
  if (thrown instanceof ConfigError) {
    const count = thrown.issues.length === 1 ? '1 problem' : `${thrown.issues.length} problems`;
    return [`dialog-sip: the configuration cannot be used (${count}):`, ...thrown.issues.map((issue) => `  ${describeIssue(issue)}`)].join('\n');
  }
  if (thrown instanceof ExtensionError) return `dialog-sip: ${thrown.message} (${thrown.code})`;
  return `dialog-sip: unexpected: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`;
}
