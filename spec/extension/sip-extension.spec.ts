/** The extension by its hooks alone, over an embedded database and a registrar that says what the spec tells it. */
import { createHash, createSecretKey } from 'node:crypto';
import { hostname } from 'node:os';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SipExtension, type ExtensionHost } from '../../src/index.js';
import { openDatabase, type Database } from '../../src/mappings/database.js';
import { migrate } from '../../src/mappings/migrate.js';
import { Secrets } from '../../src/mappings/secrets.js';
import { audioSdp } from '../support/audio-sdp.js';
import { FakeHost } from '../support/fake-host.js';
import { ScriptedPeer, type Received } from '../support/scripted-peer.js';

let database: Database;
let peer: ScriptedPeer;
let extension: SipExtension;
let fake: FakeHost;

const tree = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  modules: {
    sip: {
      extension: SipExtension.id,
      listen: { host: '127.0.0.1', 'udp-port': 0, 'tcp-port': 0 },
      autocreate: { on: true, host: '127.0.0.1', port: peer.port, 'user-prefix': 'dialog' },
      ...more,
    },
  },
});

const host = (more: Partial<ExtensionHost> = {}): ExtensionHost => ({
  config: { tree: tree() },
  logger: fake.logger,
  database: database.knex,
  calls: fake.calls,
  ...more,
});

const rows = (): Promise<{ sip_user: string; register: boolean }[]> => database.knex('sip_user_mappings').select('sip_user', 'register').orderBy('id');

/** Answers one REGISTER, and gives it back. */
async function accept(): Promise<Received> {
  const request = await peer.next('REGISTER');
  request.reply(200, [`Contact: ${request.header('contact') ?? ''}`]);
  return request;
}

const isRemoval = (request: Received): boolean => request.header('expires') === '0';

beforeAll(async () => {
  database = await openDatabase({ kind: 'embedded', directory: ':memory:' });
  await migrate(database.knex);
}, 60_000);

afterAll(() => database.close());

beforeEach(async () => {
  await database.knex('sip_user_mappings').delete();
  await database.knex('sip_calls').delete();
  peer = await ScriptedPeer.open();
  fake = new FakeHost({ tree: tree() });
  extension = new SipExtension();
});

afterEach(async () => {
  const stopped = extension.stop({ drainMs: 0 });
  peer.answerAll('REGISTER', 200);
  await stopped;
  await peer.close();
});

describe('a user who is created', () => {
  it('becomes a SIP account under the prefix and its id, once, and is registered', async () => {
    await extension.init(host());
    const ann = { id: 434, name: 'Ann' };
    await Promise.all([extension.onUserCreated(ann), extension.onUserCreated(ann)]);
    await extension.onUserCreated(ann);
    expect((await accept()).header('to')).toBe('<sip:dialog434@127.0.0.1>');
    await expect.poll(() => extension.status().registrations.byState.registered).toBe(1);
    expect(await rows()).toEqual([{ sip_user: 'dialog434', register: true }]);
    expect(peer.received).toEqual([]);
  });

  it('is made no account while autocreate is off', async () => {
    await extension.init(host({ config: { tree: tree({ autocreate: { on: false } }) } }));
    await extension.onUserCreated({ id: 434 });
    expect(await rows()).toEqual([]);
  });

  it('is refused, and told whose it is, when the SIP user belongs to somebody else', async () => {
    await extension.init(host());
    await database.knex('sip_user_mappings').insert({ sip_user: 'dialog434', sip_host: '127.0.0.1', peer_id: 9, register: false });
    await expect(extension.onUserCreated({ id: 434 })).rejects.toMatchObject({
      code: 'MAPPING_CONFLICT',
      message: expect.stringMatching(/^dialog434@127\.0\.0\.1 belongs to another peer already: peer 9 \(type 1\), mapping \d+\.$/) as string,
    });
    expect(await rows()).toHaveLength(1);
  });

  it('is refused without an id that can be one', async () => {
    await extension.init(host());
    await expect(extension.onUserCreated({ id: -1 })).rejects.toMatchObject({ code: 'USER_INVALID' });
  });
});

