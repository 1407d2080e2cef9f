/** `dialog-sip calls`: the records of calls that are over, from the database, and those that go on, from the running extension. */
import { InvalidArgumentError, type Command } from 'commander';
import { hour } from '../base/units.js';
import { openAdminClient, type AdminClient } from '../extension/admin-client.js';
import { readCallRecords, readSince, type CallRecord } from '../extension/record-operations.js';
import { liveCallTable, recordTable } from './call-table.js';
import { parseId } from './ids.js';
import { widthFor } from './table.js';
import { counted, example } from './wording.js';

/** The world of the command; specs give another. */
export interface CallsWorld {
  records: (configFile: string, query: { since: Date; user?: number }) => AsyncIterable<CallRecord[]>;
  open: (configFile: string, url?: string) => Promise<Pick<AdminClient, 'calls'>>;
  write: (text: string) => void;
  now: () => Date;
  /** Of the terminal; undefined for a file or a pipe. */
  columns: () => number | undefined;
}

const terminal: CallsWorld = {
  records: readCallRecords,
  open: openAdminClient,
  write: (text) => {
    process.stdout.write(text);
  },
  now: () => new Date(),
  columns: () => process.stdout.columns,
};

interface Options {
  config: string;
  live?: boolean;
  since?: Date;
  user?: number;
  url?: string;
  json?: boolean;
}

/** How far back records are shown when nobody says. */
const defaultSinceMs = 24 * hour;

export function addCallsCommand(program: Command, world: CallsWorld = terminal): void {
  const parseSince = (text: string): Date => {
    const since = readSince(text, world.now());
    if (since === undefined) throw new InvalidArgumentError('Give a time like 1h, 30m or 7d, or a date like 2026-01-31.');
    return since;
  };
  const calls = program
    .command('calls')
    .summary('calls that are over, and those that go on')
    .description(
      'The records of calls that are over, newest first: when, who, how long they talked,\n' +
        'and below it why a call did not come about. They are read from the database, the\n' +
        'server need not run. With --live, the calls that go on, as the running extension\n' +
        'tells them; that needs modules.sip.admin.',
    )
    .requiredOption('--config <file>', 'server.conf')
    .option('--live', 'calls that go on, the longest first')
    .option('--since <time>', 'calls that ended since: 1h, 7d, 2026-01-31 (default 1d)', parseSince)
    .option('--user <id>', 'only those of that messenger user', parseId)
    .option('--url <url>', 'with --live: where it answers, if not where server.conf says')
    .option('--json', 'one JSON object per line, with all that is known')
    .addHelpText(
      'after',
      example('calls --config server.conf --since 1h', 'calls --config server.conf --user 434 --json', 'calls --config server.conf --live'),
    );
  calls.action(async (options: Options) => {
    if (options.live === true && options.since !== undefined) calls.error('error: --since is for calls that are over, not for --live', { exitCode: 2 });
    if (options.live !== true && options.url !== undefined) calls.error('error: --url goes with --live', { exitCode: 2 });
    await (options.live === true ? writeLive(options, world) : writeRecords(options, world));
  });
}

async function writeRecords({ config, user, json = false, since }: Options, world: CallsWorld): Promise<void> {
  const start = since ?? new Date(world.now().getTime() - defaultSinceMs);
  const { header, lines } = recordTable(widthFor(world.columns()));
  let count = 0;
  for await (const page of world.records(config, { since: start, user })) {
    if (!json && count === 0) world.write(header());
    count += page.length;
    world.write(page.map((record) => (json ? `${JSON.stringify(record)}\n` : lines(record))).join(''));
  }
  if (!json) world.write(`${counted(count, 'call')}.\n`);
}

async function writeLive({ config, url, user, json = false }: Options, world: CallsWorld): Promise<void> {
  const { items, total } = await (await world.open(config, url)).calls(user);
  if (json) {
    world.write(items.map((call) => `${JSON.stringify(call)}\n`).join(''));
    return;
  }
  const { header, line } = liveCallTable(world.now().getTime(), widthFor(world.columns()));
  if (items.length > 0) world.write(header() + items.map(line).join(''));
  const rest = total - items.length;
  world.write(`${counted(total, 'call')}${rest > 0 ? `; the ${items.length.toLocaleString('en')} longest are shown` : ''}.\n`);
}
