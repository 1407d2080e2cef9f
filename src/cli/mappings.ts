/** `dialog-sip mappings ...`: the rows of sip_user_mappings from a command line. Passwords are never printed. */
import { open as openFile } from 'node:fs/promises';
import type { Command} from 'commander';
import { Option } from 'commander';
import { ExtensionError } from '../base/errors.js';
import { openMappingOperations, type MappingOperations, type ShownMapping, type TypedMapping } from '../extension/mapping-operations.js';
import { readStandardInput, readText, reasonOf } from './files.js';
import { parseId } from './ids.js';
import { mappingTable } from './mapping-table.js';
import { widthFor } from './table.js';
import { counted, example, list } from './wording.js';

/** The world of the commands; specs give another. */
export interface MappingsWorld {
  open: (configFile: string) => Promise<MappingOperations>;
  write: (text: string) => void;
  warn: (text: string) => void;
  readInput: () => Promise<string>;
  /** Of the terminal; undefined for a file or a pipe. */
  columns: () => number | undefined;
}

const terminal: MappingsWorld = {
  open: openMappingOperations,
  write: (text) => {
    process.stdout.write(text);
  },
  warn: (text) => {
    process.stderr.write(text);
  },
  readInput: readStandardInput,
  columns: () => process.stdout.columns,
};

interface ConfigOption {
  config: string;
}

interface FieldOptions extends ConfigOption, TypedMapping {
  sipPasswordStdin?: boolean;
  json?: boolean;
}

export function addMappingsCommand(program: Command, world: MappingsWorld = terminal): void {
  const mappings = program
    .command('mappings')
    .summary('list, add, set, remove, import and export SIP users')
    .description(
      'The rows of sip_user_mappings: which messenger user is which SIP user.\n' +
        'A running server takes a change up by itself.',
    )
    .addHelpText('after', example('mappings list --config server.conf', 'mappings add --help'));
  addList(mappings, world);
  addAdd(mappings, world);
  addSet(mappings, world);
  addRemove(mappings, world);
  addImport(mappings, world);
  addExport(mappings, world);
}

function addList(mappings: Command, world: MappingsWorld): void {
  subcommand(mappings, 'list', 'all mappings, and the rows that cannot be used')
    .option('--json', 'one JSON object per line, by the names of the columns')
    .addHelpText('after', example('mappings list --config server.conf'))
    .action((options: ConfigOption & { json?: boolean }) =>
      using(world, options.config, async (operations) => {
        const problems: string[] = [];
        const { header, line } = mappingTable(widthFor(world.columns()));
        let count = 0;
        for await (const { mappings: page, rejected } of operations.list()) {
          if (count === 0 && page.length > 0 && options.json !== true) world.write(header());
          count += page.length;
          for (const mapping of page) world.write(options.json === true ? `${JSON.stringify(mapping.columns)}\n` : line(mapping));
          problems.push(...rejected.map(({ problem }) => problem));
        }
        if (options.json !== true) world.write(`${counted(count, 'mapping')}.\n`);
        if (problems.length > 0) world.warn(`${counted(problems.length, 'row')} cannot be used:\n${list(problems)}`);
      }),
    );
}

function addAdd(mappings: Command, world: MappingsWorld): void {
  const command = subcommand(mappings, 'add', 'add a mapping').description(
    'Adds a mapping. What is not given takes the default of the table: port 5060,\n' +
      'transport udp, peer type 1 (user), register, can-call and can-be-called true.',
  );
  withFields(command, true)
    .addHelpText(
      'after',
      example(
        'mappings add --config server.conf --sip-user 434 \\\n      --sip-host pbx.example.com --peer-id 434 \\\n      --sip-password-stdin < password.txt',
        'mappings add --config server.conf --sip-user 435 \\\n      --sip-host pbx.example.com --sip-port 8089 --transport wss \\\n      --location /ws --peer-id 435',
      ),
    )
    .action((options: FieldOptions) =>
      using(world, options.config, async (operations) => {
        const added = await operations.add(await typedFields(options, world));
        world.write(options.json === true ? `${JSON.stringify(added.columns)}\n` : `Added mapping ${added.id}.\n${showOne(added, world)}`);
      }),
    );
}

