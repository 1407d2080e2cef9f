/** Passwords in each form that the table may hold, at a real registrar. */
import { createHash, createSecretKey, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Secrets } from '../../src/mappings/secrets.js';
import { lacks } from './support/install.js';
import { Kamailio, passwordOf } from './support/kamailio.js';
import { MappingsTable, type MappingRow } from './support/mappings-table.js';
import { startSubject } from './support/subject.js';

describe.skipIf(lacks('kamailio', 'postgresql', 'openssl'))('passwords in the table, at a real Kamailio', () => {
  let table: MappingsTable;
  let kamailio: Kamailio;

  beforeAll(async () => {
    table = await MappingsTable.start();
    kamailio = await Kamailio.start();
  });

  afterAll(async () => {
    await kamailio.stop();
    await table.stop();
  });

  /** MD5(user:realm:password), as a registrar's table has it; Kamailio's realm is the domain. */
  const ha1 = (user: string, password: string): string => `ha1:${createHash('md5').update(`${user}:127.0.0.1:${password}`).digest('hex')}`;

  test('hashed and encrypted ones are taken, and those that are of no use are told by row', async () => {
    const key = randomBytes(32);
    const secrets = new Secrets({ key: createSecretKey(key), previous: [] });
    const lost = new Secrets({ key: createSecretKey(randomBytes(32)), previous: [] });
    const passwords: Record<string, string> = {
      plain: passwordOf('plain'),
      hashed: ha1('hashed', passwordOf('hashed')),
      sealed: secrets.seal(passwordOf('sealed')),
      both: secrets.seal(ha1('both', passwordOf('both'))),
      wrong: ha1('wrong', 'not-the-password'),
      lost: lost.seal(passwordOf('lost')),
    };
    const rows = Object.entries(passwords).map(([user, password], index): MappingRow => ({ user, password, port: kamailio.ports.udp, peerId: index + 1 }));
    await table.replace(rows);
    const { host, untilStatus, stop } = await startSubject(table.settings, { secrets: { key: key.toString('base64') } });
    try {
      const { registrations, rejectedRows } = await untilStatus(
        ({ registrations: { byState } }) => byState.registered === 4 && byState.parked === 1,
      );
      expect(await kamailio.users()).toEqual(['both', 'hashed', 'plain', 'sealed']);
      expect(registrations.troubled).toMatchObject([{ aor: 'sip:wrong@127.0.0.1', lastCode: 401, lastError: expect.stringMatching(/refused the password/) as string }]);
      expect(rejectedRows).toEqual([{ id: 6, problem: expect.stringMatching(/^row 6: sip_password is encrypted with the key [0-9a-f]{8}, which is neither/) as string }]);
      const told = `${host.logText()}${JSON.stringify({ registrations, rejectedRows })}`;
      for (const secret of ['secret-', 'not-the-password', key.toString('base64'), ...Object.values(passwords).map((text) => text.slice(-32))]) {
        expect(told).not.toContain(secret);
      }
    } finally {
      await stop();
    }
  });
});