describe('a user who is there', () => {
  beforeEach(async () => {
    await extension.init(host());
    await extension.onUserCreated({ id: 434 });
    await accept();
    await expect.poll(() => extension.status().registrations.byState.registered).toBe(1);
  });

  it('is un-registered while disabled, and registered again when enabled', async () => {
    await extension.onUserUpdated({ id: 434, disabled: true });
    expect(isRemoval(await accept())).toBe(true);
    await expect.poll(() => extension.status().registrations.total).toBe(0);
    await extension.onUserUpdated({ id: 434 });
    expect(isRemoval(await accept())).toBe(false);
    expect(await rows()).toEqual([{ sip_user: 'dialog434', register: true }]);
  });

  it('is called what the user is called, in the table and by those called, under the account of the rule alone', async () => {
    await database.knex('sip_user_mappings').insert({ sip_user: 'desk', sip_host: '127.0.0.1', peer_id: 434, register: false, can_call: false, display_name: 'Desk' });
    await extension.onUserUpdated({ id: 434, name: 'Ann Lee' });
    await extension.onCall({ type: 'create', callId: 'c1', from: { type: 1, id: 434 }, to: { address: '600' }, description: { type: 'offer', sdp: audioSdp(1) } });
    expect((await peer.next('INVITE')).header('from')).toMatch(/^"Ann Lee" <sip:dialog434@127\.0\.0\.1>/);
    await extension.onUserUpdated({ id: 434 });
    expect(await database.knex('sip_user_mappings').orderBy('id').pluck('display_name')).toEqual(['Ann Lee', 'Desk']);
  });

  it('is un-registered and forgotten when deleted, and can be created anew', async () => {
    const deleted = extension.onUserDeleted({ id: 434 });
    expect(isRemoval(await accept())).toBe(true);
    await deleted;
    expect(await rows()).toEqual([]);
    await extension.onUserCreated({ id: 434 });
    expect(isRemoval(await accept())).toBe(false);
  });

  it('is un-registered when the extension stops', async () => {
    const stopped = extension.stop({ drainMs: 0 });
    expect(isRemoval(await accept())).toBe(true);
    await stopped;
    expect(extension.status().ready).toBe(false);
  });

  it('keeps its account over a restart, under the same Contact', async () => {
    const stopped = extension.stop({ drainMs: 0 });
    const before = await accept();
    await stopped;
    extension = new SipExtension();
    await extension.init(host());
    const user = (request: Received): string | undefined => /<sip:([^@]*)@/.exec(request.header('contact') ?? '')?.[1];
    const instance = (request: Received): string | undefined => /\+sip\.instance="([^"]*)"/.exec(request.header('contact') ?? '')?.[1];
    const after = await accept();
    expect([user(after), instance(after)]).toEqual([user(before), instance(before)]);
  });

  it('calls, and the host is told each step in order', async () => {
    const offer = { type: 'offer', sdp: audioSdp(1) } as const;
    await extension.onCall({ type: 'create', callId: 'c1', from: { type: 1, id: 434 }, to: { address: '600' }, description: offer });
    const invite = await peer.next('INVITE');
    expect([invite.uri, invite.body]).toEqual([`sip:600@127.0.0.1:${String(peer.port)}`, offer.sdp]);
    invite.reply(180, [`Contact: <sip:600@127.0.0.1:${String(peer.port)}>`]);
    invite.reply(486);
    expect(await fake.ended('c1')).toMatchObject({ reason: 'busy', sip: { status: 486 } });
    expect(fake.story('c1')).toEqual(['trying', 'ringing', 'ended']);
  });

  it('leaves a record of its call, at the latest when the extension stops', async () => {
    await extension.onCall({ type: 'create', callId: 'c1', from: { type: 1, id: 434 }, to: { address: '600' }, description: { type: 'offer', sdp: audioSdp(1) } });
    (await peer.next('INVITE')).reply(486);
    await fake.ended('c1');
    const stopped = extension.stop({ drainMs: 0 });
    await accept();
    await stopped;
    expect(await database.knex('sip_calls').select('id', 'peer_id', 'from_address', 'reason', 'status', 'node')).toEqual([
      { id: 'c1', peer_id: '434', from_address: 'sip:dialog434@127.0.0.1', reason: 'busy', status: 486, node: hostname() },
    ]);
  });
});

