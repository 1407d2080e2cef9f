/** `dialog-sip explain`: where a call would go, and why. */
import type { Command } from 'commander';
import { explainIncoming, explainOutgoing, readRoutes, type Explanation, type RoutesInForce } from '../extension/explain-operations.js';
import { openText, readShortText } from './files.js';
import { fold } from './table.js';
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
  /** @param file `-` for standard input */
  read: (file: string) => AsyncIterable<Buffer | string>;
  write: (text: string) => void;
  /** Of the terminal; undefined for a file or a pipe, whose lines stay whole. */
  columns: number | undefined;
}

const terminal: ExplainWorld = {
  open: readRoutes,
  read: openText,
  write: (text) => {
    process.stdout.write(text);
  },
  columns: process.stdout.isTTY ? Math.max(process.stdout.columns, 20) : undefined,
};

export function addExplainCommand(program: Command, world: ExplainWorld = terminal): void {
  const explain = program
    .command('explain')
    .summary('say where a call would go and why, without placing it')
    .description(
      'Says which SIP account a call from the messenger would use and what it would\n' +
        'dial, or whom an INVITE would be offered to, and what that went by: mappings,\n' +
        'what becomes of numbers (calls.number), what may be called (calls.allow,\n' +
        'calls.deny), limits. Mappings are read from the database; whether a user is\n' +
        'disabled only the messenger knows. Nothing is called.',
    )
    .requiredOption('--config <file>', 'server.conf')
    .option('--from <user>', 'the messenger user who calls: its id')
    .option('--to <target>', 'an address as it is typed, user:434 or group:7')
    .option('--mapping <id>', 'the mapping that the call asks for')
    .option('--invite <file>', 'an INVITE from the wire, in place of --from, --to;\n- for standard input')
    .addHelpText(
      'after',
      example(
        'explain --config server.conf --from 434 --to 600',
        "explain --config server.conf --from 434 --to '+49 30 123456' \\\n      --mapping 7",
        'explain --config server.conf --from 434 --to user:435',
        'explain --config server.conf --invite invite.txt',
      ),
    );
  explain.action(async (options: ExplainOptions) => {
    world.write(say(await ask(explain, options, world), world.columns));
  });
}

async function ask(explain: Command, { config, from, to, mapping, invite }: ExplainOptions, world: ExplainWorld): Promise<Explanation> {
  if (invite !== undefined && from === undefined && to === undefined) {
    const text = await readShortText(world.read(invite), 'INVITE', 'SIP_MESSAGE');
    return explainIncoming(await world.open(config), text);
  }
  if (invite !== undefined || from === undefined || to === undefined) {
    return explain.error('error: give --from and --to, or --invite', { exitCode: 2 });
  }
  if (mapping !== undefined && !/^\d{1,15}$/.test(mapping)) return explain.error('error: --mapping wants the id of a mapping', { exitCode: 2 });
  return explainOutgoing(await world.open(config), from, to, mapping === undefined ? undefined : Number(mapping));
}

/** What stands in it came from people and from the wire: made harmless to a terminal. */
function say({ decision, why }: Explanation, columns = Infinity): string {
  const sentence = (text: string, indent: string, first = indent): string[] =>
    fold(text.replace(/[\p{Cc}\p{Cf}]/gu, '?'), columns - indent.length).map((line, index) => `${index === 0 ? first : indent}${line}`);
  const because = why.length === 0 ? [] : ['', 'Because:', ...why.flatMap((reason) => sentence(reason, '    ', '  - '))];
  return `${[...sentence(decision, ''), ...because].join('\n')}\n`;
}
