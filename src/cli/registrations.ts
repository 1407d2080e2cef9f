/** `dialog-sip status`, `registrations`, `register` and `unregister`: what the running extension does, and what a person may ask of it. */
import { Option, type Command } from 'commander';
import { sayDuration } from '../base/units.js';
import { listedStates, openAdminClient, type AdminClient, type RegistrationsFilter, type ShownRegistration, type ShownStatus } from '../extension/admin-client.js';
import { parseId } from './ids.js';
import { describeRegistration, registrationTable } from './registration-table.js';
import { printable, widthFor, wrap } from './table.js';
import { counted, example, list } from './wording.js';

/** The world of the commands; specs give another. */
export interface AdminWorld {
  open: (configFile: string, url?: string) => Promise<AdminClient>;
  write: (text: string) => void;
  /** The time of day, milliseconds since 1970. */
  now: () => number;
  /** Of the terminal; undefined for a file or a pipe. */
  columns: () => number | undefined;
}

const terminal: AdminWorld = {
  open: openAdminClient,
  write: (text) => {
    process.stdout.write(text);
  },
  now: Date.now,
  columns: () => process.stdout.columns,
};

interface Options {
  config: string;
  url?: string;
  json?: boolean;
}

export function addRegistrationsCommands(program: Command, world: AdminWorld = terminal): void {
  addStatus(program, world);
  addRegistrations(program, world);
  addAct(program, world, 'register', {
    summary: 'register one mapping now',
    description:
      'Registers a mapping now, whatever it waits for: when the password was set right\n' +
      'at the registrar, say. Also one that `unregister` took away.',
    done: 'is being registered',
  });
  addAct(program, world, 'unregister', {
    summary: 'un-register one mapping, and keep it so',
    description:
      'Un-registers a mapping. It stays so until `register` is asked for it, its row\n' +
      'changes, or the server restarts.',
    done: 'is being un-registered, and stays so until you register it again',
  });
}

function addStatus(program: Command, world: AdminWorld): void {
  command(program, 'status', 'how the running extension is')
    .option('--json', 'one JSON object')
    .addHelpText('after', example('status --config server.conf'))
    .action(async (options: Options) => {
      const status = await (await world.open(options.config, options.url)).status();
      world.write(options.json === true ? `${JSON.stringify(status)}\n` : describeStatus(status));
    });
}

function addRegistrations(program: Command, world: AdminWorld): void {
  command(program, 'registrations', 'who is registered, who is not, and why')
    .description(
      'The registrations of the running extension: state, since when, next refresh or\n' +
        'try, and below it why one is not registered. With an id, all about that one.',
    )
    .argument('[id]', 'one mapping, by its id', parseId)
    .addOption(new Option('--state <state>', 'only those in that state').choices(listedStates))
    .option('--user <id>', 'only those of that messenger user', parseId)
    .option('--json', 'one JSON object per line')
    .addHelpText(
      'after',
      example('registrations --config server.conf --state parked', 'registrations --config server.conf --user 434', 'registrations 7 --config server.conf'),
    )
    .action(async (id: number | undefined, options: Options & RegistrationsFilter) => {
      const client = await world.open(options.config, options.url);
      if (id === undefined) await writeAll(client, options, world);
      else {
        const registration = await client.registration(id);
        world.write(options.json === true ? jsonLine(registration) : describeRegistration(registration, world.now(), widthFor(world.columns())));
      }
    });
}

async function writeAll(client: AdminClient, options: Options & RegistrationsFilter, world: AdminWorld): Promise<void> {
  const { state, user, json = false } = options;
  const { header, lines } = registrationTable(world.now(), widthFor(world.columns()));
  let count = 0;
  for await (const page of client.registrations({ state, user })) {
    if (!json && count === 0 && page.length > 0) world.write(header());
    count += page.length;
    world.write(page.map((registration) => (json ? jsonLine(registration) : lines(registration))).join(''));
  }
  if (!json) world.write(`${counted(count, 'registration')}.\n`);
}

function addAct(program: Command, world: AdminWorld, action: 'register' | 'unregister', words: { summary: string; description: string; done: string }): void {
  command(program, action, words.summary)
    .description(words.description)
    .argument('<id>', 'the id in `registrations`', parseId)
    .option('--json', 'the registration as one JSON object')
    .addHelpText('after', example(`${action} 7 --config server.conf`))
    .action(async (id: number, options: Options) => {
      const registration = await (await world.open(options.config, options.url)).act(action, id);
      if (options.json === true) world.write(jsonLine(registration));
      else world.write(`${wrap(`Mapping ${id} (${registration.aor}) ${words.done}.`, 80).join('\n')}\nHow it goes: dialog-sip registrations ${id} --config ${options.config}\n`);
    });
}

function command(program: Command, name: string, summary: string): Command {
  return program
    .command(name)
    .summary(summary)
    .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`)
    .requiredOption('--config <file>', 'the server.conf of the running server')
    .option('--url <url>', 'where it answers, if not where server.conf says');
}

function describeStatus({ ready, nodeId, uptimeMs, registrations, calls, listening, rejectedRows }: ShownStatus): string {
  const { total, byState, convergesInMs = 0, queues = [] } = registrations;
  const silent = queues.find(({ unknown }) => unknown !== undefined);
  const states = Object.entries(byState).filter(([, count]) => count > 0);
  const rows: [string, string][] = [
    ['ready', ready ? `yes, for ${sayDuration(uptimeMs)}` : 'no'],
    ['node', nodeId],
    ['registrations', total.toLocaleString('en')],
    ...states.map(([state, count]): [string, string] => [`  ${state}`, count.toLocaleString('en')]),
    ...(silent?.unknown === undefined ? [] : [['all tried in', `unknown: ${silent.registrar}: ${silent.unknown}`] satisfies [string, string]]),
    ...(convergesInMs > 0 ? [['all tried in', sayDuration(convergesInMs)] satisfies [string, string]] : []),
    ['calls', calls.live.toLocaleString('en')],
    ['SIP on', listening.join(', ')],
  ];
  const lines = rows.map(([name, value]) => `${name.padEnd(16)}  ${printable(value)}\n`).join('');
  if (rejectedRows.length === 0) return lines;
  return `${lines}${counted(rejectedRows.length, 'row')} of sip_user_mappings cannot be used:\n${list(rejectedRows.map((row) => printable(row.problem)))}`;
}

function jsonLine(registration: ShownRegistration): string {
  return `${JSON.stringify(registration)}\n`;
}
