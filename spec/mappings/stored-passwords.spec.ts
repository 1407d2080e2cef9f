import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase, type Database } from '../../src/mappings/database.js';
import { migrate } from '../../src/mappings/migrate.js';
import { keyId, Secrets } from '../../src/mappings/secrets.js';
import { StoredPasswords, type PasswordScope } from '../../src/mappings/stored-passwords.js';

let database: Database;
const newKey = (): KeyObject => createSecretKey(randomBytes(32));
const [older, key] = [newKey(), newKey()];
const before = new Secrets({ key: older, previous: [] });
const secrets = new Secrets({ key, previous: [older] });
const hashed = `ha1:${'a'.repeat(32)}`;

beforeAll(async () => {
  database = await openDatabase({ kind: 'embedded', directory: ':memory:' });
  await migrate(database.knex);
}, 60_000);

beforeEach(async () => {
  await database.knex.raw('truncate sip_user_mappings restart identity');
});

afterAll(() => database.close());

async function insert(...passwords: (string | null)[]): Promise<void> {
  const rows = passwords.map((sip_password, index) => ({ sip_user: `u${String(index)}`, sip_host: 'pbx', peer_id: index, sip_password }));
  await database.knex.batchInsert('sip_user_mappings', rows);
}

const stored = (): Promise<(string | null)[]> => database.knex('sip_user_mappings').orderBy('id').pluck('sip_password');

async function rewrite(scope: PasswordScope, using = secrets): Promise<{ done: number; encrypted: number; problems: string[]; pages: number }> {
  const all = { done: 0, encrypted: 0, problems: [] as string[], pages: 0 };
  for await (const { done, encrypted, problems } of new StoredPasswords(database.knex, using).rewrite(scope)) {
    all.problems.push(...problems);
    Object.assign(all, { done, encrypted, pages: all.pages + 1 });
  }
  return all;
}

describe('encrypting what is in the table', () => {
  it('takes passwords and hashes in the clear, once, and leaves the rest as it is', async () => {
    const sealed = [before.seal('old'), secrets.seal('new')];
    await insert('plain', hashed, '', null, ...sealed);
    expect(await new StoredPasswords(database.knex, secrets).count('unencrypted')).toBe(2);
    expect(await rewrite('unencrypted')).toEqual({ done: 2, encrypted: 2, problems: [], pages: 1 });
    const [plain, hash, ...rest] = await stored();
    expect([secrets.open(plain!), secrets.open(hash!)]).toEqual(['plain', { ha1: 'a'.repeat(32) }]);
    expect([plain, hash].every((text) => text?.startsWith(`enc:v1:${keyId(key)}:`))).toBe(true);
    expect(rest).toEqual(['', null, ...sealed]);
    expect(await rewrite('unencrypted')).toMatchObject({ done: 0, pages: 0 });
  });

  it('goes through a long table in pages, and stays where it was interrupted', async () => {
    await insert(...Array.from({ length: 1_200 }, (_, index) => `p${String(index)}`));
    for await (const { done } of new StoredPasswords(database.knex, secrets).rewrite('unencrypted')) {
      expect(done).toBe(500);
      break;
    }
    const passwords = new StoredPasswords(database.knex, secrets);
    expect(await passwords.count('unencrypted')).toBe(700);
    expect(await rewrite('unencrypted')).toMatchObject({ done: 700, encrypted: 700, pages: 2 });
    expect((await stored()).map((text) => secrets.open(text!))).toEqual(Array.from({ length: 1_200 }, (_, index) => `p${String(index)}`));
  });

  it('does not take for a password what begins like an encrypted one of a later version', async () => {
    await insert('enc:v2:0123:abcd', 'ha1:short', 'plain');
    expect(await rewrite('unencrypted')).toMatchObject({
      done: 3,
      encrypted: 1,
      problems: [
        'row 1: sip_password is encrypted in a form that this version does not know',
        'row 2: sip_password begins with "ha1:", but 32 hexadecimal digits do not follow',
      ],
    });
    expect((await stored()).slice(0, 2)).toEqual(['enc:v2:0123:abcd', 'ha1:short']);
  });
});

describe('encrypting anew after a change of the key', () => {
  it('takes what older keys encrypted, once, and leaves the rest as it is', async () => {
    const current = secrets.seal('new');
    await insert('plain', before.seal('old'), current, before.seal(hashed));
    expect(await new StoredPasswords(database.knex, secrets).count('outdated')).toBe(2);
    expect(await rewrite('outdated')).toEqual({ done: 2, encrypted: 2, problems: [], pages: 1 });
    const [plain, old, same, hash] = await stored();
    expect([plain, same]).toEqual(['plain', current]);
    const alone = new Secrets({ key, previous: [] });
    expect([alone.open(old!), alone.open(hash!)]).toEqual(['old', { ha1: 'a'.repeat(32) }]);
    expect(await rewrite('outdated')).toMatchObject({ done: 0, pages: 0 });
  });

  it('leaves a password that no key opens as it is, names its row, and does the others', async () => {
    const lost = new Secrets({ key: newKey(), previous: [] }).seal('lost');
    await insert(lost, before.seal('old'));
    const { encrypted, problems } = await rewrite('outdated');
    expect(encrypted).toBe(1);
    expect(problems).toEqual([expect.stringMatching(/^row 1: sip_password is encrypted with the key [0-9a-f]{8}, which is neither/)]);
    expect((await stored())[0]).toBe(lost);
  });
});
