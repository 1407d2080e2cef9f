import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addAutocreateCommand } from '../../src/cli/autocreate.js';
import { openBackfill } from '../../src/extension/backfill-operations.js';
import { openDatabase } from '../../src/mappings/database.js';
import { migrate } from '../../src/mappings/migrate.js';
import { MappingWriter } from '../../src/mappings/mapping-writer.js';
import { Secrets } from '../../src/mappings/secrets.js';
import { ordinaryDraft } from '../support/mapping-draft.js';
import { runCommand, type Outcome } from './run-command.js';

let folder: string;
let conf: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dialog-sip-backfill-'));
  conf = join(folder, 'server.conf');
  await writeFile(
    conf,
    `services.postgresql.embedded = data
     modules.sip { autocreate { host = pbx.example.com, user-prefix = dialog, password.mode = random }, secrets.key = "${'ab'.repeat(32)}" }`,
  );
  await inDatabase(async (writer, knex) => {
    await migrate(knex);
    await writer.insert({ ...ordinaryDraft, sipUser: 'dialog3', sipHost: 'PBX.example.com', peer: { type: 1, id: 9 } });
  });
}, 60_000);

afterEach(() => rm(folder, { recursive: true, force: true }));

async function inDatabase<T>(work: (writer: MappingWriter, knex: Awaited<ReturnType<typeof openDatabase>>['knex']) => Promise<T>): Promise<T> {
  const database = await openDatabase({ kind: 'embedded', directory: join(folder, 'data') });
  try {
    return await work(new MappingWriter(database.knex, new Secrets({ previous: [] })), database.knex);
  } finally {
    await database.close();
  }
}

interface StoredRow {
  sip_user: string;
  sip_password: string;
  display_name: string | null;
}

const rows = (): Promise<StoredRow[]> =>
  inDatabase(async (_, knex) => knex<StoredRow>('sip_user_mappings').select('sip_user', 'sip_password', 'display_name').orderBy('id'));

/** @returns what it wrote, and what was done to the bar */
async function run(args: string[], input = ''): Promise<Outcome & { bar: (string | number)[] }> {
  const bar: (string | number)[] = [];
  const outcome = await runCommand(['autocreate', 'backfill', ...args], (program, write, warn) => {
    addAutocreateCommand(program, {
      open: openBackfill,
      write,
      warn,
      readInput: () => Promise.resolve(input),
      progress: (total, what) => {
        bar.push(`${total} ${what}`);
        return { update: (done) => bar.push(done), stop: () => bar.push('stop') };
      },
    });
  });
  return { ...outcome, bar };
}

describe('dialog-sip autocreate backfill', () => {
  it('gives accounts to the users of a list, once, with encrypted passwords, and names who can have none', async () => {
    const list = 'id,name,disabled\n1,Ann,\n2,Bob,true\n3,Cy,\nx,Dan,\n4,Eve,\n1,Ann again,\n';
    const first = await run(['--config', conf, '--users', '-'], list);
    expect(first.out).toBe('Made 2 mappings.\n1 user had one already.\n1 disabled user left out.\n');
    expect(first.err).toBe(
      '  line 4: dialog3@pbx.example.com belongs to another peer already: peer 9 (type 1), mapping 1\n  line 5: id is not a whole number above 0\n',
    );
    expect(first.error).toMatchObject({ code: 'MAPPING_INVALID', message: '2 lines of the list gave no mapping.' });
    expect(first.bar).toEqual(['6 users', 6, 'stop']);
    const made = await rows();
    expect(made.map(({ sip_user, display_name }) => [sip_user, display_name])).toEqual([['dialog3', null], ['dialog1', 'Ann'], ['dialog4', 'Eve']]);
    expect(made.slice(1).map(({ sip_password }) => sip_password.slice(0, 7))).toEqual(['enc:v1:', 'enc:v1:']);

    const again = await run(['--config', conf, '--users', '-'], '{"id":1}\n{"id":4}\n');
    expect([again.out, again.error]).toEqual(['Made 0 mappings.\n2 users had one already.\n', undefined]);
    expect(await rows()).toEqual(made);
  });

  it('checks everything and writes nothing in a dry run', async () => {
    const list = join(folder, 'users.jsonl');
    await writeFile(list, '{"id":1}\n{"id":3}\n');
    const { out, err, error } = await run(['--config', conf, '--users', list, '--dry-run']);
    expect(out).toBe('1 mapping would be made. Nothing was written.\n');
    expect(err).toContain('line 2: dialog3@pbx.example.com belongs to another peer already');
    expect(error).toBeDefined();
    expect(await rows()).toHaveLength(1);
  });

  it('says what is missing: the list, or where the accounts are to be', async () => {
    expect((await run(['--config', conf, '--users', '/nowhere/users.csv'])).error?.message).toBe('/nowhere/users.csv cannot be read: there is no such file or directory.');
    await writeFile(conf, 'services.postgresql.embedded = data');
    expect((await run(['--config', conf, '--users', '-'])).error?.message).toMatch(/set modules\.sip\.autocreate\.host\.$/);
  });

  it('explains itself within 80 columns', async () => {
    const { out } = await run(['--help']);
    expect(out).toContain('$ dialog-sip autocreate backfill --config server.conf --users users.csv');
    expect(out.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });
});