describe('an extension that stops while somebody talks', () => {
  const offer = { type: 'offer', sdp: audioSdp(1) } as const;
  const create = (callId: string): Promise<void> =>
    extension.onCall({ type: 'create', callId, from: { type: 1, id: 434 }, to: { address: '600' }, description: offer });

  it('lets them hang up and takes no new call, and waits no longer than they talk', async () => {
    await extension.init(host());
    await extension.onUserCreated({ id: 434 });
    await accept();
    await create('c1');
    const invite = await peer.next('INVITE');
    invite.reply(200, [`Contact: <sip:600@127.0.0.1:${String(peer.port)}>`], audioSdp(2));
    await fake.state('c1', 'talking');
    const stopped = extension.stop({ drainMs: 600_000 });
    await create('c2');
    expect(await fake.ended('c2')).toMatchObject({ reason: 'unavailable' });
    expect(extension.status().ready).toBe(false);
    await extension.onCall({ type: 'hangup', callId: 'c1' });
    expect(await fake.ended('c1')).toMatchObject({ reason: 'normal' });
    (await peer.next('BYE')).reply(200);
    expect(isRemoval(await accept())).toBe(true);
    await stopped;
    await expect(create('c3')).rejects.toMatchObject({ code: 'NOT_READY' });
  });
});

describe('rows that are there at the start', () => {
  it('are registered as they say, and one that cannot be used harms itself alone', async () => {
    await extension.init(host({ config: { tree: tree({ autocreate: { on: false } }) } }));
    await extension.stop();
    await database.knex.raw(
      `INSERT INTO sip_user_mappings (sip_user, sip_password, sip_host, sip_port, sip_parameters, sip_headers, peer_type, peer_id, register, can_call, can_be_called)
       VALUES ('good', 'x', '127.0.0.1', ?, '{"transport":"udp"}', '{}', 1, 1, true, true, true),
              ('bad', 'x', '127.0.0.1', 70000, '{"transport":"udp"}', '{}', 1, 2, true, true, true),
              ('quiet', 'x', '127.0.0.1', ?, '{"transport":"udp"}', '{}', 1, 3, false, true, true)`,
      [peer.port, peer.port],
    );
    extension = new SipExtension();
    await extension.init(host({ config: { tree: tree({ autocreate: { on: false } }) } }));
    expect((await accept()).header('to')).toBe('<sip:good@127.0.0.1>');
    const { rejectedRows, registrations } = extension.status();
    expect(registrations.total).toBe(1);
    expect(rejectedRows).toMatchObject([{ problem: expect.stringContaining('sip_port') as string }]);
  });
});

