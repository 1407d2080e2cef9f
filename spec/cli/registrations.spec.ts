/** The commands that ask the running extension, over a real administration server. */
import { createServer, type Server } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addRegistrationsCommands } from '../../src/cli/registrations.js';
import { AdminClient, openAdminClient } from '../../src/extension/admin-client.js';
import { AdminSetup, someStatus, token } from '../admin/setup.js';
import { freePort } from '../support/ports.js';
import { runCommand, type Outcome } from './run-command.js';

let setup: AdminSetup;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dialog-sip-admin-'));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

beforeEach(async () => {
  setup = new AdminSetup();
  await setup.open();
});

afterEach(() => setup.close());

async function conf(admin: string): Promise<string> {
  const path = join(directory, 'server.conf');
  await writeFile(path, `modules.sip.admin { ${admin} }`);
  return path;
}

/** Runs `dialog-sip <args>` twelve minutes after the new year began. */
async function run(args: string, admin = `on = true, port = ${setup.port}, token = "${token}"`): Promise<Outcome> {
  const words = args.includes('--help') ? args.split(' ') : [...args.split(' '), '--config', await conf(admin)];
  const outcome = await runCommand(words, (program, write) => {
    addRegistrationsCommands(program, { open: openAdminClient, write, now: () => Date.parse('2026-01-01T00:12:00Z'), columns: () => undefined });
  });
  expect(JSON.stringify(outcome)).not.toContain(token);
  return outcome;
}

const parked = {
  state: 'parked',
  since: '2026-01-01T00:00:00Z',
  lastCode: 401,
  lastError: 'The registrar refused the password (401 Unauthorized).',
  nextTryAt: '2026-01-01T01:00:00Z',
} as const;

describe('dialog-sip registrations', () => {
  it('shows who is registered and who is not, with the reason below and times from now', async () => {
    setup.registrations.fill(2, (id) => (id === 2 ? parked : {}));
    const { out, error } = await run('registrations');
    expect(error).toBeUndefined();
    expect(out.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, ' | '))).toEqual([
      'id | SIP account | state | for | next',
      '1 | 1@pbx.example.com | registered | 12 min | in 13 min',
      '2 | 2@pbx.example.com | parked | 12 min | in 48 min',
      'The registrar refused the password (401 Unauthorized).',
      '2 registrations.',
      '',
    ]);
  });

  it('shows those in one state, and those of one user', async () => {
    setup.registrations.fill(3, (id) => (id === 2 ? parked : {}));
    expect((await run('registrations --state parked')).out).toMatch(/ 2@pbx.*\n.*refused the password.*\n1 registration\.\n$/);
    expect((await run('registrations --user 3')).out).toMatch(/\n +3 {2}3@pbx.*\n1 registration\.\n$/);
    expect((await run('registrations --user 9')).out).toBe('0 registrations.\n');
  });

  it('stays within 80 columns, and lets nothing steer the terminal, whatever comes', async () => {
    setup.registrations.fill(1, () => ({
      ...parked,
      mappingId: Number.MAX_SAFE_INTEGER,
      aor: `sip:${'u'.repeat(90)}@${'h'.repeat(90)}`,
      lastError: `\u001b[2J${'word '.repeat(40)}${'x'.repeat(200)}\u0007`,
      since: '1999-01-01T00:00:00Z',
    }));
    for (const command of ['registrations', `registrations ${Number.MAX_SAFE_INTEGER}`]) {
      const { out } = await run(command);
      expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
      expect(out.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    }
  });

  it('tells all about one, in words', async () => {
    setup.registrations.fill(1, () => parked);
    const { out } = await run('registrations 1');
    expect(out).toContain('state             parked: somebody has to set it right; tried again now and then\n');
    expect(out).toContain('reason            The registrar refused the password (401 Unauthorized).\n');
    expect(out).toContain('next try          in 48 min (2026-01-01T01:00:00Z)\n');
    expect(out).toContain('registrar         pbx.example.com:5060 over udp\n');
  });

  it('writes a line of JSON for each', async () => {
    setup.registrations.fill(2);
    const { out } = await run('registrations --json');
    expect(out.trimEnd().split('\n').map((line) => JSON.parse(line) as unknown)).toEqual(setup.registrations.all);
    expect(JSON.parse((await run('registrations 2 --json')).out)).toEqual(setup.registrations.all[1]);
  });

  it('reads many page by page, and misses none', async () => {
    setup.registrations.fill(1_201);
    const { out } = await run('registrations --json');
    expect(out.trimEnd().split('\n').map((line) => (JSON.parse(line) as { mappingId: number }).mappingId)).toEqual(Array.from({ length: 1_201 }, (_, index) => index + 1));
    expect(setup.registrations.limits).toEqual([501, 501, 501]);
  });
});

describe('dialog-sip register and unregister', () => {
  it('act on one mapping, and say so', async () => {
    setup.registrations.fill(7);
    expect((await run('unregister 7')).out).toMatch(/^Mapping 7 \(sip:7@pbx\.example\.com\) is being un-registered/);
    expect((await run('register 7')).out).toMatch(/^Mapping 7 \(sip:7@pbx\.example\.com\) is being registered\.\n/);
    expect(setup.registrations.asked).toEqual(['unregister 7', 'register 7']);
    expect(JSON.parse((await run('register 7 --json')).out)).toEqual(setup.registrations.all[6]);
  });

  it('say why not', async () => {
    setup.registrations.fill(1, () => ({ state: 'off' }));
    expect((await run('register 1')).error).toMatchObject({ code: 'ADMIN_REFUSED', message: expect.stringContaining('refused: Mapping 1 is off.') as string });
    expect((await run('unregister 2')).error?.message).toContain('There is no mapping 2.');
  });
});

