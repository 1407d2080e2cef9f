/** Mappings that are typed into the console take effect: over HTTP, at a real PostgreSQL and a real Kamailio. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../support/ports.js';
import { lacks } from './support/install.js';
import { Kamailio, passwordOf } from './support/kamailio.js';
import { MappingsTable } from './support/mappings-table.js';
import { allRegistered, startSubject, type Subject } from './support/subject.js';

const token = 'a-token-that-nobody-guesses';

describe.skipIf(lacks('kamailio', 'postgresql', 'openssl'))('mappings over HTTP', () => {
  let table: MappingsTable;
  let kamailio: Kamailio;
  let subject: Subject;
  let url: string;

  beforeAll(async () => {
    table = await MappingsTable.start();
    kamailio = await Kamailio.start();
    await table.replace([]);
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    subject = await startSubject(table.settings, { admin: { on: true, port, token }, secrets: { key: Buffer.alloc(32, 7).toString('base64') } });
  });

  afterAll(async () => {
    await subject.stop();
    await kamailio.stop();
    await table.stop();
  });

  async function ask(method: string, path: string, type?: string, body?: string): Promise<Record<string, unknown>> {
    const response = await fetch(url + path, { method, headers: { authorization: `Bearer ${token}`, ...(type === undefined ? {} : { 'content-type': type }) }, body });
    const text = await response.text();
    expect(response.ok, text).toBe(true);
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  }

  test('one that is added, changed and removed registers, changes and is gone at the registrar', async () => {
    const typed = { sipUser: 'ann', sipPassword: 'wrong', sipHost: '127.0.0.1', sipPort: kamailio.ports.udp, peerId: 1 };
    const { id } = await ask('POST', '/api/mappings', 'application/json', JSON.stringify(typed));
    await subject.untilStatus(({ registrations: { byState } }) => byState.parked === 1);
    expect(await ask('PATCH', `/api/mappings/${String(id)}`, 'application/json', JSON.stringify({ sipPassword: passwordOf('ann') }))).toMatchObject({ hasPassword: true });
    await kamailio.untilUsers((users) => users.includes('ann'));
    await ask('DELETE', `/api/mappings/${String(id)}`);
    await kamailio.untilUsers((users) => users.length === 0);
  });

  test('a file of some hundreds registers them, tried first, and changes one when it is imported again', async () => {
    const users = Array.from({ length: 450 }, (_, index) => `user-${index}`);
    const line = (user: string, index: number): string => `${user},${passwordOf(user)},127.0.0.1,${kamailio.ports.udp},${index + 1}`;
    const file = `sip_user,sip_password,sip_host,sip_port,peer_id\n${users.map(line).join('\n')}\n`;
    expect(await ask('POST', '/api/mappings/import?dryRun=true', 'text/csv', file)).toMatchObject({ inserted: 450, errorCount: 0 });
    expect(await ask('GET', '/api/mappings')).toEqual({ items: [] });
    expect(await ask('POST', '/api/mappings/import', 'text/csv', file)).toMatchObject({ inserted: 450, errorCount: 0 });
    await subject.untilStatus(allRegistered(450));
    expect(await ask('POST', '/api/mappings/import', 'text/csv', file.replace('user-7,secret-user-7', 'user-7,other'))).toMatchObject({ updated: 1, unchanged: 449 });
    await subject.untilStatus(({ registrations: { byState } }) => byState.parked === 1 && byState.registered === 449);
  });
});
