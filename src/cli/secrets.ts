/** `dialog-sip secrets ...`: encrypts the passwords that are in the table already. */
import type { Command } from 'commander';
import { ExtensionError } from '../base/errors.js';
import { openSecretOperations, type PasswordScope, type SecretOperations } from '../extension/secret-operations.js';
import { showProgress, type Progress } from './progress.js';
import { counted, example, list } from './wording.js';

/** The world of the commands; specs give another. */
export interface SecretsWorld {
  open: (configFile: string) => Promise<SecretOperations>;
  write: (text: string) => void;
  warn: (text: string) => void;
  progress: (total: number, what: string) => Progress;
}

const terminal: SecretsWorld = {
  open: openSecretOperations,
  write: (text) => {
    process.stdout.write(text);
  },
  warn: (text) => {
    process.stderr.write(text);
  },
  progress: showProgress,
};

export function addSecretsCommand(program: Command, world: SecretsWorld = terminal): void {
  const secrets = program
    .command('secrets')
    .summary('encrypt the SIP passwords in the table')
    .description(
      'How SIP passwords are kept in sip_user_mappings: encrypted with\n' +
        'modules.sip.secrets.key, when there is one. To make a key:\n' +
        'openssl rand -base64 32',
    )
    .addHelpText('after', example('secrets encrypt --config server.conf'));
  add(secrets, world, 'unencrypted', {
    name: 'encrypt',
    summary: 'encrypt the passwords that are not',
    description:
      'Encrypts every sip_password that is not, MD5 hashes (ha1:) among them, with\n' +
      'modules.sip.secrets.key. Set the key on every node and restart it first:\n' +
      'a server without the key cannot use the rows any more.\n' +
      'It may be interrupted and run again, and run beside servers that work.',
  });
  add(secrets, world, 'outdated', {
    name: 'rotate',
    summary: 'encrypt anew what another key has encrypted',
    description:
      'Encrypts anew, with modules.sip.secrets.key, every sip_password that one of\n' +
      'modules.sip.secrets.previous has encrypted. Give every node the new key, and\n' +
      'the old one among the previous, and restart it first. When all is done the\n' +
      'old key may go.\n' +
      'It may be interrupted and run again, and run beside servers that work.',
  });
}

function add(secrets: Command, world: SecretsWorld, scope: PasswordScope, words: { name: string; summary: string; description: string }): void {
  secrets
    .command(words.name)
    .summary(words.summary)
    .description(words.description)
    .requiredOption('--config <file>', 'server.conf')
    .addHelpText('after', example(`secrets ${words.name} --config server.conf`))
    .action(async (options: { config: string }) => {
      const operations = await world.open(options.config);
      try {
        await rewrite(operations, scope, world);
      } finally {
        await operations.close();
      }
    });
}

/** What was written before an error stays written. */
async function rewrite(operations: SecretOperations, scope: PasswordScope, world: SecretsWorld): Promise<void> {
  const total = await operations.count(scope);
  const progress = world.progress(total, 'passwords');
  const problems: string[] = [];
  let encrypted = 0;
  try {
    for await (const page of operations.rewrite(scope)) {
      encrypted = page.encrypted;
      problems.push(...page.problems);
      progress.update(page.done);
    }
  } finally {
    progress.stop();
  }
  world.write(encrypted === 0 && problems.length === 0 ? 'There is nothing to encrypt.\n' : `Encrypted ${counted(encrypted, 'password')}.\n`);
  if (problems.length === 0) return;
  world.warn(list(problems));
  throw new ExtensionError('MAPPING_INVALID', `${counted(problems.length, 'password')} could not be encrypted and stay${problems.length === 1 ? 's' : ''} as before.`);
}
