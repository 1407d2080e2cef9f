import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addExplainCommand } from '../../src/cli/explain.js';
import { toSipConfig } from '../../src/config/schema.js';
import { routesOf } from '../../src/extension/explain-operations.js';
import { contactToken } from '../../src/extension/sip-accounts.js';
import type { Mapping } from '../../src/mappings/mapping.js';
import { ordinaryDraft } from '../support/mapping-draft.js';

function mapping(id: number, peerId: number, change: Partial<Mapping> = {}): Mapping {
  return { ...ordinaryDraft, id, sipUser: String(430 + id), sipPassword: 'secret', sipHost: 'example.com', peer: { type: 1, id: peerId }, ...change };
}

const rows = [mapping(1, 7, { canCall: false }), mapping(2, 7), mapping(3, 7, { sipHost: 'two.example' }), mapping(4, 8), mapping(5, 9, { canBeCalled: false }), mapping(6, 5, { peer: { type: 2, id: 5 } })];
const fixture = readFileSync(new URL('../../fixtures/sip/invite-webrtc.txt', import.meta.url), 'utf8');

interface Settings {
  columns?: number;
  ignoreContact?: boolean;
  /** `modules.sip.calls`. */
  calls?: Record<string, unknown>;
}

/** Runs `dialog-sip explain --config c <args>` over those rows. */
async function explain(args: string, invite = fixture, settings: Settings = {}): Promise<{ out: string; failed: unknown }> {
  const { columns, ignoreContact = false, calls = {} } = settings;
  const config = toSipConfig({ tree: { modules: { sip: { calls } } } });
  let out = '';
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  addExplainCommand(program, {
    open: () => Promise.resolve(routesOf({ ...config, ignoreContact }, rows)),
    read: async function* (file) {
      if (file !== 'invite.txt') throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      yield await Promise.resolve(Buffer.from(invite));
    },
    write: (text) => {
      out += text;
    },
    columns,
  });
  program.commands[0]?.exitOverride().configureOutput({ writeErr: () => undefined });
  const words = args.split(' ').filter((word) => word !== '');
  const failed = await program.parseAsync(['node', 'dialog-sip', 'explain', '--config', 'c', ...words]).then(() => undefined, (thrown: unknown) => thrown);
  return { out, failed };
}

describe('dialog-sip explain, for a call from the messenger', () => {
  it('says through which account a number is dialled and why', async () => {
    expect((await explain('--from 7 --to 600')).out.split('\n')).toEqual([
      'Placed: INVITE sip:600@example.com through 432@example.com (mapping 2).',
      '',
      'Because:',
      '  - user 7 has 431@example.com (mapping 1), 432@example.com (mapping 2), 433@two.example (mapping 3).',
      '  - Those that may call (can_call) are left: 432@example.com (mapping 2), 433@two.example (mapping 3).',
      "  - The address names no host, so the caller's registrar is asked: the lowest mapping id counts, 432@example.com (mapping 2).",
      '',
    ]);
  });

  it.each([
    ['--from 7 --to 600@two.example', 'Placed: INVITE sip:600@two.example through 433@two.example (mapping 3).', 'The address is at two.example, where the caller has 433@two.example (mapping 3).'],
    ['--from 7 --to sip:600@far.example', 'Placed: INVITE sip:600@far.example through 432@example.com (mapping 2).', 'no account: the lowest mapping id counts'],
    ['--from 7 --to user:8', 'Placed: INVITE sip:434@example.com through', 'Both sides have an account at example.com.'],
    ['--from 7 --to user:9', 'Placed: INVITE sip:435@example.com through', 'user 9 has 435@example.com (mapping 5).'],
    ['--from 7 --to group:5', 'Placed: INVITE sip:436@example.com through', 'group 5 has 436@example.com (mapping 6) that takes calls (can_be_called).'],
    ['--from 7 --to 600 --mapping 3', 'Placed: INVITE sip:600@two.example through', 'of which the call asks for mapping 3'],
    ['--from 7 --to 600 --mapping 1', 'Not placed, the call ends with caller_disabled: The caller\'s SIP account 431@example.com may not place calls', 'user 7 has'],
    ['--from 99 --to 600', 'Not placed, the call ends with caller_disabled: The caller has no SIP account.', 'user 99 has no SIP account.'],
    ['--from 7 --to user:77', 'Not placed, the call ends with unavailable: The user called has no SIP account.', 'user 77 has no SIP account.'],
    ['--from 7 --to mailto:a', 'Not placed, the call ends with callee_not_found', 'user 7 has'],
  ])('%s', async (args, decision, reason) => {
    const { out } = await explain(args);
    expect(out).toContain(decision);
    expect(out.slice(out.indexOf('Because:'))).toContain(reason);
  });
});

