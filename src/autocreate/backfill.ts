/**
 * Gives the users that are there already their accounts, as `provision` does to new ones: a user who has a mapping at the configured host
 * keeps it, so it may be interrupted and run again.
 */
import type { BackfilledMappings } from './ports.js';
import { templateOf, type AutocreateSettings } from './template.js';
import type { ListedUser } from './user-list.js';

export interface BackfillProgress {
  /** Lines of the list so far. */
  done: number;
  /** Mappings made. */
  created: number;
  /** Users who had one. */
  present: number;
  /** Disabled users, who get none. */
  disabled: number;
  /** Of these last lines: "line 7: 434@pbx.example.com belongs to another peer already: peer 9 (type 1), mapping 3". */
  problems: string[];
}

/** Lines in one transaction. */
const batchSize = 500;

/**
 * Tells of each batch when it is written. A dry run checks everything and writes nothing.
 * @throws ExtensionError CONFIG_INVALID without `modules.sip.autocreate.host`; whatever the mappings reject with
 */
export async function* backfill(
  settings: AutocreateSettings,
  users: readonly ListedUser[],
  mappings: BackfilledMappings,
  options: { dryRun?: boolean } = {},
): AsyncGenerator<BackfillProgress, void, undefined> {
  const total = { done: 0, created: 0, present: 0, disabled: 0 };
  for (let start = 0; start < users.length; start += batchSize) {
    const batch = users.slice(start, start + batchSize);
    const problems = batch.flatMap((one) => ('problem' in one ? [{ line: one.line, problem: one.problem }] : []));
    const listed = batch.flatMap((one) => ('user' in one ? [one] : []));
    const wanted = listed.filter(({ user }) => user.disabled !== true);
    const report = await mappings.insertAllIfAbsent(wanted.map(({ user }) => templateOf(settings, user)), options);
    for (const { index, problem } of report.conflicts) {
      const line = wanted[index]?.line ?? 0;
      problems.push({ line, problem: `line ${line}: ${problem}` });
    }
    total.done += batch.length;
    total.created += report.created;
    total.present += report.present;
    total.disabled += listed.length - wanted.length;
    yield { ...total, problems: problems.sort((a, b) => a.line - b.line).map(({ problem }) => problem) };
  }
}
