/** `dialog-sip autocreate ...`: SIP accounts for messenger users. */
import type { Command } from 'commander';
import { ExtensionError } from '../base/errors.js';
import { openBackfill, type BackfillOperations, type BackfillProgress } from '../extension/backfill-operations.js';
import { readStandardInput, readText } from './files.js';
import { showProgress, type Progress } from './progress.js';
import { counted, example, list } from './wording.js';

/** The world of the commands; specs give another. */
export interface AutocreateWorld {
  open: (configFile: string) => Promise<BackfillOperations>;
  write: (text: string) => void;
  warn: (text: string) => void;
  readInput: () => Promise<string>;
  progress: (total: number, what: string) => Progress;
}

const terminal: AutocreateWorld = {
  open: openBackfill,
  write: (text) => {
    process.stdout.write(text);
  },
  warn: (text) => {
    process.stderr.write(text);
  },
  readInput: readStandardInput,
  progress: showProgress,
};

interface BackfillOptions {
  config: string;
  users: string;
  dryRun?: boolean;
}

export function addAutocreateCommand(program: Command, world: AutocreateWorld = terminal): void {
  program
    .command('autocreate')
    .summary('SIP accounts for messenger users')
    .description('SIP accounts for messenger users, by the rule of modules.sip.autocreate.')
    .addHelpText('after', example('autocreate backfill --config server.conf --users users.csv'))
    .command('backfill')
    .summary('give accounts to users that are there already')
    .description(
      'Gives the users of a list the SIP accounts that new users get, by the rule of\n' +
        'modules.sip.autocreate, whether that is on or not. Who has a mapping at that\n' +
        'host keeps it, so it may be interrupted and run again; running servers take\n' +
        'the new ones up. Disabled users get none.\n\n' +
        'The list is CSV whose first line names its columns, or a JSON object on each\n' +
        'line. It has an id, and may have name, nick and disabled (true or false);\n' +
        'everything else in it is passed over.',
    )
    .requiredOption('--config <file>', 'server.conf')
    .requiredOption('--users <file>', 'the list of users; "-": standard input')
    .option('--dry-run', 'check everything, write nothing')
    .addHelpText(
      'after',
      example(
        'autocreate backfill --config server.conf --users users.csv',
        'psql -c "copy (select id, name, nick from users) to stdout csv header" \\\n      | dialog-sip autocreate backfill --config server.conf --users -',
      ).replace('$ dialog-sip psql', '$ psql'),
    )
    .action(async (options: BackfillOptions) => {
      const operations = await world.open(options.config);
      try {
        await backfill(operations, options, world);
      } finally {
        await operations.close();
      }
    });
}

/** What was written before an error stays written. */
async function backfill(operations: BackfillOperations, { users, dryRun = false }: BackfillOptions, world: AutocreateWorld): Promise<void> {
  const { total, batches } = operations.backfill(await readText(users, world.readInput), { dryRun });
  const progress = world.progress(total, 'users');
  let last: Omit<BackfillProgress, 'problems'> = { done: 0, created: 0, present: 0, disabled: 0 };
  const problems: string[] = [];
  try {
    for await (const batch of batches) {
      last = batch;
      problems.push(...batch.problems);
      progress.update(batch.done);
    }
  } finally {
    progress.stop();
  }
  world.write(dryRun ? `${counted(last.created, 'mapping')} would be made. Nothing was written.\n` : `Made ${counted(last.created, 'mapping')}.\n`);
  if (last.present > 0) world.write(`${counted(last.present, 'user')} had one already.\n`);
  if (last.disabled > 0) world.write(`${counted(last.disabled, 'disabled user')} left out.\n`);
  if (problems.length === 0) return;
  world.warn(list(problems));
  throw new ExtensionError('MAPPING_INVALID', `${counted(problems.length, 'line')} of the list gave no mapping.`);
}