describe('dialog-sip explain, with rules for what is dialled', () => {
  const calls = {
    number: { 'default-country': 'DE', rewrite: [{ match: '^9', to: '' }] },
    allow: ['+49*'],
    deny: ['+49900*'],
    'max-per-minute': 20,
    'max-total': 2_000,
  };

  it('says what becomes of the number, which pattern allows it, and which limits hold', async () => {
    const { out } = await explain('--from 7 --to 9030123456', fixture, { calls });
    expect(out).toContain('Placed: INVITE sip:+4930123456@example.com through 432@example.com (mapping 2).\n');
    expect(out.split('\n').slice(-5)).toEqual([
      '  - 9030123456 is rewritten to 030123456: the rule ^9 -> nothing (calls.number.rewrite).',
      '  - 030123456 is a number of the telephone network, dialled in DE: +4930123456 (calls.number.default-country).',
      '  - sip:+4930123456@example.com is allowed by +49* (calls.allow).',
      '  - It is refused beyond 20 placed by one user in a minute (calls.max-per-minute), 2,000 calls in all (calls.max-total); how many there are now, the running extension knows.',
      '',
    ]);
  });

  it.each([
    ['--from 7 --to 0900123456', 'Not placed, the call ends with rejected: This address may not be called from here (calls.deny).', 'is denied by +49900* (calls.deny).'],
    ['--from 7 --to sip:600@far.example', 'Not placed, the call ends with rejected: This address is not among those', 'is in none of the patterns of calls.allow.'],
    ['--from 7 --to user:8', 'Placed: INVITE sip:434@example.com', 'Both sides have an account'],
  ])('%s', async (args, decision, reason) => {
    const { out } = await explain(args, fixture, { calls });
    expect(out).toContain(decision);
    expect(out).toContain(reason);
  });

  it('breaks its lines at the width of the terminal, and never within a word', async () => {
    const { out } = await explain('--from 7 --to 9030123456', fixture, { calls, columns: 60 });
    const lines = out.split('\n');
    expect(lines.filter((line) => line.length > 60)).toEqual([]);
    expect(lines).toContain('  - 9030123456 is rewritten to 030123456: the rule ^9 ->');
    expect(lines).toContain('    nothing (calls.number.rewrite).');
    expect(out.replace(/\n {4}/g, ' ')).toContain('  - sip:+4930123456@example.com is allowed by +49* (calls.allow).\n');
    expect((await explain('--from 7 --to 600@example.com', fixture, { columns: 20 })).out).toContain('\nsip:600@example.com\n');
  });
});

