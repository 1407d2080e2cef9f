import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../support/ports.js';
import { lacks } from './support/install.js';
import { Kamailio, passwordOf } from './support/kamailio.js';
import { MappingsTable } from './support/mappings-table.js';
import { Program } from './support/program.js';
import { startSubject, type Subject } from './support/subject.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const token = 'a-token-that-nobody-guesses';

describe.skipIf(lacks('kamailio', 'postgresql', 'openssl'))('dialog-sip beside an extension at a real Kamailio', () => {
  let table: MappingsTable;
  let kamailio: Kamailio;
  let folder: string;
  let subject: Subject;

  beforeAll(async () => {
    table = await MappingsTable.start();
    kamailio = await Kamailio.start();
    folder = await mkdtemp(join(tmpdir(), 'dialog-sip-admin-'));
    const port = await freePort();
    await writeFile(join(folder, 'server.conf'), `modules.sip.admin { on = true, port = ${port}, token = "${token}" }`);
    const row = (user: string, password: string, peerId: number) => ({ user, password, port: kamailio.ports.udp, peerId });
    await table.replace([row('ann', passwordOf('ann'), 1), row('bob', 'not-the-password', 2)]);
    subject = await startSubject(table.settings, { admin: { on: true, port, token } });
    await subject.untilStatus(({ registrations: { byState } }) => byState.registered === 1 && byState.parked === 1);
  });

  afterAll(async () => {
    await subject.stop();
    await kamailio.stop();
    await table.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const dialogSip = async (...words: string[]): Promise<string> => {
    const program = new Program(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...words, '--config', join(folder, 'server.conf')], { cwd: root });
    expect(await program.ended, program.describe()).toEqual({ code: 0, signal: null });
    return program.output;
  };

  test('the parked one is shown with the reason, and no password', async () => {
    const shown = await dialogSip('registrations', '--state', 'parked');
    expect(shown).toContain('bob@127.0.0.1');
    expect(shown).toContain('The registrar refused the password');
    expect(shown).toMatch(/\n1 registration\.\n$/);
    expect(await dialogSip('registrations', '--user', '1')).toMatch(/ann@127\.0\.0\.1 +registered/);
    expect(`${shown}${await dialogSip('registrations', '--json')}${await dialogSip('status', '--json')}`).not.toMatch(/not-the-password|that-nobody-guesses/);
  });

  test('a person takes one away, which Kamailio then forgets, and brings it back', async () => {
    const { mappingId: ann } = JSON.parse(await dialogSip('registrations', '--user', '1', '--json')) as { mappingId: number };
    await dialogSip('unregister', String(ann));
    await kamailio.untilUsers((users) => users.length === 0);
    expect(await dialogSip('registrations', '--state', 'held')).toContain('ann@127.0.0.1');
    await dialogSip('register', String(ann));
    await kamailio.untilUsers((users) => users.includes('ann'));
  });
});