describe('passwords in the table', () => {
  const key = Buffer.alloc(32, 7).toString('base64');
  const insert = (password: string, peerId = 434): Promise<unknown> =>
    database.knex('sip_user_mappings').insert({ sip_user: `dialog${String(peerId)}`, sip_password: password, sip_host: '127.0.0.1', sip_port: peer.port, peer_id: peerId });
  const start = (sip: Record<string, unknown>): Promise<void> => extension.init(host({ config: { tree: tree(sip) } }));

  /** Challenges the next REGISTER and gives the response that came, and what a registrar would compute with that password. */
  async function challenge(user: string, password: string): Promise<{ sent: string | undefined; wanted: string }> {
    (await peer.next('REGISTER')).reply(401, ['WWW-Authenticate: Digest realm="r", nonce="n"']);
    const request = await peer.next('REGISTER');
    request.reply(200, [`Contact: ${request.header('contact') ?? ''}`]);
    const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
    const wanted = md5(`${md5(`${user}:r:${password}`)}:n:${md5(`REGISTER:${request.uri}`)}`);
    return { sent: /response="([^"]*)"/.exec(request.header('authorization') ?? '')?.[1], wanted };
  }

  it('are encrypted as autocreate writes them, and answer the registrar as they were', async () => {
    await start({ secrets: { key }, autocreate: { on: true, host: '127.0.0.1', port: peer.port, password: { mode: 'fixed', value: 'hunter2' } } });
    await extension.onUserCreated({ id: 434 });
    const { sent, wanted } = await challenge('434', 'hunter2');
    expect(sent).toBe(wanted);
    const [stored] = await database.knex('sip_user_mappings').pluck<string[]>('sip_password');
    expect(stored).toMatch(/^enc:v1:/);
    expect(fake.logText()).not.toContain('hunter2');
  });

  it('may be MD5 hashes', async () => {
    await insert(`ha1:${createHash('md5').update('dialog434:r:hunter2').digest('hex')}`);
    await start({ secrets: {} });
    const { sent, wanted } = await challenge('dialog434', 'hunter2');
    expect(sent).toBe(wanted);
  });

  it('that cannot be decrypted reject their rows, in words, and no other', async () => {
    const sealed = new Secrets({ key: createSecretKey(Buffer.alloc(32, 8)), previous: [] }).seal('hunter2');
    await insert(sealed, 1);
    await insert('plain', 2);
    await start({ secrets: { key } });
    expect((await challenge('dialog2', 'plain')).sent).toBeDefined();
    expect(extension.status().rejectedRows).toEqual([
      { id: expect.any(Number) as number, problem: expect.stringMatching(/^row \d+: sip_password is encrypted with the key [0-9a-f]{8}, which is neither/) as string },
    ]);
    await expect(extension.onUserCreated({ id: 1 })).rejects.toMatchObject({
      code: 'MAPPING_INVALID',
      message: expect.stringMatching(/^User 1 has a mapping that cannot be used: row \d+: sip_password is encrypted/) as string,
    });
    expect(extension.status().registrations.total).toBe(1);
  });
});

describe('a call that is under way', () => {
  it('goes on when its row changes and when it goes, and is ended in order', async () => {
    await extension.init(host());
    await extension.onUserCreated({ id: 434 });
    await accept();
    const offer = { type: 'offer', sdp: audioSdp(1) } as const;
    await extension.onCall({ type: 'create', callId: 'c1', from: { type: 1, id: 434 }, to: { address: '600' }, description: offer });
    const invite = await peer.next('INVITE');
    invite.reply(200, [`Contact: <sip:600@127.0.0.1:${String(peer.port)}>`], audioSdp(2));
    await peer.next('ACK');
    await fake.state('c1', 'talking');

    await database.knex('sip_user_mappings').update({ sip_password: 'other' });
    await accept();
    await database.knex('sip_user_mappings').delete();
    expect(isRemoval(await accept())).toBe(true);
    await expect.poll(() => extension.status().registrations.total).toBe(0);
    expect(extension.status().calls.live).toBe(1);

    await extension.onCall({ type: 'hangup', callId: 'c1' });
    (await peer.next('BYE')).reply(200);
    await fake.ended('c1');
    expect(fake.problems).toEqual([]);
  });
});