describe('dialog-sip explain, for an INVITE', () => {
  it('shows the number of a caller of the telephone network, and which limits hold', async () => {
    const calls = { number: { 'default-country': 'DE' }, 'max-per-user': 2, 'max-per-minute': 20 };
    const { out } = await explain('--invite invite.txt', fixture.replaceAll('sip:600@example.com', 'sip:030123456@example.com'), { calls });
    expect(out).toContain("  - The caller's number 030123456 is shown as +4930123456 (calls.number.default-country).");
    expect(out).toContain('  - It is refused beyond 2 calls of one user at once (calls.max-per-user); how many');
  });

  it('says to whom it would be offered, by To when the Request-URI is no Contact of this machine', async () => {
    const { out } = await explain('--invite invite.txt');
    expect(out).toContain('Offered to the messenger: to user 8, from sip:600@example.com.');
    expect(out).toContain('  - The account is told by To (the Request-URI is no Contact of this machine).');
    expect(out).toContain('  - 434@example.com (mapping 4) was called; it may be (can_be_called), and belongs to user 8.');
  });

  const toGroup = fixture.replace('sip:q7x2m@', `sip:${contactToken(6, hostname())}@`);

  it('goes by our Contact in the Request-URI first, but not with dialog-ignore-contact-field', async () => {
    expect((await explain('--invite invite.txt', toGroup)).out).toContain('Offered to the messenger: to group 5');
    expect((await explain('--invite invite.txt', toGroup, { ignoreContact: true })).out).toMatch(/to user 8[^]*told by To \(dialog-ignore-contact-field is on\)/);
  });

  it('names the caller whose SIP account stands in P-Asserted-Identity, From or Contact', async () => {
    const ours = fixture.replaceAll('sip:600@example.com', 'sip:432@example.com');
    expect((await explain('--invite invite.txt', ours)).out).toContain('The caller is told by P-Asserted-Identity (sip:432@example.com), since Contact');
    const { out } = await explain('--invite invite.txt', ours.replace(/^P-Asserted-Identity:.*\r?\n/m, ''));
    expect(out).toContain('The caller is told by From (sip:432@example.com), since Contact names no account of ours: user 7.');
    expect((await explain('--invite invite.txt', fixture.replace('Contact: <sip:600@df7jal23ls0d.invalid', 'Contact: <sip:433@two.example'))).out).toContain(
      'The caller is user 7, whose SIP account stands in Contact',
    );
  });

  it.each([
    ['nobody of ours is called', fixture.replace('To: <sip:434@', 'To: <sip:999@'), 'Refused with 404 Not Found'],
    ['the mapping may not be called', fixture.replace('To: <sip:434@', 'To: <sip:435@'), 'Refused with 403 Forbidden'],
    ['the offer is no WebRTC', fixture.replaceAll('a=fingerprint', 'a=nothing'), 'Refused with 488 Not Acceptable Here: The other side\'s offer lacks a DTLS fingerprint'],
  ])('says how it is refused when %s', async (_why, invite, decision) => {
    expect((await explain('--invite invite.txt', invite)).out).toContain(decision);
  });

  it('takes what the trace shows of an INVITE, without its ICE password and with a body of another length', async () => {
    expect((await explain('--invite invite.txt', fixture.replace(/^a=ice-pwd:.*$/gm, 'a=ice-pwd:***'))).out).toContain('Offered to the messenger');
  });

  it('takes a file whose lines end in bare line feeds, and shows no control characters of it', async () => {
    const { out } = await explain('--invite invite.txt', fixture.replaceAll('\r\n', '\n').replace('<sip:600@example.com>;tag', '<sip:600%1b@example.com>;tag'));
    expect(out).toContain('to user 8');
    expect(out.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });
});

describe('dialog-sip explain, asked wrongly,', () => {
  it.each(['', '--from 7', '--to 600', '--from 7 --to 600 --invite invite.txt', '--from 7 --to 600 --mapping x'])('fails with usage: %s', async (args) => {
    expect((await explain(args)).failed).toMatchObject({ exitCode: 2 });
  });

  it.each([
    ['--from ann --to 600', fixture, 'COMMAND_INVALID'],
    ['--invite nowhere.txt', fixture, 'SIP_MESSAGE'],
    ['--invite invite.txt', 'hello', 'SIP_MESSAGE'],
    ['--invite invite.txt', fixture.replaceAll('INVITE', 'OPTIONS'), 'SIP_MESSAGE'],
  ])('says in a sentence what is wrong: %s', async (args, invite, code) => {
    expect((await explain(args, invite)).failed).toMatchObject({ code });
  });
});
