import { describe, expect, it } from 'vitest';
import { ExtensionError } from '../../src/base/errors.js';
import { createProvision } from '../../src/autocreate/provision.js';
import type { ProvisionedMappings } from '../../src/autocreate/ports.js';
import { templateOf, type AutocreateSettings } from '../../src/autocreate/template.js';
import { toColumns, type Mapping } from '../../src/mappings/mapping.js';
import { parseMappingColumns } from '../../src/mappings/parse-mapping.js';
import { ordinarySettings as settings } from './ordinary-settings.js';

/** Mappings in memory that keep the promise of `MappingWriter`: one for each peer and host. */
class FakeMappings implements ProvisionedMappings {
  readonly rows: Mapping[] = [];
  asked = 0;
  failure: Error | undefined;

  async insertIfAbsent(draft: Omit<Mapping, 'id'>): Promise<{ mapping: Mapping; created: boolean }> {
    this.asked += 1;
    await Promise.resolve();
    if (this.failure !== undefined) throw this.failure;
    const present = this.rows.find(({ peer, sipHost }) => peer.id === draft.peer.id && sipHost === draft.sipHost);
    if (present !== undefined) return { mapping: present, created: false };
    const mapping = { id: this.rows.length + 1, ...draft };
    this.rows.push(mapping);
    return { mapping, created: true };
  }
}

describe('the account of a new user', () => {
  it('is the user id at the configured host', () => {
    expect(templateOf(settings, { id: 434, name: 'Ada Lovelace' })).toEqual({
      sipUser: '434',
      sipPassword: '',
      sipHost: 'example.com',
      sipPort: 5060,
      transport: 'udp',
      peer: { type: 1, id: 434 },
      register: true,
      canCall: true,
      canBeCalled: true,
      displayName: 'Ada Lovelace',
    });
  });

  it('has the prefix, the password and the rights of the configuration', () => {
    const strict: AutocreateSettings = {
      ...settings,
      port: 5070,
      userPrefix: 'dialog',
      password: { mode: 'fixed', value: 's3cret' },
      register: false,
      canCall: false,
      canBeCalled: false,
    };
    expect(templateOf(strict, { id: 434 })).toMatchObject({
      sipUser: 'dialog434',
      sipPassword: 's3cret',
      sipPort: 5070,
      register: false,
      canCall: false,
      canBeCalled: false,
    });
  });

  it('has a password that the registrar can derive from the user id as well', () => {
    const derived: AutocreateSettings = { ...settings, password: { mode: 'derived', secret: 'sixteen-or-longer' } };
    // printf 434 | openssl dgst -sha256 -hmac sixteen-or-longer -binary | basenc --base64url | tr -d =
    expect(templateOf(derived, { id: 434 }).sipPassword).toBe('hZRleeZY4DbwNryYOHUSvWXsUGMu2oEPatseTOPiLLs');
    expect(templateOf(derived, { id: 435 }).sipPassword).not.toBe('hZRleeZY4DbwNryYOHUSvWXsUGMu2oEPatseTOPiLLs');
  });

  it('has a password that nobody can guess, another for each user', () => {
    const random: AutocreateSettings = { ...settings, password: { mode: 'random' } };
    const passwords = [1, 2].map((id) => templateOf(random, { id }).sipPassword);
    for (const password of passwords) expect(password).toMatch(/^[\w-]{32}$/);
    expect(passwords[0]).not.toBe(passwords[1]);
  });

  it('opens its WebSocket as configured, with GET and / when nothing else is said', () => {
    const plain: AutocreateSettings = { ...settings, parameters: { transport: 'ws' } };
    expect(templateOf(plain, { id: 1 }).webSocket).toEqual({ method: 'GET', location: '/' });
    const full: AutocreateSettings = {
      ...settings,
      parameters: { transport: 'wss', method: 'POST' },
      headers: { host: 'ws.example.com:8443', location: '/sip' },
    };
    expect(templateOf(full, { id: 1 }).webSocket).toEqual({ method: 'POST', host: 'ws.example.com:8443', location: '/sip' });
  });

  it('has no WebSocket over other transports, whatever the headers say', () => {
    const leftover: AutocreateSettings = { ...settings, headers: { host: 'ws.example.com', location: '/sip' } };
    expect(templateOf(leftover, { id: 1 })).not.toHaveProperty('webSocket');
  });

  it('is called by the nick when there is no name, and by nothing when there is neither', () => {
    expect(templateOf(settings, { id: 1, nick: 'ada' }).displayName).toBe('ada');
    expect(templateOf(settings, { id: 1, name: '  ', nick: 'ada' }).displayName).toBe('ada');
    expect(templateOf(settings, { id: 1 })).not.toHaveProperty('displayName');
  });

  it('is one that the mappings take, however strange the name', () => {
    for (const name of ['Ada\r\nContact: <sip:evil@x>', '😀'.repeat(200), `${'a'.repeat(254)}😀`, '\u0000']) {
      const draft = templateOf(settings, { id: 1, name });
      expect(parseMappingColumns(toColumns(draft))).toEqual(draft);
    }
    expect(templateOf(settings, { id: 1, name: 'Ada\r\nLovelace' }).displayName).toBe('Ada Lovelace');
  });
});

describe('provisioning a user', () => {
  it('makes one mapping, and gives the same one to whoever asks again', async () => {
    const mappings = new FakeMappings();
    const provision = createProvision(settings, mappings);
    const first = await provision({ id: 434 });
    expect(await provision({ id: 434 })).toBe(first);
    expect(mappings.rows).toHaveLength(1);
  });

  it('asks once for calls that overlap, and apart for other users', async () => {
    const mappings = new FakeMappings();
    const provision = createProvision(settings, mappings);
    const [a, b, other] = await Promise.all([provision({ id: 434 }), provision({ id: 434 }), provision({ id: 435 })]);
    expect(a).toBe(b);
    expect(other?.sipUser).toBe('435');
    expect(mappings.asked).toBe(2);
  });

  it('passes a failure on to all who wait, and tries afresh the next time', async () => {
    const mappings = new FakeMappings();
    mappings.failure = new ExtensionError('DATABASE_UNAVAILABLE', 'The database does not answer.');
    const provision = createProvision(settings, mappings);
    const results = await Promise.allSettled([provision({ id: 434 }), provision({ id: 434 })]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(provision({ id: 434 })).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    mappings.failure = undefined;
    expect(await provision({ id: 434 })).toMatchObject({ sipUser: '434' });
  });

  it('does nothing while autocreate is off', async () => {
    const mappings = new FakeMappings();
    expect(await createProvision({ ...settings, on: false }, mappings)({ id: 434 })).toBeUndefined();
    expect(mappings.asked).toBe(0);
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 53])('refuses a user whose id is %s', async (id) => {
    const mappings = new FakeMappings();
    await expect(createProvision(settings, mappings)({ id })).rejects.toMatchObject({ code: 'USER_INVALID', fault: 'host' });
    expect(mappings.asked).toBe(0);
  });

  it('does not repeat what stands in place of an id', async () => {
    const user = JSON.parse('{"id":"my password"}') as { id: number };
    const refusal = createProvision(settings, new FakeMappings())(user);
    await expect(refusal).rejects.toThrow("The user's id is of type string, want a whole number above 0.");
  });

  it('says which key is missing without a host', async () => {
    const hostless: AutocreateSettings = { ...settings };
    delete hostless.host;
    await expect(createProvision(hostless, new FakeMappings())({ id: 1 })).rejects.toThrow(/modules\.sip\.autocreate\.host/);
  });
});