function addSet(mappings: Command, world: MappingsWorld): void {
  const command = subcommand(mappings, 'set', 'change a mapping').description(
    'Changes what is given and leaves the rest. An empty text clears auth-user,\ndisplay-name, host-header and peer-str-id.',
  );
  withFields(command.argument('<id>', 'the id in `mappings list`', parseId), false)
    .addHelpText('after', example('mappings set 7 --config server.conf --no-register', 'mappings set 7 --config server.conf --sip-host pbx2.example.com'))
    .action((id: number, options: FieldOptions, self: Command) =>
      using(world, options.config, async (operations) => {
        const fields = await typedFields(options, world);
        if (Object.keys(fields).length === 0) self.error('error: nothing to change: give at least one field', { exitCode: 2 });
        const changed = await operations.set(id, fields);
        world.write(options.json === true ? `${JSON.stringify(changed.columns)}\n` : `Changed mapping ${changed.id}.\n${showOne(changed, world)}`);
      }),
    );
}

function addRemove(mappings: Command, world: MappingsWorld): void {
  subcommand(mappings, 'remove', 'remove a mapping')
    .argument('<id>', 'the id in `mappings list`', parseId)
    .addHelpText('after', example('mappings remove 7 --config server.conf'))
    .action((id: number, options: ConfigOption) =>
      using(world, options.config, async (operations) => {
        await operations.remove(id);
        world.write(`Removed mapping ${id}.\n`);
      }),
    );
}

function addImport(mappings: Command, world: MappingsWorld): void {
  subcommand(mappings, 'import', 'add the mappings of a CSV file')
    .description(
      'Adds the mappings of a CSV file, all or none. The first line names the\n' +
        'columns of the table; sip_user, sip_host and peer_id must be among them, and\n' +
        'an empty cell takes the default of its column (an empty sip_password: none).\n' +
        'Rows are added, never changed: one that is in the table already is an error\n' +
        'of its line.',
    )
    .argument('<file>', 'the CSV file, "-" for standard input')
    .option('--skip-invalid', 'leave out the rows with errors and add the others')
    .option('--dry-run', 'check everything, write nothing')
    .addHelpText('after', example('mappings import users.csv --config server.conf --dry-run'))
    .action((file: string, options: ConfigOption & { skipInvalid?: boolean; dryRun?: boolean }) =>
      using(world, options.config, async (operations) => {
        const { imported, problems } = await operations.importCsv(await readText(file, world.readInput), options);
        const skipped = problems.length > 0 && options.skipInvalid === true;
        if (problems.length > 0 && !skipped) {
          world.warn(list(problems));
          throw new ExtensionError('MAPPING_INVALID', `Nothing was imported: ${counted(problems.length, 'row')} cannot be.`);
        }
        if (skipped) world.warn(`${counted(problems.length, 'row')} left out:\n${list(problems)}`);
        world.write(
          options.dryRun === true
            ? `${counted(imported, 'mapping')} would be imported. Nothing was written.\n`
            : `Imported ${counted(imported, 'mapping')}.\n`,
        );
      }),
    );
}

function addExport(mappings: Command, world: MappingsWorld): void {
  subcommand(mappings, 'export', 'write the mappings as a CSV file')
    .description('Writes the mappings as CSV that `mappings import` reads.\nWithout a file to standard output.')
    .argument('[file]', 'the file to write; one that is there is replaced')
    .option('--with-passwords', 'fill the column sip_password, which else is empty,\nwith what is stored: encrypted ones stay so')
    .addHelpText('after', example('mappings export users.csv --config server.conf'))
    .action((file: string | undefined, options: ConfigOption & { withPasswords?: boolean }) =>
      using(world, options.config, async (operations) => {
        const left: string[] = [];
        const texts = operations.exportCsv({
          withPasswords: options.withPasswords === true,
          onRejected: ({ problem }) => left.push(problem),
        });
        if (file === undefined) for await (const text of texts) world.write(text);
        else await writeFile(file, texts);
        if (left.length > 0) world.warn(`${counted(left.length, 'row')} left out, for they cannot be used:\n${list(left)}`);
      }),
    );
}

