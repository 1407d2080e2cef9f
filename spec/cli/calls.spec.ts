/** `dialog-sip calls` over records and live calls that a spec fills. */
import { beforeEach, describe, expect, it } from 'vitest';
import { addCallsCommand, type CallsWorld } from '../../src/cli/calls.js';
import type { ShownCall } from '../../src/extension/admin-client.js';
import type { CallRecord } from '../../src/extension/record-operations.js';
import { endedCall } from '../records/record-store-behaviour.js';
import { runCommand, type Outcome } from './run-command.js';

let records: CallRecord[];
let live: { items: ShownCall[]; total: number };
/** What was asked of the database and of the extension. */
let asked: unknown[];

beforeEach(() => {
  records = [];
  live = { items: [], total: 0 };
  asked = [];
});

const world: Omit<CallsWorld, 'write'> = {
  records: async function* (configFile, query) {
    asked.push([configFile, query]);
    for (const record of records) yield await Promise.resolve([record]);
  },
  open: (configFile, url) =>
    Promise.resolve({
      calls: (user) => {
        asked.push([configFile, url, user]);
        return Promise.resolve(live);
      },
    }),
  now: () => new Date('2026-01-02T00:00:00Z'),
  columns: () => undefined,
};

function run(args: string): Promise<Outcome> {
  return runCommand([...args.split(' '), '--config', 'server.conf'], (program, write) => {
    addCallsCommand(program, { ...world, write });
  });
}

const record = (change: Partial<CallRecord> = {}): CallRecord => ({ ...endedCall('a'), node: 'node-1', ...change });
const cells = (out: string): string[] => out.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, ' | '));

describe('dialog-sip calls', () => {
  it('shows when, who, how long they talked and how it ended, with the reason below a call that did not come about', async () => {
    records = [
      record(),
      record({ answeredAt: undefined, direction: 'incoming', from: 'sip:600@pbx.example.com', to: 'sip:434@pbx.example.com', reason: 'busy', class: 'client', message: 'The line is busy (486 Busy Here).' }),
    ];
    expect(cells((await run('calls')).out)).toEqual([
      'started (UTC) | from | to | talked | end',
      '01-01 12:00:00 | out | 434@pbx.e…mple.com | 600@pbx.e…mple.com | 2:55 | normal',
      '01-01 12:00:00 | in | 600@pbx.e…mple.com | 434@pbx.e…mple.com | - | busy',
      'The line is busy (486 Busy Here).',
      '2 calls.',
      '',
    ]);
  });

  it('asks for the last day unless told otherwise', async () => {
    await run('calls');
    await run('calls --since 90m --user 434');
    await run('calls --since 2025-12-31');
    await run('calls --since 2025-12-31T12:30');
    expect(asked).toEqual([
      ['server.conf', { since: new Date('2026-01-01T00:00:00Z') }],
      ['server.conf', { since: new Date('2026-01-01T22:30:00Z'), user: 434 }],
      ['server.conf', { since: new Date('2025-12-31T00:00:00Z') }],
      ['server.conf', { since: new Date('2025-12-31T12:30:00Z') }],
    ]);
  });

  it('says that there are none', async () => {
    expect((await run('calls')).out).toBe('0 calls.\n');
  });

  it('gives each as a line of JSON with all that is known', async () => {
    records = [record(), record({ callId: 'b' })];
    const lines = (await run('calls --json')).out.trim().split('\n').map((line) => JSON.parse(line) as unknown);
    expect(lines).toEqual([JSON.parse(JSON.stringify(records[0])), JSON.parse(JSON.stringify(records[1]))]);
  });

  it('stays within 80 columns and lets nothing of a stranger steer the terminal', async () => {
    const long = 'x'.repeat(200);
    records = [record({ from: `sip:\u001b[31m${long}`, to: long, reason: long, class: 'client', message: `\u001b]0;${long} ${'word '.repeat(60)}` })];
    const { out } = await run('calls');
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(out).not.toContain('\u001b');
  });
});

describe('dialog-sip calls --live', () => {
  const talking: ShownCall = {
    callId: 'a',
    direction: 'outgoing',
    state: 'talking',
    userId: 434,
    from: 'sip:434@pbx.example.com',
    to: 'sip:600@pbx.example.com',
    startedAt: '2026-01-01T22:57:27.000Z',
    codecs: ['opus'],
  };

  it('shows who talks, for how long and with which codec', async () => {
    live = { items: [talking, { ...talking, direction: 'incoming', state: 'ringing', codecs: [], startedAt: '2026-01-01T23:59:53.000Z' }], total: 2 };
    const { out } = await run('calls --live --user 434 --url http://127.0.0.1:9');
    expect(cells(out).slice(1)).toEqual([
      'out | 434@pbx.example.com | 600@pbx.example.com | talking | 1:02:33 | opus',
      'in | 434@pbx.example.com | 600@pbx.example.com | ringing | 0:07',
      '2 calls.',
      '',
    ]);
    expect(asked).toEqual([['server.conf', 'http://127.0.0.1:9', 434]]);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('says when there are more than it shows', async () => {
    live = { items: [talking], total: 1_200 };
    expect((await run('calls --live')).out).toMatch(/\n1,200 calls; the 1 longest are shown\.\n$/);
  });

  it('gives each as a line of JSON', async () => {
    live = { items: [talking], total: 1 };
    expect(JSON.parse((await run('calls --live --json')).out)).toEqual(talking);
  });
});

describe('the command line of dialog-sip calls', () => {
  it('is explained with examples in 80 columns', async () => {
    const { out } = await run('calls --help');
    expect(out).toContain('$ dialog-sip calls --config server.conf --since 1h');
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it.each([
    ['calls --since yesterday', /Give a time like 1h/],
    ['calls --since 5', /Give a time like 1h/],
    ['calls --since 2026-13-01', /Give a time like 1h/],
    ['calls --user ann', /whole number/],
    ['calls --live --since 1h', /--since is for calls that are over/],
    ['calls --url http://127.0.0.1:9', /--url goes with --live/],
  ])('calls `%s` a mistake of usage', async (args, message) => {
    const { err, error } = await run(args);
    expect(error).toBeDefined();
    expect(asked).toEqual([]);
    expect(err).toMatch(message);
  });
});
