import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Roster } from '../../src/extension/roster.js';
import { SipAccounts } from '../../src/extension/sip-accounts.js';
import { MappingDirectory } from '../../src/mappings/directory.js';
import type { Mapping } from '../../src/mappings/mapping.js';
import { Secrets } from '../../src/mappings/secrets.js';
import type { AccountSettings, SipAccount } from '../../src/sip/types.js';
import { FakeAccount } from '../registrar/fake-account.js';
import { startRegistrar } from '../registrar/setup.js';
import { settle } from '../support/manual-clock.js';
import { ordinaryDraft } from '../support/mapping-draft.js';

/** An account of a stack that takes a token once at a time, as the real one does. */
class RosterAccount extends FakeAccount implements Pick<SipAccount, 'settings' | 'register' | 'remove'> {
  isRemoved = false;

  constructor(override readonly settings: AccountSettings) {
    super();
  }

  remove(): void {
    this.isRemoved = true;
  }
}

const secrets = new Secrets({ key: createSecretKey(Buffer.alloc(32, 7)), previous: [] });

function startRoster() {
  const { registrar, log } = startRegistrar();
  const accounts: RosterAccount[] = [];
  const stack = {
    addAccount: (settings: AccountSettings): SipAccount => {
      if (accounts.some((other) => !other.isRemoved && other.settings.token === settings.token)) throw new Error('that token is in use');
      if (settings.user === 'unusable') throw new Error('no such account can be made');
      const account = new RosterAccount(settings);
      accounts.push(account);
      return account as unknown as SipAccount;
    },
    accountOf: (token: string) => accounts.find((one) => !one.isRemoved && one.settings.token === token) as unknown as SipAccount | undefined,
  };
  const directory = new MappingDirectory();
  const bySip = new SipAccounts(stack, 'node', secrets);
  const roster = new Roster(directory, bySip, registrar, log);
  /** `password: expiries`, an account each, in the order in which they were made. */
  const asked = (): string[] => accounts.map(({ settings, expiries, isRemoved }) => `${JSON.stringify(settings.password).replaceAll('"', '')}: ${expiries.join()}${isRemoved ? ', removed' : ''}`);
  return { roster, registrar, directory, accounts, bySip, log, asked };
}

const mapping: Mapping = { ...ordinaryDraft, id: 7, sipPassword: 'a', sipHost: 'pbx' };

describe('a mapping', () => {
  it('is taken in and registered; as it is a second time, nothing happens', async () => {
    const { roster, asked, directory } = startRoster();
    expect(roster.put(mapping)).toBe('added');
    await settle();
    expect(roster.put({ ...mapping })).toBe('same');
    await settle();
    expect(asked()).toEqual(['a: 1800']);
    expect(directory.byPeer({ type: 1, id: 434 })).toHaveLength(1);
  });

  it('with another password is registered at once with it, and the account of before is out of the stack', async () => {
    const { roster, asked, bySip, accounts } = startRoster();
    roster.put(mapping);
    roster.put({ ...mapping, id: 8, sipUser: '8', sipPassword: 'other' });
    await settle();
    expect(roster.put({ ...mapping, sipPassword: 'b' })).toBe('changed');
    await settle();
    expect(asked()).toEqual(['a: 1800, removed', 'other: 1800', 'b: 1800']);
    expect([bySip.accountOf(7), bySip.mappingIdOf(accounts[0] as unknown as SipAccount)]).toEqual([accounts[2], undefined]);
  });

  it('at another host is un-registered with its old account first', async () => {
    const { roster, asked, accounts } = startRoster();
    roster.put(mapping);
    await settle();
    accounts[0]!.isHeld = true;
    roster.put({ ...mapping, sipHost: 'other.example.com', sipPassword: 'b' });
    await settle();
    expect(asked()).toEqual(['a: 1800,0, removed', 'b: ']);
    accounts[0]!.answer({ kind: 'registered', expiresS: 0, contactChanged: false });
    await settle();
    expect(asked()).toEqual(['a: 1800,0, removed', 'b: 1800']);
  });

  it('whose rights alone change keeps account and registration', async () => {
    const { roster, asked, directory } = startRoster();
    roster.put(mapping);
    await settle();
    expect(roster.put({ ...mapping, canCall: false, peer: { type: 1, id: 435 } })).toBe('changed');
    await settle();
    expect(asked()).toEqual(['a: 1800']);
    expect(directory.byPeer({ type: 1, id: 434 })).toEqual([]);
    expect(directory.byPeer({ type: 1, id: 435 })).toMatchObject([{ canCall: false }]);
  });

  it('whose password is encrypted, and then anew, keeps account and registration', async () => {
    const { roster, asked, directory } = startRoster();
    roster.put(mapping);
    await settle();
    const anew = [secrets.seal('a'), secrets.seal('a')].map((sipPassword) => roster.put({ ...mapping, sipPassword }));
    await settle();
    expect([anew, asked()]).toEqual([['same', 'same'], ['a: 1800']]);
    expect(directory.get(7)).not.toHaveProperty('sipPassword');
  });

  it('that is not to be registered any more is un-registered and can still call, and is registered again', async () => {
    const { roster, asked, bySip, accounts, registrar } = startRoster();
    roster.put(mapping);
    await settle();
    roster.put({ ...mapping, register: false });
    await settle();
    expect(asked()).toEqual(['a: 1800,0']);
    expect([bySip.accountOf(7), registrar.status().total]).toEqual([accounts[0], 0]);
    roster.put(mapping);
    await settle();
    expect(asked()).toEqual(['a: 1800,0,1800']);
  });

  it('that goes is un-registered and forgotten, and may come back under its id at once', async () => {
    const { roster, asked, directory, bySip } = startRoster();
    roster.put(mapping);
    await settle();
    expect([roster.remove(7), roster.remove(7)]).toEqual([true, false]);
    expect([directory.size, bySip.accountOf(7)]).toEqual([0, undefined]);
    roster.put({ ...mapping, sipPassword: 'b' });
    await settle();
    expect(asked()).toEqual(['a: 1800,0, removed', 'b: 1800']);
  });

  it('of a disabled user is changed without being registered, until it moves to one who is not', async () => {
    const { roster, asked } = startRoster();
    roster.setDisabled(434, true);
    roster.put(mapping);
    roster.put({ ...mapping, sipPassword: 'b' });
    await settle();
    expect(asked()).toEqual(['a: , removed', 'b: ']);
    roster.put({ ...mapping, sipPassword: 'b', peer: { type: 1, id: 435 } });
    await settle();
    expect(asked()).toEqual(['a: , removed', 'b: 1800']);
  });
});

