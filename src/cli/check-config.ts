/** `dialog-sip check-config FILE`. */
import type { Command } from 'commander';
import { effectiveConf } from '../extension/config-operations.js';
import { example } from './wording.js';

export function addCheckConfigCommand(program: Command): void {
  program
    .command('check-config')
    .description('print the settings a server.conf comes to, or all that is wrong in it')
    .argument('<file>', 'the server.conf to read')
    .addHelpText(
      'after',
      `
The settings are printed as HOCON: defaults filled in, secrets as "***".
Errors name file, line, column and key, all at once; the exit status is then 1.
Warnings stand on standard error and leave it 0.
${example('check-config /etc/dialog/server.conf')}`,
    )
    .action(async (file: string) => {
      const { text, warnings } = await effectiveConf(file);
      process.stdout.write(text);
      for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
    });
}