describe('dialog-sip status', () => {
  it('tells how the extension is, in words and as JSON', async () => {
    setup.status = () => ({
      ...someStatus,
      registrations: { total: 1_234, byState: { ...someStatus.registrations.byState, registered: 1_230, parked: 4 }, troubled: [], convergesInMs: 5_000 },
      rejectedRows: [{ id: 7, problem: 'row 7: sip_port 70000 is not a port (0 to 65535)' }],
    });
    const { out } = await run('status');
    expect(out).toMatch(/^ready {13}yes, for 90 s\n/);
    expect(out).toMatch(/registrations {5}1,234\n {2}registered {6}1,230\n {2}parked {10}4\nall tried in {6}5 s\n/);
    expect(out).toMatch(/1 row of sip_user_mappings cannot be used:\n {2}row 7: sip_port 70000/);
    expect(JSON.parse((await run('status --json')).out)).toMatchObject({ ready: true, registrations: { total: 1_234 } });
  });

  it('says which registrar nobody can foretell', async () => {
    const queues = [{ registrar: 'pbx.example.com:5060 over udp', waiting: 900, unknown: 'it has answered nothing for 40 s' }];
    setup.status = () => ({ ...someStatus, registrations: { ...someStatus.registrations, convergesInMs: undefined, queues } });
    expect((await run('status')).out).toContain('all tried in      unknown: pbx.example.com:5060 over udp: it has answered nothing for 40 s\n');
  });
});

describe('when nobody can be asked', () => {
  let other: Server | undefined;

  afterEach(async () => {
    const server = other;
    other = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const answering = async (status: number, body: string): Promise<string> => {
    other = createServer((_request, response) => response.writeHead(status, { location: '/elsewhere' }).end(body));
    await new Promise<void>((resolve) => other?.listen(0, '127.0.0.1', resolve));
    return `on = true, port = ${(other.address() as AddressInfo).port}, token = "${token}"`;
  };

  it('says that administration is off, and what to set', async () => {
    expect((await run('status', 'on = false')).error).toMatchObject({ code: 'ADMIN_UNAVAILABLE', message: expect.stringMatching(/is off in .*: set admin\.on = true/) as string });
  });

  it('says that nothing listens there', async () => {
    expect((await run('status', `on = true, port = ${await freePort()}, token = "${token}"`)).error).toMatchObject({
      code: 'ADMIN_UNAVAILABLE',
      message: expect.stringMatching(/^Nothing answers at http:\/\/127\.0\.0\.1:\d+ .*Is the server running\?/) as string,
    });
  });

  it('says that the token is another', async () => {
    expect((await run('status', `on = true, port = ${setup.port}, token = "not-the-servers-token"`)).error).toMatchObject({
      code: 'ADMIN_REFUSED',
      message: expect.stringContaining('refused the token') as string,
    });
  });

  it('asks where it is told to when server.conf leaves the port to the system', async () => {
    const anyPort = `on = true, port = 0, token = "${token}"`;
    expect((await run('status', anyPort)).error?.message).toContain('give --url');
    expect((await run(`status --url ${setup.url}`, anyPort)).out).toMatch(/^ready/);
  });

  it.each([
    [200, '<html>'],
    [200, '{}'],
    [404, 'not here'],
    [200, '{"items":[],"next":0}'],
  ])('takes no answer of another program for one: %d %s', async (status, body) => {
    expect((await run('registrations', await answering(status, body))).error).toMatchObject({ code: 'ADMIN_REFUSED', message: expect.stringContaining('is not the administration interface') as string });
  });

  it('follows nobody elsewhere with its token', async () => {
    expect((await run('status', await answering(302, ''))).error).toMatchObject({ code: 'ADMIN_UNAVAILABLE' });
  });
});

describe('the help of these commands', () => {
  it.each(['status', 'registrations', 'register', 'unregister'])('has examples in 80 columns: %s', async (name) => {
    const { out } = await run(`${name} --help`);
    expect(out).toContain(`$ dialog-sip ${name}`);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it.each([
    ['registrations --state asleep', /Allowed choices are waiting/],
    ['registrations --user ann', /whole number/],
    ['register', /missing required argument 'id'/],
  ])('calls `%s` a mistake of usage', async (args, message) => {
    expect((await run(args)).err).toMatch(message);
  });
});

it('a list of very many waits as it is told when it asks faster than it may, and misses nothing', async () => {
  setup.registrations.fill(101_000);
  const waits: number[] = [];
  const client = new AdminClient(setup.url, token, async (ms) => {
    waits.push(ms);
    await setup.clock.advance(ms);
  });
  let count = 0;
  for await (const page of client.registrations({})) count += page.length;
  expect([count, waits]).toEqual([101_000, [1_000]]);
});

it('who has brought too many wrong tokens is told so at once', async () => {
  const waits: number[] = [];
  const client = new AdminClient(setup.url, 'not-the-token-at-all', (ms) => Promise.resolve(waits.push(ms)));
  for (let turn = 0; turn < 10; turn += 1) await expect(client.status()).rejects.toThrow(/refused the token/);
  await expect(client.status()).rejects.toThrow(/Too many wrong tokens/);
  expect(waits).toEqual([]);
});