function showOne(mapping: ShownMapping, world: MappingsWorld): string {
  const { header, line } = mappingTable(widthFor(world.columns()));
  return header() + line(mapping);
}

function subcommand(mappings: Command, name: string, summary: string): Command {
  return mappings.command(name).summary(summary).description(capitalised(summary)).requiredOption('--config <file>', 'server.conf');
}

function withFields(command: Command, isNew: boolean): Command {
  const needed = (flags: string, description: string): Option => new Option(flags, description).makeOptionMandatory(isNew);
  return command
    .addOption(needed('--sip-user <user>', 'SIP user id'))
    .addOption(new Option('--sip-password <password>', 'its password; others on this machine can see it').conflicts('sipPasswordStdin'))
    .option('--sip-password-stdin', 'read the password from standard input')
    .addOption(needed('--sip-host <host>', 'SIP registrar: host name or IP address'))
    .option('--sip-port <port>', 'SIP registrar: port; 0: found by DNS')
    .option('--transport <name>', 'udp, tcp, tls, ws or wss')
    .option('--method <verb>', 'ws, wss: HTTP verb of the handshake (GET)')
    .option('--host-header <host>', 'ws, wss: Host header of the handshake')
    .option('--location <path>', 'ws, wss: HTTP path of the handshake (/)')
    .option('--peer-type <number>', '1 user, 2 group, 4 SIP address')
    .addOption(needed('--peer-id <number>', 'id of the peer in the messenger'))
    .option('--peer-str-id <text>', 'address of a peer of type 4')
    .option('--register', 'register it at the SIP server')
    .option('--no-register')
    .option('--can-call', 'let it make calls (messenger -> SIP)')
    .option('--no-can-call')
    .option('--can-be-called', 'let it be called (SIP -> messenger)')
    .option('--no-can-be-called')
    .option('--auth-user <user>', 'user of the digest, where it is another')
    .option('--display-name <name>', 'name shown to the called')
    .option('--json', 'print the mapping as JSON');
}

const fieldNames: readonly (keyof TypedMapping)[] = [
  'sipUser',
  'sipPassword',
  'sipHost',
  'sipPort',
  'transport',
  'method',
  'hostHeader',
  'location',
  'peerType',
  'peerId',
  'peerStrId',
  'register',
  'canCall',
  'canBeCalled',
  'authUser',
  'displayName',
];

async function typedFields(options: FieldOptions, world: MappingsWorld): Promise<TypedMapping> {
  const typed = fieldNames.filter((name) => options[name] !== undefined);
  const fields = Object.fromEntries(typed.map((name) => [name, options[name]])) as TypedMapping;
  if (options.sipPasswordStdin !== true) return fields;
  const [password = ''] = (await world.readInput()).split(/\r?\n/, 1);
  return { ...fields, sipPassword: password };
}

async function using(world: MappingsWorld, configFile: string, work: (operations: MappingOperations) => Promise<void>): Promise<void> {
  const operations = await world.open(configFile);
  try {
    await work(operations);
  } finally {
    await operations.close();
  }
}

/** Readable by its owner alone: it may hold passwords. */
async function writeFile(file: string, texts: AsyncIterable<string>): Promise<void> {
  try {
    const handle = await openFile(file, 'w', 0o600);
    try {
      await handle.chmod(0o600);
      for await (const text of texts) await handle.write(text);
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    if (thrown instanceof ExtensionError) throw thrown;
    throw new ExtensionError('MAPPING_INVALID', `${file} cannot be written: ${reasonOf(thrown)}`, { cause: thrown });
  }
}

function capitalised(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
