import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addMappingsCommand } from '../../src/cli/mappings.js';
import { addMigrateCommand } from '../../src/cli/migrate.js';
import { MappingOperations } from '../../src/extension/mapping-operations.js';
import { openDatabase, type Database } from '../../src/mappings/database.js';
import { migrate } from '../../src/mappings/migrate.js';
import { Secrets } from '../../src/mappings/secrets.js';
import { runCommand, type Outcome } from './run-command.js';

let database: Database;
let directory: string;
let opened = 0;

beforeAll(async () => {
  database = await openDatabase({ kind: 'embedded', directory: ':memory:' });
  await migrate(database.knex);
  directory = await mkdtemp(join(tmpdir(), 'dialog-sip-cli-'));
}, 60_000);

afterAll(async () => {
  await database.close();
  await rm(directory, { recursive: true, force: true });
});

beforeEach(async () => {
  await database.knex.raw('truncate sip_user_mappings restart identity');
});

/** Runs `dialog-sip <args>` over the database of this file. */
async function run(args: string, input = ''): Promise<Outcome> {
  const words = args.match(/"[^"]*"|\S+/g) ?? [];
  const outcome = await runCommand(words.map((word) => word.replace(/^"|"$/g, '')), (program, write, warn) => {
    addMigrateCommand(program, write);
    addMappingsCommand(program, {
      open: () => {
        opened++;
        const close = (): Promise<void> => {
          opened--;
          return Promise.resolve();
        };
        return Promise.resolve(new MappingOperations(database.knex, new Secrets({ previous: [] }), close));
      },
      write,
      warn,
      readInput: () => Promise.resolve(input),
      columns: () => undefined,
    });
  });
  expect(opened).toBe(0);
  return outcome;
}

const add = 'mappings add --config c --sip-user 434 --sip-host pbx.example.com --peer-id 434';

async function file(name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
}

async function rowsInTable(): Promise<unknown[]> {
  return database.knex('sip_user_mappings').select().orderBy('id');
}

