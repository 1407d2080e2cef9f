import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { lacks } from './support/install.js';
import { Kamailio, passwordOf, type Transport } from './support/kamailio.js';
import { MappingsTable, type MappingRow } from './support/mappings-table.js';
import { freePort } from '../support/ports.js';
import { allRegistered, startSubject, type Subject } from './support/subject.js';

const transports = ['udp', 'tcp', 'tls', 'ws', 'wss'] as const satisfies readonly Transport[];

describe.skipIf(lacks('kamailio', 'postgresql', 'openssl'))('registrations at a real Kamailio', () => {
  let table: MappingsTable;
  let kamailio: Kamailio;
  let subject: Subject | undefined;

  beforeAll(async () => {
    table = await MappingsTable.start();
    kamailio = await Kamailio.start();
  });

  afterAll(async () => {
    await kamailio.stop();
    await table.stop();
  });

  afterEach(async () => {
    await subject?.stop();
    subject = undefined;
  });

  const start = async (rows: readonly MappingRow[], sip: Record<string, unknown> = {}): Promise<Subject> => {
    await table.replace(rows);
    subject = await startSubject(table.settings, { ...sip, listen: { tls: { ca: kamailio.caFile } } });
    return subject;
  };

  const rowOf = (transport: Transport, peerId: number, at = kamailio): MappingRow => ({
    user: `user-${transport}-${peerId}`,
    password: passwordOf(`user-${transport}-${peerId}`),
    port: at.ports[transport],
    transport,
    peerId,
  });

  test('rows over each of the five transports become contacts, and stop takes them away', async () => {
    const { untilStatus, stop } = await start(transports.map((transport, index) => rowOf(transport, index + 1)));
    await untilStatus(allRegistered(5));
    const contacts = await kamailio.contacts();
    expect(contacts.map(({ user }) => user).sort()).toEqual(
      ['user-tcp-2', 'user-tls-3', 'user-udp-1', 'user-ws-4', 'user-wss-5'],
    );
    for (const transport of ['tls', 'ws', 'wss'] as const) {
      const received = contacts.find(({ user }) => user.startsWith(`user-${transport}-`))?.received;
      expect(received).toContain(transport === 'tls' ? 'transport=tls' : 'transport=ws');
    }
    await stop();
    expect(await kamailio.users()).toEqual([]);
  });

  test('a row that asks not to be registered is left alone', async () => {
    const { untilStatus } = await start([rowOf('udp', 1), { ...rowOf('udp', 2), register: false }]);
    await untilStatus(allRegistered(1));
    expect(await kamailio.users()).toEqual(['user-udp-1']);
  });

  test('many rows over one connection each are all registered', async () => {
    const rows = transports.flatMap((transport, index) =>
      Array.from({ length: 40 }, (_, number) => rowOf(transport, index * 100 + number)),
    );
    const { untilStatus, stop } = await start(rows);
    await untilStatus(allRegistered(200));
    expect(await kamailio.users()).toHaveLength(200);
    await stop();
    expect(await kamailio.users()).toEqual([]);
  });

  test('what is wrong with a row is told where a person looks, without its password, and harms no other', async () => {
    const wrong = { ...rowOf('udp', 2), password: 'not-the-password' };
    const unknownHost = { ...rowOf('udp', 3), host: 'no-such-host.invalid' };
    const refused = { ...rowOf('tcp', 4), port: await freePort() };
    const malformed = { ...rowOf('udp', 5), parameters: '{"transport":"carrier-pigeon"}' };
    const { host, untilStatus } = await start([rowOf('udp', 1), wrong, unknownHost, refused, malformed, rowOf('wss', 6)]);
    const { registrations, rejectedRows } = await untilStatus(
      ({ registrations: { byState, troubled } }) =>
        byState.registered === 2 && troubled.length === 3 && troubled.every(({ lastError }) => lastError !== undefined),
    );
    expect(await kamailio.users()).toEqual(['user-udp-1', 'user-wss-6']);

    const trouble = (user: string) => registrations.troubled.find(({ aor }) => aor.startsWith(`sip:${user}@`));
    expect(trouble(wrong.user)).toMatchObject({ state: 'parked', lastCode: 401 });
    expect(trouble(wrong.user)?.lastError).toMatch(/password/i);
    expect(trouble(unknownHost.user)).toMatchObject({ state: 'retrying' });
    expect(trouble(unknownHost.user)?.lastError).toContain('no-such-host.invalid');
    expect(trouble(refused.user)).toMatchObject({ state: 'retrying' });
    expect(trouble(refused.user)?.lastError).toMatch(/refused/i);
    for (const { nextTryAt } of registrations.troubled) expect(Date.parse(nextTryAt ?? '')).toBeGreaterThan(Date.now());
    expect(rejectedRows).toHaveLength(1);
    expect(rejectedRows[0]?.problem).toMatch(/transport/);
    expect(rejectedRows[0]?.problem).toContain('carrier-pigeon');

    const complaints = host.log.filter(({ level }) => level === 'warn' || level === 'error').map(({ text }) => text);
    for (const clue of [wrong.user, 'no-such-host.invalid', refused.user, 'carrier-pigeon']) {
      expect(complaints.some((text) => text.includes(clue)), `a complaint about ${clue} in\n${complaints.join('\n')}`).toBe(true);
    }
    const told = `${host.logText()}${JSON.stringify({ registrations, rejectedRows })}`;
    expect(told).not.toContain('not-the-password');
    expect(told).not.toContain('secret-user');
  });

  test('a registrar that is killed and starts again empty has everybody back without help', async () => {
    const { untilStatus } = await start(
      transports.map((transport, index) => rowOf(transport, index + 1)),
      { register: { expires: '60 seconds', interval: '2 seconds' } },
    );
    await untilStatus(allRegistered(5));
    await kamailio.crash();
    await kamailio.startAgain();
    expect(await kamailio.users()).toEqual([]);
    await kamailio.untilUsers((users) => users.length === 5, 45_000);
    await untilStatus(allRegistered(5));
  });

  test('a registration is refreshed from the expiry that was granted, whatever was asked for', async () => {
    const brief = await Kamailio.start({ maxExpires: 4 });
    try {
      const { untilStatus } = await start([rowOf('udp', 1, brief)], { register: { expires: '30 minutes', interval: '30 minutes' } });
      await untilStatus(allRegistered(1));
      const [first] = await brief.contacts();
      expect(first?.expires).toBeLessThanOrEqual(4);
      await brief.untilContacts((contacts) => {
        expect(contacts, 'the binding never lapses and is never doubled').toHaveLength(1);
        expect(contacts[0]?.callId).toBe(first?.callId);
        return (contacts[0]?.cseq ?? 0) >= (first?.cseq ?? 0) + 3;
      });
      await subject?.stop();
      expect(await brief.users()).toEqual([]);
    } finally {
      await brief.stop();
    }
  });

  test('a registrar that wants a longer expiry (423) gets it', async () => {
    const slow = await Kamailio.start({ minExpires: 600 });
    try {
      const { untilStatus } = await start([rowOf('tcp', 1, slow)], { register: { expires: '60 seconds' } });
      await untilStatus(allRegistered(1));
      expect((await slow.contacts())[0]?.expires).toBeGreaterThan(500);
      await subject?.stop();
    } finally {
      await slow.stop();
    }
  });
});