describe('rows that change in SQL while it runs', () => {
  const insert = (user: string, more: { port?: number; register?: boolean } = {}): Promise<unknown> =>
    database.knex('sip_user_mappings').insert({ sip_user: user, sip_host: '127.0.0.1', sip_port: more.port ?? peer.port, peer_id: 1, register: more.register ?? true });

  beforeEach(() => extension.init(host()));

  it('are registered when they come, changed where they stand, un-registered when they go', async () => {
    await insert('ann');
    expect((await accept()).header('to')).toBe('<sip:ann@127.0.0.1>');
    await database.knex('sip_user_mappings').update({ display_name: 'Ann' });
    const changed = await accept();
    expect([isRemoval(changed), changed.header('from')]).toEqual([false, expect.stringContaining('"Ann" <sip:ann@127.0.0.1>')]);
    await database.knex('sip_user_mappings').update({ register: false });
    expect(isRemoval(await accept())).toBe(true);
    await database.knex('sip_user_mappings').update({ register: true });
    expect(isRemoval(await accept())).toBe(false);
    await database.knex('sip_user_mappings').delete();
    expect(isRemoval(await accept())).toBe(true);
    await expect.poll(() => extension.status().registrations.total).toBe(0);
    expect(peer.received).toEqual([]);
  });

  it('are told of while they cannot be used', async () => {
    await insert('bad', { port: 70_000 });
    await expect.poll(() => extension.status().rejectedRows).toMatchObject([{ problem: expect.stringContaining('sip_port 70000') as string }]);
    await database.knex('sip_user_mappings').update({ sip_port: peer.port });
    expect((await accept()).header('to')).toBe('<sip:bad@127.0.0.1>');
    expect(extension.status().rejectedRows).toEqual([]);
  });
});

describe('the administration interface', () => {
  const admin = { on: true, port: 0, token: 'a-token-that-nobody-guesses' };
  const url = (): string => fake.log.map(({ message }) => /^Administration is at (http:.*)\.$/.exec(message)?.[1]).find((found) => found !== undefined) ?? '';
  const ask = async (path: string, method = 'GET'): Promise<Record<string, unknown>> => {
    const response = await fetch(url() + path, { method, headers: { authorization: `Bearer ${admin.token}` } });
    return path === '/metrics' ? { text: await response.text() } : ((await response.json()) as Record<string, unknown>);
  };

  it('tells of the extension that carries it, and un-registers a mapping until it is asked to register it', async () => {
    await extension.init(host({ config: { tree: tree({ admin }) } }));
    await extension.onUserCreated({ id: 434 });
    await accept();
    await expect.poll(() => extension.status().registrations.byState.registered).toBe(1);
    expect(await ask('/api/status')).toMatchObject({ ready: true, registrations: { total: 1 } });
    expect((await ask('/metrics')).text).toContain('dialog_sip_registrations{state="registered"} 1\n');
    const { items } = (await ask('/api/registrations?user=434')) as { items: { mappingId: number }[] };
    const path = `/api/registrations/${items[0]?.mappingId ?? 0}`;
    await ask(`${path}/unregister`, 'POST');
    expect(isRemoval(await accept())).toBe(true);
    await expect.poll(() => ask(path)).toMatchObject({ state: 'held' });
    await ask(`${path}/register`, 'POST');
    expect(isRemoval(await accept())).toBe(false);
    await expect.poll(() => ask(path)).toMatchObject({ state: 'registered', userId: 434 });
    expect(fake.logText()).not.toContain(admin.token);
  });

  it('counts the calls that ended, by reason and class', async () => {
    await extension.init(host({ config: { tree: tree({ admin }) } }));
    await extension.onCall({ type: 'create', callId: 'c1', from: { type: 1, id: 435 }, to: { address: '600' }, description: { type: 'offer', sdp: audioSdp(1) } });
    await fake.ended('c1');
    expect((await ask('/metrics')).text).toContain('dialog_sip_calls_ended_total{direction="outgoing",reason="caller_disabled",class="client"} 1\n');
  });

  it('says why a call did not ring that the host never heard of; one that comes again and again fills no table', async () => {
    await extension.init(host({ config: { tree: tree({ admin }) } }));
    await extension.onUserCreated({ id: 434 });
    const ours = /<([^>]*)>/.exec((await accept()).header('contact') ?? '')?.[1] ?? '';
    await expect.poll(() => extension.status().registrations.byState.registered).toBe(1);
    const call = { from: '<sip:600@127.0.0.1>;tag=1', to: '<sip:dialog434@127.0.0.1>', headers: [`Contact: <sip:600@127.0.0.1:${String(peer.port)}>`], cseq: 1 };
    for (let times = 0; times < 60; times += 1) {
      peer.send('INVITE', ours, { ...call, callId: `bare-${String(times)}` });
      await peer.nextResponse(488);
    }
    await extension.onCall({ type: 'create', callId: 'last', from: { type: 1, id: 435 }, to: { address: '600' }, description: { type: 'offer', sdp: audioSdp(1) } });
    const records = async (): Promise<{ callId: string }[]> => (await ask('/api/calls/records?limit=100')).items as { callId: string }[];
    await expect.poll(records).toContainEqual(expect.objectContaining({ callId: 'last' }));
    const refused = (await records()).filter(({ callId }) => callId.startsWith('bare-'));
    expect(refused.length).toBeGreaterThan(9);
    expect(refused.length).toBeLessThan(50);
    expect(refused.find(({ callId }) => callId === 'bare-0')).toMatchObject({
      direction: 'incoming',
      from: 'sip:600@127.0.0.1',
      to: 'sip:dialog434@127.0.0.1',
      reason: 'media',
      status: 488,
      message: 'The INVITE carries no offer (SDP), and calls are taken only with one.',
    });
    const { text } = await ask('/metrics');
    expect(text).toContain('dialog_sip_invites_refused_total{status="488"} 60\n');
    expect(text).not.toContain('dialog_sip_calls_ended_total{direction="incoming"');
    expect(fake.callIds).toEqual(['last']);
  });

  it('keeps init from registering anybody when its port is taken', async () => {
    await extension.init(host({ config: { tree: tree({ admin }) } }));
    await extension.onUserCreated({ id: 434 });
    await accept();
    const port = Number(new URL(url()).port);
    const second = new SipExtension();
    await expect(second.init(host({ config: { tree: tree({ admin: { ...admin, port } }) } }))).rejects.toMatchObject({
      code: 'ADMIN_UNAVAILABLE',
      message: expect.stringContaining('modules.sip.admin.port') as string,
    });
    expect(second.status().ready).toBe(false);
    expect(peer.received).toEqual([]);
  });
});

