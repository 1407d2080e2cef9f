import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LogLine } from '../support/fake-host.js';
import { lacks } from './support/install.js';
import { Kamailio, passwordOf } from './support/kamailio.js';
import { MappingsTable } from './support/mappings-table.js';
import { allRegistered, startSubject } from './support/subject.js';

describe.skipIf(lacks('kamailio', 'postgresql', 'openssl'))('modules.sip.trace-level', () => {
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

  /** Registers one user, refreshes nothing, stops: REGISTER, 401, REGISTER, 200, and the same or less for the removal. */
  const logAt = async (level: number): Promise<LogLine[]> => {
    await table.replace([{ user: 'alice', password: passwordOf('alice'), port: kamailio.ports.udp, peerId: 1 }]);
    const subject = await startSubject(table.settings, { 'trace-level': level });
    await subject.untilStatus(allRegistered(1));
    await subject.stop();
    const text = subject.host.logText();
    expect(text).not.toContain(passwordOf('alice'));
    expect(text).not.toMatch(/response=\\*"?[0-9a-f]{32}/);
    return subject.host.log;
  };

  const wholeMessages = (log: LogLine[]): LogLine[] => log.filter(({ text }) => /CSeq: \d+ REGISTER/.test(text));

  test('0 traces nothing', async () => {
    const log = await logAt(0);
    expect(log.filter(({ text }) => /REGISTER sip:|SIP\/2\.0/.test(text))).toEqual([]);
  });

  test('16 gives one line a message', async () => {
    const log = await logAt(16);
    expect(wholeMessages(log)).toEqual([]);
    const lines = log.map(({ message }) => message);
    expect(lines.filter((line) => /\bREGISTER\b/.test(line) && !/\b(200|401)\b/.test(line)).length).toBeGreaterThanOrEqual(3);
    expect(lines.filter((line) => /\b401\b/.test(line)).length).toBeGreaterThanOrEqual(1);
    expect(lines.filter((line) => /\b200\b/.test(line)).length).toBeGreaterThanOrEqual(2);
    expect(lines.filter((line) => line.includes('\n'))).toEqual([]);
  });

  test('32 gives whole messages with the secrets taken out', async () => {
    const whole = wholeMessages(await logAt(32));
    expect(whole.filter(({ text }) => text.includes('REGISTER sip:')).length).toBeGreaterThanOrEqual(3);
    expect(whole.filter(({ text }) => text.includes('SIP/2.0 200')).length).toBeGreaterThanOrEqual(2);
    const answered = whole.find(({ text }) => /[^-]Authorization: /.test(text));
    expect(answered?.text).toBeDefined();
    expect(answered?.text).toContain('Call-ID: ');
  });
});
