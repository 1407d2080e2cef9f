/** What happens to the table, and to its database, while the extension runs: real PostgreSQL, real Kamailio, plain SQL. */
import knex from 'knex';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SipExtension } from '../../src/index.js';
import { FakeHost } from '../support/fake-host.js';
import { lacks } from './support/install.js';
import { Kamailio, passwordOf } from './support/kamailio.js';
import { startOwnPostgres, type OwnPostgres } from './support/postgres.js';
import { allRegistered, startSubject, type Subject } from './support/subject.js';

describe.skipIf(lacks('kamailio', 'postgresql', 'openssl'))('changes while it runs', () => {
  let postgres: OwnPostgres;
  let kamailio: Kamailio;
  let subject: Subject | undefined;

  beforeAll(async () => {
    postgres = await startOwnPostgres();
    kamailio = await Kamailio.start();
  });

  afterAll(async () => {
    await kamailio.stop();
    await postgres.stop();
  });

  beforeEach(() => sql('drop schema public cascade; create schema public'));

  afterEach(async () => {
    await subject?.stop();
    subject = undefined;
  });

  /** As an operator types it. */
  async function sql(text: string): Promise<void> {
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    try {
      await client.query(text);
    } finally {
      await client.end();
    }
  }

  const start = async (sip: Record<string, unknown> = {}): Promise<Subject> => {
    const { host, port, db, user, password } = postgres.settings;
    subject = await startSubject({ host, port, db, user, password }, sip);
    return subject;
  };

  const insert = (user: string, peerId: number): Promise<void> =>
    sql(`insert into sip_user_mappings (sip_user, sip_password, sip_host, sip_port, peer_id)
         values ('${user}', '${passwordOf(user)}', '127.0.0.1', ${kamailio.ports.udp}, ${peerId})`);

  test('a row that comes, changes and goes does so at the registrar, and no other mapping is touched', async () => {
    const { untilStatus } = await start();
    await insert('bystander', 1);
    await insert('ann', 2);
    await untilStatus(allRegistered(2));
    const bystander = await kamailio.contacts('bystander');
    expect(await kamailio.contacts('ann')).toHaveLength(1);

    await sql(`update sip_user_mappings set sip_password = 'wrong' where sip_user = 'ann'`);
    await untilStatus(({ registrations: { byState } }) => byState.parked === 1 && byState.registered === 1);
    await sql(`update sip_user_mappings set sip_password = '${passwordOf('ann')}' where sip_user = 'ann'`);
    await untilStatus(allRegistered(2));

    await sql(`update sip_user_mappings set sip_port = ${kamailio.ports.tcp}, sip_parameters = '{"transport": "tcp"}' where sip_user = 'ann'`);
    await kamailio.untilContacts((contacts) => {
      const anns = contacts.filter(({ user }) => user === 'ann');
      return anns.length === 1 && anns.every(({ contact }) => contact.includes('transport=tcp'));
    });
    await untilStatus(allRegistered(2));

    await sql(`update sip_user_mappings set register = false where sip_user = 'ann'`);
    await kamailio.untilUsers((users) => !users.includes('ann'));
    await sql(`update sip_user_mappings set register = true where sip_user = 'ann'`);
    await kamailio.untilUsers((users) => users.includes('ann'));
    await sql(`delete from sip_user_mappings where sip_user = 'ann'`);
    await kamailio.untilUsers((users) => !users.includes('ann'));
    await untilStatus(allRegistered(1));
    const [before, after] = [bystander, await kamailio.contacts('bystander')].map((bindings) => bindings.map(({ callId, cseq, contact }) => ({ callId, cseq, contact })));
    expect(after).toEqual(before);
  });

  test('ten thousand rows changed by one statement are ten thousand changes', async () => {
    const { untilStatus } = await start({ register: { 'max-rate': 10_000 } });
    await sql(`insert into sip_user_mappings (sip_user, sip_password, sip_host, sip_port, peer_id)
               select 'user-' || n, 'secret-user-' || n, '127.0.0.1', ${kamailio.ports.udp}, n from generate_series(1, 10000) n`);
    await untilStatus(allRegistered(10_000), 60_000);
    await sql('update sip_user_mappings set register = false');
    await untilStatus(({ registrations }) => registrations.total === 0, 60_000);
    await sql('update sip_user_mappings set sip_port = 70000');
    await untilStatus(({ rejectedRows }) => rejectedRows.length === 10_000, 60_000);
    await sql('truncate sip_user_mappings');
    await untilStatus(({ rejectedRows }) => rejectedRows.length === 0, 60_000);
    expect(await kamailio.users()).toEqual([]);
  });

  test("are heard over the host's own pool as well", async () => {
    const { host, port, db, user, password } = postgres.settings;
    const pool = knex({ client: 'pg', connection: { host, port, database: db, user, password }, pool: { min: 0, max: 2 } });
    const fake = new FakeHost({ tree: { modules: { sip: { listen: { host: '127.0.0.1', 'udp-port': 0, 'tcp-port': 0 } } } } });
    const extension = new SipExtension();
    try {
      await extension.init({ config: fake.config, logger: fake.logger, calls: fake.calls, database: pool });
      await insert('ann', 1);
      await kamailio.untilUsers((users) => users.includes('ann'));
      await sql('delete from sip_user_mappings');
      await kamailio.untilUsers((users) => !users.includes('ann'));
    } finally {
      await extension.stop({ drainMs: 0 });
      await pool.destroy();
    }
  });

  test('a database that dies takes nothing with it but new users, and is compared when it is back', async () => {
    const autocreate = { on: true, host: '127.0.0.1', port: kamailio.ports.udp, password: { mode: 'fixed', value: passwordOf('3') } };
    const { extension, host, untilStatus } = await start({ autocreate, register: { expires: '60 seconds', interval: '1 second' } });
    await insert('ann', 1);
    await untilStatus(allRegistered(1));
    await postgres.crash();
    const [atCrash] = await kamailio.contacts('ann');
    await expect(extension.onUserCreated({ id: 3 })).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    await kamailio.untilContacts((contacts) => contacts.some(({ cseq }) => cseq > (atCrash?.cseq ?? Infinity)));
    expect(extension.status()).toMatchObject({ ready: true, registrations: { byState: { registered: 1 } } });

    await postgres.startAgain();
    await insert('late', 2);
    await kamailio.untilUsers((users) => users.includes('late'), 60_000);
    await extension.onUserCreated({ id: 3 });
    await kamailio.untilUsers((users) => users.join() === '3,ann,late');
    const told = host.log.filter(({ message }) => message.startsWith("Changes of sip_user_mappings are")).map(({ message }) => message);
    expect(told).toEqual([
      expect.stringMatching(/^Changes of sip_user_mappings are not heard now: .*\. The table is compared every 30 s instead/),
      'Changes of sip_user_mappings are heard again; what was missed is looked for now.',
    ]);
  });

  test('a database that is down at the start is waited for, and the log says why', async () => {
    const { host, port, db, user, password } = postgres.settings;
    const tree = (secret: string) => ({
      modules: { sip: { listen: { host: '127.0.0.1', 'udp-port': 0, 'tcp-port': 0 } } },
      services: { postgresql: { host, port, db, user, password: secret } },
    });
    await postgres.crash();
    const fake = new FakeHost({ tree: tree(password) });
    const extension = new SipExtension();
    const ready = extension.init(fake);
    await expect.poll(() => fake.logText(), { timeout: 10_000 }).toMatch(/Waiting for the database: PostgreSQL at 127\.0\.0\.1:\d+ .* cannot be used: nothing listens there\./);
    expect(extension.status().ready).toBe(false);

    const givenUp = new SipExtension();
    const refused = expect(givenUp.init(new FakeHost({ tree: tree(password) }))).rejects.toMatchObject({ code: 'NOT_READY' });
    await givenUp.stop();
    await refused;

    await postgres.startAgain();
    await ready;
    expect(fake.logText()).toMatch(/The database is there, after/);
    await insert('ann', 1);
    await kamailio.untilUsers((users) => users.includes('ann'));
    await extension.stop({ drainMs: 0 });

    const mistaken = new FakeHost({ tree: tree('not-the-one') });
    const waiting = new SipExtension();
    const stopped = expect(waiting.init(mistaken)).rejects.toMatchObject({ code: 'NOT_READY' });
    await expect.poll(() => mistaken.logText(), { timeout: 10_000 }).toContain('the user or the password was refused');
    expect(mistaken.logText()).not.toContain('not-the-one');
    await waiting.stop();
    await stopped;
  });
});