describe('the hooks', () => {
  it('refuse before init and after stop, by a code', async () => {
    await expect(extension.onUserCreated({ id: 1 })).rejects.toMatchObject({ code: 'NOT_READY' });
    await expect(extension.onCall({ type: 'hangup', callId: 'x' })).rejects.toMatchObject({ code: 'NOT_READY' });
    await extension.init(host());
    await expect(extension.init(host())).rejects.toMatchObject({ code: 'NOT_READY' });
    await expect(extension.onCall({ type: 'hangup', callId: 'x' })).rejects.toMatchObject({ code: 'CALL_NOT_FOUND' });
    await extension.stop();
    await expect(extension.onUserUpdated({ id: 1 })).rejects.toMatchObject({ code: 'NOT_READY' });
  });

  it('reject init with all that is wrong in the configuration, and leave nothing open', async () => {
    const wrong = tree({ 'trace-level': 3, register: { expires: 'soon' } });
    const failure = await extension.init(host({ config: { tree: wrong } })).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code: 'CONFIG_INVALID' });
    expect((failure as { issues: unknown[] }).issues).toHaveLength(2);
  });

  it('reject init when there is no database, and when a port is taken', async () => {
    await expect(extension.init({ ...host(), database: undefined })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    const second = new SipExtension();
    const taken = tree({ listen: { host: '127.0.0.1', 'udp-port': peer.port, 'tcp-port': 0 } });
    await expect(second.init(host({ config: { tree: taken } }))).rejects.toMatchObject({ code: 'SIP_TRANSPORT' });
  });

  it('may be stopped while init is under way', async () => {
    const starting = extension.init(host());
    const stopped = extension.stop();
    await expect(starting).rejects.toMatchObject({ code: 'NOT_READY' });
    await stopped;
  });
});
