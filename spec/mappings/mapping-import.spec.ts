import { createSecretKey } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase, type Database } from '../../src/mappings/database.js';
import { MappingImport } from '../../src/mappings/mapping-import.js';
import { MappingReader } from '../../src/mappings/mapping-reader.js';
import { MappingWriter } from '../../src/mappings/mapping-writer.js';
import { migrate } from '../../src/mappings/migrate.js';
import { usableMapping } from '../../src/mappings/parse-mapping.js';
import { Secrets } from '../../src/mappings/secrets.js';

let database: Database;
let reader: MappingReader;

const secrets = new Secrets({ key: createSecretKey(Buffer.alloc(32, 7)), previous: [] });

beforeAll(async () => {
  database = await openDatabase({ kind: 'embedded', directory: ':memory:' });
  await migrate(database.knex);
  reader = new MappingReader(database.knex);
}, 60_000);

afterAll(() => database.close());

beforeEach(() => database.knex.raw('truncate sip_user_mappings restart identity'));

const run = (text: string, dryRun = false) => new MappingImport(database.knex, secrets).run(Buffer.from(text), { dryRun });

/** `user password name port`, ascending. */
async function rows(): Promise<string[]> {
  const all: string[] = [];
  for await (const { mappings } of reader.pages()) {
    for (const { sipUser, sipPassword, displayName, sipPort } of mappings) all.push(`${sipUser} ${JSON.stringify(secrets.open(sipPassword))} ${displayName ?? '-'} ${sipPort}`);
  }
  return all;
}

const header = 'sip_user,sip_host,peer_id,sip_password,display_name\n';

describe('a CSV file', () => {
  it('adds what is new, changes what is other, and leaves the rest, column by column', async () => {
    await run(`${header}1,pbx,1,a,Ann\n2,pbx,2,b,Bob\n3,pbx,3,c,Carol\n`);
    await new MappingWriter(database.knex, secrets).update(2, { sip_port: 5_070 });
    const outcome = await run(`${header}1,PBX,1,a,Ann\n2,pbx,2,,Rob\n3,pbx,3,new,Carol\n4,pbx,4,d,\n`);
    expect(outcome).toEqual({ rows: 4, inserted: 1, updated: 3, unchanged: 0, errorCount: 0, errors: [] });
    expect(await rows()).toEqual(['1 "a" Ann 5060', '2 "b" Rob 5070', '3 "new" Carol 5060', '4 "d" - 5060']);
    const stored = await database.knex('sip_user_mappings').pluck<string[]>('sip_password');
    expect(stored.every((password) => password.startsWith('enc:v1:'))).toBe(true);
  });

  it('that is imported again changes nothing', async () => {
    const text = `${header}1,pbx,1,a,Ann\n2,pbx,2,,\n`;
    await run(text);
    const before = await database.knex('sip_user_mappings').select('*').orderBy('id');
    expect(await run(text)).toMatchObject({ inserted: 0, updated: 0, unchanged: 2 });
    expect(await database.knex('sip_user_mappings').select('*').orderBy('id')).toEqual(before);
  });

  it('with errors writes nothing, and says each with its line and column', async () => {
    await run(`${header}1,pbx,1,a,Ann\n`);
    const outcome = await run(`${header}1,pbx,1,new,Ann\n2,p bx,2,hush,\n3,pbx,3,c,\n3,PBX,3,c,\n5,pbx\n`);
    expect(outcome).toEqual({
      rows: 5,
      inserted: 1,
      updated: 1,
      unchanged: 0,
      errorCount: 3,
      errors: [
        { line: 3, column: 'sip_host', problem: expect.stringMatching(/^sip_host "p bx" is not/) as string },
        { line: 5, column: 'sip_user', problem: 'this SIP user, host and peer stand on line 4 already' },
        { line: 6, problem: '2 cells, the header has 5' },
      ],
    });
    expect(await rows()).toEqual(['1 "a" Ann 5060']);
  });

  it('with errors late in it takes back what was written before', async () => {
    const good = Array.from({ length: 450 }, (_, index) => `${index},pbx,${index},,`).join('\n');
    expect(await run(`${header}${good}\n999,pbx,x,,\n`)).toMatchObject({ rows: 451, inserted: 450, errorCount: 1 });
    expect(await rows()).toEqual([]);
    await expect(run(`${header}${good}\n999,pbx,9,"hush\n`)).rejects.toMatchObject({ code: 'MAPPING_INVALID', message: expect.not.stringContaining('hush') as string });
    expect(await rows()).toEqual([]);
  });

  it('may be tried without being written', async () => {
    await run(`${header}1,pbx,1,a,Ann\n`);
    expect(await run(`${header}1,pbx,1,a,Anna\n2,pbx,2,b,Bob\n`, true)).toMatchObject({ inserted: 1, updated: 1, errorCount: 0 });
    expect(await rows()).toEqual(['1 "a" Ann 5060']);
  });

  it('of nothing but errors tells the first thousand, and counts all', async () => {
    const { errors, errorCount } = await run(`${header}${'1,p bx,1,,\n'.repeat(1_500)}`);
    expect([errors.length, errorCount, errors.at(-1)?.line]).toEqual([1_000, 1_500, 1_001]);
  });

  it('that changes the transport leaves nothing of a handshake that was never judged', async () => {
    await database.knex.raw(`insert into sip_user_mappings (sip_user, sip_host, peer_id, sip_parameters, sip_headers) values ('1', 'pbx', 1, '{"transport": "udp"}', '{"location": "no path"}')`);
    const outcome = await run('sip_user,sip_host,peer_id,sip_parameters\n1,pbx,1,"{""transport"": ""ws""}"\n');
    expect(outcome).toMatchObject({ updated: 1, errorCount: 0 });
    expect(usableMapping(await reader.row(1)).webSocket).toEqual({ method: 'GET', location: '/' });
  });
});
