/** What a person sees of registrations and does to them, over the real registrar, roster and directory on the manual clock. */
import { beforeEach, describe, expect, it } from 'vitest';
import { RegistrationDesk } from '../../src/extension/registration-desk.js';
import { Roster } from '../../src/extension/roster.js';
import { SipAccounts } from '../../src/extension/sip-accounts.js';
import { MappingDirectory } from '../../src/mappings/directory.js';
import type { Mapping } from '../../src/mappings/mapping.js';
import { Secrets } from '../../src/mappings/secrets.js';
import type { AccountSettings } from '../../src/sip/types.js';
import { wrongPassword, type FakeAccount } from '../registrar/fake-account.js';
import { startRegistrar } from '../registrar/setup.js';
import { FakeAccount as FakeSipAccount } from '../support/fake-sip.js';
import { ordinaryDraft } from '../support/mapping-draft.js';

let node: ReturnType<typeof startRegistrar>;
let roster: Roster;
let desk: RegistrationDesk;
/** By SIP user. */
let registering: Map<string, FakeAccount>;

beforeEach(() => {
  node = startRegistrar();
  registering = new Map();
  const directory = new MappingDirectory();
  const byToken = new Map<string, FakeSipAccount>();
  const addAccount = (settings: AccountSettings): FakeSipAccount => {
    const account = node.account();
    registering.set(settings.user, account);
    const own = {
      settings,
      register: (expiresS: number) => account.register(expiresS),
      remove: () => {
        byToken.delete(settings.token);
      },
    };
    const made = Object.assign(new FakeSipAccount(settings.user), own);
    byToken.set(settings.token, made);
    return made;
  };
  roster = new Roster(directory, new SipAccounts({ addAccount, accountOf: (token) => byToken.get(token) }, 'node', new Secrets({ previous: [] })), node.registrar, node.log);
  desk = new RegistrationDesk(node.registrar, roster, directory);
});

function mapping(id: number, change: Partial<Mapping> = {}): Mapping {
  return { ...ordinaryDraft, id, sipUser: `u${id}`, sipPassword: 'hush', peer: { type: 1, id: 1_000 + id }, ...change };
}

async function adopt(...mappings: Mapping[]): Promise<void> {
  for (const each of mappings) roster.put(each);
  await node.clock.advance(1_000);
}

const idsAndStates = (state?: 'held' | 'parked' | 'registered'): string[] =>
  desk.page({ state, afterId: 0, limit: 100 }).map((each) => `${each.mappingId} ${each.state}`);

describe('a registration at the desk', () => {
  it('is shown with its user, and without its password', async () => {
    await adopt(mapping(1), mapping(2, { peer: { type: 2, id: 7 } }));
    expect(desk.find(1)).toMatchObject({ mappingId: 1, aor: 'sip:u1@pbx.example.com', state: 'registered', userId: 1_001, registrar: 'pbx.example.com:5060 over udp' });
    expect(desk.find(2)).not.toHaveProperty('userId');
    expect(JSON.stringify(desk.page({ afterId: 0, limit: 9 }))).not.toContain('hush');
  });

  it('is tried at once when a person asks for it, however long it would wait', async () => {
    await adopt(mapping(1));
    const account = registering.get('u1');
    account?.script.push(wrongPassword);
    desk.register(1);
    await node.clock.advance(1_000);
    expect(desk.find(1)).toMatchObject({ state: 'parked', lastError: expect.stringContaining('refused the password') as string });
    desk.register(1);
    await node.clock.advance(1_000);
    expect(desk.find(1).state).toBe('registered');
    expect(account?.expiries).toHaveLength(3);
  });
});

