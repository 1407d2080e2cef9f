/** `dialog-sip migrate`: brings the database of a server.conf to this version. */
import type { Command } from 'commander';
import { migrateDatabase } from '../extension/mapping-operations.js';
import { example } from './wording.js';

export function addMigrateCommand(program: Command, write: (text: string) => void = toStandardOutput): void {
  program
    .command('migrate')
    .summary('create or update the tables in the database')
    .description(
      'Creates or updates the tables in the database that services.postgresql names.\n' +
        'A sip_user_mappings table that is there already is taken over; no row is lost.\n' +
        'Safe to run again, and on several nodes at once.',
    )
    .requiredOption('--config <file>', 'server.conf')
    .addHelpText('after', example('migrate --config server.conf'))
    .action(async (options: { config: string }) => {
      const { database, applied } = await migrateDatabase(options.config);
      const done = applied.length === 0 ? ['up to date.'] : ['done:', ...applied.map((step) => `  ${step}`)];
      write(`Migration of ${database}: ${done.join('\n')}\n`);
    });
}

function toStandardOutput(text: string): void {
  process.stdout.write(text);
}