describe('dialog-sip mappings', () => {
  it('adds a mapping with the defaults of the table and says which', async () => {
    const { out, error } = await run(add);
    expect(error).toBeUndefined();
    expect(out).toMatch(/^Added mapping 1\.\n.*\n +1 {2}434@pbx\.example\.com:5060 +udp {2}user 434 +yes {2}yes {2}yes\n$/);
    expect(await rowsInTable()).toMatchObject([
      { sip_user: '434', sip_password: '', sip_host: 'pbx.example.com', sip_port: 5060, sip_parameters: { transport: 'udp' }, peer_type: 1, peer_id: '434' },
    ]);
  });

  it('adds every field it is given, the password from standard input', async () => {
    await run(
      `${add} --sip-password-stdin --sip-port 8089 --transport wss --method POST --host-header h.example:8089 --location /ws --peer-type 2 --no-register --no-can-call --no-can-be-called --auth-user au --display-name "Front Desk"`,
      'hush\nsecond line',
    );
    expect(await rowsInTable()).toMatchObject([
      {
        sip_password: 'hush',
        sip_port: 8089,
        sip_parameters: { transport: 'wss', method: 'POST' },
        sip_headers: { host: 'h.example:8089', location: '/ws' },
        peer_type: 2,
        register: false,
        can_call: false,
        can_be_called: false,
        auth_user: 'au',
        display_name: 'Front Desk',
      },
    ]);
  });

  it('never prints a password', async () => {
    const outputs = [
      await run(`${add} --sip-password hush`),
      await run('mappings set 1 --config c --sip-password hush2'),
      await run('mappings list --config c'),
      await run('mappings list --config c --json'),
      await run('mappings export --config c'),
      await run(`${add} --sip-password hush`),
    ];
    expect(JSON.stringify(outputs)).not.toContain('hush');
    expect(outputs[3]?.out).toContain('"has_password":true');
  });

  it('lists in 80 columns whatever the rows hold, and the rows that cannot be used', async () => {
    await run(add);
    await run(`mappings add --config c --sip-user ${'u'.repeat(100)} --sip-host ${'h'.repeat(60)}.example --peer-type 4 --peer-id 1 --peer-str-id sip:somebody@elsewhere.example`);
    await database.knex.raw(`insert into sip_user_mappings (id, sip_user, sip_host, sip_port, peer_id) values (123456789, 'x', 'pbx', -1, 9007199254740991)`);
    const { out, err } = await run('mappings list --config c');
    const lines = out.trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines.at(-1)).toBe('2 mappings.');
    expect(err).toBe('1 row cannot be used:\n  row 123456789: sip_port -1 is not a port (0 to 65535)\n');
  });

  it('lists as JSON, a line each', async () => {
    await run(`${add} --transport ws`);
    const { out } = await run('mappings list --config c --json');
    expect(JSON.parse(out)).toEqual({
      id: 1,
      sip_user: '434',
      has_password: false,
      sip_host: 'pbx.example.com',
      sip_port: 5060,
      sip_parameters: { transport: 'ws', method: 'GET' },
      sip_headers: { location: '/' },
      peer_type: 1,
      peer_id: 434,
      peer_str_id: null,
      register: true,
      can_call: true,
      can_be_called: true,
      auth_user: null,
      display_name: null,
    });
  });

  it('changes what is given and leaves the rest', async () => {
    await run(`${add} --transport wss --location /ws --host-header h.example --display-name Old --sip-password hush`);
    const { out, error } = await run('mappings set 1 --config c --location /other --host-header "" --display-name "" --no-can-call');
    expect(error).toBeUndefined();
    expect(out).toMatch(/^Changed mapping 1\.\n/);
    expect(await rowsInTable()).toMatchObject([
      { sip_password: 'hush', sip_parameters: { transport: 'wss', method: 'GET' }, sip_headers: { location: '/other' }, display_name: null, register: true, can_call: false },
    ]);
  });

  it('changes one part of a WebSocket handshake and leaves the others', async () => {
    await run(`${add} --transport wss --location /ws --method POST --host-header h.example`);
    await run('mappings set 1 --config c --host-header other.example');
    await run('mappings set 1 --config c --transport ws');
    expect(await rowsInTable()).toMatchObject([
      { sip_parameters: { transport: 'ws', method: 'POST' }, sip_headers: { host: 'other.example', location: '/ws' } },
    ]);
  });

  it('sets a row right that cannot be used', async () => {
    await database.knex.raw(`insert into sip_user_mappings (sip_user, sip_host, sip_parameters, peer_id) values ('x', 'pbx', '"udp"', 1)`);
    expect((await run('mappings set 1 --config c --sip-port 5062')).error).toMatchObject({ code: 'MAPPING_INVALID' });
    expect((await run('mappings set 1 --config c --transport tcp')).error).toBeUndefined();
    expect((await run('mappings list --config c')).out).toMatch(/x@pbx:5060 +tcp/);
  });

  it('removes a mapping, once', async () => {
    await run(add);
    expect((await run('mappings remove 1 --config c')).out).toBe('Removed mapping 1.\n');
    expect((await run('mappings remove 1 --config c')).error).toMatchObject({ code: 'MAPPING_NOT_FOUND', message: 'There is no mapping 1.' });
  });

  it.each([
    [`${add} --sip-port 70000`, 'sip_port 70000 is not a port (0 to 65535)'],
    [`${add} --transport sctp`, 'sip_parameters.transport "sctp" is not one of udp, tcp, tls, ws, wss'],
    [`${add} --location /ws`, 'location is for the transports ws and wss, this one is udp'],
    ['mappings set 9 --config c --sip-port 1', 'There is no mapping 9.'],
    ['mappings import /nowhere/at/all.csv --config c', '/nowhere/at/all.csv cannot be read: there is no such file or directory.'],
    ['mappings export /nowhere/at/all.csv --config c', '/nowhere/at/all.csv cannot be written: there is no such file or directory.'],
  ])('refuses `%s` in a sentence', async (args, message) => {
    expect((await run(args)).error).toMatchObject({ message });
    expect(await rowsInTable()).toEqual([]);
  });

  it.each([
    ['mappings add --config c --sip-user 434 --peer-id 1', /required option '--sip-host <host>' not specified/],
    ['mappings set seven --config c --sip-port 1', /It is a whole number/],
    ['mappings set 1 --config c', /nothing to change/],
    ['mappings list', /required option '--config <file>'/],
    [`${add} --sip-password a --sip-password-stdin`, /cannot be used with option/],
    ['mappings frobnicate', /unknown command 'frobnicate'/],
  ])('calls `%s` a mistake of usage', async (args, message) => {
    const { err, error } = await run(args);
    expect(err).toMatch(message);
    expect(error).toMatchObject({ code: expect.stringMatching(/^commander\./) as unknown });
  });

  it('helps with examples in 80 columns', async () => {
    for (const name of ['migrate', 'mappings', ...['list', 'add', 'set', 'remove', 'import', 'export'].map((each) => `mappings ${each}`)]) {
      const { out } = await run(`${name} --help`);
      expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
      if (name !== 'mappings') expect(out).toContain(`$ dialog-sip ${name}`);
    }
  });
});