describe('a row that cannot be used', () => {
  const rejected = { id: 7, problem: 'row 7: sip_port 70000 is not a port' };

  it('is told of once while it stays the same, and takes the mapping of before away', async () => {
    const { roster, asked, directory, log } = startRoster();
    roster.put(mapping);
    await settle();
    roster.reject(rejected);
    roster.reject({ ...rejected });
    await settle();
    expect(asked()).toEqual(['a: 1800,0, removed']);
    expect([directory.size, roster.rejectedRows, [...roster.ids()]]).toEqual([0, [rejected], [7]]);
    expect(log.lines.filter((line) => line.startsWith('error'))).toEqual(['error: A row of sip_user_mappings cannot be used: row 7: sip_port 70000 is not a port']);
  });

  it('is forgotten when it is set right, and when it goes', () => {
    const { roster } = startRoster();
    roster.reject(rejected);
    roster.reject({ ...rejected, id: 8 });
    roster.put(mapping);
    expect(roster.remove(8)).toBe(true);
    expect(roster.rejectedRows).toEqual([]);
  });

  it('since its password cannot be decrypted any more is un-registered with the password of before', async () => {
    const { roster, asked } = startRoster();
    roster.put(mapping);
    await settle();
    const foreign = new Secrets({ key: createSecretKey(Buffer.alloc(32, 8)), previous: [] }).seal('a');
    expect(roster.put({ ...mapping, sipPassword: foreign })).toBe('rejected');
    await settle();
    expect(asked()).toEqual(['a: 1800,0, removed']);
    expect(roster.problemOf(7)).toMatch(/^row 7: sip_password is encrypted with the key/);
  });

  it('for a reason that the stack alone knows is one as well, and harms no other', async () => {
    const { roster, asked, directory } = startRoster();
    roster.put(mapping);
    roster.put({ ...mapping, id: 8, sipUser: 'unusable' });
    await settle();
    expect(asked()).toEqual(['a: 1800']);
    expect([directory.size, roster.rejectedRows]).toEqual([1, [{ id: 8, problem: 'row 8: no such account can be made' }]]);
  });
});

describe('a user who is deleted', () => {
  it('is un-registered when that is told, though the table told of the row first', async () => {
    const { roster, accounts, directory } = startRoster();
    roster.put(mapping);
    await settle();
    accounts[0]!.isHeld = true;
    let isTold = false;
    const dismissed = roster.dismiss(434, () => Promise.resolve(roster.remove(7))).then(() => (isTold = true));
    await settle();
    expect([accounts[0]!.expiries, directory.size, isTold]).toEqual([[1800, 0], 0, false]);
    accounts[0]!.answer({ kind: 'registered', expiresS: 0, contactChanged: false });
    await dismissed;
  });

  it('stays when the rows cannot be erased', async () => {
    const { roster, asked, directory } = startRoster();
    roster.put(mapping);
    await settle();
    await expect(roster.dismiss(434, () => Promise.reject(new Error('no database')))).rejects.toThrow('no database');
    expect([asked(), directory.size]).toEqual([['a: 1800'], 1]);
  });
});
