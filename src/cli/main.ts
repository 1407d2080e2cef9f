#!/usr/bin/env node
/**
 * The `dialog-sip` program. Each command lives in a file of its own that adds itself to the program; here stand only
 * the list of them and what becomes of errors. Exit status: 0 done, 1 it could not be done, 2 it was asked wrongly.
 */
import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { ConfigError, ExtensionError, describeIssue } from '../base/errors.js';
import { addAutocreateCommand } from './autocreate.js';
import { addCallsCommand } from './calls.js';
import { addCheckConfigCommand } from './check-config.js';
import { addCheckSdpCommand } from './check-sdp.js';
import { addExplainCommand } from './explain.js';
import { addLadderCommand } from './ladder.js';
import { addMappingsCommand } from './mappings.js';
import { addMigrateCommand } from './migrate.js';
import { addRegistrationsCommands } from './registrations.js';
import { addSecretsCommand } from './secrets.js';

const commands: readonly ((program: Command) => void)[] = [
  addCheckConfigCommand,
  addCheckSdpCommand,
  addExplainCommand,
  addMigrateCommand,
  addMappingsCommand,
  addRegistrationsCommands,
  addCallsCommand,
  addLadderCommand,
  addSecretsCommand,
  addAutocreateCommand,
];

// `| head` reads no more: what is under way ends in good order, unread.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
process.exitCode = await run(process.argv);

/** Runs one command line to its end and gives the exit status. */
async function run(argv: readonly string[]): Promise<number> {
  const program = new Command('dialog-sip')
    .description('Tools for the SIP extension of a messaging server.')
    .version(packageVersion())
    .exitOverride()
    .showHelpAfterError('(dialog-sip --help tells more)')
    .addHelpText(
      'after',
      `
Examples:
  $ dialog-sip check-config server.conf
  $ dialog-sip registrations --config server.conf --state parked
  $ dialog-sip help check-config`,
    );
  for (const addTo of commands) addTo(program);
  try {
    await program.parseAsync([...argv]);
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

function packageVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('../../package.json');
  const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : undefined;
  return typeof version === 'string' ? version : 'unknown';
}
