/** `dialog-sip explain`: where a call would go, and why. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { ExtensionError, messageOf } from '../base/errors.js';
import { explainIncoming, explainOutgoing, readRoutes, type Explanation, type RoutesInForce } from '../extension/explain-operations.js';
import { example } from './wording.js';

interface ExplainOptions {
  config: string;
  from?: string;
  to?: string;
  mapping?: string;
  invite?: string;
}

/** The world of the command; specs give another. */
export interface ExplainWorld {
  open: (configFile: string) => Promise<RoutesInForce>;
  readInvite: (file: string) => Promise<string>;
  write: (text: string) => void;
}

const terminal: ExplainWorld = {
  open: readRoutes,
  readInvite: (file) => readFile(file, 'utf8'),
  write: (text) => {
    process.stdout.write(text);
  },
};

export function addExplainCommand(program: Command, world: ExplainWorld = terminal): void {
  const explain = program
    .command('explain')
    .summary('say where a call would go and why, without placing it')
    .description(
      'Says which SIP account a call from the messenger would use and what it would\n' +
        'dial, or whom an INVITE would be offered to, and what that went by. Mappings\n' +
        'are read from the database; whether a user is disabled only the messenger\n' +
        'knows. Nothing is called.',
    )
    .requiredOption('--config <file>', 'server.conf')
    .option('--from <user>', 'the messenger user who calls: its id')
    .option('--to <target>', 'an address as it is typed, user:434 or group:7')
    .option('--mapping <id>', 'the mapping that the call asks for')
    .option('--invite <file>', 'an INVITE from the wire, in place of --from, --to')
    .addHelpText('after', example('explain --config server.conf --from 434 --to 600', 'explain --config server.conf --invite invite.txt'));
  explain.action(async (options: ExplainOptions) => {
    world.write(say(await ask(explain, options, world)));
  });
}

async function ask(explain: Command, { config, from, to, mapping, invite }: ExplainOptions, world: ExplainWorld): Promise<Explanation> {
  if (invite !== undefined && from === undefined && to === undefined) {
    const text = await readInvite(invite, world);
    return explainIncoming(await world.open(config), text);
  }
  if (invite !== undefined || from === undefined || to === undefined) {
    return explain.error('error: give --from and --to, or --invite', { exitCode: 2 });
  }
  if (mapping !== undefined && !/^\d{1,15}$/.test(mapping)) return explain.error('error: --mapping wants the id of a mapping', { exitCode: 2 });
  return explainOutgoing(await world.open(config), from, to, mapping === undefined ? undefined : Number(mapping));
}

async function readInvite(file: string, world: ExplainWorld): Promise<string> {
  try {
    return await world.readInvite(file);
  } catch (thrown) {
    throw new ExtensionError('SIP_MESSAGE', `The INVITE cannot be read: ${messageOf(thrown)}`, { cause: thrown });
  }
}

/** What stands in it came from people and from the wire: made harmless to a terminal. */
function say({ decision, why }: Explanation): string {
  const lines = [decision, ...(why.length === 0 ? [] : ['', 'Because:', ...why.map((sentence) => `  - ${sentence}`)])];
  return `${lines.map((line) => line.replace(/[\p{Cc}\p{Cf}]/gu, '?')).join('\n')}\n`;
}
