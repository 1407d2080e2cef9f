import { describe, expect, it } from 'vitest';
import { backfill, type BackfillProgress } from '../../src/autocreate/backfill.js';
import type { BackfilledMappings } from '../../src/autocreate/ports.js';
import type { AutocreateSettings } from '../../src/autocreate/template.js';
import type { ListedUser } from '../../src/autocreate/user-list.js';
import type { MappingDraft } from '../../src/mappings/mapping.js';
import { ordinarySettings } from './ordinary-settings.js';

const settings: AutocreateSettings = { ...ordinarySettings, on: false, userPrefix: 'dialog' };

/** Takes every draft but those of these users. */
class FakeMappings implements BackfilledMappings {
  readonly batches: MappingDraft[][] = [];

  constructor(private readonly taken: readonly number[] = []) {}

  insertAllIfAbsent(drafts: readonly MappingDraft[]): ReturnType<BackfilledMappings['insertAllIfAbsent']> {
    this.batches.push([...drafts]);
    const conflicts = drafts.flatMap(({ peer, sipUser }, index) => (this.taken.includes(peer.id) ? [{ index, problem: `${sipUser} is taken` }] : []));
    return Promise.resolve({ created: drafts.length - conflicts.length - 1, present: 1, conflicts });
  }
}

async function run(users: ListedUser[], mappings: BackfilledMappings): Promise<BackfillProgress[]> {
  const told: BackfillProgress[] = [];
  for await (const progress of backfill(settings, users, mappings)) told.push(progress);
  return told;
}

describe('the backfill of users', () => {
  it('gives each the account of a new user, some hundreds at a time', async () => {
    const mappings = new FakeMappings();
    const told = await run(Array.from({ length: 1_200 }, (_, index) => ({ line: index + 2, user: { id: index + 1, name: `N${String(index)}` } })), mappings);
    expect(mappings.batches.map((batch) => batch.length)).toEqual([500, 500, 200]);
    expect(mappings.batches[2]?.at(-1)).toMatchObject({ sipUser: 'dialog1200', sipHost: 'example.com', displayName: 'N1199', peer: { type: 1, id: 1_200 } });
    expect(told.map(({ done, created, present }) => [done, created, present])).toEqual([[500, 499, 1], [1_000, 998, 2], [1_200, 1_197, 3]]);
  });

  it('leaves disabled users out, and tells the line of each that gets none', async () => {
    const mappings = new FakeMappings([3]);
    const told = await run(
      [
        { line: 2, user: { id: 1, disabled: true } },
        { line: 3, user: { id: 2 } },
        { line: 4, user: { id: 3 } },
        { line: 5, user: { id: 4, disabled: false } },
        { line: 1, problem: 'line 1: is no JSON object' },
      ],
      mappings,
    );
    expect(mappings.batches[0]?.map(({ peer }) => peer.id)).toEqual([2, 3, 4]);
    expect(told).toEqual([
      { done: 5, created: 1, present: 1, disabled: 1, problems: ['line 1: is no JSON object', 'line 4: dialog3 is taken'] },
    ]);
  });
});
