/** `dialog-sip ladder`: one call or one registration as a picture of who said what to whom, drawn by the running extension. */
import { Option, type Command } from 'commander';
import { ladderForms, openAdminClient, type AdminClient, type LadderForm } from '../extension/admin-client.js';
import { writeTo } from './files.js';
import { parseId } from './ids.js';
import { counted, example } from './wording.js';

/** The world of the command; specs give another. */
export interface LadderWorld {
  open: (configFile: string, url?: string) => Promise<Pick<AdminClient, 'ladder' | 'untoldCalls'>>;
  write: (bytes: string | Uint8Array) => void;
  /** Columns of the terminal; undefined when the output is none. */
  columns: () => number | undefined;
}

const terminal: LadderWorld = {
  open: openAdminClient,
  write: (bytes) => {
    process.stdout.write(bytes);
  },
  columns: () => process.stdout.columns,
};

interface Options {
  config: string;
  registration?: number;
  untold?: boolean;
  as: LadderForm;
  messages?: boolean;
  out?: string;
  url?: string;
}

const [narrowest, widest] = [60, 500];

export function addLadderCommand(program: Command, world: LadderWorld = terminal): void {
  const ladder = program
    .command('ladder')
    .summary('a call or a registration, message by message')
    .description(
      'Draws one call or one registration as a ladder: what the messenger and the\n' +
        'extension said to each other, and every SIP message, in one time line, with the\n' +
        'step that it failed at and why. Secrets are taken out. The running extension\n' +
        'draws it from what crossed lately; that needs modules.sip.admin.',
    )
    .argument('[call]', 'the call, by its id or by the Call-ID of a SIP call')
    .requiredOption('--config <file>', 'server.conf')
    .option('--registration <id>', 'the registration of that mapping, in the place of a call', parseId)
    .option('--untold', 'list SIP calls that were refused before the messenger heard of them')
    .addOption(new Option('--as <form>', 'what to draw').choices(ladderForms).default('text'))
    .option('--messages', 'whole messages below the lines of a text')
    .option('--out <file>', 'write it there')
    .option('--url <url>', 'where it answers, if not where server.conf says')
    .addHelpText(
      'after',
      `${example(
        'ladder 5f0c8a52-6c0e-4f0e-9d1c-0d7a3a4b7c11 --config server.conf',
        'ladder --registration 7 --config server.conf --messages',
        'ladder CALL --as pcapng --out call.pcapng --config server.conf',
        'ladder --untold --config server.conf',
      )}
\`dialog-sip calls --json\` has the ids of calls; Wireshark opens pcapng.
`,
    );
  ladder.action(async (call: string | undefined, options: Options) => {
    const asked = [call, options.registration, options.untold].filter((what) => what !== undefined).length;
    if (asked !== 1) ladder.error('error: name a call, or --registration with a mapping, or --untold', { exitCode: 2 });
    const client = await world.open(options.config, options.url);
    if (options.untold === true) await listUntold(client, world);
    else await drawOne(client, options.registration === undefined ? { callId: call ?? '' } : { mappingId: options.registration }, options, world);
  });
}

async function drawOne(client: Pick<AdminClient, 'ladder'>, of: Parameters<AdminClient['ladder']>[0], options: Options, world: LadderWorld): Promise<void> {
  const { as, messages = false, out } = options;
  const width = Math.min(widest, Math.max(narrowest, world.columns() ?? 80));
  const drawn = await client.ladder(of, as, width, messages);
  if (out === undefined) {
    world.write(drawn);
    return;
  }
  await writeTo(out, drawn);
  world.write(`Written to ${out}.\n`);
}

async function listUntold(client: Pick<AdminClient, 'untoldCalls'>, world: LadderWorld): Promise<void> {
  const { items } = await client.untoldCalls();
  for (const { at, from, to, sipCallId } of items) world.write(`${at.slice(0, 19).replace('T', ' ')}  ${from} -> ${to}\n                     ${sipCallId}\n`);
  world.write(`${counted(items.length, 'call')}.\n`);
}