describe('a registration that a person takes away', () => {
  beforeEach(async () => {
    await adopt(mapping(1), mapping(2), mapping(3));
    desk.unregister(2);
    await node.clock.advance(1_000);
  });

  it('is removed at the registrar, shown as held in its place among the others, and held still hours later', async () => {
    expect(registering.get('u2')?.expiries).toEqual([1_800, 0]);
    await node.clock.advance(5 * 3_600_000);
    expect(registering.get('u2')?.expiries).toEqual([1_800, 0]);
    expect(idsAndStates()).toEqual(['1 registered', '2 held', '3 registered']);
    expect(idsAndStates('held')).toEqual(['2 held']);
    expect(idsAndStates('registered')).toEqual(['1 registered', '3 registered']);
    expect(desk.find(2)).toMatchObject({ aor: 'sip:u2@pbx.example.com', userId: 1_002, note: expect.stringMatching(/^A person un-registered it\./) as string });
  });

  it('is not brought back by its user, who is disabled and enabled', async () => {
    roster.setDisabled(1_002, true);
    roster.setDisabled(1_002, false);
    await node.clock.advance(1_000);
    expect(desk.find(2).state).toBe('held');
  });

  it('comes back when a person asks for it', async () => {
    expect(desk.register(2).state).toBe('registering');
    await node.clock.advance(1_000);
    expect(idsAndStates()).toEqual(['1 registered', '2 registered', '3 registered']);
  });

  it('may be asked back while it is being removed, and comes back after that', async () => {
    const account = registering.get('u3');
    if (account !== undefined) account.isHeld = true;
    desk.unregister(3);
    await node.clock.advance(1);
    expect(idsAndStates()).toEqual(['1 registered', '2 held', '3 unregistering']);
    desk.register(3);
    account?.answer({ kind: 'registered', expiresS: 0, contactChanged: false });
    if (account !== undefined) account.isHeld = false;
    await node.clock.advance(1_000);
    expect(desk.find(3).state).toBe('registered');
  });

  it('comes back when its row changes, and not when its row is only read again', async () => {
    await adopt(mapping(2));
    expect(desk.find(2).state).toBe('held');
    await adopt(mapping(2, { sipPassword: 'another' }));
    expect(desk.find(2).state).toBe('registered');
  });

  it('is on one page and no other', () => {
    desk.unregister(1);
    const pages = [0, 1, 2, 3].map((afterId) => desk.page({ afterId, limit: 1 }).map((each) => each.mappingId));
    expect(pages).toEqual([[1], [2], [3], []]);
  });

  it('is found by a part of its address like the others, on one page and no other', () => {
    const found = [0, 1, 2, 3].map((afterId) => desk.search({ text: '@PBX.', afterId, limit: 1 }));
    expect(found.map(({ items, next }) => [items.map((each) => `${each.mappingId} ${each.state}`), next])).toEqual([
      [['1 registered'], 1],
      [['2 held'], 2],
      [['3 registered'], undefined],
      [[], undefined],
    ]);
    expect(desk.search({ text: 'u2', state: 'held', afterId: 0, limit: 9 })).toEqual({ items: [desk.find(2)] });
    expect(desk.search({ text: 'u3', state: 'held', afterId: 0, limit: 9 })).toEqual({ items: [] });
  });

  it('is forgotten with its user', async () => {
    await roster.dismiss(1_002, () => Promise.resolve());
    expect(idsAndStates()).toEqual(['1 registered', '3 registered']);
    await adopt(mapping(2));
    expect(desk.find(2).state).toBe('registered');
  });
});

describe('a mapping that is not to be registered', () => {
  it('is shown to who asks for it or its user, with the reason, and not in the list', async () => {
    await adopt(mapping(1, { register: false }), mapping(2, { peer: { type: 1, id: 1_001 } }));
    expect(desk.ofUser(1_001)).toMatchObject([{ mappingId: 1, state: 'off', note: expect.stringContaining('register = false') as string }, { mappingId: 2, state: 'registered' }]);
    expect(idsAndStates()).toEqual(['2 registered']);
    roster.setDisabled(1_001, true);
    await node.clock.advance(1_000);
    expect(desk.find(2)).toMatchObject({ state: 'off', note: 'Its user is disabled in the messenger.' });
  });

  it('cannot be registered or un-registered by a person', async () => {
    await adopt(mapping(1, { register: false }), mapping(2));
    roster.setDisabled(1_002, true);
    for (const id of [1, 2]) {
      expect(() => desk.register(id)).toThrow(expect.objectContaining({ code: 'REGISTRATION_OFF' }) as Error);
      expect(() => desk.unregister(id)).toThrow(expect.objectContaining({ code: 'REGISTRATION_OFF' }) as Error);
    }
    expect(registering.get('u1')?.asked).toEqual([]);
  });

  it('is not to be found when there is none', () => {
    for (const ask of [() => desk.find(9), () => desk.register(9), () => desk.unregister(9)]) {
      expect(ask).toThrow(expect.objectContaining({ code: 'MAPPING_NOT_FOUND' }) as Error);
    }
    expect(desk.ofUser(9)).toEqual([]);
  });
});
