import { describe, expect, it } from 'vitest';
import { MappingDirectory } from '../../src/mappings/directory.js';
import type { HeldMapping, Mapping } from '../../src/mappings/mapping.js';
import { ordinaryDraft } from '../support/mapping-draft.js';

function mapping(id: number, change: Partial<Mapping> = {}): Mapping {
  return { ...ordinaryDraft, id, sipUser: String(id), peer: { type: 1, id }, ...change };
}

/** No password stands in it: the account alone holds one. */
function withoutPassword(one: Mapping): HeldMapping {
  return Object.fromEntries(Object.entries(one).filter(([field]) => field !== 'sipPassword')) as unknown as HeldMapping;
}

function ids(mappings: Iterable<HeldMapping>): number[] {
  return [...mappings].map(({ id }) => id);
}

describe('the directory of mappings', () => {
  it('finds by id, by peer and by SIP user', () => {
    const directory = new MappingDirectory();
    directory.put(mapping(1));
    directory.put(mapping(2));
    expect(directory.get(2)).toEqual(withoutPassword(mapping(2)));
    expect(ids(directory.byPeer({ type: 1, id: 2 }))).toEqual([2]);
    expect(ids(directory.bySipUser('1'))).toEqual([1]);
    expect(directory.size).toBe(2);
    expect(ids(directory.values())).toEqual([1, 2]);
  });

  it('finds nothing where there is nothing', () => {
    const directory = new MappingDirectory();
    expect(directory.get(1)).toBeUndefined();
    expect(directory.byPeer({ type: 1, id: 1 })).toEqual([]);
    expect(directory.bySipUser('1', 'pbx.example.com')).toEqual([]);
    expect(directory.delete(1)).toBe(false);
  });

  it('lists the mappings of one peer by ascending id, in whatever order they came', () => {
    const directory = new MappingDirectory();
    for (const id of [5, 3, 9, 4]) directory.put(mapping(id, { peer: { type: 1, id: 1 }, sipUser: 'same' }));
    expect(ids(directory.byPeer({ type: 1, id: 1 }))).toEqual([3, 4, 5, 9]);
    expect(ids(directory.bySipUser('same'))).toEqual([3, 4, 5, 9]);
  });

  it('tells a user, a group and a SIP address of one number apart, and SIP addresses by their text', () => {
    const directory = new MappingDirectory();
    directory.put(mapping(1, { peer: { type: 1, id: 7 } }));
    directory.put(mapping(2, { peer: { type: 2, id: 7 } }));
    directory.put(mapping(3, { peer: { type: 4, id: 7, strId: 'sip:a@b' } }));
    directory.put(mapping(4, { peer: { type: 4, id: 7, strId: 'sip:c@d' } }));
    expect(ids(directory.byPeer({ type: 1, id: 7 }))).toEqual([1]);
    expect(ids(directory.byPeer({ type: 2, id: 7 }))).toEqual([2]);
    expect(ids(directory.byPeer({ type: 4, id: 7, strId: 'sip:c@d' }))).toEqual([4]);
  });

  it('compares hosts without their case and users with it', () => {
    const directory = new MappingDirectory();
    directory.put(mapping(1, { sipUser: 'Bob', sipHost: 'PBX.example.com' }));
    directory.put(mapping(2, { sipUser: 'Bob', sipHost: 'other.example.com' }));
    expect(ids(directory.bySipUser('Bob', 'pbx.EXAMPLE.com'))).toEqual([1]);
    expect(directory.bySipUser('bob')).toEqual([]);
    expect(directory.bySipUser('Bob', 'elsewhere')).toEqual([]);
  });

  it('leaves no trace of what a mapping was before it changed', () => {
    const directory = new MappingDirectory();
    directory.put(mapping(1, { sipUser: 'old', peer: { type: 1, id: 10 } }));
    directory.put(mapping(1, { sipUser: 'new', peer: { type: 1, id: 20 } }));
    expect(directory.size).toBe(1);
    expect(directory.bySipUser('old')).toEqual([]);
    expect(directory.byPeer({ type: 1, id: 10 })).toEqual([]);
    expect(ids(directory.bySipUser('new'))).toEqual([1]);
    expect(ids(directory.byPeer({ type: 1, id: 20 }))).toEqual([1]);
  });

  it('keeps the others of a peer when one is deleted', () => {
    const directory = new MappingDirectory();
    for (const id of [1, 2, 3]) directory.put(mapping(id, { peer: { type: 1, id: 1 } }));
    expect(directory.delete(2)).toBe(true);
    expect(ids(directory.byPeer({ type: 1, id: 1 }))).toEqual([1, 3]);
    directory.delete(1);
    expect(ids(directory.byPeer({ type: 1, id: 1 }))).toEqual([3]);
    directory.delete(3);
    expect(directory.byPeer({ type: 1, id: 1 })).toEqual([]);
    expect(directory.size).toBe(0);
  });

  it('does not change with the object it was given', () => {
    const directory = new MappingDirectory();
    const given = mapping(1);
    directory.put(given);
    given.peer.id = 99;
    given.sipUser = 'other';
    expect(directory.get(1)).toEqual(withoutPassword(mapping(1)));
    expect(Object.isFrozen(directory.get(1))).toBe(true);
  });

  it('holds one handshake for all that have the same', () => {
    const directory = new MappingDirectory();
    for (const id of [1, 2]) directory.put(mapping(id, { transport: 'wss', webSocket: { method: 'GET', location: '/ws' } }));
    directory.put(mapping(3, { transport: 'wss', webSocket: { method: 'GET', location: '/other' } }));
    expect(directory.get(1)?.webSocket).toBe(directory.get(2)?.webSocket);
    expect(directory.get(3)?.webSocket).toEqual({ method: 'GET', location: '/other' });
  });
});