describe('dialog-sip mappings import and export', () => {
  const good = 'sip_user,sip_password,sip_host,peer_id\n1,p1,pbx,1\n2,p2,pbx,2\n';
  const mixed = `${good}3,p3,p bx,3\n1,p4,PBX,1\n`;

  it('imports a file', async () => {
    const { out } = await run(`mappings import ${await file('good.csv', good)} --config c`);
    expect(out).toBe('Imported 2 mappings.\n');
    expect(await rowsInTable()).toHaveLength(2);
  });

  it('imports nothing of a file with faults, and tells them all by their lines', async () => {
    const { err, error } = await run(`mappings import ${await file('mixed.csv', `${good}3,p3,p bx,3\n4,p4,pbx,x\n`)} --config c`);
    expect(error).toMatchObject({ message: 'Nothing was imported: 2 rows cannot be.' });
    expect(err).toMatch(/^ {2}line 4: sip_host "p bx" is not .*\n {2}line 5: peer_id "x" is not a whole number\n$/);
    expect(await rowsInTable()).toEqual([]);
  });

  it('leaves out the faulty rows and those that are there already when told to', async () => {
    await run('mappings add --config c --sip-user 2 --sip-host pbx --peer-id 2');
    const { out, err } = await run(`mappings import ${await file('mixed.csv', mixed)} --config c --skip-invalid`);
    expect(out).toBe('Imported 1 mapping.\n');
    expect(err).toMatch(/^3 rows left out:\n {2}line 3: 2@pbx:5060 is mapped .*: mapping 1\n {2}line 4: .*\n {2}line 5: .* a row before it\n$/);
    expect(await rowsInTable()).toHaveLength(2);
  });

  it('writes nothing in a dry run and says what would be', async () => {
    const fine = await run(`mappings import ${await file('good.csv', good)} --config c --dry-run`);
    expect(fine.out).toBe('2 mappings would be imported. Nothing was written.\n');
    const skipping = await run(`mappings import ${await file('mixed.csv', mixed)} --config c --dry-run --skip-invalid`);
    expect(skipping.out).toBe('2 mappings would be imported. Nothing was written.\n');
    expect((await run(`mappings import ${await file('mixed.csv', mixed)} --config c --dry-run`)).error).toMatchObject({ code: 'MAPPING_INVALID' });
    expect(await rowsInTable()).toEqual([]);
  });

  it('exports what an import takes back whole, with passwords in a file of its owner alone', async () => {
    await run('mappings import - --config c', good);
    const before = (await rowsInTable()) as Record<string, unknown>[];
    const path = await file('out.csv', 'old');
    expect((await run(`mappings export ${path} --config c --with-passwords`)).out).toBe('');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await database.knex.raw('truncate sip_user_mappings restart identity');
    await run(`mappings import ${path} --config c`);
    const whole = before.map((row) => ({ ...row, created_at: expect.any(Date) as unknown, updated_at: expect.any(Date) as unknown }));
    expect(await rowsInTable()).toEqual(whole);
  });

  it('leaves the password column empty unless asked, and says which rows are left out', async () => {
    await run('mappings import - --config c', good);
    await database.knex.raw(`insert into sip_user_mappings (sip_user, sip_host, sip_port, peer_id) values ('x', 'pbx', -1, 9)`);
    const { out, err } = await run('mappings export --config c');
    expect(out.split('\n').map((line) => line.split(',', 3).join(','))).toEqual(['sip_user,sip_password,sip_host', '1,,pbx', '2,,pbx', '']);
    expect(err).toBe('1 row left out, for they cannot be used:\n  row 3: sip_port -1 is not a port (0 to 65535)\n');
  });

  it('refuses a file that is not text', async () => {
    const path = join(directory, 'latin1.csv');
    await writeFile(path, Buffer.from([0x73, 0xe9, 0x0a]));
    expect((await run(`mappings import ${path} --config c`)).error).toMatchObject({ message: `${path} cannot be read: it is not UTF-8 text.` });
    expect(await readFile(path)).toHaveLength(3);
  });
});

describe('the database that server.conf names', () => {
  it('must be named', async () => {
    const conf = await file('none.conf', 'modules.sip.extension = "im.dlg.sip.extension.SipExtension"\n');
    expect((await run(`migrate --config ${conf}`)).error).toMatchObject({
      code: 'CONFIG_INVALID',
      message: `${conf} names no database: set services.postgresql.host, or services.postgresql.embedded to a directory.`,
    });
  });
});
