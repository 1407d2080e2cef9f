/** The whole `dialog-sip` program as a tree of commands, for running it, for its completion, and for specs that look through it. */
import { createRequire } from 'node:module';
import { Command } from 'commander';
import { addAutocreateCommand } from './autocreate.js';
import { addCallsCommand } from './calls.js';
import { addCheckConfigCommand } from './check-config.js';
import { addCheckSdpCommand } from './check-sdp.js';
import { addCompletionCommand } from './completion.js';
import { addExplainCommand } from './explain.js';
import { addLadderCommand } from './ladder.js';
import { addMappingsCommand } from './mappings.js';
import { addMigrateCommand } from './migrate.js';
import { addRegistrationsCommands } from './registrations.js';
import { addSecretsCommand } from './secrets.js';
import { example } from './wording.js';

/** In the order of the help; each lives in a file of its own that adds itself. */
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
  addCompletionCommand,
];

const exitStatuses = `Exit status: 0 done, 1 it could not be done (the reason is on standard error),
2 it was asked wrongly.`;

/** A new one; what is asked wrongly is thrown as commander's `CommanderError`. */
export function createProgram(): Command {
  const program = new Command('dialog-sip')
    .description('Tools for the SIP extension of a messaging server.')
    .version(packageVersion())
    .exitOverride()
    .showHelpAfterError('(dialog-sip --help tells more)')
    // Of every command: the last words of its help.
    .addHelpText('afterAll', exitStatuses)
    .addHelpText('after', example('check-config server.conf', 'registrations --config server.conf --state parked', 'help check-config'));
  for (const addTo of commands) addTo(program);
  return program;
}

function packageVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('../../package.json');
  const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : undefined;
  return typeof version === 'string' ? version : 'unknown';
}
